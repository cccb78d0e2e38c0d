/* Memory that ends exactly at an unreadable page: one byte too far is a crash. */
#ifndef FACTOR2_TESTS_GUARD_PAGE_H
#define FACTOR2_TESTS_GUARD_PAGE_H

#include "check.h"

#include <sys/mman.h>

struct guarded {
    char *start;
    size_t size; /* readable bytes; start + size is the first unreadable one */
    size_t mapped;
};

static inline struct guarded guarded_memory(size_t size) {
    struct guarded memory;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    memory.size = (size + page - 1) / page * page;
    memory.mapped = memory.size + page;
    memory.start =
        mmap(NULL, memory.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory.start != MAP_FAILED);
    CHECK(mprotect(memory.start + memory.size, page, PROT_NONE) == 0);
    return memory;
}

/* A copy whose last byte is the last readable one. */
static inline const char *flush(struct guarded memory, const char *bytes, size_t length) {
    char *place = memory.start + memory.size - length;
    CHECK(length <= memory.size);
    memcpy(place, bytes, length);
    return place;
}

static inline void guarded_free(struct guarded memory) {
    CHECK(munmap(memory.start, memory.mapped) == 0);
}

#endif
