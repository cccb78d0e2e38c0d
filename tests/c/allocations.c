/*
 * A call takes few blocks from the allocator, however often it is made.
 */
#include "calls.h"
#include "counted_malloc.h"

static factor2_authenticator *unguarded;

/* Of the second call, when all that is made only once is there. */
static int blocks_of(operation operation, const char *request, factor2_status expected) {
    int before = 0, round;
    for (round = 0; round < 2; round++) {
        factor2_response *response;
        before = blocks;
        CHECK(operation(unguarded, request, strlen(request), &response) == expected);
        factor2_response_free(response);
    }
    CHECK(blocks > before); /* or the library has another allocator, and nothing is counted */
    return blocks - before;
}

TEST verify_takes_four(void) {
    const char *right = "{\"totpsecret\":\"" SECRET "\",\"otp\":\"" CODE_NOW "\"}";
    const char *wrong = "{\"totpsecret\":\"" SECRET "\",\"otp\":\"000000\"}";
    CHECK(blocks_of(factor2_verify, right, FACTOR2_OK) <= 4);
    CHECK(blocks_of(factor2_verify, wrong, FACTOR2_INVALID_TOKEN) <= 4);
}

TEST generate_takes_no_more_than_ten(void) {
    CHECK(blocks_of(factor2_generate, "{\"totpsecret\":\"" SECRET "\"}", FACTOR2_OK) <= 10);
}

TEST qr_png_takes_no_more_than_thirty(void) {
    const char *request = "{\"username\":\"bob@example.com\",\"totpsecret\":\"" SECRET "\"}";
    CHECK(blocks_of(factor2_qr_png, request, FACTOR2_OK) <= 30);
}

int main(void) {
    CHECK(factor2_authenticator_new(CONFIG, FACTOR2_NUL_TERMINATED, &unguarded, NULL) == FACTOR2_OK);
    RUN(verify_takes_four);
    RUN(generate_takes_no_more_than_ten);
    RUN(qr_png_takes_no_more_than_thirty);
    factor2_authenticator_free(unguarded);
    return 0;
}
