/*
 * Writes what secret_file.h reads. Linux; C99 with _GNU_SOURCE.
 */
#ifndef SECRET_STORE_H
#define SECRET_STORE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret_file.h"

/*
 * Waits until nobody else changes files of the folder, so that what was read of one is still true when
 * it is written. Ends with the folder's close(). Gives 0 with errno set if it fails.
 */
static int secret_store_lock(int folder) {
    int locked;

    do
        locked = flock(folder, LOCK_EX);
    while (locked != 0 && errno == EINTR);
    return locked == 0;
}

/*
 * Writes the file of `user` under another name first: nobody ever sees a half one. `flags` are
 * renameat2()'s. Gives 0 with errno set if it fails.
 */
static int secret_store(int folder, const char *user, const struct secret_file *secrets,
                        unsigned int flags) {
    char lines[sizeof *secrets + 2], name[32];
    size_t length = (size_t)sprintf(lines, "%s\n%s%s", secrets->secret, secrets->recovery,
                                    secrets->recovery[0] != '\0' ? "\n" : "");
    int file, written, error;

    sprintf(name, ".new.%ld", (long)getpid());
    unlinkat(folder, name, 0); /* what is left of a killed process that had our number */
    file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    written = file >= 0 && fchmod(file, 0600) == 0 &&
              write(file, lines, length) == (ssize_t)length && fsync(file) == 0;
    explicit_bzero(lines, sizeof lines);
    if (file >= 0 && close(file) != 0)
        written = 0;
    if (written && renameat2(folder, name, folder, user, flags) == 0 && fsync(folder) == 0)
        return 1;
    error = errno;
    if (file >= 0)
        unlinkat(folder, name, 0);
    errno = error;
    return 0;
}

#endif
