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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factor2.h"
#include "json_escape.h"
#include "json_member.h"

/* Says on standard error why the answer is no. */
static void explain(factor2_status status, const factor2_response *response) {
    char message[256];

    if (!json_member(factor2_response_json(response, NULL), "message", message, sizeof message))
        strcpy(message, "no further details");
    fprintf(stderr, "%s: %s\n", factor2_status_name(status), message);
}

static factor2_status verify(const char *secret, const char *code) {
    static const char config[] = "{\"issuer\":\"verify\",\"guard\":{\"store\":\"none\"}}";
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    factor2_status status;
    char secret_json[1024], code_json[512], request[2048];

    if (!json_escape(secret, secret_json, sizeof secret_json) ||
        !json_escape(code, code_json, sizeof code_json))
        return FACTOR2_REQUEST_TOO_LARGE;
    sprintf(request, "{\"totpsecret\":\"%s\",\"otp\":\"%s\"}", secret_json, code_json);

    status = factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &authenticator, &response);
    if (status == FACTOR2_OK) {
        factor2_response_free(response);
        status = factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    }
    if (status != FACTOR2_OK)
        explain(status, response);
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);
    return status;
}

/* Reads one line without its end; gives 0 for no line, one that does not fit, or one with a NUL. */
static int read_line(char *line, size_t size) {
    size_t length = 0;
    int c;

    while ((c = getchar()) != EOF && c != '\n') {
        if (c == '\0' || length + 1 == size)
            return 0;
        line[length++] = (char)c;
    }
    if (c == EOF && length == 0)
        return 0;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return 1;
}

int main(void) {
    char secret[160], code[80];

    if (!read_line(secret, sizeof secret) || !read_line(code, sizeof code)) {
        fprintf(stderr, "verify: give a secret and a code on standard input, one line each\n");
        return EXIT_FAILURE;
    }
    return verify(secret, code) == FACTOR2_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
