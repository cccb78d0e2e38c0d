/*
 * Makes folders for what is their owner's alone. POSIX.
 */
#ifndef FOLDER_MAKE_H
#define FOLDER_MAKE_H

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Makes the folder whose path is the first `length` bytes of `path`, with mode 0700 whatever the umask
 * is, and before it up to `above` folders that it is in. What is there stays as it is. Reports nothing:
 * the caller learns what went wrong when it opens the folder.
 */
static void folder_make(const char *path, size_t length, int above) {
    char folder[4096];
    size_t parent;
    mode_t umask_before;

    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0 || length >= sizeof folder)
        return;
    memcpy(folder, path, length);
    folder[length] = '\0';
    umask_before = umask(0077);
    if (mkdir(folder, 0700) != 0 && errno == ENOENT && above > 0) {
        for (parent = length; parent > 0 && path[parent - 1] != '/';)
            parent--;
        folder_make(path, parent, above - 1);
        mkdir(folder, 0700);
    }
    umask(umask_before);
}

#endif
