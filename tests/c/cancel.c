/*
 * Threads that are cancelled at any moment of a call: the process lives, the call's end is whole, and
 * the next call works. FACTOR2_REDIS_URL names a server for the store that needs one.
 */
#include "calls.h"

#include <pthread.h>

struct victim {
    const factor2_authenticator *auth;
    const char *config;
    int type; /* of its cancellation, while it calls */
    /* whatever a call has given and nobody has freed */
    factor2_response *volatile response;
    factor2_authenticator *volatile made;
};

static const char *const STEPS[] = {"{}", "{\"username\":\"bob\"}",
                                    "{\"totpsecret\":\"" SECRET "\",\"otp\":\"" CODE_NOW "\"}"};
static const factor2_operation RUNS[] = {factor2_describe, factor2_create_secret, factor2_verify};

static void take_back(struct victim *victim) {
    factor2_response *response = victim->response;
    factor2_authenticator *made = victim->made;
    victim->response = NULL;
    victim->made = NULL;
    if (response != NULL)
        CHECK(json_of(response)[0] == '{');
    factor2_response_free(response);
    factor2_authenticator_free(made);
}

static void *call_for_ever(void *argument) {
    struct victim *victim = argument;
    int before;
    size_t turn;
    for (turn = 0;; turn++) {
        factor2_status status;
        CHECK(pthread_setcanceltype(victim->type, &before) == 0);
        if (turn % 8 == 7)
            status = factor2_authenticator_new(victim->config, FACTOR2_NUL_TERMINATED,
                                               (factor2_authenticator **)&victim->made,
                                               (factor2_response **)&victim->response);
        else
            status = RUNS[turn % 3](victim->auth, STEPS[turn % 3], FACTOR2_NUL_TERMINATED,
                                    (factor2_response **)&victim->response);
        CHECK(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before) == 0);
        CHECK(status == FACTOR2_OK || status == FACTOR2_TOKEN_REUSED);
        take_back(victim);
        pthread_testcancel();
    }
    return NULL;
}

static void cancel_at_random(const char *config, int type) {
    unsigned int seed = 1;
    int round;
    struct victim victim;
    factor2_authenticator *auth = authenticator(config);
    factor2_authenticator *other = authenticator(config);
    factor2_status first = verify_code(auth, CODE_NOW);
    CHECK(first == FACTOR2_OK || first == FACTOR2_TOKEN_REUSED);
    memset(&victim, 0, sizeof victim);
    victim.auth = auth;
    victim.config = config;
    victim.type = type;
    for (round = 0; round < rounds(200, 10); round++) {
        pthread_t thread;
        void *result = NULL;
        CHECK(pthread_create(&thread, NULL, call_for_ever, &victim) == 0);
        usleep((useconds_t)(rand_r(&seed) % 3000));
        CHECK(pthread_cancel(thread) == 0);
        CHECK(pthread_join(thread, &result) == 0);
        CHECK(result == PTHREAD_CANCELED);
        take_back(&victim);
        CHECK(verify_code(auth, CODE_NOW) == FACTOR2_TOKEN_REUSED);
    }
    /* Nothing of a cancelled thread is in the way of others, either. */
    first = verify_code(other, CODE_NOW);
    CHECK(first == FACTOR2_OK || first == FACTOR2_TOKEN_REUSED);
    factor2_authenticator_free(other);
    factor2_authenticator_free(auth);
}

static void cancel_both_ways(const char *config) {
    cancel_at_random(config, PTHREAD_CANCEL_DEFERRED);
    cancel_at_random(config, PTHREAD_CANCEL_ASYNCHRONOUS);
}

TEST test_memory(void) { cancel_both_ways(GUARDED_CONFIG); }

TEST test_sqlite(void) {
    char folder[] = "/tmp/factor2-cancel-XXXXXX", config[512], file[512];
    const char *const suffixes[] = {"", "-wal", "-shm"};
    size_t i;
    CHECK(mkdtemp(folder) != NULL);
    snprintf(
        config, sizeof config,
        "{\"issuer\":\"Example\",\"fixed_time\":59,\"guard\":{\"store\":\"sqlite\",\"create\":true,"
        "\"synchronous\":\"NORMAL\",\"budget_ms\":5000,\"path\":\"%s/guard.db\"}}",
        folder);
    cancel_both_ways(config);
    for (i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(file, sizeof file, "%s/guard.db%s", folder, suffixes[i]);
        unlink(file);
    }
    CHECK(rmdir(folder) == 0);
}

TEST test_redis(void) {
    const char *url = getenv("FACTOR2_REDIS_URL");
    char config[512];
    if (url == NULL) {
        skipped("redis", "FACTOR2_REDIS_URL names no server");
        return;
    }
    snprintf(
        config, sizeof config,
        "{\"issuer\":\"Example\",\"fixed_time\":59,\"guard\":{\"store\":\"redis\",\"url\":\"%s\","
        "\"budget_ms\":5000}}",
        url);
    cancel_both_ways(config);
}

/* What the thread had said of its own cancellation holds after a call as before it. */
TEST test_the_state_is_as_before(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    int states[2] = {PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE};
    int i, before = -1;
    for (i = 0; i < 2; i++) {
        CHECK(pthread_setcancelstate(states[i], NULL) == 0);
        check_every_call(auth);
        CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before) == 0);
        CHECK(before == states[i]);
    }
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_the_state_is_as_before);
    RUN(test_memory);
    RUN(test_sqlite);
    RUN(test_redis);
    return 0;
}
