/*
 * A table of the users who have a secret, for people to read: when a code was accepted last, or which
 * one of a counter's, how many recovery codes are left, and who is locked. Linux; C99 with _GNU_SOURCE.
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
#include "secret_request.h"

/* Seconds of a step of the codes, where nothing else is said. */
enum { SECRET_LIST_STEP = 30, SECRET_LIST_TIME = 32 };

/* What is said of a user. */
struct secret_list_row {
    char used[SECRET_LIST_TIME];
    char left[32];
    char now[320];
};

static void secret_list_time(time_t when, char out[SECRET_LIST_TIME]) {
    struct tm local;

    if (localtime_r(&when, &local) == NULL ||
        strftime(out, SECRET_LIST_TIME, "%Y-%m-%d %H:%M:%S", &local) == 0)
        strcpy(out, "?");
}

/* Asks for what the guard remembers. Gives the response, or NULL and why not. */
static factor2_response *secret_list_inspect(const factor2_authenticator *authenticator,
                                             const char *member, const char *text, char why[320]) {
    char request[SECRET_REQUEST_SIZE];
    factor2_response *response = NULL;
    factor2_status status;
    const char *message;

    secret_request(member, text, request);
    status = factor2_inspect(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    explicit_bzero(request, sizeof request);
    if (status == FACTOR2_OK)
        return response;
    message = factor2_response_text(response, "error.message", NULL);
    sprintf(why, "%.300s", message != NULL ? message : factor2_status_name(status));
    factor2_response_free(response);
    return NULL;
}

static int secret_list_is_disabled(const factor2_response *state) {
    return strcmp(factor2_response_text(state, "disabled", NULL), "true") == 0;
}

/* Until when it is locked, or 0. */
static time_t secret_list_locked_until(const factor2_response *state) {
    time_t until = strtol(factor2_response_text(state, "locked_until", NULL), NULL, 10);

    return until > time(NULL) ? until : 0;
}

/* Seconds of a step of a secret's codes, or 0 if they go by a counter. */
static long secret_list_step(const char *secret) {
    const char *query = strchr(secret, '?');
    const char *period = query != NULL ? strstr(query, "period=") : NULL;
    long step = period != NULL ? strtol(period + strlen("period="), NULL, 10) : 0;

    if (strncmp(secret, "otpauth://hotp/", strlen("otpauth://hotp/")) == 0)
        return 0;
    return step > 0 && step <= 120 ? step : SECRET_LIST_STEP;
}

/* From what is remembered of a secret. */
static void secret_list_describe(const factor2_response *state, const char *secret,
                                 struct secret_list_row *row) {
    const char *last_step = factor2_response_text(state, "last_step", NULL);
    long step = secret_list_step(secret);
    time_t locked_until = secret_list_locked_until(state);
    char until[SECRET_LIST_TIME];

    strcpy(row->used, "never");
    if (strcmp(last_step, "null") != 0 && step == 0)
        sprintf(row->used, "counter %.20s", last_step);
    else if (strcmp(last_step, "null") != 0)
        secret_list_time(strtol(last_step, NULL, 10) * step, row->used);
    secret_list_time(locked_until, until);
    if (secret_list_is_disabled(state))
        strcpy(row->now, "disabled by wrong codes");
    else if (locked_until != 0)
        sprintf(row->now, "locked until %s", until);
    else
        strcpy(row->now, "ready");
}

/* From what is remembered of a set of recovery codes: they have a lock of their own. */
static void secret_list_count(const factor2_response *state, struct secret_list_row *row) {
    sprintf(row->left, "%.8s%s", factor2_response_text(state, "remaining", NULL),
            secret_list_is_disabled(state)         ? " disabled"
            : secret_list_locked_until(state) != 0 ? " locked"
                                                   : "");
}

static void secret_list_look(const factor2_authenticator *authenticator, const char *path,
                             const char *user, struct secret_list_row *row) {
    struct secret_file file;
    factor2_response *state;
    const char *why;
    char ignored[320];
    int absent;

    strcpy(row->used, "?");
    strcpy(row->left, "?");
    if (!secret_file_read(path, user, &file, &why, &absent)) {
        sprintf(row->now, "%.300s", why);
        return;
    }
    state = secret_list_inspect(authenticator, "totpsecret", file.secret, row->now);
    if (state != NULL)
        secret_list_describe(state, file.secret, row);
    factor2_response_free(state);
    state = NULL;
    if (file.recovery[0] == '\0')
        strcpy(row->left, "none");
    else
        state = secret_list_inspect(authenticator, "recovery", file.recovery, ignored);
    if (state != NULL)
        secret_list_count(state, row);
    factor2_response_free(state);
    explicit_bzero(&file, sizeof file);
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
    printf("%-*s  %-19s  %-8s  %s\n", width, "USER", "LAST CODE", "RECOVERY", "NOW");
    for (i = 0; i < count; i++) {
        secret_list_look(authenticator, path, users[i]->d_name, &row);
        printf("%-*s  %-19s  %-8s  %s\n", width, printable(users[i]->d_name, shown), row.used,
               row.left, row.now);
        free(users[i]);
    }
    free(users);
    return 1;
}

#endif
