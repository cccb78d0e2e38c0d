/*
 * Loading and unloading the shared library again and again, with threads that end after it is gone
 * from their point of view, as PAM modules and plugins live. FACTOR2_SO names the library.
 */
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>

#include "factor2.h"

#define CONFIG "{\"issuer\":\"Example\",\"guard\":{\"store\":\"none\"}}"
#define WRONG_CODE "{\"totpsecret\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\",\"otp\":\"\"}"
#define WARM_UP 200

static const char *library_path;

/* POSIX promises that dlsym's answer may be taken as a function; C has no cast for it. */
#define SYMBOL(library, function)                                    \
    do {                                                             \
        void *address = dlsym(library, "factor2_" #function);        \
        CHECK(address != NULL && sizeof address == sizeof function); \
        memcpy(&function, &address, sizeof function);                \
    } while (0)

static void use(void *library) {
    factor2_status (*authenticator_new)(const char *, size_t, factor2_authenticator **,
                                        factor2_response **);
    factor2_operation verify;
    void (*authenticator_free)(factor2_authenticator *);
    void (*response_free)(factor2_response *);
    factor2_authenticator *auth = NULL;
    factor2_response *response = NULL;
    SYMBOL(library, authenticator_new);
    SYMBOL(library, verify);
    SYMBOL(library, authenticator_free);
    SYMBOL(library, response_free);
    CHECK(authenticator_new(CONFIG, FACTOR2_NUL_TERMINATED, &auth, NULL) == FACTOR2_OK);
    CHECK(verify(auth, WRONG_CODE, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_INVALID_TOKEN);
    response_free(response);
    authenticator_free(auth);
}

static void *open_library(void) {
    void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
    return library;
}

struct visit {
    void *library;
    pthread_barrier_t used, closed;
};

/* What the library leaves with this thread is taken away after dlclose has returned. */
static void *visit(void *argument) {
    struct visit *visit = argument;
    use(visit->library);
    pthread_barrier_wait(&visit->used);
    pthread_barrier_wait(&visit->closed);
    return NULL;
}

static void *open_use_and_close(void *nothing) {
    void *library = open_library();
    use(library);
    CHECK(dlclose(library) == 0);
    return nothing;
}

static void one_round(void) {
    struct visit shared;
    pthread_t thread;
    shared.library = open_library();
    CHECK(pthread_barrier_init(&shared.used, NULL, 2) == 0);
    CHECK(pthread_barrier_init(&shared.closed, NULL, 2) == 0);
    CHECK(pthread_create(&thread, NULL, visit, &shared) == 0);
    pthread_barrier_wait(&shared.used);
    CHECK(dlclose(shared.library) == 0);
    pthread_barrier_wait(&shared.closed);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_barrier_destroy(&shared.used) == 0);
    CHECK(pthread_barrier_destroy(&shared.closed) == 0);

    CHECK(pthread_create(&thread, NULL, open_use_and_close, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static long resident_kib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld %ld", &pages, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

TEST test_rounds(void) {
    int round, count = rounds(2000, 20);
    long before, after;
    for (round = 0; round < WARM_UP && round < count; round++)
        one_round();
    before = resident_kib();
    for (; round < count; round++)
        one_round();
    after = resident_kib();
    printf("%d rounds, resident: %ld KiB, then %ld KiB\n", count, before, after);
    if (instrumented())
        skipped("bound on memory", "sanitizers and valgrind keep freed memory");
    else
        CHECK(after - before < 1024);
}

int main(void) {
    library_path = getenv("FACTOR2_SO");
    CHECK(library_path != NULL);
    RUN(test_rounds);
    return 0;
}
