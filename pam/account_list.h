/*
 * All users that the machine's passwd database lists. A directory may know more than it lists. Linux; C99
 * with _GNU_SOURCE.
 */
#ifndef ACCOUNT_LIST_H
#define ACCOUNT_LIST_H

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

struct account_list {
    struct account {
        char *name, *home;
        uid_t uid;
        gid_t gid;
    } * accounts;
    size_t count;
};

static void account_list_free(struct account_list *list) {
    while (list->count > 0) {
        list->count--;
        free(list->accounts[list->count].name);
        free(list->accounts[list->count].home);
    }
    free(list->accounts);
}

static int account_list_add(struct account_list *list, const struct passwd *entry) {
    struct account *longer = realloc(list->accounts, (list->count + 1) * sizeof list->accounts[0]);
    struct account account = {strdup(entry->pw_name), strdup(entry->pw_dir), entry->pw_uid,
                              entry->pw_gid};

    if (longer != NULL)
        list->accounts = longer;
    if (longer == NULL || account.name == NULL || account.home == NULL) {
        free(account.name);
        free(account.home);
        errno = ENOMEM;
        return 0;
    }
    list->accounts[list->count++] = account;
    return 1;
}

/* Whether getpwent() has ended by a failure. At the end of a list some databases leave other numbers. */
static int account_list_failed(int error) {
    return error == EINTR || error == EIO || error == EMFILE || error == ENFILE || error == ENOMEM;
}

/* Lists them. Gives 0 with errno set if it fails. Yours to account_list_free(), in any case. */
static int account_list_read(struct account_list *list) {
    const struct passwd *entry;
    int added = 1, error;

    memset(list, 0, sizeof *list);
    setpwent();
    /* All of them before any is looked up by name: in some databases the two disturb each other. */
    while (added && (errno = 0, entry = getpwent()) != NULL)
        added = account_list_add(list, entry);
    error = errno;
    endpwent();
    errno = error;
    return !account_list_failed(error);
}

#endif
