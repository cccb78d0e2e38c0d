/*
 * Files that another program has left: read as a whole, and left as they are, with their times. Linux;
 * C99 with _GNU_SOURCE.
 */
#ifndef FOREIGN_FILE_H
#define FOREIGN_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that cannot be told to belong to one user. */
enum { FOREIGN_FILE_ANYBODYS = -1 };

/* What a file holds. Yours to wipe, by foreign_file_free(). */
struct foreign_file {
    char *text;
    size_t length;
};

static void foreign_file_free(struct foreign_file *file) {
    if (file->text != NULL)
        explicit_bzero(file->text, file->length);
    free(file->text);
    file->text = NULL;
    file->length = 0;
}

/*
 * Opens a file of a folder, or of AT_FDCWD, for reading; `flags` may be O_NOFOLLOW. Gives -1 with
 * errno set if it fails.
 */
static int foreign_file_open(int folder, const char *name, int flags) {
    int opened;

    /* O_NONBLOCK: a FIFO would keep us waiting. */
    flags |= O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    opened = openat(folder, name, flags | O_NOATIME);
    /* Only its owner and root may leave the time as it is. */
    if (opened < 0 && errno == EPERM)
        opened = openat(folder, name, flags);
    return opened;
}

static const char *foreign_file_refused(const struct stat *stat, long owner, size_t longest) {
    if (!S_ISREG(stat->st_mode))
        return "the file is not a regular file";
    if (stat->st_size > (off_t)longest)
        return "the file is too long";
    if (owner == FOREIGN_FILE_ANYBODYS)
        return NULL;
    if (stat->st_uid != (uid_t)owner && stat->st_uid != 0 && stat->st_uid != geteuid())
        return "the file belongs to another user";
    if ((stat->st_mode & 022) != 0)
        return "the file may be written by others";
    return NULL;
}

/*
 * Reads an open file, and closes it. A file of `owner`, a uid, must belong to that user, to root or to the
 * user that the process runs as, and nobody else may write it. Gives 1; or 0 and why not.
 */
static int foreign_file_read(int opened, long owner, size_t longest, struct foreign_file *file,
                             const char **why) {
    struct stat stat;
    size_t size;
    ssize_t got = 0;

    memset(file, 0, sizeof *file);
    *why =
        fstat(opened, &stat) != 0 ? strerror(errno) : foreign_file_refused(&stat, owner, longest);
    if (*why == NULL) {
        size = (size_t)stat.st_size;
        file->text = malloc(size + 1);
        while (file->text != NULL && file->length < size &&
               (got = read(opened, file->text + file->length, size - file->length)) > 0)
            file->length += (size_t)got;
        if (file->text == NULL || got < 0)
            *why = strerror(errno);
        else if (file->length < size)
            *why = "the file could not be read as a whole";
    }
    close(opened);
    if (*why == NULL)
        return 1;
    foreign_file_free(file);
    return 0;
}

#endif
