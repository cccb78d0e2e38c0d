/*
 * Where pam_google_authenticator keeps its users' secrets: in ~/.google_authenticator; or, by its option
 * `secret`, in a folder with a file named as each user, or with a folder named so which has that file.
 * Linux; C99 with _GNU_SOURCE.
 *
 * A user's file is theirs to replace. No symbolic link is followed there, and what is in a home is
 * opened with the rights of its user, as that module does: root may have none on a file server.
 */
#ifndef GOOGLE_FILES_H
#define GOOGLE_FILES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "account.h"
#include "account_list.h"
#include "foreign_file.h"
#include "secret_file.h"
#include "secret_import.h"

#define GOOGLE_FILE ".google_authenticator"

/* That module reads no longer ones. */
enum { GOOGLE_FILE_LONGEST = 64 * 1024 };

/* Why a file could not be opened. */
static const char *google_files_error(void) {
    return errno == ELOOP ? "the file is a symbolic link" : strerror(errno);
}

/* Takes over the secret of `user` from an open file, which is closed then. */
static void google_files_read(struct secret_import *import, int opened, const char *user,
                              uid_t uid) {
    struct foreign_file file;
    const char *why;

    if (foreign_file_read(opened, (long)uid, GOOGLE_FILE_LONGEST, &file, &why))
        secret_import_take_text(import, user, 0, file.text, file.length);
    else
        secret_import_leave_out(import, user, why);
    foreign_file_free(&file);
}

/* The uid of a user; of one whom this machine does not know, root's. */
static uid_t google_files_uid(const char *user) {
    struct passwd entry, *found = NULL;
    char texts[16384];

    return getpwnam_r(user, &entry, texts, sizeof texts, &found) == 0 && found != NULL
               ? found->pw_uid
               : 0;
}

/* Takes over the secret of `user` from the file of that path. */
static void google_files_take_one(struct secret_import *import, const char *path,
                                  const char *user) {
    int opened = foreign_file_open(AT_FDCWD, path, O_NOFOLLOW);

    if (opened >= 0)
        google_files_read(import, opened, user, google_files_uid(user));
    else
        secret_import_leave_out(import, user, google_files_error());
}

/* Takes over what each user has at home. */
static void google_files_take_home(struct secret_import *import, const struct account *account) {
    char path[4096];
    uid_t uid;
    gid_t gid;
    int opened, error;

    if ((size_t)snprintf(path, sizeof path, "%s/" GOOGLE_FILE, account->home) >= sizeof path)
        return;
    gid = (gid_t)setfsgid(account->gid);
    uid = (uid_t)setfsuid(account->uid);
    opened = foreign_file_open(AT_FDCWD, path, O_NOFOLLOW);
    error = errno;
    setfsuid(uid);
    setfsgid(gid);
    errno = error;
    if (opened >= 0)
        google_files_read(import, opened, account->name, account->uid);
    else if (errno != ENOENT && errno != ENOTDIR)
        secret_import_leave_out(import, account->name, google_files_error());
}

/* Takes over what all users have at home. Gives 0 with errno set if they cannot be listed. */
static int google_files_take_homes(struct secret_import *import) {
    struct account_list list;
    int listed = account_list_read(&list), error = errno;
    size_t i;

    for (i = 0; listed && i < list.count; i++)
        google_files_take_home(import, &list.accounts[i]);
    account_list_free(&list);
    errno = error;
    return listed;
}

static int google_files_is_user(const struct dirent *entry) {
    return secret_file_name(entry->d_name);
}

/* Opens the file of a folder that is named as a user, or the one in a folder that is. */
static int google_files_open(int folder, const char *user) {
    int inner = openat(folder, user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int opened, error;

    if (inner < 0)
        return foreign_file_open(folder, user, O_NOFOLLOW);
    opened = foreign_file_open(inner, GOOGLE_FILE, O_NOFOLLOW);
    error = errno;
    close(inner);
    errno = error;
    return opened;
}

/* Takes over what a folder has of each user. Gives 0 with errno set if it cannot be read. */
static int google_files_take_folder(struct secret_import *import, int folder) {
    struct dirent **users;
    int count = scandirat(folder, ".", &users, google_files_is_user, alphasort), i, opened;

    if (count < 0)
        return 0;
    for (i = 0; i < count; i++) {
        opened = google_files_open(folder, users[i]->d_name);
        if (opened >= 0)
            google_files_read(import, opened, users[i]->d_name, google_files_uid(users[i]->d_name));
        else if (errno != ENOENT)
            secret_import_leave_out(import, users[i]->d_name, google_files_error());
        free(users[i]);
    }
    free(users);
    return 1;
}

#endif
