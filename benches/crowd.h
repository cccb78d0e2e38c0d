/* A store that knows many credentials, and wrong codes for them: each is counted, so that each call
   changes a record which is there already. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "calls.h"

/* Settings of a guard that bears as many wrong codes as possible. */
#define PATIENT "\"soft\":100,\"hard\":100"

typedef struct {
    size_t credentials;
    factor2_authenticator *authenticator;
    size_t guesses_made; /* since the wrong codes were forgotten */
    verify_request *guesses;
} crowd;

/* Opens the store, and lets it know each credential by a first wrong code. */
void gather(crowd *crowd, const char *guard);

/* Writes down `count` guesses, for one credential after the other. */
void prepare_guesses(crowd *crowd, size_t count);

/* Makes them. */
void guess(const crowd *crowd, size_t count);

#endif
