/* Verification without a guard, beside liboath's oath_totp_validate() on a key that it has decoded. */
#include <liboath/oath.h>
#include <string.h>

#include "calls.h"
#include "themes.h"

static factor2_authenticator *unguarded;
static verify_request right_request, wrong_request;
static char *key;
static size_t key_length;

static void verify_wrong(size_t calls) {
    while (calls--)
        CHECK(call(factor2_verify, unguarded, wrong_request, VERIFY_LENGTH) ==
              FACTOR2_INVALID_TOKEN);
}

static void verify_right(size_t calls) {
    while (calls--)
        CHECK(call(factor2_verify, unguarded, right_request, VERIFY_LENGTH) == FACTOR2_OK);
}

static int validated(const char *request) {
    char code[7] = "";
    memcpy(code, request + CODE_AT, 6);
    return oath_totp_validate(key, key_length, NOW, 30, 0, 1, code);
}

static void oath_wrong(size_t calls) {
    while (calls--)
        CHECK(validated(wrong_request) == OATH_INVALID_OTP);
}

static void oath_right(size_t calls) {
    while (calls--)
        CHECK(validated(right_request) == 0);
}

static bench_case ours_wrong = {.run = verify_wrong}, ours_right = {.run = verify_right},
                  oaths_wrong = {.run = oath_wrong}, oaths_right = {.run = oath_right};

void compare_codes(void) {
    CHECK(oath_init() == OATH_OK);
    CHECK(oath_base32_decode(SECRET, strlen(SECRET), &key, &key_length) == OATH_OK);
    unguarded = authenticator("{\"store\":\"none\"}");
    memcpy(wrong_request, VERIFY_REQUEST, sizeof VERIFY_REQUEST);
    memcpy(right_request, VERIFY_REQUEST, sizeof VERIFY_REQUEST);
    write_right_code(right_request);
    compare("verify a wrong code, guard none", &ours_wrong, "oath_totp_validate", &oaths_wrong,
            SPEED, 1.2);
    compare("verify a right code, guard none", &ours_right,
            "oath_totp_validate, which stops at a hit", &oaths_right, SPEED, 0.5);
}
