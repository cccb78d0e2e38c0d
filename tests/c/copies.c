/*
 * Two copies of the library in one process, as when a server that is linked to it loads the PAM
 * module: each code is accepted once, by them and by a third process. FACTOR2_SO names the library.
 */
#include "calls.h"

#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#define NOW "1800000000"
#define CODES 20
#define CROWD 200
#define THREADS 4

/* POSIX promises that dlsym's answer may be taken as a function; C has no cast for it. */
#define SYMBOL(library, copy, function)                                     \
    do {                                                                    \
        void *address = dlsym(library, "factor2_" #function);               \
        CHECK(address != NULL && sizeof address == sizeof(copy)->function); \
        memcpy(&(copy)->function, &address, sizeof address);                \
    } while (0)

struct copy {
    factor2_status (*authenticator_new)(const char *, size_t, factor2_authenticator **,
                                        factor2_response **);
    factor2_operation verify;
    void (*authenticator_free)(factor2_authenticator *);
};

static struct copy linked = {factor2_authenticator_new, factor2_verify, factor2_authenticator_free};
static struct copy loaded;
static char folder[] = "/tmp/factor2-copies-XXXXXX";
static const char *program;

static void load(void) {
    char path[64], command[512];
    void *library;
    CHECK(snprintf(path, sizeof path, "%s/copy.so", folder) < (int)sizeof path);
    CHECK(snprintf(command, sizeof command, "cp '%s' %s", getenv("FACTOR2_SO"), path) <
          (int)sizeof command);
    CHECK(system(command) == 0);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
    SYMBOL(library, &loaded, authenticator_new);
    SYMBOL(library, &loaded, verify);
    SYMBOL(library, &loaded, authenticator_free);
    CHECK(loaded.verify != linked.verify);
}

static factor2_authenticator *open_guard(const struct copy *copy) {
    factor2_authenticator *auth = NULL;
    char config[256];
    CHECK(snprintf(config, sizeof config,
                   "{\"issuer\":\"E\",\"fixed_time\":" NOW ",\"guard\":{\"store\":\"sqlite\","
                   "\"path\":\"%s/guard.db\",\"create\":true,\"budget_ms\":5000}}",
                   folder) < (int)sizeof config);
    CHECK(copy->authenticator_new(config, FACTOR2_NUL_TERMINATED, &auth, NULL) == FACTOR2_OK);
    return auth;
}

/* Verifies the code that the user's app shows. */
static int log_in(const struct copy *copy, const factor2_authenticator *auth, int user) {
    static const char *const none =
        "{\"issuer\":\"E\",\"fixed_time\":" NOW ",\"guard\":{\"store\":\"none\"}}";
    factor2_authenticator *app = authenticator(none);
    factor2_response *response = NULL;
    char request[128], secret[] = "??EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ";
    secret[0] = (char)('A' + user / 26);
    secret[1] = (char)('A' + user % 26);
    sprintf(request, "{\"totpsecret\":\"%s\"}", secret);
    CHECK(factor2_generate(app, request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    sprintf(request, "{\"totpsecret\":\"%s\",\"otp\":\"%.6s\"}", secret, text_of(response, "otp"));
    factor2_response_free(response);
    factor2_authenticator_free(app);
    return copy->verify(auth, request, FACTOR2_NUL_TERMINATED, NULL);
}

/* How many of the users' codes are accepted. */
static int accepted(const struct copy *copy, int first, int count) {
    factor2_authenticator *auth = open_guard(copy);
    int user, number = 0;
    for (user = first; user < first + count; user++) {
        int status = log_in(copy, auth, user);
        CHECK(status == FACTOR2_OK || status == FACTOR2_TOKEN_REUSED);
        number += status == FACTOR2_OK;
    }
    copy->authenticator_free(auth);
    return number;
}

static int exit_of(pid_t child) {
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child && WIFEXITED(how));
    return WEXITSTATUS(how);
}

/* The same, in a process of its own. Not by fork(), of which the library would know. */
static int accepted_elsewhere(int first, int count) {
    char from[16], number[16];
    char *arguments[] = {(char *)program, folder, from, number, NULL};
    pid_t child;
    sprintf(from, "%d", first);
    sprintf(number, "%d", count);
    CHECK(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
    return exit_of(child);
}

static void each_once(const struct copy *server, const struct copy *visitor, int first) {
    factor2_authenticator *auth = open_guard(server);
    int user;
    CHECK(log_in(server, auth, first) == FACTOR2_OK);
    /* Here the server loses its locks, if they are the process's, ... */
    CHECK(accepted(visitor, first, 2) == 1);
    /* ... and here its log, if nobody knows of it. */
    CHECK(accepted_elsewhere(first, 3) == 1);
    for (user = first + 3; user < first + 3 + CODES; user++)
        CHECK(log_in(server, auth, user) == FACTOR2_OK);
    CHECK(accepted_elsewhere(first, 3 + CODES) == 0);
    server->authenticator_free(auth);
    CHECK(accepted(visitor, first, 3 + CODES) == 0);
    CHECK(accepted_elsewhere(first, 3 + CODES) == 0);
}

TEST test_each_code_is_accepted_once(void) {
    each_once(&linked, &loaded, 0);
    each_once(&loaded, &linked, 50);
}

struct contestant {
    const struct copy *copy;
    factor2_authenticator *auth;
    pthread_barrier_t *start;
    int won[CROWD];
};

static void *compete(void *argument) {
    struct contestant *self = argument;
    int user, count = rounds(CROWD, 10);
    pthread_barrier_wait(self->start);
    for (user = 0; user < count; user++) {
        int status = log_in(self->copy, self->auth, 100 + user);
        CHECK(status == FACTOR2_OK || status == FACTOR2_TOKEN_REUSED);
        self->won[user] = status == FACTOR2_OK;
        /* Others come and go. */
        if (user % 20 == 0)
            CHECK(accepted(self->copy, 100 + user, 1) == 0);
    }
    return NULL;
}

TEST test_threads_in_both_copies_share_the_codes(void) {
    static struct contestant contestants[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    int i, user, count = rounds(CROWD, 10);
    CHECK(pthread_barrier_init(&start, NULL, THREADS) == 0);
    for (i = 0; i < THREADS; i++) {
        contestants[i].copy = i % 2 ? &linked : &loaded;
        contestants[i].auth = open_guard(contestants[i].copy);
        contestants[i].start = &start;
        CHECK(pthread_create(&threads[i], NULL, compete, &contestants[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        contestants[i].copy->authenticator_free(contestants[i].auth);
    }
    for (user = 0; user < count; user++) {
        int winners = 0;
        for (i = 0; i < THREADS; i++)
            winners += contestants[i].won[user];
        CHECK(winners == 1);
    }
    CHECK(pthread_barrier_destroy(&start) == 0);
    CHECK(accepted_elsewhere(100, count) == 0);
}

TEST test_children_have_both_copies(void) {
    factor2_authenticator *first = open_guard(&linked), *second = open_guard(&loaded);
    int user, count = rounds(100, 4);
    for (user = 400; user < 400 + count; user++) {
        const struct copy *winner = user % 2 ? &linked : &loaded;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            CHECK(log_in(winner, user % 2 ? first : second, user) == FACTOR2_OK);
            CHECK(log_in(&linked, first, user) == FACTOR2_TOKEN_REUSED);
            CHECK(log_in(&loaded, second, user) == FACTOR2_TOKEN_REUSED);
            linked.authenticator_free(first);
            loaded.authenticator_free(second);
            _exit(0);
        }
        CHECK(exit_of(child) == 0);
        CHECK(log_in(&linked, first, user) == FACTOR2_TOKEN_REUSED);
        CHECK(log_in(&loaded, second, user) == FACTOR2_TOKEN_REUSED);
    }
    linked.authenticator_free(first);
    loaded.authenticator_free(second);
    CHECK(accepted_elsewhere(400, count) == 0);
}

static void remove_folder(void) {
    char command[64];
    sprintf(command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

int main(int count, char **arguments) {
    program = arguments[0];
    if (count == 4) {
        memcpy(folder, arguments[1], sizeof folder);
        return accepted(&linked, atoi(arguments[2]), atoi(arguments[3]));
    }
    CHECK(mkdtemp(folder) != NULL);
    load();
    RUN(test_each_code_is_accepted_once);
    RUN(test_threads_in_both_copies_share_the_codes);
    RUN(test_children_have_both_copies);
    remove_folder();
    return 0;
}
