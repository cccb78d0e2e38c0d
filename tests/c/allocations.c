/*
 * A call takes few blocks from the allocator, however often it is made, and little memory, however
 * large the picture is.
 */
#include "calls.h"
#include "counted_malloc.h"
#include "largest.h"

static factor2_authenticator *unguarded;

/* Of the second call, when all that is made only once is there. */
static int blocks_of(factor2_operation operation, const char *request, factor2_status expected) {
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

TEST qr_takes_no_more_than_thirty(void) {
    const char *request = "{\"username\":\"bob@example.com\",\"totpsecret\":\"" SECRET "\"}";
    CHECK(blocks_of(factor2_qr, request, FACTOR2_OK) <= 30);
}

/* How many bytes more than before a call of create_secret has at once, its response among them. */
static size_t bytes_of_largest(int letters, const char *qr) {
    static char config[2048], request[2048];
    factor2_authenticator *authenticator;
    factor2_response *response;
    size_t before, length;
    write_largest(config, request, sizeof config, letters, 32, qr);
    CHECK(factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &authenticator, NULL) ==
          FACTOR2_OK);
    before = most_bytes_in_use = bytes_in_use;
    CHECK(factor2_create_secret(authenticator, request, FACTOR2_NUL_TERMINATED, &response) ==
          FACTOR2_OK);
    factor2_response_data(response, &length);
    CHECK(length > 10000 && most_bytes_in_use > before + length);
    factor2_response_free(response);
    CHECK(bytes_in_use == before);
    factor2_authenticator_free(authenticator);
    return most_bytes_in_use - before;
}

#define MIB ((size_t)1024 * 1024)

TEST the_largest_picture_takes_one_mib(void) {
    CHECK(bytes_of_largest(LETTERS_AT_L, LEVEL("L")) <= MIB);
    CHECK(bytes_of_largest(LETTERS_AT_L, LEVEL("L") "," COLOURS) <= MIB);
}

TEST the_largest_picture_with_a_logo_takes_twenty_mib(void) {
    CHECK(bytes_of_largest(LETTERS_AT_H, COLOURS "," LOGO) <= 20 * MIB);
}

int main(void) {
    CHECK(factor2_authenticator_new(CONFIG, FACTOR2_NUL_TERMINATED, &unguarded, NULL) ==
          FACTOR2_OK);
    RUN(verify_takes_four);
    RUN(generate_takes_no_more_than_ten);
    RUN(qr_takes_no_more_than_thirty);
    RUN(the_largest_picture_takes_one_mib);
    RUN(the_largest_picture_with_a_logo_takes_twenty_mib);
    factor2_authenticator_free(unguarded);
    return 0;
}
