/* The life of a factor: a sealed secret, a login, a lost phone, a recovery code, another key.
 *
 *     cargo build --release
 *     cc -o recover -Iinclude examples-c/recover.c target/release/libfactor2.a -lpthread -ldl -lm
 *     keys="{\"old\":\"$(openssl rand -base64 32)\",\"new\":\"$(openssl rand -base64 32)\"}"
 *     before="{\"keys\":$keys,\"use\":\"old\"}" after="{\"keys\":$keys,\"use\":\"new\"}"
 *     ./recover '{"store":"memory"}' "$before" "$after"
 */
#include <stdio.h>
#include <stdlib.h>
#include "factor2.h"
static factor2_authenticator *authenticator;
static factor2_response *response; /* of the last call */

/* Starts with other settings. */
static void start(const char *guard, const char *seal) {
    char text[4096];
    sprintf(text, "{\"issuer\":\"Shop\",\"guard\":%.999s,\"seal\":%.2999s}", guard, seal);
    factor2_authenticator_free(authenticator);
    if (factor2_authenticator_new(text, FACTOR2_NUL_TERMINATED, &authenticator, NULL))
        exit((fputs("The settings are wrong, or the store is down.\n", stderr), EXIT_FAILURE));
}

/* Calls an operation, and gives a member of its response. A refusal ends the program. */
static const char *ask(factor2_operation operation, const char *request, const char *member) {
    factor2_status status;
    factor2_response_free(response);
    status = operation(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
    printf("%s: %s\n", member, factor2_status_name(status));
    if (status != FACTOR2_OK)
        exit(EXIT_FAILURE);
    return factor2_response_text(response, member, NULL);
}

int main(int argc, char **argv) {
    char alice[1024], request[1024], stored[512], recovery[512], code[64];
    if (argc != 4)
        return fputs("usage: recover GUARD SEAL NEW-SEAL\n", stderr), EXIT_FAILURE;
    start(argv[1], argv[2]);
    sprintf(stored, "%.511s", ask(factor2_create_secret, "{\"username\":\"alice\"}", "sealed"));
    sprintf(recovery, "%.511s", ask(factor2_create_recovery_codes, "{}", "recovery"));
    factor2_json_quote(factor2_response_text(response, "codes.0", NULL), FACTOR2_NUL_TERMINATED,
                       code, sizeof code);
    sprintf(alice, "{\"username\":\"alice\",\"totpsecret\":\"%s\"}", stored);
    sprintf(request, "{\"username\":\"alice\",\"totpsecret\":\"%s\",\"otp\":\"%s\"}", stored,
            ask(factor2_generate, alice, "otp")); /* the library plays the phone */
    ask(factor2_verify, request, "step");
    sprintf(request, "{\"recovery\":\"%s\",\"code\":%s}", recovery, code); /* the phone is lost */
    ask(factor2_verify_recovery_code, request, "remaining");
    start(argv[1], argv[3]);
    puts(ask(factor2_seal, alice, "sealed")); /* to be stored in the place of the old text */
    return factor2_response_free(response), factor2_authenticator_free(authenticator), EXIT_SUCCESS;
}
