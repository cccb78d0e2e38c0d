#define _DEFAULT_SOURCE /* explicit_bzero */

#include "factor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "key_file.h"

enum { REQUEST_SIZE = 2048, PERIOD_S = 30, DIGITS = 6, RECOVERY_SYMBOLS = 24 };

/* One process, so the guard's store in memory does. More processes need sqlite or redis here. */
static const char config_format[] =
    "{\"issuer\":\"factor2 demo\",\"qr\":{\"module_px\":5},"
    "\"seal\":{\"keys\":{\"web\":\"%s\"},\"use\":\"web\",\"plain\":\"refuse\"}}";

factor2_authenticator *factor_new(const char *key_path) {
    char key[KEY_SIZE], config[sizeof config_format + KEY_SIZE];
    factor2_authenticator *authenticator = NULL;
    factor2_status status;
    const char *why = NULL;

    if (!key_file_read(key_path, key, &why)) {
        fprintf(stderr, "web_login: %s: %s\n", key_path, why);
        return NULL;
    }
    snprintf(config, sizeof config, config_format, key);
    status = factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &authenticator, NULL);
    explicit_bzero(key, sizeof key);
    explicit_bzero(config, sizeof config);
    if (status != FACTOR2_OK)
        fprintf(stderr, "web_login: with the key in %s: %s\n", key_path,
                factor2_status_name(status));
    return authenticator;
}

/* Writes a user's text as a JSON string. Gives 0 if it does not fit, or is not UTF-8. */
static int quote(const char *text, char *json, size_t size) {
    return factor2_json_quote(text, FACTOR2_NUL_TERMINATED, json, size) < size;
}

/* A number of a response, or `otherwise` if there is none. */
static long number(const factor2_response *response, const char *path, long otherwise) {
    const char *text = factor2_response_text(response, path, NULL);

    return text != NULL && strcmp(text, "null") != 0 ? strtol(text, NULL, 10) : otherwise;
}

/* Copies a member of a response. Gives 0 if there is none, or it does not fit. */
static int copy(const factor2_response *response, const char *path, char *out, size_t size) {
    size_t length;
    const char *text = factor2_response_text(response, path, &length);

    if (text == NULL || length >= size)
        return 0;
    memcpy(out, text, length + 1);
    return 1;
}

/* factor2_create_secret() for a user, with the secret that there is, if any. Gives NULL if it fails. */
static factor2_response *create(const factor2_authenticator *authenticator,
                                const struct user *user) {
    char name[6 * NAME_SIZE], request[REQUEST_SIZE];
    factor2_response *response = NULL;

    if (!quote(user->name, name, sizeof name))
        return NULL;
    if (user->secret[0] == '\0')
        snprintf(request, sizeof request, "{\"username\":%s}", name);
    else
        snprintf(request, sizeof request, "{\"username\":%s,\"totpsecret\":\"%s\"}", name,
                 user->secret);
    if (factor2_create_secret(authenticator, request, FACTOR2_NUL_TERMINATED, &response) ==
        FACTOR2_OK)
        return response;
    factor2_response_free(response);
    return NULL;
}

int factor_create(const factor2_authenticator *authenticator, struct user *user) {
    factor2_response *response;
    int created;

    user->secret[0] = '\0';
    response = create(authenticator, user);
    created = copy(response, "sealed", user->secret, sizeof user->secret);
    factor2_response_free(response);
    return created;
}

