/* Members of a response as text, found by their paths. */
#include "calls.h"

static factor2_response *respond(const factor2_authenticator *auth, factor2_operation run,
                                 const char *request, factor2_status expected) {
    factor2_response *response = NULL;
    CHECK(run(auth, request, FACTOR2_NUL_TERMINATED, &response) == expected);
    return response;
}

static void check_text(const factor2_response *response, const char *path, const char *expected) {
    size_t length = 77;
    const char *text = factor2_response_text(response, path, &length);
    if (text == NULL || strcmp(text, expected) != 0)
        fprintf(stderr, "%s: %s\n", path, text ? text : "nothing");
    CHECK(text != NULL && strcmp(text, expected) == 0);
    CHECK(length == strlen(expected));
    CHECK(factor2_response_text(response, path, NULL) == text); /* the same place each time */
}

static void check_nothing(const factor2_response *response, const char *path) {
    size_t length = 77;
    const char *text = factor2_response_text(response, path, &length);
    if (text != NULL)
        fprintf(stderr, "%s: %s\n", path, text);
    CHECK(text == NULL && length == 0);
}

TEST test_errors(void) {
    factor2_authenticator *auth =
        authenticator("{\"issuer\":\"Example\",\"fixed_time\":59,"
                      "\"guard\":{\"store\":\"memory\",\"soft\":1,\"base_delay_s\":30}}");
    factor2_response *response =
        respond(auth, factor2_verify, "{\"totpsecret\":\"" SECRET "\",\"otp\":\"000000\"}",
                FACTOR2_INVALID_TOKEN);
    check_text(response, "error.code", "InvalidToken");
    check_text(response, "error.http_status", "401");
    check_text(response, "error.retry_after_s", "30");
    CHECK(strncmp(text_of(response, "error.message"), "request.otp: ", 13) == 0);
    CHECK(strncmp(text_of(response, "error"), "{\"code\":\"InvalidToken\",", 23) == 0);
    check_nothing(response, "accepted");
    check_nothing(response, "message");
    factor2_response_free(response);

    response = respond(auth, factor2_verify, "{", FACTOR2_BAD_REQUEST);
    check_text(response, "error.code", "BadRequest");
    check_nothing(response, "error.retry_after_s");
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

TEST test_every_kind_of_value(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = respond(auth, factor2_describe, "{}", FACTOR2_OK);
    check_text(response, "version", factor2_version());
    check_text(response, "digits", "6");
    check_text(response, "can_create_user", "true");
    check_text(response, "can_update_secrets", "false");
    check_text(response, "secret_names", "[\"totpsecret\"]");
    check_text(response, "secret_names.0", "totpsecret");
    check_text(response, "validate_secrets", "[]");
    check_text(response, "create_one_time_secrets", "{}");
    CHECK(strlen(text_of(response, "window")) == strlen("{\"past\":1,\"future\":1}"));
    check_text(response, "window.future", "1");
    check_text(response, "guard.store", "none");
    factor2_response_free(response);

    response = respond(auth, factor2_verify,
                       "{\"totpsecret\":\"" SECRET "\",\"otp\":\"" CODE_PAST "\"}", FACTOR2_OK);
    check_text(response, "accepted", "true");
    check_text(response, "step", "0");
    check_text(response, "drift", "-1");
    factor2_response_free(response);
    factor2_authenticator_free(auth);

    auth = authenticator(GUARDED_CONFIG);
    response = respond(auth, factor2_inspect, "{\"totpsecret\":\"" SECRET "\"}", FACTOR2_OK);
    check_text(response, "last_step", "null");
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

TEST test_paths_that_lead_nowhere(void) {
    static const char *const PATHS[] = {"",
                                        ".",
                                        "..",
                                        ".error",
                                        "nothing",
                                        "Version",
                                        "version.",
                                        ".version",
                                        "version.0",
                                        "window.",
                                        "window..past",
                                        "window.past.",
                                        "window.x",
                                        "window.0",
                                        "guard.past",
                                        "secret_names.1",
                                        "secret_names.",
                                        "secret_names.+0",
                                        "secret_names.-1",
                                        "secret_names.00x",
                                        "secret_names.x",
                                        "secret_names.0.0",
                                        "secret_names[0]",
                                        "secret_names.99999999999999999999",
                                        "window past",
                                        "version ",
                                        "\"version\"",
                                        "*",
                                        "\xff",
                                        "version\xc3"};
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = respond(auth, factor2_describe, "{}", FACTOR2_OK);
    char longest[100001];
    size_t i;
    for (i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        check_nothing(response, PATHS[i]);
    memset(longest, '.', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    check_nothing(response, longest);
    check_nothing(response, NULL);
    check_text(response, "digits", "6"); /* and nothing is broken by it */
    factor2_response_free(response);
    check_nothing(NULL, "digits");
    factor2_authenticator_free(auth);
}

TEST test_escapes(void) {
    static const char NAME[] = "\"b\\o/b\" \b\f\n\r\t\x01\x7f \xc3\xa9\xf0\x9f\x94\x90 <&> \\u0041";
    static const char WITH_NUL[] = "a\0b";
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response;
    char quoted[256], request[512];
    size_t length;
    const char *text;
    CHECK(factor2_json_quote(NAME, FACTOR2_NUL_TERMINATED, quoted, sizeof quoted) < sizeof quoted);
    sprintf(request, "{\"username\":%s,\"totpsecret\":\"" SECRET "\"}", quoted);
    response = respond(auth, factor2_create_secret, request, FACTOR2_OK);
    check_text(response, "username", NAME);
    check_text(response, "totpsecret", SECRET);
    factor2_response_free(response);

    response = respond(auth, factor2_create_secret,
                       "{\"username\":\"a\\u0000b\",\"totpsecret\":\"" SECRET "\"}", FACTOR2_OK);
    text = factor2_response_text(response, "username", &length);
    CHECK(text != NULL && length == 3 && memcmp(text, WITH_NUL, sizeof WITH_NUL) == 0);
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

/* Each text stays where it is, however many others are asked for. */
TEST test_texts_stay(void) {
    static const char *const PATHS[] = {"digits",   "version",  "window", "secret_names.0",
                                        "issuer",   "period",   "guard",  "qr",
                                        "mfa_type", "algorithm"};
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = respond(auth, factor2_describe, "{}", FACTOR2_OK);
    const char *texts[sizeof PATHS / sizeof PATHS[0]];
    char copies[sizeof PATHS / sizeof PATHS[0]][512];
    size_t i, n;
    for (i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        texts[i] = factor2_response_text(response, PATHS[i], NULL);
        CHECK(texts[i] != NULL && strlen(texts[i]) < sizeof copies[i]);
        strcpy(copies[i], texts[i]);
        for (n = 0; n <= i; n++) {
            CHECK(factor2_response_text(response, PATHS[n], NULL) == texts[n]);
            CHECK(strcmp(texts[n], copies[n]) == 0);
        }
    }
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_errors);
    RUN(test_every_kind_of_value);
    RUN(test_paths_that_lead_nowhere);
    RUN(test_escapes);
    RUN(test_texts_stay);
    return 0;
}
