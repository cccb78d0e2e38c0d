/*
 * Takes over the secrets that another system has left: asks factor2_import() what a text has in it,
 * and writes a file for each user. What is wrong with one user or line never hinders the others.
 * Linux; C99 with _GNU_SOURCE.
 */
#ifndef SECRET_IMPORT_H
#define SECRET_IMPORT_H

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "factor2.h"
#include "printable.h"
#include "secret_file.h"
#include "secret_request.h"
#include "secret_store.h"

struct secret_import {
    const factor2_authenticator *authenticator;
    const char *format;
    const char *secrets; /* the folder with one file per user */
    int folder;          /* the same, open and locked */
    int force;           /* takes over users whom the passwd database does not know */
    int replace;         /* and those who have a secret */
    int taken, had, left_out;
    char *report; /* who was left out, and why */
    size_t length;
    FILE *reporter;
    void *names; /* who was taken over: tsearch()'s tree */
};

/* Locks the folder until its close(). Gives 0 with errno set if it fails. */
static int secret_import_begin(struct secret_import *import,
                               const factor2_authenticator *authenticator, const char *format,
                               const char *secrets, int folder) {
    memset(import, 0, sizeof *import);
    import->authenticator = authenticator;
    import->format = format;
    import->secrets = secrets;
    import->folder = folder;
    if (!secret_store_lock(folder))
        return 0;
    import->reporter = open_memstream(&import->report, &import->length);
    return import->reporter != NULL;
}

/* Says what happened, if it was `done` at all. Gives whether somebody was found, and nobody left out. */
static int secret_import_end(struct secret_import *import, int done) {
    fclose(import->reporter);
    fflush(stdout);
    if (done) {
        fputs(import->report, stderr);
        printf("%d taken over", import->taken);
        if (import->had > 0)
            printf(", %d had it already", import->had);
        printf(", %d left out\n", import->left_out);
        if (import->taken + import->had + import->left_out == 0)
            fputs("factor2-enroll: no secret was found\n", stderr);
    }
    free(import->report);
    tdestroy(import->names, free);
    return done && import->taken + import->had > 0 && import->left_out == 0;
}

/* Notes who is left out: `who` is a user, or where it stands. */
static void secret_import_leave_out(struct secret_import *import, const char *who,
                                    const char *why) {
    char shown[PRINTABLE_SIZE];

    fprintf(import->reporter, "factor2-enroll: left out: %s: %s\n", printable(who, shown), why);
    import->left_out++;
}

static int secret_import_compare(const void *one, const void *other) { return strcmp(one, other); }

/* Whether the user was taken over before. */
static int secret_import_knows(const struct secret_import *import, const char *name) {
    return tfind(name, &import->names, secret_import_compare) != NULL;
}

/* Notes that. */
static void secret_import_note(struct secret_import *import, const char *name) {
    char *copy = strdup(name);

    if (copy != NULL && tsearch(copy, &import->names, secret_import_compare) == NULL)
        free(copy);
}

