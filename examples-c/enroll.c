/*
 * Enrolls a user: makes a secret, shows it as a QR code, and confirms it by a first code. Then shows
 * what the guard is for: the same code is refused a second time, and guessing is throttled.
 *
 *     cargo build --release
 *     cc -o enroll -Iinclude examples-c/enroll.c target/release/libfactor2.a -lpthread -ldl -lm
 *     ./enroll [ISSUER [USERNAME [PNG-FILE]]]
 *
 * Exits 0 if all went as it should: the right code was accepted once, and wrong ones refused.
 */
#define _POSIX_C_SOURCE 200112L /* umask */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "factor2.h"
#include "json_escape.h"
#include "json_member.h"
#include "terminal_qr.h"

/* Room for the texts that this program handles, JSON's escapes included. */
enum { NAME_SIZE = 1600, SECRET_SIZE = 128, REQUEST_SIZE = 4096 };

/* Says what came of a call; gives 1 if it was FACTOR2_OK. */
static int succeeded(const char *what, factor2_status status, const factor2_response *response) {
    char message[256];

    if (status == FACTOR2_OK)
        return 1;
    if (!json_member(factor2_response_json(response, NULL), "message", message, sizeof message))
        strcpy(message, "no further details");
    printf("%s: %s: %s\n", what, factor2_status_name(status), message);
    return 0;
}

static factor2_authenticator *make_authenticator(const char *issuer) {
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    factor2_status status;
    char issuer_json[NAME_SIZE], config[REQUEST_SIZE];

    if (!json_escape(issuer, issuer_json, sizeof issuer_json)) {
        printf("the issuer's name is too long\n");
        return NULL;
    }
    sprintf(config, "{\"issuer\":\"%s\"}", issuer_json);
    status = factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &authenticator, &response);
    succeeded("making the authenticator", status, response);
    factor2_response_free(response);
    return authenticator;
}

/* Every operation has this shape. */
typedef factor2_status (*operation)(const factor2_authenticator *, const char *, size_t,
                                    factor2_response **);

/* Calls an operation, and copies one text out of its response. */
static int ask(operation call, const char *what, const factor2_authenticator *authenticator,
               const char *request, const char *member, char *out, size_t out_size) {
    factor2_response *response = NULL;
    factor2_status status = call(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    int found = succeeded(what, status, response) &&
                json_member(factor2_response_json(response, NULL), member, out, out_size);

    factor2_response_free(response);
    return found;
}

/* The picture holds the secret, so it is nobody else's to read. */
static int write_private_file(const char *path, const unsigned char *bytes, size_t length) {
    FILE *file;
    int written;

    umask(077);
    remove(path); /* an old file would keep its old permissions */
    file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        return 0;
    }
    written = fwrite(bytes, 1, length, file) == length;
    written = fclose(file) == 0 && written;
    if (!written)
        perror(path);
    return written;
}

static int show_qr_code(const factor2_authenticator *authenticator, const char *username_json,
                        const char *secret, const char *path) {
    static char picture[TERMINAL_QR_SIZE];
    factor2_response *response = NULL;
    factor2_status status;
    char request[REQUEST_SIZE];
    const unsigned char *png;
    size_t png_length;
    int shown;

    sprintf(request, "{\"username\":\"%s\",\"totpsecret\":\"%s\",\"text\":true}", username_json,
            secret);
    status = factor2_qr_png(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    png = factor2_response_data(response, &png_length);
    shown = succeeded("drawing the QR code", status, response) &&
            json_member(factor2_response_json(response, NULL), "text", picture, sizeof picture) &&
            write_private_file(path, png, png_length);
    factor2_response_free(response);
    if (!shown)
        return 0;
    terminal_qr(picture);
    printf("Scan it with an authenticator app (it is in %s, too), or type in the secret:\n%s\n\n",
           path, secret);
    return 1;
}

/* The one call of a login. */
static factor2_status verify_code(const factor2_authenticator *authenticator, const char *secret,
                                  const char *typed) {
    factor2_response *response = NULL;
    factor2_status status;
    char typed_json[512], request[REQUEST_SIZE];

    if (!json_escape(typed, typed_json, sizeof typed_json))
        return FACTOR2_REQUEST_TOO_LARGE;
    sprintf(request, "{\"totpsecret\":\"%s\",\"otp\":\"%s\"}", secret, typed_json);
    status = factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    if (succeeded(typed, status, response))
        printf("%s: accepted\n", typed);
    factor2_response_free(response);
    return status;
}

static int enroll(const factor2_authenticator *authenticator, const char *username,
                  const char *path) {
    char username_json[NAME_SIZE], secret[SECRET_SIZE], code[16], request[REQUEST_SIZE];
    int guesses;

    if (!json_escape(username, username_json, sizeof username_json)) {
        printf("the user's name is too long\n");
        return 0;
    }
    /* The secret is the user's second factor: a real program stores it, encrypted. */
    sprintf(request, "{\"username\":\"%s\"}", username_json);
    if (!ask(factor2_create_secret, "making a secret", authenticator, request, "totpsecret", secret,
             sizeof secret) ||
        !show_qr_code(authenticator, username_json, secret, path))
        return 0;

    sprintf(request, "{\"totpsecret\":\"%s\"}", secret);
    if (!ask(factor2_generate, "making a code", authenticator, request, "otp", code, sizeof code))
        return 0;
    printf("A phone would now show %s (here, the library plays the phone). The server says:\n",
           code);
    if (verify_code(authenticator, secret, code) != FACTOR2_OK)
        return 0;
    printf("The same code a second time:\n");
    if (verify_code(authenticator, secret, code) != FACTOR2_TOKEN_REUSED)
        return 0;
    printf("Somebody guesses:\n");
    code[0] = code[0] == '9' ? '0' : (char)(code[0] + 1);
    for (guesses = 0; guesses < 5; guesses++)
        if (verify_code(authenticator, secret, code) != FACTOR2_INVALID_TOKEN)
            return 0;
    return verify_code(authenticator, secret, code) == FACTOR2_THROTTLED;
}

int main(int argc, char **argv) {
    const char *issuer = argc > 1 ? argv[1] : "Example Shop";
    const char *username = argc > 2 ? argv[2] : "alice@example.com";
    const char *path = argc > 3 ? argv[3] : "factor2-qr.png";
    factor2_authenticator *authenticator = make_authenticator(issuer);
    int enrolled = authenticator != NULL && enroll(authenticator, username, path);

    factor2_authenticator_free(authenticator);
    return enrolled ? EXIT_SUCCESS : EXIT_FAILURE;
}
