/*
 * A table of the users who have a secret, for people to read: when a code was accepted last, and who is
 * locked. Linux; C99 with _GNU_SOURCE.
 */
#ifndef SECRET_LIST_H
#define SECRET_LIST_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "factor2.h"
#include "printable.h"
#include "secret_file.h"

/* Seconds of a step of the codes: factor2's default. */
enum { SECRET_LIST_STEP = 30, SECRET_LIST_TIME = 32 };

/* What is said of a user. */
struct secret_list_row {
    char used[SECRET_LIST_TIME];
    char now[320];
};

static void secret_list_time(time_t when, char out[SECRET_LIST_TIME]) {
    struct tm local;

    if (localtime_r(&when, &local) == NULL ||
        strftime(out, SECRET_LIST_TIME, "%Y-%m-%d %H:%M:%S", &local) == 0)
        strcpy(out, "?");
}

/* From a response of factor2_inspect(). */
static void secret_list_describe(const factor2_response *state, struct secret_list_row *row) {
    const char *last_step = factor2_response_text(state, "last_step", NULL);
    long locked_until = strtol(factor2_response_text(state, "locked_until", NULL), NULL, 10);
    char until[SECRET_LIST_TIME];

    strcpy(row->used, "never");
    if (strcmp(last_step, "null") != 0)
        secret_list_time(strtol(last_step, NULL, 10) * SECRET_LIST_STEP, row->used);
    secret_list_time(locked_until, until);
    if (strcmp(factor2_response_text(state, "disabled", NULL), "true") == 0)
        strcpy(row->now, "disabled by wrong codes");
    else if (locked_until > time(NULL))
        sprintf(row->now, "locked until %s", until);
    else
        strcpy(row->now, "ready");
}

static void secret_list_look(const factor2_authenticator *authenticator, const char *path,
                             const char *user, struct secret_list_row *row) {
    char secret[SECRET_SIZE], secret_json[SECRET_SIZE * 6], request[sizeof secret_json + 64];
    const char *why;
    factor2_response *response = NULL;
    factor2_status status;
    int absent;

    strcpy(row->used, "?");
    if (!secret_file_read(path, user, secret, &why, &absent)) {
        sprintf(row->now, "%.300s", why);
        return;
    }
    factor2_json_quote(secret, FACTOR2_NUL_TERMINATED, secret_json, sizeof secret_json);
    sprintf(request, "{\"totpsecret\":%s}", secret_json);
    status = factor2_inspect(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(secret_json, sizeof secret_json);
    explicit_bzero(request, sizeof request);
    why = factor2_response_text(response, "error.message", NULL);
    if (status == FACTOR2_OK)
        secret_list_describe(response, row);
    else
        sprintf(row->now, "%.300s", why != NULL ? why : factor2_status_name(status));
    factor2_response_free(response);
}

static int secret_list_is_user(const struct dirent *entry) {
    return secret_file_name(entry->d_name);
}

/* Prints the table; gives 0 with errno set if the folder cannot be read. */
static int secret_list(const factor2_authenticator *authenticator, int folder, const char *path) {
    struct dirent **users;
    struct secret_list_row row;
    char shown[PRINTABLE_SIZE];
    int count = scandirat(folder, ".", &users, secret_list_is_user, alphasort);
    int width = (int)strlen("USER"), i;

    if (count < 0)
        return 0;
    for (i = 0; i < count; i++) {
        int length = (int)strlen(printable(users[i]->d_name, shown));
        width = length > width ? length : width;
    }
    printf("%-*s  %-19s  %s\n", width, "USER", "LAST CODE", "NOW");
    for (i = 0; i < count; i++) {
        secret_list_look(authenticator, path, users[i]->d_name, &row);
        printf("%-*s  %-19s  %s\n", width, printable(users[i]->d_name, shown), row.used, row.now);
        free(users[i]);
    }
    free(users);
    return 1;
}

#endif
