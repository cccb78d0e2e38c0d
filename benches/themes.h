/* Each theme names its cases to the harness. */
#ifndef BENCH_THEMES_H
#define BENCH_THEMES_H

#include <stddef.h>

void compare_pictures(void);
void compare_codes(void);
void compare_memory_guard(void);
void compare_life(void);
void compare_sqlite_guard(const char *folder);
void compare_redis_guard(const char *socket, const char *script);

/* Bytes of the PNG by factor2, and by libpng. */
void picture_sizes(size_t *ours, size_t *theirs);

#endif
