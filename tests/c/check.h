/*
 * A check that no build flag can switch off.
 *
 * Each test is a function of its own that is never inlined, so that no forgotten pointer
 * in main's frame hides a leak from the leak checkers.
 */
#ifndef FACTOR2_TESTS_CHECK_H
#define FACTOR2_TESTS_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEST static __attribute__((noinline)) void

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

#define RUN(test)                 \
    do {                          \
        test();                   \
        printf("ok %s\n", #test); \
        fflush(stdout);           \
    } while (0)

/* _exit: a forked child must not run what its parent registered or buffered. */
static inline __attribute__((noreturn)) void check_failed(const char *file, int line,
                                                          const char *condition) {
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, condition);
    fflush(stderr);
    _exit(1);
}

/* Under a sanitizer or valgrind: fewer rounds, and no judgement of time and memory. */
static inline int instrumented(void) { return getenv("FACTOR2_INSTRUMENTED") != NULL; }

static inline int rounds(int plain, int under_instrument) {
    return instrumented() ? under_instrument : plain;
}

static inline void skipped(const char *what, const char *why) {
    printf("skipped: %s: %s\n", what, why);
}

#endif
