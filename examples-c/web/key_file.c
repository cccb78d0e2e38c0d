#define _DEFAULT_SOURCE /* explicit_bzero */

#include "key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 32 };

/* Base64 of a new key. */
static int make_key(char key[KEY_SIZE]) {
    static const char symbols[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char random[BYTES + 1] = {
        0}; /* three bytes are four symbols: the last is no part of it */
    size_t i, at = 0;

    if (getrandom(random, BYTES, 0) != BYTES)
        return 0;
    for (i = 0; i < sizeof random; i += 3) {
        unsigned three = (unsigned)random[i] << 16 | (unsigned)random[i + 1] << 8 | random[i + 2];
        key[at++] = symbols[three >> 18];
        key[at++] = symbols[three >> 12 & 63];
        key[at++] = symbols[three >> 6 & 63];
        key[at++] = symbols[three & 63];
    }
    key[at - 1] = '=';
    key[at] = '\0';
    explicit_bzero(random, sizeof random);
    return 1;
}

/*
 * Makes the file under another name first, so that of two programs that start at once both have one
 * key. That somebody else has made it meanwhile is no failure.
 */
static int make_file(const char *path) {
    char made[4096], key[KEY_SIZE];
    int file, written, linked = 0;

    if ((size_t)snprintf(made, sizeof made, "%s.new.%ld", path, (long)getpid()) >= sizeof made) {
        errno = ENAMETOOLONG;
        return 0;
    }
    file = open(made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0)
        return 0;
    written = make_key(key) && write(file, key, KEY_SIZE - 1) == KEY_SIZE - 1 &&
              write(file, "\n", 1) == 1 && fsync(file) == 0;
    explicit_bzero(key, sizeof key);
    if (close(file) == 0 && written)
        linked = link(made, path) == 0 || errno == EEXIST;
    unlink(made);
    return linked;
}

static const char *refused(int file) {
    struct stat stat;

    if (fstat(file, &stat) != 0)
        return strerror(errno);
    if (!S_ISREG(stat.st_mode))
        return "not a regular file";
    if (stat.st_uid != geteuid())
        return "belongs to another user";
    if ((stat.st_mode & 077) != 0)
        return "may be used by others: chmod 600";
    return NULL;
}

/* O_NONBLOCK: a FIFO would keep us waiting. */
static int open_file(const char *path) {
    return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

int key_file_read(const char *path, char key[KEY_SIZE], const char **why) {
    int file = open_file(path);
    ssize_t length;

    if (file < 0 && errno == ENOENT && make_file(path))
        file = open_file(path);
    if (file < 0) {
        *why = strerror(errno);
        return 0;
    }
    *why = refused(file);
    if (*why == NULL) {
        length = read(file, key, KEY_SIZE - 1);
        key[length > 0 ? length : 0] = '\0';
        if (length != KEY_SIZE - 1)
            *why = "holds no key";
    }
    close(file);
    if (*why != NULL)
        explicit_bzero(key, KEY_SIZE);
    return *why == NULL;
}
