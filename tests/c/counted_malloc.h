/*
 * Counts the blocks that are taken from the allocator: a program that includes it has its own malloc()
 * and the like, which the library gets, too.
 */
#ifndef FACTOR2_TESTS_COUNTED_MALLOC_H
#define FACTOR2_TESTS_COUNTED_MALLOC_H

#include <stddef.h>

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

#endif
