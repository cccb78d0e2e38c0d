/* Prints how many blocks calls take from the allocator: this program's malloc(), calloc() and
   realloc() count, and the shared library gets them, too. */
#include <string.h>

#include "calls.h"
#include "facts.h"

/* glibc's own, under the names that stay when a program replaces malloc(). */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static volatile int blocks;

void *malloc(size_t size) {
    blocks++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    blocks++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    blocks++;
    return __libc_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    blocks++;
    *block = __libc_memalign(alignment, size);
    return *block == NULL;
}

/* Of a call like the one before, when all that is made only once is there. */
static void print_blocks(const char *what, operation operation,
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
                 FACTOR2_INVALID_TOKEN, 8);
    write_right_code(request);
    print_blocks("blocks that verify allocates, right code", factor2_verify, unguarded, request,
                 FACTOR2_OK, 8);
    print_blocks("blocks that qr_png allocates", factor2_qr_png, unguarded,
                 "{\"username\":\"" ACCOUNT "\",\"totpsecret\":\"" SECRET "\"}", FACTOR2_OK, 32);
    factor2_authenticator_free(unguarded);
    return EXIT_SUCCESS;
}