/* Whether a code of this secret can be verified. Gives NULL, or why not. */
static const char *secret_import_unusable(const struct secret_import *import, const char *uri,
                                          char why[320]) {
    char request[SECRET_REQUEST_SIZE];
    factor2_response *response = NULL;
    factor2_status status;
    const char *message;

    secret_request("totpsecret", uri, request);
    status = factor2_inspect(import->authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    explicit_bzero(request, sizeof request);
    message = factor2_response_text(response, "error.message", NULL);
    sprintf(why, "%.300s", message != NULL ? message : factor2_status_name(status));
    factor2_response_free(response);
    return status == FACTOR2_OK ? NULL : why;
}

/* Writes the user's file. Gives NULL, or why not. */
static const char *secret_import_store(struct secret_import *import, const char *name,
                                       const char *uri, int *had) {
    struct secret_file secrets;
    const char *why;
    int absent, found;

    /* Who is enrolled keeps the recovery codes. */
    found = secret_file_read(import->secrets, name, &secrets, &why, &absent);
    *had = found && strcmp(secrets.secret, uri) == 0;
    why = NULL;
    if (!absent && !*had && !import->replace)
        why = "has a secret already; --replace puts this one in its place";
    else if (!*had) {
        strcpy(secrets.secret, uri);
        if (!secret_store(import->folder, name, &secrets, absent ? RENAME_NOREPLACE : 0))
            why = strerror(errno);
    }
    explicit_bzero(&secrets, sizeof secrets);
    return why;
}

/* Takes over one secret. Gives NULL, or why not, and in `name` whose it is. */
static const char *secret_import_take(struct secret_import *import, const char *user,
                                      const char *uri, char name[ACCOUNT_SIZE], int *had,
                                      char why[320]) {
    int known = account_name(user, name);

    if (!secret_file_name(name))
        return "this user's name cannot be a file's name";
    if (!known && !import->force)
        return "this machine has no such account; --force takes it over all the same";
    if (secret_import_knows(import, name))
        return "one more secret of this user: the first one is taken";
    if (strlen(uri) >= SECRET_SIZE)
        return "the secret is too long";
    if (secret_import_unusable(import, uri, why) != NULL)
        return why;
    return secret_import_store(import, name, uri, had);
}

/* The member of a response's array, or NULL. What comes after a NUL in it is not seen. */
static const char *secret_import_text(const factor2_response *response, const char *array,
                                      int number, const char *member, size_t *length) {
    char path[96];

    sprintf(path, "%s.%d%s%s", array, number, member[0] != '\0' ? "." : "", member);
    return factor2_response_text(response, path, length);
}

/* The same for the name of an entry's user. One with a NUL in it is none: it would be somebody else's. */
static const char *secret_import_user(const factor2_response *response, int number) {
    size_t length;
    const char *user = secret_import_text(response, "entries", number, "username", &length);

    return user != NULL && length > 0 && strlen(user) == length ? user : NULL;
}

/* Says what happened, with all that the library warns of. */
static void secret_import_tell(const factor2_response *response, int number, const char *name,
                               int had) {
    char shown[PRINTABLE_SIZE], warnings[64];
    const char *warning;
    int i;

    printf("%s: %s\n", printable(name, shown), had ? "had this secret already" : "taken over");
    sprintf(warnings, "entries.%d.warnings", number);
    for (i = 0; (warning = secret_import_text(response, warnings, i, "", NULL)) != NULL; i++)
        printf("    %s\n", warning);
}

/* Takes over an entry of a response; `user` is whose it is, or NULL if the entry says it. */
static void secret_import_entry(struct secret_import *import, const factor2_response *response,
                                int number, const char *user, const char *where) {
    char name[ACCOUNT_SIZE], why[320];
    const char *uri = secret_import_text(response, "entries", number, "totpsecret", NULL);
    const char *refused;
    int had = 0;

    if (user == NULL)
        user = secret_import_user(response, number);
    if (user == NULL) {
        secret_import_leave_out(import, where, "the entry has no user's name");
        return;
    }
    refused = secret_import_take(import, user, uri, name, &had, why);
    if (refused != NULL) {
        secret_import_leave_out(import, user, refused);
        return;
    }
    secret_import_note(import, name);
    secret_import_tell(response, number, name, had);
    *(had ? &import->had : &import->taken) += 1;
}

/* Writes `text` as a JSON string into memory of its own, yours to wipe and free. NULL if it is not UTF-8. */
static char *secret_import_quote(const char *text, size_t length) {
    size_t size = factor2_json_quote(text, length, NULL, 0);
    char *json = size != (size_t)-1 ? malloc(size + 1) : NULL;

    if (json != NULL)
        factor2_json_quote(text, length, json, size + 1);
    return json;
}

/* Asks the library what a text has in it. `user` may be NULL. Gives no response if the text is not UTF-8. */
static factor2_status secret_import_ask(const struct secret_import *import, const char *user,
                                        const char *text, size_t length,
                                        factor2_response **response) {
    char format[512], name[ACCOUNT_SIZE * 6 + sizeof "''"], *request = NULL;
    char *json = secret_import_quote(text, length);
    factor2_status status = FACTOR2_DATA_FORMAT;

    *response = NULL;
    factor2_json_quote(import->format, FACTOR2_NUL_TERMINATED, format, sizeof format);
    factor2_json_quote(user, FACTOR2_NUL_TERMINATED, name, sizeof name);
    if (json != NULL && asprintf(&request, "{\"format\":%s,\"text\":%s%s%s}", format, json,
                                 user != NULL ? ",\"username\":" : "", name) >= 0) {
        status = factor2_import(import->authenticator, request, FACTOR2_NUL_TERMINATED, response);
        explicit_bzero(request, strlen(request));
        free(request);
    }
    if (json != NULL)
        explicit_bzero(json, strlen(json));
    free(json);
    return status;
}

/* Whether the library knows the format. Says on standard error why not. */
static int secret_import_knows_format(const struct secret_import *import, const char *user) {
    factor2_response *response;
    factor2_status status = secret_import_ask(import, user, "", 0, &response);
    const char *why = factor2_response_text(response, "error.message", NULL);

    if (status == FACTOR2_BAD_REQUEST)
        fprintf(stderr, "factor2-enroll: %s\n", why != NULL ? why : "no such format");
    factor2_response_free(response);
    return status != FACTOR2_BAD_REQUEST;
}

/* Notes what could not be read. `user` and `line` are as below. */
static void secret_import_refused(struct secret_import *import, const factor2_response *response,
                                  const char *user, long line) {
    const char *at, *why;
    char where[64];
    int i;

    for (i = 0; (at = secret_import_text(response, "refused", i, "line", NULL)) != NULL; i++) {
        why = secret_import_text(response, "refused", i, "why", NULL);
        sprintf(where, "no. %.20s", at);
        if (line > 0)
            sprintf(where, "line %ld", line);
        secret_import_leave_out(import, user != NULL ? user : where, why != NULL ? why : "");
    }
}

/*
 * Takes over what a text has in it. `user` is whose it is, or NULL if the text says that. `line` is which
 * line of a file it is, or 0 for a whole one.
 */
static void secret_import_take_text(struct secret_import *import, const char *user, long line,
                                    const char *text, size_t length) {
    factor2_response *response;
    factor2_status status = secret_import_ask(import, user, text, length, &response);
    const char *why;
    char where[64] = "the file";
    int i;

    if (line > 0)
        sprintf(where, "line %ld", line);
    for (i = 0; secret_import_text(response, "entries", i, "totpsecret", NULL) != NULL; i++)
        secret_import_entry(import, response, i, user, where);
    /* Beside a user's one secret it is something else that was not read. */
    if (user == NULL || i == 0)
        secret_import_refused(import, response, user, line);
    if (status != FACTOR2_OK) {
        why = factor2_response_text(response, "error.message", NULL);
        secret_import_leave_out(import, user != NULL ? user : where,
                                why != NULL ? why : "not UTF-8, or no memory is left");
    }
    factor2_response_free(response);
}

/* Takes over what the lines of a text have, each by itself: none spoils another. `#` is a comment. */
static void secret_import_take_lines(struct secret_import *import, const char *text,
                                     size_t length) {
    const char *end;
    long line;

    for (line = 1; length > 0; line++) {
        end = memchr(text, '\n', length);
        end = end != NULL ? end + 1 : text + length;
        if (*text != '#')
            secret_import_take_text(import, NULL, line, text, (size_t)(end - text));
        length -= (size_t)(end - text);
        text = end;
    }
}

#endif
