#define _DEFAULT_SOURCE /* explicit_bzero */

#include "users.h"

#include <string.h>

int users_init(struct users *users) {
    memset(users, 0, sizeof *users);
    return password_hash("", "", users->nobody);
}

void users_forget(struct users *users) { explicit_bzero(users, sizeof *users); }

int users_add(struct users *users, const struct user *user) {
    if (users->count == USERS_MAX || users_find(users, user->name) != NULL)
        return 0;
    users->list[users->count++] = *user;
    return 1;
}

void users_set_recovery(struct users *users, const struct user *user,
                        const char recovery[RECOVERY_SIZE]) {
    memcpy(users->list[user - users->list].recovery, recovery, RECOVERY_SIZE);
}

const struct user *users_find(const struct users *users, const char *name) {
    int i;

    for (i = 0; i < users->count; i++)
        if (strcmp(users->list[i].name, name) == 0)
            return &users->list[i];
    return NULL;
}

const char *users_hash(const struct users *users, const struct user *user) {
    return user != NULL ? user->hash : users->nobody;
}
