/* Texts as hostile as bytes and lengths can be. */
#include "calls.h"
#include "guard_page.h"

#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#define LIMIT ((size_t)65536)
#define HUGE ((size_t)64 << 20)

/* The longest request. */
#define IMPORT_LIMIT ((size_t)16 << 20)
static size_t limit_of(factor2_operation run) {
    return run == factor2_import ? IMPORT_LIMIT : LIMIT;
}

static factor2_status new_status(const char *config, size_t length) {
    factor2_authenticator *made = NULL;
    factor2_response *response = NULL;
    factor2_status status = factor2_authenticator_new(config, length, &made, &response);
    CHECK((status == FACTOR2_OK) == (made != NULL));
    check_response(status, response);
    factor2_response_free(response);
    factor2_authenticator_free(made);
    return status;
}

/* `text` is refused with this status as a request of every operation and as a config; what is too long for them may
 * be read by one that takes more, and is wrong there. */
static void check_refused(const factor2_authenticator *auth, const char *text, size_t length,
                          factor2_status expected) {
    size_t i, known = length == FACTOR2_NUL_TERMINATED ? strlen(text) : length;
    for (i = 0; i < CALL_COUNT; i++) {
        factor2_status status = outcome(CALLS[i].run, auth, text, length), wanted = expected;
        if (expected == FACTOR2_REQUEST_TOO_LARGE && known <= limit_of(CALLS[i].run))
            wanted = FACTOR2_BAD_REQUEST;
        if (status != wanted)
            fprintf(stderr, "%s: %d, expected %d\n", CALLS[i].name, status, wanted);
        CHECK(status == wanted);
    }
    CHECK(new_status(text, length) == expected);
}

TEST test_length_zero(void) {
    struct guarded memory = guarded_memory(1);
    factor2_authenticator *auth = authenticator(CONFIG);
    check_refused(auth, "{}", 0, FACTOR2_BAD_REQUEST);
    check_refused(auth, "", FACTOR2_NUL_TERMINATED, FACTOR2_BAD_REQUEST);
    check_refused(auth, memory.start + memory.size, 0, FACTOR2_BAD_REQUEST); /* nothing is read */
    factor2_authenticator_free(auth);
    guarded_free(memory);
}

/* The text ends where the length says, not where the bytes seem to. */
TEST test_length_shorter_than_the_text(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char text[512];
    size_t i, length;
    for (i = 0; i < CALL_COUNT; i++) {
        length = strlen(CALLS[i].request);
        memcpy(text, CALLS[i].request, length);
        memcpy(text + length, ",\"unknown\":1}", sizeof ",\"unknown\":1}");
        CHECK(outcome(CALLS[i].run, auth, text, length) == CALLS[i].status);
        CHECK(outcome(CALLS[i].run, auth, text, length + 1) == FACTOR2_BAD_REQUEST);
        CHECK(outcome_of_text(CALLS[i].run, auth, text) == FACTOR2_BAD_REQUEST);
        while (length-- > 0)
            CHECK(outcome(CALLS[i].run, auth, text, length) == FACTOR2_BAD_REQUEST);
    }
    factor2_authenticator_free(auth);
}

TEST test_flush_against_an_unreadable_page(void) {
    struct guarded memory = guarded_memory(1);
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i, length;
    for (i = 0; i < CALL_COUNT; i++) {
        length = strlen(CALLS[i].request);
        CHECK(outcome(CALLS[i].run, auth, flush(memory, CALLS[i].request, length), length) ==
              CALLS[i].status);
        CHECK(outcome_of_text(CALLS[i].run, auth, flush(memory, CALLS[i].request, length + 1)) ==
              CALLS[i].status);
        while (length-- > 0)
            CHECK(outcome(CALLS[i].run, auth, flush(memory, CALLS[i].request, length), length) ==
                  FACTOR2_BAD_REQUEST);
    }
    CHECK(new_status(flush(memory, CONFIG, sizeof CONFIG - 1), sizeof CONFIG - 1) == FACTOR2_OK);
    CHECK(new_status(flush(memory, CONFIG, sizeof CONFIG), FACTOR2_NUL_TERMINATED) == FACTOR2_OK);
    factor2_authenticator_free(auth);
    guarded_free(memory);
}

