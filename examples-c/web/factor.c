#define _DEFAULT_SOURCE /* explicit_bzero */

#include "factor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REQUEST_SIZE = 1024, PERIOD_S = 30, DIGITS = 6 };

/* One process, so the guard's store in memory does. More processes need sqlite or redis here. */
static const char config[] = "{\"issuer\":\"factor2 demo\",\"qr\":{\"module_px\":5}}";

factor2_authenticator *factor_new(void) {
    factor2_authenticator *authenticator = NULL;
    factor2_status status =
        factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &authenticator, NULL);

    if (status != FACTOR2_OK)
        fprintf(stderr, "factor2: %s\n", factor2_status_name(status));
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

/* factor2_create_secret() for a user, with the secret that there is, if any; one member of its response. */
static int create(const factor2_authenticator *authenticator, const struct user *user,
                  const char *member, char *out, size_t out_size) {
    char name[6 * NAME_SIZE], request[REQUEST_SIZE];
    factor2_response *response = NULL;
    const char *text;
    size_t length;
    int created;

    if (!quote(user->name, name, sizeof name))
        return 0;
    if (user->secret[0] == '\0')
        snprintf(request, sizeof request, "{\"username\":%s}", name);
    else
        snprintf(request, sizeof request, "{\"username\":%s,\"totpsecret\":\"%s\"}", name,
                 user->secret);
    created = factor2_create_secret(authenticator, request, FACTOR2_NUL_TERMINATED, &response) ==
              FACTOR2_OK;
    text = factor2_response_text(response, member, &length);
    created = created && text != NULL && length < out_size;
    if (created)
        memcpy(out, text, length + 1);
    factor2_response_free(response);
    explicit_bzero(request, sizeof request);
    return created;
}

int factor_create(const factor2_authenticator *authenticator, struct user *user) {
    user->secret[0] = '\0';
    return create(authenticator, user, "totpsecret", user->secret, sizeof user->secret);
}

int factor_qr(const factor2_authenticator *authenticator, const struct user *user,
              char qr[QR_SIZE]) {
    return create(authenticator, user, "qr", qr, QR_SIZE);
}

/* When an app will show a code that was not used yet: with the step after this and the last used one. */
static long seconds_to_next_code(const factor2_authenticator *authenticator, const char *secret) {
    char request[REQUEST_SIZE];
    factor2_response *response = NULL;
    long long now = (long long)time(NULL), next = now / PERIOD_S + 1, used = -1;

    snprintf(request, sizeof request, "{\"totpsecret\":\"%s\"}", secret);
    if (factor2_inspect(authenticator, request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK)
        used = number(response, "last_step", -1);
    factor2_response_free(response);
    explicit_bzero(request, sizeof request);
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

struct verdict factor_verify(const factor2_authenticator *authenticator, const char *secret,
                             const char *typed) {
    char typed_json[256], request[REQUEST_SIZE];
    factor2_response *response = NULL;
    factor2_status status = FACTOR2_INVALID_TOKEN; /* of what is too long, or not UTF-8 */
    struct verdict verdict = {401, 0, 0, 0};

    if (quote(typed, typed_json, sizeof typed_json)) {
        snprintf(request, sizeof request, "{\"totpsecret\":\"%s\",\"otp\":%s}", secret, typed_json);
        status = factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
        explicit_bzero(request, sizeof request);
    }
    verdict.http = factor2_status_http(status);
    if (status == FACTOR2_DISABLED)
        verdict.wait_s = -1;
    else if (status != FACTOR2_OK)
        verdict.wait_s = number(response, "error.retry_after_s", 0);
    verdict.locked = verdict.wait_s != 0;
    factor2_response_free(response);
    verdict.malformed = status == FACTOR2_INVALID_TOKEN && !verdict.locked && is_malformed(typed);
    if (status == FACTOR2_INVALID_TOKEN && verdict.locked)
        verdict.http = factor2_status_http(FACTOR2_THROTTLED); /* this code was the one too many */
    if (verdict.http == 401)
        verdict.wait_s = seconds_to_next_code(authenticator, secret);
    return verdict;
}
