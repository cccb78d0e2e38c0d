/* Every operation on a stack of 64 KiB, as a coroutine or a small thread has it. */
#include "calls.h"
#include "guard_page.h"
#include "largest.h"

#include <pthread.h>

#define STACK ((size_t)64 * 1024)
#define PAINT 0xa5

/* Runs `work` on a stack of its own with an unreadable page below it, and says how deep it went. */
static void run_on_small_stack(const char *what, void *(*work)(void *), void *argument) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), unused = 0;
    unsigned char *lowest = mmap(NULL, page + STACK, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    unsigned char *stack = lowest + page;
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK((void *)lowest != MAP_FAILED);
    CHECK(mprotect(lowest, page, PROT_NONE) == 0);
    memset(stack, PAINT, STACK);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, stack, STACK) == 0);
    CHECK(pthread_create(&thread, &attributes, work, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
    if (!instrumented()) { /* they forbid a look at a dead thread's stack */
        while (unused < STACK && stack[unused] == PAINT)
            unused++;
        printf("%-28s %5lu of %lu bytes of stack\n", what, (unsigned long)(STACK - unused),
               (unsigned long)STACK);
    }
    CHECK(munmap(lowest, page + STACK) == 0);
}

struct job {
    const factor2_authenticator *auth;
    factor2_operation run;
    const char *request;
    factor2_status expected;
};

static void *do_job(void *argument) {
    const struct job *job = argument;
    CHECK(outcome_of_text(job->run, job->auth, job->request) == job->expected);
    return NULL;
}

static void check_job(const char *what, const factor2_authenticator *auth, factor2_operation run,
                      const char *request, factor2_status expected) {
    struct job job;
    job.auth = auth;
    job.run = run;
    job.request = request;
    job.expected = expected;
    run_on_small_stack(what, do_job, &job);
}

static void *make_and_free(void *config) {
    factor2_authenticator_free(authenticator(config));
    return NULL;
}

static void *print_baseline(void *nothing) { return nothing; }

TEST test_every_operation(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char config[] = CONFIG;
    size_t i;
    run_on_small_stack("(an empty thread)", print_baseline, NULL);
    run_on_small_stack("authenticator_new", make_and_free, config);
    for (i = 0; i < CALL_COUNT; i++)
        check_job(CALLS[i].name, auth, CALLS[i].run, CALLS[i].request, CALLS[i].status);
    factor2_authenticator_free(auth);
}

/* In black and white, in two colours, and with a logo. */
TEST test_the_largest_pictures(void) {
    static const struct {
        int letters;
        const char *qr;
    } LARGEST[] = {
        {LETTERS_AT_L, LEVEL("L")},
        {LETTERS_AT_L, LEVEL("L") "," COLOURS},
        {LETTERS_AT_H, COLOURS "," LOGO},
    };
    static char config[2048], request[2048];
    factor2_authenticator *auth;
    size_t i;
    for (i = 0; i < sizeof LARGEST / sizeof LARGEST[0]; i++) {
        write_largest(config, request, sizeof config, LARGEST[i].letters, rounds(32, 4),
                      LARGEST[i].qr);
        run_on_small_stack("authenticator_new", make_and_free, config);
        auth = authenticator(config);
        check_job("qr, largest", auth, factor2_qr, request, FACTOR2_OK);
        check_job("create_secret, largest", auth, factor2_create_secret, request, FACTOR2_OK);
        factor2_authenticator_free(auth);
    }
    write_largest(config, request, sizeof config, LETTERS_AT_L, 10, LEVEL("H"));
    auth = authenticator(config);
    check_job("qr, too long", auth, factor2_qr, request, FACTOR2_BAD_REQUEST);
    factor2_authenticator_free(auth);
}

#define SESSION "\"totpsecret\":\"" SECRET "\",\"factor2\":\"totp\""

TEST test_nested_json(void) {
    static char request[65537];
    factor2_authenticator *auth = authenticator(CONFIG);
    /* eight levels: the request, sessionKey, data and five more */
    check_job("8 levels", auth, factor2_reprepare_configuration,
              "{\"username\":\"bob\",\"sessionKey\":{\"data\":{" SESSION
              ",\"other\":[{\"a\":[{\"b\":[1]}]}]}}}",
              FACTOR2_OK);
    check_job("8 levels of text", auth, factor2_reprepare_configuration,
              "{\"username\":\"bob\",\"sessionKey\":{\"data\":\"{\\\"totpsecret\\\":\\\"" SECRET
              "\\\",\\\"factor2\\\":\\\"totp\\\",\\\"other\\\":[[[[[[[1]]]]]]]}\"}}",
              FACTOR2_OK);
    check_job("9 levels", auth, factor2_reprepare_configuration,
              "{\"username\":\"bob\",\"sessionKey\":{\"data\":{" SESSION
              ",\"other\":[{\"a\":[{\"b\":[[1]]}]}]}}}",
              FACTOR2_BAD_REQUEST);
    memset(request, '[', 65536);
    check_job("65536 levels", auth, factor2_verify, request, FACTOR2_BAD_REQUEST);
    memcpy(request, "{\"user\":", 8);
    check_job("65528 levels in a member", auth, factor2_prepare_configuration, request,
              FACTOR2_BAD_REQUEST);
    factor2_authenticator_free(auth);
}

TEST test_largest_requests(void) {
    static char request[65537];
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t at = (size_t)sprintf(request, "{\"user\":{\"username\":\"bob\"");
    int member = 0;
    while (at < 65500)
        at += (size_t)sprintf(request + at, ",\"m%d\":[]", member++);
    strcpy(request + at, "}}");
    check_job("thousands of members", auth, factor2_prepare_configuration, request, FACTOR2_OK);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_every_operation);
    RUN(test_the_largest_pictures);
    RUN(test_nested_json);
    RUN(test_largest_requests);
    return 0;
}
