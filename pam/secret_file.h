/*
 * The secrets of a machine's users: a folder with one file per user, which has the user's name and
 * holds the secret on its first line, in base32 or as an otpauth URI. A second line, if there is one,
 * holds what is stored of the user's recovery codes. Linux; C99 with _GNU_SOURCE.
 *
 * Folder and file must belong to root or to the user that the process runs as. Nobody else may write
 * to the folder, or do anything with the file. No symbolic link is followed, and a file with a second
 * name, a hard link, is refused.
 */
#ifndef SECRET_FILE_H
#define SECRET_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_FOLDER "/var/lib/factor2/users"

/*
 * Room for a secret of 512 bytes in base32, in groups of four or in a URI, and for 32 recovery codes;
 * with a NUL.
 */
enum { SECRET_SIZE = 1280, RECOVERY_SIZE = 720 };

/* What a user's file holds. Yours to wipe. */
struct secret_file {
    char secret[SECRET_SIZE];
    char recovery[RECOVERY_SIZE]; /* "" without recovery codes */
};

/*
 * Whether a user can have a file: the name must be one path component, with no control characters
 * and no dot at its start; that is where other files of the folder begin.
 */
static int secret_file_name(const char *user) {
    size_t length = strlen(user);
    size_t i;

    if (length == 0 || length > 255 || user[0] == '.')
        return 0;
    for (i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)user[i];
        if (byte < 0x20 || byte == 0x7f || byte == '/')
            return 0;
    }
    return 1;
}

static int secret_file_owner(const struct stat *stat) {
    return stat->st_uid == 0 || stat->st_uid == geteuid();
}

/* Opens the folder; gives -1 and why not. Yours to close(). */
static int secret_folder_open(const char *path, const char **why) {
    struct stat stat;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0)
        *why = strerror(errno);
    else if (fstat(folder, &stat) != 0)
        *why = strerror(errno);
    else if (!secret_file_owner(&stat))
        *why = "the folder belongs to another user";
    else if ((stat.st_mode & 022) != 0)
        *why = "the folder may be written by others";
    else
        return folder;
    if (folder >= 0)
        close(folder);
    return -1;
}

static const char *secret_file_refused(int file, struct stat *stat) {
    if (fstat(file, stat) != 0)
        return strerror(errno);
    if (!S_ISREG(stat->st_mode))
        return "the file is not a regular file";
    if (stat->st_nlink != 1)
        return "the file has another name, a hard link";
    if (!secret_file_owner(stat))
        return "the file belongs to another user";
    if ((stat->st_mode & 077) != 0)
        return "the file may be used by others: chmod 600";
    if (stat->st_size <= 0 || stat->st_size >= (off_t)sizeof(struct secret_file))
        return "the file does not hold a secret";
    return NULL;
}

/* Takes the lines of a file apart. Gives 0 if they are not what a file holds. */
static int secret_file_parse(char *lines, size_t length, struct secret_file *file) {
    char *recovery;

    if (lines[length - 1] == '\n')
        length--;
    lines[length] = '\0';
    if (strlen(lines) != length)
        return 0;
    recovery = strchr(lines, '\n');
    if (recovery != NULL) {
        *recovery++ = '\0';
        if (strncmp(recovery, "f2r1.", 5) != 0 || strchr(recovery, '\n') != NULL ||
            strlen(recovery) >= RECOVERY_SIZE)
            return 0;
        strcpy(file->recovery, recovery);
    }
    if (strlen(lines) >= SECRET_SIZE)
        return 0;
    strcpy(file->secret, lines);
    return 1;
}

/*
 * Reads the file of `user`, whose name secret_file_name() takes. Gives 1; or 0, why not, and in
 * `absent` whether the folder is good and simply has no such file.
 */
static int secret_file_read(const char *path, const char *user, struct secret_file *file,
                            const char **why, int *absent) {
    char lines[sizeof *file];
    struct stat stat;
    int opened;
    int folder = secret_folder_open(path, why);

    *absent = 0;
    memset(file, 0, sizeof *file);
    if (folder < 0)
        return 0;
    /* O_NONBLOCK: a FIFO would keep us waiting. */
    opened = openat(folder, user, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (opened < 0) {
        *absent = errno == ENOENT;
        *why = *absent ? "no secret" : strerror(errno);
        close(folder);
        return 0;
    }
    *why = secret_file_refused(opened, &stat);
    if (*why == NULL) {
        if (read(opened, lines, sizeof lines - 1) != stat.st_size)
            *why = "the file could not be read as a whole";
        else if (!secret_file_parse(lines, (size_t)stat.st_size, file))
            *why = "the file does not hold a secret";
        explicit_bzero(lines, sizeof lines);
    }
    close(opened);
    close(folder);
    if (*why == NULL)
        return 1;
    explicit_bzero(file, sizeof *file);
    return 0;
}

#endif
