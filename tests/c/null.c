/* NULL for every pointer of every export in turn: refused by name, nothing read, nothing written. */
#include "calls.h"

#define POISON_RESPONSE ((factor2_response *)(void *)0x5a5a5a5a)
#define POISON_AUTHENTICATOR ((factor2_authenticator *)(void *)0x5a5a5a5a)

TEST test_operations_refuse_a_null_authenticator(void) {
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        factor2_response *response = POISON_RESPONSE;
        factor2_status status =
            CALLS[i].run(NULL, CALLS[i].request, FACTOR2_NUL_TERMINATED, &response);
        CHECK(status == FACTOR2_NULL_POINTER);
        CHECK(response != POISON_RESPONSE);
        check_response(status, response);
        factor2_response_free(response);
        CHECK(CALLS[i].run(NULL, CALLS[i].request, FACTOR2_NUL_TERMINATED, NULL) ==
              FACTOR2_NULL_POINTER);
        CHECK(CALLS[i].run(NULL, NULL, 0, NULL) == FACTOR2_NULL_POINTER);
    }
}

/* factor2_describe is the one that needs no request. */
TEST test_operations_refuse_a_null_request(void) {
    static const size_t LENGTHS[] = {0, 1, 2, 65536, 65537, (size_t)-2, FACTOR2_NUL_TERMINATED};
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i, n;
    for (i = 0; i < CALL_COUNT; i++) {
        for (n = 0; n < sizeof LENGTHS / sizeof LENGTHS[0]; n++) {
            factor2_response *response = POISON_RESPONSE;
            factor2_status status = CALLS[i].run(auth, NULL, LENGTHS[n], &response);
            CHECK(response != POISON_RESPONSE);
            check_response(status, response);
            factor2_response_free(response);
            if (CALLS[i].run != factor2_describe)
                CHECK(status == FACTOR2_NULL_POINTER);
            else if (LENGTHS[n] == 0 || LENGTHS[n] == FACTOR2_NUL_TERMINATED)
                CHECK(status == FACTOR2_OK);
        }
    }
    factor2_authenticator_free(auth);
}

TEST test_a_null_response_gives_the_verdict_alone(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        CHECK(CALLS[i].run(auth, CALLS[i].request, FACTOR2_NUL_TERMINATED, NULL) ==
              CALLS[i].status);
        CHECK(CALLS[i].run(auth, "{", FACTOR2_NUL_TERMINATED, NULL) == FACTOR2_BAD_REQUEST);
    }
    CHECK(factor2_verify(auth, "{\"totpsecret\":\"" SECRET "\",\"otp\":\"000000\"}",
                         FACTOR2_NUL_TERMINATED, NULL) == FACTOR2_INVALID_TOKEN);
    factor2_authenticator_free(auth);
}

TEST test_out_pointers_never_keep_their_old_value(void) {
    static const char *const REQUESTS[] = {"", "{", "[]", "{\"unknown\":1}", "\xff", "null"};
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i, n;
    for (i = 0; i < CALL_COUNT; i++) {
        for (n = 0; n < sizeof REQUESTS / sizeof REQUESTS[0]; n++) {
            factor2_response *response = POISON_RESPONSE;
            factor2_status status =
                CALLS[i].run(auth, REQUESTS[n], FACTOR2_NUL_TERMINATED, &response);
            CHECK(status != FACTOR2_OK && response != POISON_RESPONSE);
            check_response(status, response);
            factor2_response_free(response);
        }
    }
    factor2_authenticator_free(auth);
}

static void check_no_authenticator(const char *config, size_t length, factor2_status expected) {
    factor2_authenticator *made = POISON_AUTHENTICATOR;
    factor2_response *response = POISON_RESPONSE;
    factor2_status status = factor2_authenticator_new(config, length, &made, &response);
    CHECK(status == expected);
    CHECK(made == NULL && response != POISON_RESPONSE);
    check_response(status, response);
    factor2_response_free(response);

    made = POISON_AUTHENTICATOR;
    CHECK(factor2_authenticator_new(config, length, &made, NULL) == expected);
    CHECK(made == NULL);

    /* Without a place for the authenticator nothing else can be said. */
    response = POISON_RESPONSE;
    status = factor2_authenticator_new(config, length, NULL, &response);
    CHECK(status == FACTOR2_NULL_POINTER && response != POISON_RESPONSE);
    check_response(status, response);
    factor2_response_free(response);
    CHECK(factor2_authenticator_new(config, length, NULL, NULL) == FACTOR2_NULL_POINTER);
}

