/* Enrolls a user: shows the QR code, and verifies a right code and a wrong one.
 *
 *     cargo build --release
 *     cc -o enroll -Iinclude examples-c/enroll.c target/release/libfactor2.a -lpthread -ldl -lm
 *     ./enroll [USERNAME [PNG-FILE]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "factor2.h"
static factor2_authenticator *authenticator;
static factor2_response *response; /* of the last call */

/* Calls an operation. Says so if it refuses, and ends the program if that was not expected. */
static void ask(factor2_operation operation, const char *request, factor2_status expected) {
    factor2_status status;
    factor2_response_free(response);
    status = operation(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    if (status != FACTOR2_OK)
        printf("%s: %s\n", factor2_status_name(status),
               response ? factor2_response_text(response, "error.message", NULL) : "no details");
    if (status != expected)
        exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
    const char *path = argc > 2 ? argv[2] : "factor2-qr.png", *data;
    char user[600], secret[64], request[1024];
    size_t size;
    FILE *file;
    if (factor2_authenticator_new("{\"issuer\":\"Example Shop\"}", FACTOR2_NUL_TERMINATED,
                                  &authenticator, NULL) != FACTOR2_OK)
        return EXIT_FAILURE;
    /* A name that does not fit or is not UTF-8 leaves nothing, and the request is refused. */
    factor2_json_quote(argc > 1 ? argv[1] : "alice", FACTOR2_NUL_TERMINATED, user, sizeof user);
    sprintf(request, "{\"username\":%s}", user);
    ask(factor2_create_secret, request, FACTOR2_OK);
    sprintf(secret, "%.63s", factor2_response_text(response, "totpsecret", NULL));
    data = (const char *)factor2_response_data(response, &size);
    umask(077);   /* the picture holds the secret: nobody else may read it, */
    remove(path); /* and an old file would keep its permissions */
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        return perror(path), EXIT_FAILURE;
    sprintf(request, "{\"username\":%s,\"totpsecret\":\"%s\",\"format\":\"text\"}", user, secret);
    ask(factor2_qr, request, FACTOR2_OK);
    data = (const char *)factor2_response_data(response, &size);
    printf("\033[97;40m%.*s\033[0m\nScan it, or type in:\n%s\n", (int)size - 1, data, secret);
    sprintf(request, "{\"totpsecret\":\"%s\"}", secret);
    ask(factor2_generate, request, FACTOR2_OK); /* the library plays the phone */
    size = (size_t)sprintf(request, "{\"totpsecret\":\"%s\",\"otp\":\"%s\"}", secret,
                           factor2_response_text(response, "otp", NULL));
    ask(factor2_verify, request, FACTOR2_OK);
    printf("%.6s: accepted\nA wrong code:\n", request + size - 8);
    request[size - 3] ^= 1; /* its last digit */
    ask(factor2_verify, request, FACTOR2_INVALID_TOKEN);
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);
    return EXIT_SUCCESS;
}
