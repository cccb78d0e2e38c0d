/* A handle after fork: it works in the child, and no child repeats another's secret. */
#include "calls.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#define CHILDREN 1000
#define BUSY 8

/* The smallest pictures, because pictures take most of the time. */
#define QUICK "{\"issuer\":\"E\",\"guard\":{\"store\":\"none\"},\"qr\":{\"module_px\":1}}"

static void check_exit(pid_t child) {
    int how = 0;
    while (waitpid(child, &how, 0) != child)
        CHECK(errno == EINTR);
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void read_all(int from, char *into, size_t size) {
    while (size > 0) {
        ssize_t got = read(from, into, size);
        CHECK(got > 0);
        into += got;
        size -= (size_t)got;
    }
}

TEST test_a_child_uses_and_frees_the_handle(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    pid_t child;
    check_every_call(auth);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        check_every_call(auth);
        CHECK(verify_code(auth, "000000") == FACTOR2_INVALID_TOKEN);
        factor2_authenticator_free(auth);
        auth = authenticator(CONFIG);
        check_every_call(auth);
        factor2_authenticator_free(auth);
        _exit(0);
    }
    check_exit(child);
    check_every_call(auth);
    factor2_authenticator_free(auth);
}

/* Memory cannot be shared: the child is refused and says so, whatever the code. */
TEST test_a_child_does_not_take_the_guards_memory(void) {
    factor2_authenticator *auth = authenticator(GUARDED_CONFIG);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(verify_code(auth, CODE_NOW) == FACTOR2_STORE_UNAVAILABLE);
        CHECK(verify_code(auth, "000000") == FACTOR2_STORE_UNAVAILABLE);
        factor2_authenticator_free(auth);
        _exit(0);
    }
    check_exit(child);
    CHECK(verify_code(auth, CODE_NOW) == FACTOR2_OK);
    factor2_authenticator_free(auth);
}

#define QUICK_AND_SEALED                                                         \
    "{\"issuer\":\"E\",\"guard\":{\"store\":\"none\"},\"qr\":{\"module_px\":1}," \
    "\"seal\":{\"keys\":{\"k\":\"" KEY "\"},\"use\":\"k\"}}"

/* Random texts: a sealed one's nonce, a recovery set's id and its code. */
#define NONCE_LENGTH 32
#define SET_ID_LENGTH 21
#define RECOVERY_CODE_LENGTH 29
struct randoms {
    char nonce[NONCE_LENGTH + 1], set_id[SET_ID_LENGTH + 1], code[RECOVERY_CODE_LENGTH + 1];
};

static void copy_part(char *out, const char *text, size_t from, size_t length) {
    CHECK(strlen(text) >= from + length);
    memcpy(out, text + from, length);
    out[length] = 0;
}

