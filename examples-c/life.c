/* A factor's life: made, used, lost with the phone, back by a recovery code, sealed by a new key.
 *     cc -o life -Iinclude examples-c/life.c target/release/libfactor2.a -lpthread -ldl -lm
 *     ./life '{"store":"memory"}' '{"old":"32 BYTES IN BASE64","new":"32 OTHERS"}' */
#include <stdio.h>
#include <stdlib.h>
#include "factor2.h"
#define SETTINGS "{\"issuer\":\"Shop\",\"guard\":%.999s,\"seal\":{\"keys\":%.999s,\"use\":\"%s\"}}"
#define ALICE "{\"username\":\"alice\",\"totpsecret\":\"%s\""
#define ASK(operation, request) (sprintf request, ask(operation))
#define MEMBER(name) factor2_response_text(response, name, NULL)
static char text[4000], sealed[1000];
static factor2_authenticator *authenticator;
static factor2_response *response; /* of the last call */
static void ask(factor2_operation operation) {
    factor2_response_free(response);
    if (operation(authenticator, text, FACTOR2_NUL_TERMINATED, &response) != FACTOR2_OK)
        puts(response ? MEMBER("error.message") : "no response"), exit(EXIT_FAILURE);
}
static factor2_status start(char **argv, const char *key_in_use) {
    sprintf(text, SETTINGS, argv[1], argv[2], key_in_use);
    factor2_authenticator_free(authenticator);
    return factor2_authenticator_new(text, FACTOR2_NUL_TERMINATED, &authenticator, NULL);
}
int main(int argc, char **argv) {
    if (argc != 3 || start(argv, "old") != FACTOR2_OK)
        return EXIT_FAILURE;
    ASK(factor2_create_secret, (text, "{\"username\":\"alice\"}")); /* with the QR code to scan */
    sprintf(sealed, "%.999s", MEMBER("sealed"));                    /* for the database */
    ASK(factor2_generate, (text, ALICE "}", sealed)); /* here the library is the phone */
    ASK(factor2_verify, (text, ALICE ",\"otp\":\"%s\"}", sealed, MEMBER("otp")));
    ASK(factor2_create_recovery_codes, (text, "{}")); /* alice prints them, then loses the phone */
    ASK(factor2_verify_recovery_code,
        (text, "{\"recovery\":\"%s\",\"code\":\"%s\"}", MEMBER("recovery"), MEMBER("codes.0")));
    printf("back, with %s codes left\n", MEMBER("remaining"));
    if (start(argv, "new") != FACTOR2_OK)
        return EXIT_FAILURE;
    ASK(factor2_seal, (text, ALICE "}", sealed)); /* what it gives takes the place of the old one */
    printf("sealed by the key \"%s\"\n", MEMBER("key"));
    return factor2_response_free(response), factor2_authenticator_free(authenticator), EXIT_SUCCESS;
}
