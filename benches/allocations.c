/* Prints how many blocks calls take from the allocator. A test holds them to it, tests/c/allocations.c. */
#include <string.h>

#include "../tests/c/counted_malloc.h"
#include "calls.h"
#include "facts.h"

/* Of a call like the one before, when all that is made only once is there. */
static void print_blocks(const char *what, factor2_operation operation,
                         const factor2_authenticator *authenticator, const char *request,
                         factor2_status expected, int most) {
    char taken[16], goal[16];
    int before, during;
    CHECK(call(operation, authenticator, request, strlen(request)) == expected);
    before = blocks;
    CHECK(call(operation, authenticator, request, strlen(request)) == expected);
    during = blocks - before;
    CHECK(during > 0); /* or the library has another allocator, and nothing is counted */
    snprintf(taken, sizeof taken, "%d", during);
    snprintf(goal, sizeof goal, "at most %d", most);
    print_fact(what, taken, "", goal, during <= most);
}

int main(void) {
    factor2_authenticator *unguarded = authenticator("{\"store\":\"none\"}");
    verify_request request = VERIFY_REQUEST;
    print_blocks("blocks that verify allocates, wrong code", factor2_verify, unguarded, request,
                 FACTOR2_INVALID_TOKEN, 4);
    write_right_code(request);
    print_blocks("blocks that verify allocates, right code", factor2_verify, unguarded, request,
                 FACTOR2_OK, 4);
    print_blocks("blocks that qr allocates", factor2_qr, unguarded,
                 "{\"username\":\"" ACCOUNT "\",\"totpsecret\":\"" SECRET "\"}", FACTOR2_OK, 30);
    factor2_authenticator_free(unguarded);
    return EXIT_SUCCESS;
}
