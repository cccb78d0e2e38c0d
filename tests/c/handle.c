/* Handles that are not live handles of the right kind: refused by name, and left alone. */
#include "calls.h"
#include "guard_page.h"

#include <stdint.h>

/* Larger than any handle, so that every byte of a block may be read. */
#define BLOCK 4096

static void check_no_operation_takes(const void *handle) {
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        CHECK(outcome_of_text(CALLS[i].run, handle, CALLS[i].request) == FACTOR2_INVALID_HANDLE);
        CHECK(CALLS[i].run(handle, CALLS[i].request, FACTOR2_NUL_TERMINATED, NULL) ==
              FACTOR2_INVALID_HANDLE);
    }
}

static void check_no_accessor_takes(const void *handle) {
    size_t length = 77;
    CHECK(factor2_response_json(handle, &length) == NULL && length == 0);
    length = 77;
    CHECK(factor2_response_data(handle, &length) == NULL && length == 0);
}

/* Nothing may be written to, or freed at, what is not ours. */
static void check_foreign(void *block, size_t size) {
    unsigned char before[BLOCK];
    memcpy(before, block, size);
    check_no_operation_takes(block);
    check_no_accessor_takes(block);
    factor2_authenticator_free(block);
    factor2_response_free(block);
    CHECK(memcmp(before, block, size) == 0);
}

TEST test_zeroed_and_foreign_blocks(void) {
    uint64_t random = 88172645463325252u;
    unsigned char *block = malloc(BLOCK);
    int round;
    size_t i;
    CHECK(block != NULL);
    memset(block, 0, BLOCK);
    check_foreign(block, BLOCK);
    memset(block, 0xff, BLOCK);
    check_foreign(block, BLOCK);
    for (round = 0; round < rounds(1000, 20); round++) {
        for (i = 0; i < BLOCK; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            block[i] = (unsigned char)(random >> 32);
        }
        check_foreign(block, BLOCK);
    }
    free(block);
}

TEST test_a_short_block_at_the_end_of_memory(void) {
    struct guarded memory = guarded_memory(1);
    void *block = memory.start + memory.size - sizeof(void *);
    check_foreign(block, sizeof(void *));
    guarded_free(memory);
}

TEST test_misaligned_handles(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    size_t offset;
    CHECK(factor2_describe(auth, "{}", 2, &response) == FACTOR2_OK);
    for (offset = 1; offset < sizeof(void *); offset++) {
        void *shifted_auth = (char *)(void *)auth + offset;
        void *shifted_response = (char *)(void *)response + offset;
        check_no_operation_takes(shifted_auth);
        check_no_operation_takes((void *)offset);
        check_no_accessor_takes(shifted_response);
        check_no_accessor_takes((void *)offset);
        factor2_authenticator_free(shifted_auth);
        factor2_response_free(shifted_response);
    }
    check_every_call(auth);
    CHECK(contains(response, "\"totpsecret\""));
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

TEST test_the_two_kinds_are_not_mixed_up(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    CHECK(factor2_describe(auth, "{}", 2, &response) == FACTOR2_OK);

    check_no_operation_takes(response);
    check_no_accessor_takes(auth);
    factor2_authenticator_free((void *)response);
    factor2_response_free((void *)auth);

    CHECK(contains(response, "\"totpsecret\"")); /* both still live */
    check_every_call(auth);
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

/* One bit of the first word is enough to make it no handle, and putting it back makes it one again. */
TEST test_a_changed_first_word_is_refused(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    unsigned char *word;
    size_t i;
    CHECK(factor2_describe(auth, "{}", 2, &response) == FACTOR2_OK);
    for (i = 0; i < 8; i++) {
        word = (unsigned char *)auth;
        word[i] ^= 1;
        check_no_operation_takes(auth);
        word[i] ^= 1;
        word = (unsigned char *)response;
        word[i] ^= 1;
        check_no_accessor_takes(response);
        word[i] ^= 1;
    }
    check_every_call(auth);
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_zeroed_and_foreign_blocks);
    RUN(test_a_short_block_at_the_end_of_memory);
    RUN(test_misaligned_handles);
    RUN(test_the_two_kinds_are_not_mixed_up);
    RUN(test_a_changed_first_word_is_refused);
    return 0;
}