/* A good request, filled up with blanks before its last brace to `size` bytes. */
static void pad(char *place, size_t size, const char *request) {
    size_t length = strlen(request);
    memset(place, ' ', size);
    memcpy(place, request, length - 1);
    place[size - 1] = '}';
}

TEST test_64_kib_is_the_limit_but_for_imports(void) {
    struct guarded memory = guarded_memory(IMPORT_LIMIT + LIMIT);
    char *end = memory.start + memory.size;
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        size_t limit = limit_of(CALLS[i].run);
        pad(end - limit, limit, CALLS[i].request);
        CHECK(outcome(CALLS[i].run, auth, end - limit, limit) == CALLS[i].status);
        pad(end - limit - 1, limit, CALLS[i].request);
        end[-1] = '\0';
        CHECK(outcome_of_text(CALLS[i].run, auth, end - limit - 1) == CALLS[i].status);

        pad(end - limit - 1, limit + 1, CALLS[i].request);
        CHECK(outcome(CALLS[i].run, auth, end - limit - 1, limit + 1) == FACTOR2_REQUEST_TOO_LARGE);
        /* No NUL before the page: one byte beyond the limit tells enough. */
        CHECK(outcome_of_text(CALLS[i].run, auth, end - limit - 1) == FACTOR2_REQUEST_TOO_LARGE);
    }
    pad(end - LIMIT, LIMIT, CONFIG);
    CHECK(new_status(end - LIMIT, LIMIT) == FACTOR2_OK);
    pad(end - LIMIT - 1, LIMIT + 1, CONFIG);
    check_refused(auth, end - LIMIT - 1, LIMIT + 1, FACTOR2_REQUEST_TOO_LARGE);
    CHECK(new_status(end - LIMIT - 1, FACTOR2_NUL_TERMINATED) == FACTOR2_REQUEST_TOO_LARGE);
    factor2_authenticator_free(auth);
    guarded_free(memory);
}

/* Lengths that no object can have: refused before anything is read. */
TEST test_absurd_lengths(void) {
    static const size_t LENGTHS[] = {IMPORT_LIMIT + 1, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX - 1};
    struct guarded memory = guarded_memory(1);
    const char *text = flush(memory, "{}", 2);
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++)
        check_refused(auth, text, LENGTHS[i], FACTOR2_REQUEST_TOO_LARGE);
    factor2_authenticator_free(auth);
    guarded_free(memory);
}

