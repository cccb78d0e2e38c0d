/* The memory guard: beside no guard, by two threads, and with many credentials. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "crowd.h"
#include "themes.h"

static factor2_authenticator *unguarded, *guarded;
static verify_request *requests;

/* Codes that were never used, for a store that does not know their credentials. */
static void prepare(size_t calls) {
    requests = fresh_requests(calls);
    factor2_authenticator_free(guarded);
    guarded = authenticator("{\"store\":\"memory\",\"max_records\":1000000}");
}

static void verify(const factor2_authenticator *authenticator, verify_request *some, size_t count) {
    for (size_t i = 0; i < count; i++)
        CHECK(call(factor2_verify, authenticator, some[i], VERIFY_LENGTH) == FACTOR2_OK);
}

static void verify_unguarded(size_t calls) { verify(unguarded, requests, calls); }
static void verify_guarded(size_t calls) { verify(guarded, requests, calls); }

/* The second thread is made and has called once before the time begins, and waits for its half without
   sleeping: what a new thread costs the system is not counted. */
static pthread_t second;
static bool has_second;
static size_t second_calls;
static const factor2_authenticator *second_authenticator;
static atomic_bool ready, begun, done;

static void *second_half(void *unused) {
    verify(unguarded, requests, 1);
    atomic_store(&ready, true);
    while (!atomic_load(&begun))
        continue;
    verify(second_authenticator, requests + second_calls, second_calls);
    atomic_store(&done, true);
    return unused;
}

static void prepare_two(size_t calls) {
    if (has_second)
        CHECK(pthread_join(second, NULL) == 0);
    prepare(calls);
    second_calls = calls / 2;
    ready = begun = done = false;
    CHECK(pthread_create(&second, NULL, second_half, NULL) == 0);
    has_second = true;
    while (!atomic_load(&ready))
        continue;
}

static void verify_by_two(const factor2_authenticator *authenticator, size_t calls) {
    CHECK(calls == 2 * second_calls);
    second_authenticator = authenticator;
    atomic_store(&begun, true);
    verify(authenticator, requests, second_calls);
    while (!atomic_load(&done))
        continue;
}

static void guarded_by_two(size_t calls) { verify_by_two(guarded, calls); }
static void unguarded_by_two(size_t calls) { verify_by_two(unguarded, calls); }

static bench_case without = {.prepare = prepare, .run = verify_unguarded},
                  with = {.prepare = prepare, .run = verify_guarded},
                  with_by_two = {.prepare = prepare_two, .run = guarded_by_two},
                  without_by_two = {.prepare = prepare_two, .run = unguarded_by_two};

static crowd thousand = {.credentials = 1000}, million = {.credentials = 1000000};

static void prepare_thousand(size_t calls) { prepare_guesses(&thousand, calls); }
static void prepare_million(size_t calls) { prepare_guesses(&million, calls); }
static void among_thousand(size_t calls) { guess(&thousand, calls); }
static void among_million(size_t calls) { guess(&million, calls); }

static bench_case small = {.prepare = prepare_thousand, .run = among_thousand},
                  large = {.prepare = prepare_million, .run = among_million};

void compare_memory_guard(void) {
    unguarded = authenticator("{\"store\":\"none\"}");
    compare("verify, memory guard", &with, "verify, guard none", &without, TIME, 1.3);
    compare("verify, memory guard, two threads", &with_by_two, "one thread", &with, THROUGHPUT,
            1.8);
    /* Nothing is shared here: so much two threads have on this machine at best. */
    compare("verify, guard none, two threads", &without_by_two, "one thread", &without, THROUGHPUT,
            0);
    gather(&thousand, "{\"store\":\"memory\"," PATIENT "}");
    gather(&million, "{\"store\":\"memory\",\"max_records\":1000000," PATIENT "}");
    compare("verify, memory guard, 1,000,000 credentials", &large, "1,000 credentials", &small,
            TIME, 1.5);
}