static void make_randoms(const factor2_authenticator *auth, struct randoms *made) {
    factor2_response *response = NULL;
    CHECK(factor2_seal(auth, "{\"totpsecret\":\"" SECRET "\",\"bind\":\"1\"}",
                       FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    copy_part(made->nonce, text_of(response, "sealed"), strlen("f2s1.k."), NONCE_LENGTH);
    factor2_response_free(response);
    CHECK(factor2_create_recovery_codes(auth, "{\"count\":1}", FACTOR2_NUL_TERMINATED, &response) ==
          FACTOR2_OK);
    copy_part(made->set_id, text_of(response, "recovery"), strlen("f2r1."), SET_ID_LENGTH);
    copy_part(made->code, text_of(response, "codes.0"), 0, RECOVERY_CODE_LENGTH);
    factor2_response_free(response);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

TEST test_children_make_different_secrets(void) {
    static char made[CHILDREN + 1][MADE_SECRET_LENGTH + 1];
    factor2_authenticator *auth = authenticator(QUICK);
    int count = rounds(CHILDREN, 40), i;
    make_secret(auth, made[count]); /* the parent's, before any child */
    for (i = 0; i < count; i++) {
        int ends[2];
        pid_t child;
        CHECK(pipe(ends) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            char secret[MADE_SECRET_LENGTH + 1];
            make_secret(auth, secret);
            CHECK(write(ends[1], secret, sizeof secret) == (ssize_t)sizeof secret);
            factor2_authenticator_free(auth);
            _exit(0);
        }
        close(ends[1]);
        read_all(ends[0], made[i], sizeof made[i]);
        close(ends[0]);
        check_exit(child);
        CHECK(strlen(made[i]) == MADE_SECRET_LENGTH);
    }
    qsort(made, (size_t)count + 1, sizeof made[0], by_text);
    for (i = 0; i < count; i++)
        CHECK(strcmp(made[i], made[i + 1]) != 0);
    factor2_authenticator_free(auth);
}

static int by_nonce(const void *a, const void *b) {
    return strcmp(((const struct randoms *)a)->nonce, ((const struct randoms *)b)->nonce);
}

static int by_set_id(const void *a, const void *b) {
    return strcmp(((const struct randoms *)a)->set_id, ((const struct randoms *)b)->set_id);
}

static int by_code(const void *a, const void *b) {
    return strcmp(((const struct randoms *)a)->code, ((const struct randoms *)b)->code);
}

/* RFC 4226's R7, for what is random beside secrets. */
TEST test_children_make_different_nonces_and_recovery_codes(void) {
    static struct randoms made[2 * CHILDREN + 1];
    static int (*const ORDERS[])(const void *, const void *) = {by_nonce, by_set_id, by_code};
    factor2_authenticator *auth = authenticator(QUICK_AND_SEALED);
    size_t count = (size_t)rounds(CHILDREN, 40), total = 2 * count + 1, i, order;
    make_randoms(auth, &made[2 * count]); /* the parent's, before any child */
    for (i = 0; i < count; i++) {
        int ends[2];
        pid_t child;
        CHECK(pipe(ends) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            struct randoms own;
            make_randoms(auth, &own);
            CHECK(write(ends[1], &own, sizeof own) == (ssize_t)sizeof own);
            factor2_authenticator_free(auth);
            _exit(0);
        }
        make_randoms(auth, &made[count + i]); /* the parent's, at the same time */
        close(ends[1]);
        read_all(ends[0], (char *)&made[i], sizeof made[i]);
        close(ends[0]);
        check_exit(child);
    }
    for (order = 0; order < sizeof ORDERS / sizeof ORDERS[0]; order++) {
        qsort(made, total, sizeof made[0], ORDERS[order]);
        for (i = 0; i + 1 < total; i++)
            CHECK(ORDERS[order](&made[i], &made[i + 1]) != 0);
    }
    factor2_authenticator_free(auth);
}

static const factor2_authenticator *busy_handle;
static volatile int busy;

static void *be_busy(void *argument) {
    (void)argument;
    while (busy)
        check_every_call(busy_handle);
    return NULL;
}

/* No lock that another thread holds at the fork may stop the child: alarm ends a child that hangs. */
TEST test_fork_while_threads_call(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    pthread_t threads[BUSY];
    size_t i;
    int n;
    if (instrumented()) {
        skipped("fork while threads call", "slow in valgrind; sanitizers have locks of their own");
        factor2_authenticator_free(auth);
        return;
    }
    busy_handle = auth;
    busy = 1;
    for (i = 0; i < BUSY; i++)
        CHECK(pthread_create(&threads[i], NULL, be_busy, NULL) == 0);
    for (n = 0; n < 100; n++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            check_every_call(auth);
            factor2_authenticator_free(auth);
            _exit(0);
        }
        check_exit(child);
    }
    busy = 0;
    for (i = 0; i < BUSY; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_a_child_uses_and_frees_the_handle);
    RUN(test_a_child_does_not_take_the_guards_memory);
    RUN(test_children_make_different_secrets);
    RUN(test_children_make_different_nonces_and_recovery_codes);
    RUN(test_fork_while_threads_call);
    return 0;
}