/* The QR code as an SVG, which stays sharp however large the page is shown, and has no scripts. */
static int draw(const factor2_authenticator *authenticator, const struct user *user,
                struct enrollment *enrollment) {
    char name[6 * NAME_SIZE], request[REQUEST_SIZE];
    factor2_response *response = NULL;
    const unsigned char *picture;
    size_t length = sizeof enrollment->qr;

    if (!quote(user->name, name, sizeof name))
        return 0;
    snprintf(request, sizeof request, "{\"username\":%s,\"totpsecret\":\"%s\",\"format\":\"svg\"}",
             name, user->secret);
    if (factor2_qr(authenticator, request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK) {
        picture = factor2_response_data(response, &length);
        if (length < sizeof enrollment->qr) {
            memcpy(enrollment->qr, picture, length);
            enrollment->qr[length] = '\0';
        }
    }
    factor2_response_free(response);
    return length < sizeof enrollment->qr;
}

int factor_show(const factor2_authenticator *authenticator, const struct user *user,
                struct enrollment *enrollment) {
    factor2_response *response = create(authenticator, user);
    int shown = copy(response, "totpsecret", enrollment->secret, sizeof enrollment->secret);

    factor2_response_free(response);
    return shown && draw(authenticator, user, enrollment);
}

/* When an app will show a code that was not used yet: with the step after this and the last used one. */
static long seconds_to_next_code(const factor2_authenticator *authenticator,
                                 const struct user *user) {
    char name[6 * NAME_SIZE], request[REQUEST_SIZE];
    factor2_response *response = NULL;
    long long now = (long long)time(NULL), next = now / PERIOD_S + 1, used = -1;

    if (quote(user->name, name, sizeof name)) {
        snprintf(request, sizeof request, "{\"totpsecret\":\"%s\",\"username\":%s}", user->secret,
                 name);
        if (factor2_inspect(authenticator, request, FACTOR2_NUL_TERMINATED, &response) ==
            FACTOR2_OK)
            used = number(response, "last_step", -1);
        factor2_response_free(response);
    }
    if (next <= used)
        next = used + 1;
    return (long)(next * PERIOD_S - now);
}

/*
 * Whether what was typed cannot be a code, for a better word about it. The library is the judge of codes,
 * and knows digits of other scripts: a character outside ASCII may be one.
 */
static int is_malformed(const char *typed) {
    int digits = 0, others = 0;

    for (; *typed != '\0'; typed++) {
        unsigned char byte = (unsigned char)*typed;
        if (byte >= '0' && byte <= '9')
            digits++;
        else if (byte >= 0xc0) /* a character's first byte in UTF-8 */
            others++;
        else if (byte < 0x80 && strchr(" -\t\r\n", byte) == NULL)
            return 1;
    }
    return digits + others < DIGITS || (others == 0 && digits > DIGITS);
}

/* The verdict, less what depends on the kind of code. */
static struct verdict judge(factor2_status status, const factor2_response *response) {
    struct verdict verdict = {factor2_status_http(status), 0, 0, 0};

    if (status == FACTOR2_DISABLED)
        verdict.wait_s = -1;
    else if (status != FACTOR2_OK)
        verdict.wait_s = number(response, "error.retry_after_s", 0);
    verdict.locked = verdict.wait_s != 0;
    if (status == FACTOR2_INVALID_TOKEN && verdict.locked)
        verdict.http = factor2_status_http(FACTOR2_THROTTLED); /* this code was the one too many */
    return verdict;
}

struct verdict factor_verify(const factor2_authenticator *authenticator, const struct user *user,
                             const char *typed) {
    char name[6 * NAME_SIZE], typed_json[256], request[REQUEST_SIZE];
    factor2_response *response = NULL;
    factor2_status status = FACTOR2_INVALID_TOKEN; /* of what is too long, or not UTF-8 */
    struct verdict verdict;

    if (quote(user->name, name, sizeof name) && quote(typed, typed_json, sizeof typed_json)) {
        snprintf(request, sizeof request, "{\"totpsecret\":\"%s\",\"username\":%s,\"otp\":%s}",
                 user->secret, name, typed_json);
        status = factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
        explicit_bzero(request, sizeof request);
    }
    verdict = judge(status, response);
    factor2_response_free(response);
    verdict.malformed = status == FACTOR2_INVALID_TOKEN && !verdict.locked && is_malformed(typed);
    if (verdict.http == 401)
        verdict.wait_s = seconds_to_next_code(authenticator, user);
    return verdict;
}

/* ---- Recovery codes */

int factor_make_codes(const factor2_authenticator *authenticator, struct recovery_codes *codes) {
    char path[32];
    factor2_response *response = NULL;
    int made;

    memset(codes, 0, sizeof *codes);
    made = factor2_create_recovery_codes(authenticator, "{}", FACTOR2_NUL_TERMINATED, &response) ==
           FACTOR2_OK;
    made = made && copy(response, "recovery", codes->recovery, sizeof codes->recovery);
    while (made && codes->count < RECOVERY_CODES) {
        sprintf(path, "codes.%d", codes->count);
        made = copy(response, path, codes->codes[codes->count], RECOVERY_CODE_SIZE);
        codes->count += made;
    }
    factor2_response_free(response);
    if (!made)
        explicit_bzero(codes, sizeof *codes);
    return made;
}

static int has_recovery_symbols(const char *typed) {
    int symbols = 0;

    for (; *typed != '\0'; typed++)
        symbols += isalnum((unsigned char)*typed) != 0;
    return symbols == RECOVERY_SYMBOLS;
}

/* Who has no recovery codes is nobody to factor2, and refused like somebody with a wrong one. */
struct verdict factor_recover(const factor2_authenticator *authenticator, const struct user *user,
                              const char *typed) {
    char typed_json[512], request[REQUEST_SIZE];
    const char *mark = user->recovery[0] != '\0' ? "\"" : "";
    factor2_response *response = NULL;
    factor2_status status = FACTOR2_INVALID_TOKEN;
    struct verdict verdict;

    if (quote(typed, typed_json, sizeof typed_json)) {
        snprintf(request, sizeof request, "{\"recovery\":%s%s%s,\"code\":%s}", mark,
                 user->recovery[0] != '\0' ? user->recovery : "null", mark, typed_json);
        status =
            factor2_verify_recovery_code(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
        explicit_bzero(request, sizeof request);
    }
    explicit_bzero(typed_json, sizeof typed_json);
    verdict = judge(status, response);
    factor2_response_free(response);
    verdict.malformed =
        status == FACTOR2_INVALID_TOKEN && !verdict.locked && !has_recovery_symbols(typed);
    return verdict;
}

long factor_remaining(const factor2_authenticator *authenticator, const struct user *user) {
    char request[REQUEST_SIZE];
    factor2_response *response = NULL;
    long remaining = 0;

    snprintf(request, sizeof request, "{\"recovery\":\"%s\"}", user->recovery);
    if (user->recovery[0] != '\0' &&
        factor2_inspect(authenticator, request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK)
        remaining = number(response, "remaining", 0);
    factor2_response_free(response);
    return remaining;
}
