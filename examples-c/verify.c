/*
 * Verifies a code: reads a secret and a code, one line each, and exits 0 if the code is right now,
 * 1 if it is not, or if anything else went wrong.
 *
 *     cargo build --release
 *     cc -o verify -Iinclude examples-c/verify.c target/release/libfactor2.a -lpthread -ldl -lm
 *     printf '%s\n' "$secret" "$code" | ./verify
 *
 * Both come from standard input, because other users can see a program's arguments.
 *
 * It has no memory, so it takes one code as often as it is asked: a program that lets people in
 * keeps the response's "step", see factor2_verify() in factor2.h.
 */
#define _POSIX_C_SOURCE 200809L /* getline */
#include <stdio.h>
#include <stdlib.h>

#include "factor2.h"

/* Reads a line as a JSON string. The newline in it does no harm: the library drops it. */
static int read_line(char *json, size_t size) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length = getline(&line, &room, stdin);
    int fits = length >= 0 && factor2_json_quote(line, (size_t)length, json, size) < size;

    free(line);
    return fits;
}

static factor2_status verify(const char *secret, const char *code) {
    static const char config[] = "{\"issuer\":\"verify\",\"guard\":{\"store\":\"none\"}}";
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    factor2_status status;
    const char *why;
    char request[4096];

    sprintf(request, "{\"totpsecret\":%s,\"otp\":%s}", secret, code);
    status = factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &authenticator, NULL);
    if (status == FACTOR2_OK)
        status = factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    why = factor2_response_text(response, "error.message", NULL);
    if (status != FACTOR2_OK)
        fprintf(stderr, "%s: %s\n", factor2_status_name(status), why != NULL ? why : "no details");
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);
    return status;
}

int main(void) {
    char secret[2048], code[512];

    if (!read_line(secret, sizeof secret) || !read_line(code, sizeof code)) {
        fprintf(stderr, "verify: give a secret and a code on standard input, one line each\n");
        return EXIT_FAILURE;
    }
    return verify(secret, code) == FACTOR2_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
