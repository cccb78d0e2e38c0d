/* What other systems left behind, as much of it as may be sent: time and memory stay in bounds. */
#include "calls.h"
#include "counted_malloc.h"

#include <time.h>

#define LONGEST ((size_t)16 << 20)
#define HEX_SECRET "3132333435363738393031323334353637383930"
#define PLAIN "{\"issuer\":\"Example\",\"guard\":{\"store\":\"none\"}}"

static double cpu_seconds(void) {
    struct timespec used;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* How often `part` is there. */
static long count_of(const char *text, const char *part) {
    long count = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        count++;
    return count;
}

/* Lines with a number in each, at most so many, as long as they fit. How many bytes the text has. */
static size_t write_request(char *request, const char *format, const char *line, long most,
                            long *lines) {
    int head = sprintf(request, "{\"format\":\"%s\",\"text\":\"", format);
    size_t at = (size_t)head;
    for (*lines = 0; *lines < most && at < LONGEST - 200; ++*lines) {
        at += (size_t)sprintf(request + at, line, *lines);
        at += (size_t)sprintf(request + at, "\\n");
    }
    strcpy(request + at, "\"}");
    return at - (size_t)head - (size_t)*lines;
}

static void check(const char *config, const char *format, const char *line, long most, int taken) {
    char *request = malloc(LONGEST + 1);
    factor2_authenticator *auth = authenticator(config);
    factor2_response *response = NULL;
    size_t text, before, used;
    double started, seconds;
    long lines;
    CHECK(request != NULL);
    text = write_request(request, format, line, most, &lines);
    CHECK(most < 1000000 || lines == most || text > LONGEST - LONGEST / 8);
    before = most_bytes_in_use = bytes_in_use;
    started = cpu_seconds();
    CHECK(factor2_import(auth, request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    seconds = cpu_seconds() - started;
    used = most_bytes_in_use - before;
    CHECK(count_of(json_of(response), "\"totpsecret\":\"") == (taken ? lines : 0));
    CHECK(count_of(json_of(response), "\"line\":") == (taken ? 0 : lines));
    CHECK(seconds < 10);
    CHECK(used <= 9 * text); /* the request itself is the tenth */
    factor2_response_free(response);
    CHECK(bytes_in_use == before);
    factor2_authenticator_free(auth);
    free(request);
    printf("%s: %ld lines in %.2f s, with %.1f times the text's memory\n", format, lines, seconds,
           (double)used / (double)text);
}

TEST test_users_files(void) {
    check(PLAIN, "users-file", "HOTP/T30\\tuser%07ld\\t-\\t" HEX_SECRET, 10000000, 1);
    check(PLAIN, "users-file", "HOTP u%ld - " HEX_SECRET " 5 0 328482 2009-12-07T23:23:49L",
          10000000, 1);
    check(CONFIG, "users-file", "HOTP/T30\\tuser%07ld\\t1234\\t" HEX_SECRET, 10000000, 1);
}

TEST test_uris(void) {
    check(PLAIN, "otpauth", "otpauth://totp/Example:user%07ld?secret=" SECRET "&issuer=Example",
          10000000, 1);
    check(CONFIG, "otpauth", "otpauth://hotp/%07ld?secret=" SECRET "&counter=1", 10000000, 1);
}

TEST test_a_million_lines(void) {
    check(PLAIN, "users-file", "HOTP %08ld", 1000000, 0);
    check(PLAIN, "otpauth", "otpauth:/%05ld", 1000000, 0);
    check(PLAIN, "privacyidea-csv", "%06ld,123456", 1000000, 0);
}

/* More than that is another format. */
TEST test_more_than_a_million_lines(void) {
    static char request[4 << 20];
    factor2_authenticator *auth = authenticator(PLAIN);
    size_t at = (size_t)sprintf(request, "{\"format\":\"otpauth\",\"text\":\"");
    long lines;
    for (lines = 0; lines <= 1 << 20; lines++)
        at += (size_t)sprintf(request + at, "x\\n");
    strcpy(request + at, "\"}");
    CHECK(outcome_of_text(factor2_import, auth, request) == FACTOR2_DATA_FORMAT);
    strcpy(request + at - 3, "\"}");
    CHECK(outcome_of_text(factor2_import, auth, request) == FACTOR2_OK);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_users_files);
    RUN(test_uris);
    RUN(test_a_million_lines);
    RUN(test_more_than_a_million_lines);
    return 0;
}
