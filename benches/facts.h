/* The second table: what is not the time of a call. */
#ifndef BENCH_FACTS_H
#define BENCH_FACTS_H

#include <stdio.h>

#define FACT "| %-58s | %12s | %12s | %-13s | %-6s |\n"

static inline void print_facts_head(void) {
    printf("\n" FACT "|---|---:|---:|---|---|\n", "beside time", "factor2", "peer", "goal", "");
}

static inline void print_fact(const char *what, const char *ours, const char *peers,
                              const char *goal, int met) {
    printf(FACT, what, ours, peers, goal, met ? "met" : "MISSED");
}

#endif
