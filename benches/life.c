/* Sealed secrets beside plain ones, and recovery codes. */
#include <string.h>

#include "calls.h"
#include "themes.h"

#define SEAL                                                                             \
    "\"seal\":{\"keys\":{\"2026-11\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}," \
    "\"use\":\"2026-11\"}"

static factor2_authenticator *sealing, *guarded;
static char plain[256], sealed[512];

static void verify_plain(size_t calls) {
    while (calls--)
        CHECK(call(factor2_verify, sealing, plain, strlen(plain)) == FACTOR2_INVALID_TOKEN);
}

static void verify_sealed(size_t calls) {
    while (calls--)
        CHECK(call(factor2_verify, sealing, sealed, strlen(sealed)) == FACTOR2_INVALID_TOKEN);
}

static void create_codes(size_t calls) {
    while (calls--)
        CHECK(call(factor2_create_recovery_codes, guarded, "{}", 2) == FACTOR2_OK);
}

enum { CODES = 10 };
typedef char recovery_request[512];
static recovery_request *recoveries;

/* Codes that were never used, ten of a set. */
static void prepare_codes(size_t calls) {
    factor2_authenticator_free(guarded);
    guarded = authenticator("{\"store\":\"memory\",\"max_records\":1000000}");
    recoveries = realloc(recoveries, (calls + CODES) * sizeof *recoveries);
    CHECK(recoveries);
    for (size_t i = 0; i < calls; i += CODES) {
        factor2_response *set;
        CHECK(factor2_create_recovery_codes(guarded, "{}", 2, &set) == FACTOR2_OK);
        for (size_t n = 0; n < CODES; n++) {
            char path[16];
            snprintf(path, sizeof path, "codes.%zu", n);
            snprintf(recoveries[i + n], sizeof *recoveries, "{\"recovery\":\"%s\",\"code\":\"%s\"}",
                     factor2_response_text(set, "recovery", NULL),
                     factor2_response_text(set, path, NULL));
        }
        factor2_response_free(set);
    }
}

static void verify_codes(size_t calls) {
    for (size_t i = 0; i < calls; i++) {
        const char *request = recoveries[i];
        CHECK(call(factor2_verify_recovery_code, guarded, request, strlen(request)) == FACTOR2_OK);
    }
}

static bench_case with_plain = {.run = verify_plain}, with_sealed = {.run = verify_sealed},
                  create = {.run = create_codes},
                  recover = {.prepare = prepare_codes, .run = verify_codes};

void compare_life(void) {
    factor2_response *response;
    const char *secret = "{\"totpsecret\":\"" SECRET "\",\"username\":\"" ACCOUNT "\"}";
    sealing = authenticator("{\"store\":\"none\"}," SEAL);
    CHECK(factor2_seal(sealing, secret, strlen(secret), &response) == FACTOR2_OK);
    const char *format = "{\"totpsecret\":\"%s\",\"otp\":\"000000\",\"username\":\"" ACCOUNT "\"}";
    snprintf(plain, sizeof plain, format, SECRET);
    snprintf(sealed, sizeof sealed, format, factor2_response_text(response, "sealed", NULL));
    factor2_response_free(response);
    guarded = authenticator("{\"store\":\"memory\"}");
    compare("verify, sealed secret", &with_sealed, "a secret that is not sealed", &with_plain,
            DIFFERENCE, 3000);
    compare("create_recovery_codes, 10 codes", &create, "", &create, ALONE, 20000);
    compare("verify_recovery_code, memory guard", &recover, "", &recover, ALONE, 3000);
}
