/*
 * The one name of a user who may be called by several: a directory can take TUSER, tuser@corp and
 * CORP\tuser for tuser. POSIX.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <pwd.h>
#include <string.h>

/* Room for the longest name. */
enum { ACCOUNT_SIZE = 256 };

/*
 * Copies the name that the machine's passwd database has for `user` to `name`, and gives 1. Gives 0 if
 * it knows no such user, or cannot tell; then `name` is what was given. A name that is too long to be
 * a file's becomes the empty string.
 */
static int account_name(const char *user, char name[ACCOUNT_SIZE]) {
    struct passwd entry, *found = NULL;
    char texts[16384];
    int known = getpwnam_r(user, &entry, texts, sizeof texts, &found) == 0 && found != NULL;

    if (known)
        user = found->pw_name;
    if (strlen(user) >= ACCOUNT_SIZE)
        user = "";
    strcpy(name, user);
    return known;
}

#endif