TEST test_authenticator_new(void) {
    factor2_authenticator *made = POISON_AUTHENTICATOR;
    factor2_response *response = POISON_RESPONSE;
    check_no_authenticator(NULL, 0, FACTOR2_NULL_POINTER);
    check_no_authenticator(NULL, 7, FACTOR2_NULL_POINTER);
    check_no_authenticator(NULL, FACTOR2_NUL_TERMINATED, FACTOR2_NULL_POINTER);
    check_no_authenticator(CONFIG, 0, FACTOR2_BAD_REQUEST);
    check_no_authenticator("", FACTOR2_NUL_TERMINATED, FACTOR2_BAD_REQUEST);
    check_no_authenticator(CONFIG, sizeof CONFIG - 2, FACTOR2_BAD_REQUEST);
    check_no_authenticator("{}", 2, FACTOR2_CONFIGURATION);

    /* A good config without a place for the handle makes none: the leak checkers would see it. */
    CHECK(factor2_authenticator_new(CONFIG, FACTOR2_NUL_TERMINATED, NULL, &response) ==
          FACTOR2_NULL_POINTER);
    CHECK(response != POISON_RESPONSE);
    factor2_response_free(response);

    CHECK(factor2_authenticator_new(CONFIG, FACTOR2_NUL_TERMINATED, &made, NULL) == FACTOR2_OK);
    CHECK(made != NULL && made != POISON_AUTHENTICATOR);
    check_every_call(made);
    factor2_authenticator_free(made);
}

TEST test_accessors(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    size_t length = 77;
    const char *json;
    const unsigned char *data;

    CHECK(factor2_response_json(NULL, &length) == NULL && length == 0);
    length = 77;
    CHECK(factor2_response_data(NULL, &length) == NULL && length == 0);
    length = 77;
    CHECK(factor2_response_text(NULL, "username", &length) == NULL && length == 0);
    CHECK(factor2_response_json(NULL, NULL) == NULL);
    CHECK(factor2_response_text(NULL, NULL, NULL) == NULL);
    CHECK(factor2_response_data(NULL, NULL) == NULL);

    CHECK(factor2_create_secret(auth, "{\"username\":\"bob\"}", FACTOR2_NUL_TERMINATED,
                                &response) == FACTOR2_OK);
    json = factor2_response_json(response, &length);
    CHECK(json != NULL && json[length] == '\0' && strlen(json) == length);
    CHECK(factor2_response_json(response, NULL) == json);
    data = factor2_response_data(response, &length);
    CHECK(data != NULL && length > 0 && factor2_response_data(response, NULL) == data);
    length = 77;
    CHECK(factor2_response_text(response, NULL, &length) == NULL && length == 0);
    CHECK(factor2_response_text(response, NULL, NULL) == NULL);
    CHECK(factor2_response_text(response, "username", NULL) != NULL);
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

TEST test_quoting(void) {
    char out[8] = "old";
    CHECK(factor2_json_quote(NULL, 0, out, sizeof out) == (size_t)-1 && out[0] == '\0');
    CHECK(factor2_json_quote(NULL, 7, NULL, 0) == (size_t)-1);
    CHECK(factor2_json_quote(NULL, FACTOR2_NUL_TERMINATED, NULL, sizeof out) == (size_t)-1);
    CHECK(factor2_json_quote("a", 1, NULL, 0) == 3);
    CHECK(factor2_json_quote("a", 1, NULL, sizeof out) == 3);
}

TEST test_frees_take_null(void) {
    factor2_authenticator_free(NULL);
    factor2_response_free(NULL);
}

int main(void) {
    RUN(test_operations_refuse_a_null_authenticator);
    RUN(test_operations_refuse_a_null_request);
    RUN(test_a_null_response_gives_the_verdict_alone);
    RUN(test_out_pointers_never_keep_their_old_value);
    RUN(test_authenticator_new);
    RUN(test_accessors);
    RUN(test_quoting);
    RUN(test_frees_take_null);
    return 0;
}
