/* Times cases in interleaved rounds and prints how they compare, as a Markdown table. */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            exit(EXIT_FAILURE);                                                            \
        }                                                                                  \
    } while (0)

/* What is timed: `run` makes `calls` calls, an even number. `prepare` is not timed, and may be NULL. */
typedef struct {
    void (*prepare)(size_t calls);
    void (*run)(size_t calls);
    /* The harness's own: calls of a batch, then nanoseconds of a call. */
    size_t batch;
    double *rounds;
    double least, median;
} bench_case;

/* How factor2 is said to compare. */
typedef enum { SPEED, THROUGHPUT, TIME, DIFFERENCE, ALONE } measure;

/* A row of the table; the goal is the least speed or throughput, or the most time, or 0 for none. Of a
   difference and of a time that is compared with nothing, it is in nanoseconds. */
void compare(const char *work, bench_case *ours, const char *peer, bench_case *theirs,
             measure measure, double goal);

/* Times every case that was given to compare(), and prints the rows. */
void time_and_print(int rounds);

#endif
