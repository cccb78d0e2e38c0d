/*
 * Counts the blocks that are taken from the allocator, and the bytes that are in use: a program that
 * includes it has its own malloc() and the like, which the library gets, too.
 */
#ifndef FACTOR2_TESTS_COUNTED_MALLOC_H
#define FACTOR2_TESTS_COUNTED_MALLOC_H

#include <malloc.h>
#include <stddef.h>

/* glibc's own, under the names that stay when a program replaces malloc(). */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static volatile int blocks;
static volatile size_t bytes_in_use, most_bytes_in_use;

static void *counted(void *block) {
    blocks++;
    bytes_in_use += malloc_usable_size(block);
    if (bytes_in_use > most_bytes_in_use)
        most_bytes_in_use = bytes_in_use;
    return block;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }

void *realloc(void *block, size_t size) {
    bytes_in_use -= malloc_usable_size(block);
    return counted(__libc_realloc(block, size));
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = counted(__libc_memalign(alignment, size));
    return *block == NULL;
}

void free(void *block) {
    bytes_in_use -= malloc_usable_size(block);
    __libc_free(block);
}

#endif
