/* Any text as a JSON string: what is written means the text, and nothing is written beyond the room. */
#include "calls.h"

/* More than any text here takes. */
#define ROOM 4096

static const char *quoted(const char *text, size_t length) {
    static char out[ROOM];
    size_t needed = factor2_json_quote(text, length, out, sizeof out);
    CHECK(needed < sizeof out && strlen(out) == needed);
    return out;
}

static void check_quoted(const char *text, const char *expected) {
    CHECK(strcmp(quoted(text, FACTOR2_NUL_TERMINATED), expected) == 0);
    CHECK(strcmp(quoted(text, strlen(text)), expected) == 0);
}

TEST test_what_is_written(void) {
    check_quoted("", "\"\"");
    check_quoted("a/b", "\"a/b\"");
    check_quoted("a\"b\\c", "\"a\\\"b\\\\c\"");
    check_quoted("\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"");
    check_quoted("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"");
    check_quoted("\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x90",
                 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x90\"");
    CHECK(strcmp(quoted("abc", 2), "\"ab\"") == 0);
    CHECK(strcmp(quoted("abc", 0), "\"\"") == 0);
    CHECK(strcmp(quoted("a\0b", 3), "\"a\\u0000b\"") == 0);
    CHECK(strcmp(quoted("a\0b", FACTOR2_NUL_TERMINATED), "\"a\"") == 0);
}

/* A user name of this text comes back as it was given. */
static void check_comes_back(const factor2_authenticator *auth, const char *text, size_t length) {
    char request[ROOM + 128];
    factor2_response *response = NULL;
    size_t returned;
    const char *username;
    sprintf(request, "{\"username\":%s,\"totpsecret\":\"" SECRET "\"}", quoted(text, length));
    CHECK(factor2_create_secret(auth, request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    username = factor2_response_text(response, "username", &returned);
    CHECK(username != NULL && returned == length && memcmp(username, text, length) == 0);
    CHECK(username[length] == '\0');
    factor2_response_free(response);
}

TEST test_what_is_written_means_the_text(void) {
    static const char INJECTED[] = "x\",\"totpsecret\":\"" SECRET "\",\"y\":\"\\";
    factor2_authenticator *auth = authenticator(CONFIG);
    char text[3] = "xxx", all[0x80];
    int byte;
    for (byte = 0; byte < 0x80; byte++) {
        text[1] = all[byte] = (char)byte; /* not at the ends, where blanks are dropped */
        check_comes_back(auth, text, sizeof text);
    }
    all[0] = 'x';
    check_comes_back(auth, all, sizeof all);
    check_comes_back(auth, INJECTED, strlen(INJECTED));
    check_comes_back(auth, "Zo\xc3\xab \xf0\x9f\x94\x90\xef\xbf\xbf.", 14);
    factor2_authenticator_free(auth);
}

TEST test_every_typed_text_makes_a_request(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char typed[2], request[256];
    int first, second;
    for (first = 0; first <= 0xff; first++) {
        for (second = 0; second <= 0xff; second += rounds(1, 16)) {
            int utf8 = (first < 0x80 && second < 0x80) ||
                       (first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf);
            char otp[16];
            typed[0] = (char)first;
            typed[1] = (char)second;
            CHECK((factor2_json_quote(typed, 2, otp, sizeof otp) < sizeof otp) == utf8);
            CHECK((otp[0] != '\0') == utf8);
            sprintf(request, "{\"totpsecret\":\"" SECRET "\",\"otp\":%s}", otp);
            CHECK(outcome_of_text(factor2_verify, auth, request) ==
                  (utf8 ? FACTOR2_INVALID_TOKEN : FACTOR2_BAD_REQUEST));
        }
    }
    factor2_authenticator_free(auth);
}

TEST test_what_is_not_utf8(void) {
    static const char *const WRONG[] = {"\xff",
                                        "a\x80",
                                        "\xc3",
                                        "\xc3(",
                                        "\xe2\x82",
                                        "\xf0\x9f\x94",
                                        "\xc0\x80",
                                        "\xc1\xbf",
                                        "\xe0\x80\x80",
                                        "\xe0\x9f\xbf",
                                        "\xed\xa0\x80",
                                        "\xed\xbf\xbf",
                                        "\xf0\x80\x80\x80",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf8\x88\x80\x80\x80"};
    char out[ROOM];
    size_t i;
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        memset(out, '#', sizeof out);
        CHECK(factor2_json_quote(WRONG[i], FACTOR2_NUL_TERMINATED, out, sizeof out) == (size_t)-1);
        CHECK(out[0] == '\0' && out[1] == '#');
        CHECK(factor2_json_quote(WRONG[i], strlen(WRONG[i]), NULL, 0) == (size_t)-1);
        out[0] = '#';
        CHECK(factor2_json_quote(WRONG[i], strlen(WRONG[i]), out, 0) == (size_t)-1);
        CHECK(out[0] == '#');
    }
    /* A character that the length cuts. */
    CHECK(factor2_json_quote("\xc3\xa9", 1, out, sizeof out) == (size_t)-1);
}

/* Whatever the room: all of the string and a NUL, or nothing; and no byte beyond the room. */
static void check_room(const char *text, size_t length) {
    size_t needed = factor2_json_quote(text, length, NULL, 0), room, i;
    char expected[ROOM];
    CHECK(factor2_json_quote(text, length, NULL, 1) == needed);
    CHECK(factor2_json_quote(text, length, NULL, needed + 1) == needed);
    strcpy(expected, quoted(text, length));
    CHECK(strlen(expected) == needed);
    for (room = 0; room <= needed + 3; room++) {
        char out[64];
        memset(out, '#', sizeof out);
        CHECK(needed + 3 < sizeof out);
        CHECK(factor2_json_quote(text, length, out, room) == needed);
        if (room > needed)
            CHECK(strcmp(out, expected) == 0);
        else if (room > 0)
            CHECK(out[0] == '\0');
        for (i = room; i < sizeof out; i++)
            CHECK(out[i] == '#');
    }
}

TEST test_never_cuts_a_text_short(void) {
    check_room("", 0);
    check_room("abc", 3);
    check_room("\"", 1);
    check_room("a\\b\"", 4);
    check_room("x\ny\0z", 5);
    check_room("\x1f\x01", 2);
    check_room("\xc3\xa9\xf0\x9f\x94\x90", 6);
}

int main(void) {
    RUN(test_what_is_written);
    RUN(test_what_is_written_means_the_text);
    RUN(test_every_typed_text_makes_a_request);
    RUN(test_what_is_not_utf8);
    RUN(test_never_cuts_a_text_short);
    return 0;
}
