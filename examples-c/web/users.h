/*
 * The users, in memory: a name, a password's hash, a confirmed secret, recovery codes. A real program
 * has a database. Nothing in it lets anybody in: the secret is sealed, by a key that is not there, and
 * of the recovery codes there are only hashes.
 */
#ifndef WEB_USERS_H
#define WEB_USERS_H

#include "hashing.h"

enum { USERS_MAX = 100, NAME_SIZE = 65, SECRET_SIZE = 256, RECOVERY_SIZE = 256 };

struct user {
    char name[NAME_SIZE];
    char hash[HASH_SIZE];
    char secret[SECRET_SIZE];     /* sealed, for this name */
    char recovery[RECOVERY_SIZE]; /* "" without recovery codes */
};

struct users {
    struct user list[USERS_MAX];
    int count;
    char nobody[HASH_SIZE]; /* the hash that is tried for a name that does not exist */
};

/* Each gives 1, or 0 on failure. */
int users_init(struct users *users);
int users_add(struct users *users, const struct user *user);

/* Gives a user other recovery codes: the old ones are void. */
void users_set_recovery(struct users *users, const struct user *user,
                        const char recovery[RECOVERY_SIZE]);

/* Wipes them all. */
void users_forget(struct users *users);

const struct user *users_find(const struct users *users, const char *name);

/*
 * The hash that a user's password must have. A name that does not exist, NULL, has one as well, which no
 * password is right for: looking takes as long.
 */
const char *users_hash(const struct users *users, const struct user *user);

#endif
