#include "crowd.h"

/* Of a million credentials, a few have the code 000000. */
static void try(const crowd *crowd, const char *request) {
    factor2_status status = call(factor2_verify, crowd->authenticator, request, VERIFY_LENGTH);
    CHECK(status == FACTOR2_INVALID_TOKEN || status == FACTOR2_OK ||
          status == FACTOR2_TOKEN_REUSED);
}

void gather(crowd *crowd, const char *guard) {
    crowd->authenticator = authenticator(guard);
    for (size_t i = 0; i < crowd->credentials; i++) {
        verify_request request;
        write_request(request, i);
        try(crowd, request);
    }
    crowd->guesses_made = crowd->credentials;
}

static void forget_guesses(crowd *crowd) {
    for (size_t i = 0; i < crowd->credentials; i++) {
        verify_request request, secret;
        write_request(request, i);
        write_secret_request(secret, request);
        CHECK(call(factor2_reset, crowd->authenticator, secret, SECRET_LENGTH) == FACTOR2_OK);
    }
    crowd->guesses_made = 0;
}

void prepare_guesses(crowd *crowd, size_t count) {
    if (crowd->guesses_made + count > 99 * crowd->credentials)
        forget_guesses(crowd);
    crowd->guesses = realloc(crowd->guesses, count * sizeof *crowd->guesses);
    CHECK(crowd->guesses);
    for (size_t i = 0; i < count; i++)
        write_request(crowd->guesses[i], crowd->guesses_made++ % crowd->credentials);
}

void guess(const crowd *crowd, size_t count) {
    for (size_t i = 0; i < count; i++)
        try(crowd, crowd->guesses[i]);
}
