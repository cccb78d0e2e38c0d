#define _DEFAULT_SOURCE /* explicit_bzero */

#include "users.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* yescrypt by libcrypt, the system's own password hash. `setting` is a salt or an older hash. */
static int hash_with(const char *password, const char *setting, char hash[HASH_SIZE])
{
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *result = data != NULL ? crypt_r(password, setting, data) : NULL;
    int hashed = result != NULL && result[0] != '*' && strlen(result) < HASH_SIZE;

    if (hashed)
        strcpy(hash, result);
    if (data != NULL)
        explicit_bzero(data, sizeof *data);
    free(data);
    return hashed;
}

int password_hash(const char *password, char hash[HASH_SIZE])
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];

    return crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting) != NULL &&
           hash_with(password, setting, hash);
}

int users_init(struct users *users)
{
    memset(users, 0, sizeof *users);
    return password_hash("", users->nobody);
}

void users_forget(struct users *users)
{
    explicit_bzero(users, sizeof *users);
}

int users_add(struct users *users, const struct user *user)
{
    if (users->count == USERS_MAX || users_find(users, user->name) != NULL)
        return 0;
    users->list[users->count++] = *user;
    return 1;
}

const struct user *users_find(const struct users *users, const char *name)
{
    int i;

    for (i = 0; i < users->count; i++)
        if (strcmp(users->list[i].name, name) == 0)
            return &users->list[i];
    return NULL;
}

const struct user *users_login(const struct users *users, const char *name, const char *password)
{
    const struct user *user = users_find(users, name);
    const char *expected = user != NULL ? user->hash : users->nobody;
    char hash[HASH_SIZE];
    int right = hash_with(password, expected, hash) && text_equal_secretly(hash, expected);

    return right ? user : NULL;
}
