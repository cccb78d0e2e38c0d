/* Eight threads on one handle, all operations at once: every response is the right one. */
#include "calls.h"

#include <pthread.h>

#define THREADS 8

struct shared {
    const factor2_authenticator *auth;
    pthread_barrier_t start;
};

struct worker {
    pthread_t thread;
    struct shared *shared;
    size_t number;
    char made[MADE_SECRET_LENGTH + 1];
    factor2_status status;
};

static void *work(void *argument) {
    struct worker *worker = argument;
    const factor2_authenticator *auth = worker->shared->auth;
    size_t first = worker->number, i;
    int round;
    pthread_barrier_wait(&worker->shared->start);
    for (round = 0; round < rounds(25, 1); round++) {
        for (i = 0; i < CALL_COUNT; i++)
            check_call(&CALLS[(first + i) % CALL_COUNT], auth);
        for (i = 0; i < 100; i++) {
            CHECK(verify_code(auth, CODE_PAST) == FACTOR2_OK);
            CHECK(verify_code(auth, CODE_FUTURE) == FACTOR2_OK);
            CHECK(verify_code(auth, "000000") == FACTOR2_INVALID_TOKEN);
        }
        CHECK(outcome_of_text(factor2_verify, auth, "{\"otp\":") == FACTOR2_BAD_REQUEST);
        CHECK(outcome_of_text(factor2_generate, auth, "{\"totpsecret\":\"A\"}") ==
              FACTOR2_INVALID_SECRET);
    }
    make_secret(auth, worker->made);
    return NULL;
}

static void run_workers(struct shared *shared, struct worker *workers, void *(*task)(void *)) {
    size_t i;
    CHECK(pthread_barrier_init(&shared->start, NULL, THREADS) == 0);
    for (i = 0; i < THREADS; i++) {
        workers[i].shared = shared;
        workers[i].number = i;
        CHECK(pthread_create(&workers[i].thread, NULL, task, &workers[i]) == 0);
    }
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(workers[i].thread, NULL) == 0);
    CHECK(pthread_barrier_destroy(&shared->start) == 0);
}

TEST test_one_handle_for_all(void) {
    struct shared shared;
    struct worker workers[THREADS];
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i, n;
    shared.auth = auth;
    run_workers(&shared, workers, work);
    for (i = 0; i < THREADS; i++)
        for (n = 0; n < i; n++)
            CHECK(strcmp(workers[i].made, workers[n].made) != 0);
    factor2_authenticator_free(auth);
}

static void *submit(void *argument) {
    struct worker *worker = argument;
    pthread_barrier_wait(&worker->shared->start);
    worker->status = verify_code(worker->shared->auth, CODE_NOW);
    return NULL;
}

/* With a guard, of eight threads that have the same code at the same time one gets in. */
TEST test_one_code_lets_one_in(void) {
    struct shared shared;
    struct worker workers[THREADS];
    int round;
    size_t i;
    for (round = 0; round < rounds(500, 5); round++) {
        factor2_authenticator *auth = authenticator(GUARDED_CONFIG);
        int accepted = 0, reused = 0;
        shared.auth = auth;
        run_workers(&shared, workers, submit);
        for (i = 0; i < THREADS; i++) {
            accepted += workers[i].status == FACTOR2_OK;
            reused += workers[i].status == FACTOR2_TOKEN_REUSED;
        }
        CHECK(accepted == 1 && reused == THREADS - 1);
        factor2_authenticator_free(auth);
    }
}

/* A handle may be freed by another thread than the one that made it, and so may a response. */
static void *free_elsewhere(void *argument) {
    void **things = argument;
    CHECK(contains(things[1], "\"totpsecret\""));
    factor2_response_free(things[1]);
    factor2_authenticator_free(things[0]);
    return NULL;
}

TEST test_frees_in_another_thread(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    void *things[2];
    pthread_t thread;
    CHECK(factor2_describe(auth, "{}", 2, &response) == FACTOR2_OK);
    things[0] = auth;
    things[1] = response;
    CHECK(pthread_create(&thread, NULL, free_elsewhere, things) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
    RUN(test_one_handle_for_all);
    RUN(test_one_code_lets_one_in);
    RUN(test_frees_in_another_thread);
    return 0;
}