static double cpu_seconds(void) {
    struct timespec used;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static long peak_kib(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

TEST test_64_mib_of_input(void) {
    static const char FILLS[] = {'[', ' ', '"', '{', '0', '\xff'};
    factor2_authenticator *auth = authenticator(CONFIG);
    char *text = malloc(HUGE + 1);
    size_t i;
    CHECK(text != NULL);
    for (i = 0; i < sizeof FILLS; i++) {
        double started;
        long peak;
        memset(text, FILLS[i], HUGE);
        text[HUGE] = '\0';
        started = cpu_seconds();
        peak = peak_kib();
        check_refused(auth, text, HUGE, FACTOR2_REQUEST_TOO_LARGE);
        check_refused(auth, text, FACTOR2_NUL_TERMINATED, FACTOR2_REQUEST_TOO_LARGE);
        if (instrumented())
            continue;
        CHECK(cpu_seconds() - started < 0.05);
        CHECK(peak_kib() - peak < 1024);
    }
    free(text);
    factor2_authenticator_free(auth);
}

TEST test_deep_nesting(void) {
    static char text[2 * LIMIT + 1];
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t depth;
    memset(text, '[', 100000);
    check_refused(auth, text, 100000, FACTOR2_REQUEST_TOO_LARGE);
    check_refused(auth, text, FACTOR2_NUL_TERMINATED, FACTOR2_REQUEST_TOO_LARGE);
    for (depth = 1; depth <= LIMIT; depth *= 2) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        check_refused(auth, text, depth, FACTOR2_BAD_REQUEST);
        if (2 * depth <= LIMIT)
            check_refused(auth, text, 2 * depth, FACTOR2_BAD_REQUEST);
    }
    factor2_authenticator_free(auth);
}

/* Deep texts inside the session's data, which is a JSON text of its own. */
TEST test_deep_nesting_in_session_data(void) {
    static char request[LIMIT + 1];
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t depth;
    for (depth = 1; depth < LIMIT - 100; depth *= 4) {
        int head = sprintf(request, "{\"username\":\"bob\",\"sessionKey\":{\"data\":\"");
        memset(request + head, '[', depth);
        strcpy(request + head + depth, "\"}}");
        CHECK(outcome_of_text(factor2_reprepare_configuration, auth, request) ==
              FACTOR2_DATA_FORMAT);
    }
    factor2_authenticator_free(auth);
}

TEST test_invalid_utf8_everywhere(void) {
    static const char *const BROKEN[] = {
        "\x80",             /* a continuation without a start */
        "\xc0\x80",         /* overlong NUL */
        "\xc1\xbf",         /* overlong */
        "\xc3",             /* start without a continuation */
        "\xe2\x82",         /* cut short */
        "\xed\xa0\x80",     /* surrogate */
        "\xf0\x80\x80\x80", /* overlong */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    factor2_authenticator *auth = authenticator(CONFIG);
    char text[512];
    size_t i, n, at;
    for (i = 0; i < CALL_COUNT; i++) {
        size_t length = strlen(CALLS[i].request);
        for (n = 0; n < sizeof BROKEN / sizeof BROKEN[0]; n++) {
            size_t broken = strlen(BROKEN[n]);
            for (at = 0; at <= length; at++) {
                memcpy(text, CALLS[i].request, at);
                memcpy(text + at, BROKEN[n], broken);
                strcpy(text + at + broken, CALLS[i].request + at);
                CHECK(outcome_of_text(CALLS[i].run, auth, text) == FACTOR2_BAD_REQUEST);
                CHECK(outcome(CALLS[i].run, auth, text, length + broken) == FACTOR2_BAD_REQUEST);
            }
        }
    }
    for (at = 0; at < sizeof CONFIG; at++) {
        memcpy(text, CONFIG, sizeof CONFIG);
        if (at + 1 < sizeof CONFIG)
            text[at] = '\xff';
        else
            strcpy(text + at, "\xff");
        CHECK(new_status(text, FACTOR2_NUL_TERMINATED) == FACTOR2_BAD_REQUEST);
    }
    factor2_authenticator_free(auth);
}

TEST test_embedded_nul_everywhere(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char text[512];
    size_t i, at;
    for (i = 0; i < CALL_COUNT; i++) {
        size_t length = strlen(CALLS[i].request);
        for (at = 0; at <= length; at++) {
            memcpy(text, CALLS[i].request, at);
            text[at] = '\0';
            strcpy(text + at + 1, CALLS[i].request + at);
            CHECK(outcome(CALLS[i].run, auth, text, length + 1) == FACTOR2_BAD_REQUEST);
            if (at < length)
                CHECK(outcome_of_text(CALLS[i].run, auth, text) == FACTOR2_BAD_REQUEST);
        }
    }
    factor2_authenticator_free(auth);
}

TEST test_bytes_around_a_good_request(void) {
    static const char *const AROUND[] = {"\xef\xbb\xbf%s", "%sx",  "%s,",   "%s{}",
                                         "%s//",           "#%s",  "\v%s",  "%s\f",
                                         "\xc2\xa0%s",     "[%s]", "\"%s\""};
    factor2_authenticator *auth = authenticator(CONFIG);
    char text[512];
    size_t i, n;
    for (i = 0; i < CALL_COUNT; i++) {
        for (n = 0; n < sizeof AROUND / sizeof AROUND[0]; n++) {
            const char *mark = strstr(AROUND[n], "%s");
            snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - AROUND[n]), AROUND[n],
                     CALLS[i].request, mark + 2);
            CHECK(outcome_of_text(CALLS[i].run, auth, text) == FACTOR2_BAD_REQUEST);
        }
        snprintf(text, sizeof text, " \t\r\n%s \t\r\n", CALLS[i].request);
        CHECK(outcome_of_text(CALLS[i].run, auth, text) == CALLS[i].status);
    }
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_length_zero);
    RUN(test_length_shorter_than_the_text);
    RUN(test_flush_against_an_unreadable_page);
    RUN(test_64_kib_is_the_limit_but_for_imports);
    RUN(test_absurd_lengths);
    RUN(test_64_mib_of_input);
    RUN(test_deep_nesting);
    RUN(test_deep_nesting_in_session_data);
    RUN(test_invalid_utf8_everywhere);
    RUN(test_embedded_nul_everywhere);
    RUN(test_bytes_around_a_good_request);
    return 0;
}
