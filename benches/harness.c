#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include <string.h>

#include <time.h>

#define MAX_ROWS 32
/* Long enough for the clock not to matter, and short enough for some batches to be undisturbed. */
#define BATCH_NANOSECONDS 3e6

typedef struct {
    const char *work, *peer;
    bench_case *ours, *theirs;
    measure measure;
    double goal;
} table_row;

static table_row rows[MAX_ROWS];
static size_t row_count;
static bench_case *cases[2 * MAX_ROWS];
static size_t case_count;

static void add_case(bench_case *added) {
    for (size_t i = 0; i < case_count; i++)
        if (cases[i] == added)
            return;
    cases[case_count++] = added;
}

void compare(const char *work, bench_case *ours, const char *peer, bench_case *theirs,
             measure measure, double goal) {
    CHECK(row_count < MAX_ROWS);
    rows[row_count++] = (table_row){work, peer, ours, theirs, measure, goal};
    add_case(ours);
    add_case(theirs);
}

static double nanoseconds_of(const bench_case *timed, size_t calls) {
    struct timespec begin, end;
    if (timed->prepare)
        timed->prepare(calls);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    timed->run(calls);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
}

/* The least of several: one that was disturbed would make a batch of a few calls. */
static double undisturbed_nanoseconds_of(const bench_case *timed, size_t calls) {
    double least = nanoseconds_of(timed, calls);
    for (int again = 0; again < 4 && least > BATCH_NANOSECONDS / 4; again++) {
        double taken = nanoseconds_of(timed, calls);
        if (taken < least)
            least = taken;
    }
    return least;
}

static void calibrate(bench_case *timed) {
    size_t calls = 2;
    double taken;
    while ((taken = undisturbed_nanoseconds_of(timed, calls)) < BATCH_NANOSECONDS / 4)
        calls *= 2;
    timed->batch = 2 * (size_t)(1 + (double)calls * BATCH_NANOSECONDS / taken / 2);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void time_cases(int count) {
    for (size_t i = 0; i < case_count; i++) {
        cases[i]->rounds = calloc((size_t)count, sizeof(double));
        CHECK(cases[i]->rounds);
        calibrate(cases[i]);
    }
    /* Every round has every case, so that whatever else the machine does hits all alike; every other
       round backwards, so that none always comes first to a server or a cache that others have left cold. */
    for (int round = 0; round < count; round++) {
        fprintf(stderr, "\rround %d of %d", round + 1, count);
        for (size_t i = 0; i < case_count; i++) {
            bench_case *timed = cases[round % 2 ? case_count - 1 - i : i];
            timed->rounds[round] = nanoseconds_of(timed, timed->batch) / (double)timed->batch;
        }
    }
    fprintf(stderr, "\n");
    for (size_t i = 0; i < case_count; i++) {
        qsort(cases[i]->rounds, (size_t)count, sizeof(double), by_size);
        cases[i]->least = cases[i]->rounds[0];
        cases[i]->median = cases[i]->rounds[count / 2];
    }
}

typedef struct {
    char text[32];
} short_text;

static short_text duration(double nanoseconds) {
    short_text out;
    if (nanoseconds < 1e4)
        snprintf(out.text, sizeof out.text, "%.0f ns", nanoseconds);
    else if (nanoseconds < 1e6)
        snprintf(out.text, sizeof out.text, "%.1f us", nanoseconds / 1e3);
    else
        snprintf(out.text, sizeof out.text, "%.2f ms", nanoseconds / 1e6);
    return out;
}

static short_text ratio(double number, const char *unit) {
    short_text out;
    snprintf(out.text, sizeof out.text, "%.*f %s", number < 10 ? 2 : 1, number, unit);
    return out;
}

/* What factor2 has, of the least disturbed rounds: what disturbs only ever adds to a time. */
static double measured(const table_row *row) {
    switch (row->measure) {
    case TIME: return row->ours->least / row->theirs->least;
    case DIFFERENCE: return row->ours->least - row->theirs->least;
    case ALONE: return row->ours->least;
    default: return row->theirs->least / row->ours->least;
    }
}

static void print_row(const table_row *row) {
    static const char *const UNITS[] = {"x the speed", "x the throughput", "x the time"};
    int is_ratio = row->measure <= TIME, is_more_better = row->measure < TIME;
    double value = measured(row);
    short_text has = is_ratio ? ratio(value, UNITS[row->measure]) : duration(value), goal;
    snprintf(goal.text, sizeof goal.text, is_more_better ? "at least %g" : "at most %g", row->goal);
    if (!is_ratio)
        snprintf(goal.text, sizeof goal.text, "at most %.16s", duration(row->goal).text);
    if (row->measure == DIFFERENCE)
        strcat(has.text, " more");
    printf("| %-47s | %8s | %8s | %-43s | %8s | %8s | %-21s | %-15s | %-6s |\n", row->work,
           duration(row->ours->least).text, duration(row->ours->median).text, row->peer,
           row->measure == ALONE ? "" : duration(row->theirs->least).text,
           row->measure == ALONE ? "" : duration(row->theirs->median).text, has.text,
           row->goal > 0 ? goal.text : "none",
           row->goal == 0                                               ? ""
           : (is_more_better ? value >= row->goal : value <= row->goal) ? "met"
                                                                        : "MISSED");
}

void time_and_print(int rounds) {
    time_cases(rounds);
    printf("| %-47s | %8s | %8s | %-43s | %8s | %8s | %-21s | %-15s | %-6s |\n",
           "one call of factor2", "least", "median", "compared with", "least", "median",
           "factor2 has", "goal", "");
    printf("|---|---:|---:|---|---:|---:|---|---|---|\n");
    for (size_t i = 0; i < row_count; i++)
        print_row(&rows[i]);
}
