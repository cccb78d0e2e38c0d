/* The header's numbers are the library's numbers. */
#include "calls.h"

#include <limits.h>

static const struct {
    factor2_status status;
    factor2_status number;
    const char *name;
    int http;
} TABLE[] = {
    {FACTOR2_OK, 0, "Ok", 200},
    {FACTOR2_NULL_POINTER, 101, "NullPointer", 500},
    {FACTOR2_INVALID_HANDLE, 102, "InvalidHandle", 500},
    {FACTOR2_REQUEST_TOO_LARGE, 103, "RequestTooLarge", 413},
    {FACTOR2_BAD_REQUEST, 104, "BadRequest", 400},
    {FACTOR2_INVALID_TOKEN, 201, "InvalidToken", 401},
    {FACTOR2_TOKEN_REUSED, 202, "TokenReused", 401},
    {FACTOR2_THROTTLED, 203, "Throttled", 429},
    {FACTOR2_DISABLED, 204, "Disabled", 403},
    {FACTOR2_UNAUTHORIZED, 205, "Unauthorized", 401},
    {FACTOR2_INVALID_KEY, 206, "InvalidKey", 401},
    {FACTOR2_DATA_FORMAT, 207, "DataFormat", 500},
    {FACTOR2_INVALID_SECRET, 208, "InvalidSecret", 500},
    {FACTOR2_CONFIGURATION, 301, "Configuration", 500},
    {FACTOR2_STORE_UNAVAILABLE, 302, "StoreUnavailable", 503},
    {FACTOR2_UNKNOWN_ERROR, 901, "UnknownError", 500},
    {FACTOR2_OUT_OF_MEMORY, 902, "OutOfMemory", 500},
    {FACTOR2_RANDOM_UNAVAILABLE, 903, "RandomUnavailable", 500},
};
#define TABLE_COUNT (sizeof TABLE / sizeof TABLE[0])

TEST test_versions_agree(void) {
    char text[64];
    snprintf(text, sizeof text, "%d.%d.%d", FACTOR2_VERSION_MAJOR, FACTOR2_VERSION_MINOR,
             FACTOR2_VERSION_PATCH);
    CHECK(strcmp(text, FACTOR2_VERSION) == 0);
    CHECK(strcmp(factor2_version(), FACTOR2_VERSION) == 0);
    CHECK(FACTOR2_VERSION_NUMBER ==
          FACTOR2_VERSION_MAJOR * 1000000 + FACTOR2_VERSION_MINOR * 1000 + FACTOR2_VERSION_PATCH);
    CHECK(factor2_version_number() == FACTOR2_VERSION_NUMBER);
    CHECK(factor2_version() == factor2_version());
}

TEST test_status_table(void) {
    size_t i;
    CHECK(sizeof(factor2_status) == sizeof(int));
    CHECK((factor2_status)-1 < 0);
    for (i = 0; i < TABLE_COUNT; i++) {
        CHECK(TABLE[i].status == TABLE[i].number);
        CHECK(strcmp(factor2_status_name(TABLE[i].status), TABLE[i].name) == 0);
        CHECK(factor2_status_http(TABLE[i].status) == TABLE[i].http);
    }
}

static int in_table(factor2_status status) {
    size_t i;
    for (i = 0; i < TABLE_COUNT; i++)
        if (TABLE[i].number == status)
            return 1;
    return 0;
}

/* A number from a newer library, or from nowhere, still has a name, and never looks like success. */
static void check_unknown(factor2_status status) {
    CHECK(factor2_status_name(status) != NULL);
    CHECK(strcmp(factor2_status_name(status), "UnknownError") == 0);
    CHECK(factor2_status_http(status) == 500);
}

TEST test_unknown_statuses(void) {
    int status;
    for (status = -5000; status <= 5000; status++)
        if (!in_table(status))
            check_unknown(status);
    check_unknown(INT_MIN);
    check_unknown(INT_MIN + 1);
    check_unknown(INT_MAX);
    check_unknown(0x10000); /* 0, had it been cut to 16 bits */
    for (status = 1; status > 0 && status <= INT_MAX / 2; status *= 2)
        if (!in_table(status))
            check_unknown(status);
}

TEST test_nul_terminated_is_no_length(void) { CHECK(FACTOR2_NUL_TERMINATED == (size_t)-1); }

/* Every operation responds, and the response can be read with and without asking for lengths. */
TEST test_every_operation(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    check_every_call(auth);
    factor2_authenticator_free(auth);
}

TEST test_the_guard(void) {
    factor2_authenticator *auth = authenticator(GUARDED_CONFIG);
    factor2_response *response = NULL;
    CHECK(verify_code(auth, CODE_NOW) == FACTOR2_OK);
    CHECK(verify_code(auth, CODE_NOW) == FACTOR2_TOKEN_REUSED);
    CHECK(verify_code(auth, "000000") == FACTOR2_INVALID_TOKEN);
    CHECK(factor2_inspect(auth, "{\"totpsecret\":\"" SECRET "\"}", FACTOR2_NUL_TERMINATED,
                          &response) == FACTOR2_OK);
    CHECK(strcmp(text_of(response, "last_step"), "1") == 0);
    CHECK(strcmp(text_of(response, "failures"), "1") == 0);
    factor2_response_free(response);
    CHECK(factor2_reset(auth, "{\"totpsecret\":\"" SECRET "\"}", FACTOR2_NUL_TERMINATED,
                        &response) == FACTOR2_OK);
    CHECK(strcmp(text_of(response, "last_step"), "1") == 0);
    CHECK(strcmp(text_of(response, "failures"), "0") == 0);
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

TEST test_png_is_data(void) {
    static const unsigned char PNG[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        factor2_response *response = NULL;
        size_t length = 1;
        int has_png = CALLS[i].run == factor2_create_secret || CALLS[i].run == factor2_qr;
        const unsigned char *data;
        CHECK(CALLS[i].run(auth, CALLS[i].request, FACTOR2_NUL_TERMINATED, &response) ==
              CALLS[i].status);
        data = factor2_response_data(response, &length);
        if (has_png)
            CHECK(data != NULL && length > sizeof PNG && memcmp(data, PNG, sizeof PNG) == 0);
        else
            CHECK(data == NULL && length == 0);
        CHECK(data == factor2_response_data(response, NULL));
        factor2_response_free(response);
    }
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_versions_agree);
    RUN(test_status_table);
    RUN(test_unknown_statuses);
    RUN(test_nul_terminated_is_no_length);
    RUN(test_every_operation);
    RUN(test_the_guard);
    RUN(test_png_is_data);
    return 0;
}
