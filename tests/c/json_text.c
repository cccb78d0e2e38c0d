/* The helpers of the examples: what they write is JSON, what they read is the text that was meant. */
#include "calls.h"

#include "../../examples-c/json_escape.h"
#include "../../examples-c/json_member.h"

TEST test_escapes(void) {
    char out[64];
    CHECK(json_escape("", out, sizeof out) && strcmp(out, "") == 0);
    CHECK(json_escape("a\"b\\c/", out, sizeof out) && strcmp(out, "a\\\"b\\\\c/") == 0);
    CHECK(json_escape("\n\x01\x1f\x7f", out, sizeof out));
    CHECK(strcmp(out, "\\u000a\\u0001\\u001f\x7f") == 0);
    CHECK(json_escape("\xc3\xa9\xf0\x9f\x94\x90\xff", out, sizeof out));
    CHECK(strcmp(out, "\xc3\xa9\xf0\x9f\x94\x90\xff") == 0);
}

/* Whatever the room: all of the text and a NUL, or nothing; and no byte beyond the room. */
static void check_room(const char *text, const char *escaped) {
    size_t needed = strlen(escaped) + 1, room;
    char out[64];
    for (room = 0; room <= needed + 2; room++) {
        memset(out, '#', sizeof out);
        if (room >= needed) {
            CHECK(json_escape(text, out, room) == 1);
            CHECK(strcmp(out, escaped) == 0);
        } else {
            CHECK(json_escape(text, out, room) == 0);
            CHECK(room == 0 || out[0] == '\0');
        }
        CHECK(out[room] == '#');
    }
}

TEST test_never_cuts_a_text_short(void) {
    check_room("", "");
    check_room("abc", "abc");
    check_room("\"", "\\\"");
    check_room("a\\b\"", "a\\\\b\\\"");
    check_room("x\ny", "x\\u000ay");
    check_room("\x1f", "\\u001f");
}

/* The library is the judge: InvalidToken for a well-formed request, BadRequest for the other. */
TEST test_what_it_writes_is_json(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char typed[3], otp[16], request[256];
    int first, second;
    for (first = 1; first <= 0xff; first++) {
        for (second = 1; second <= 0xff; second += rounds(1, 16)) {
            factor2_status expected = FACTOR2_INVALID_TOKEN;
            sprintf(typed, "%c%c", first, second);
            if ((first >= 0x80 || second >= 0x80) &&
                !(first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf))
                expected = FACTOR2_BAD_REQUEST; /* not UTF-8 */
            CHECK(json_escape(typed, otp, sizeof otp));
            sprintf(request, "{\"totpsecret\":\"" SECRET "\",\"otp\":\"%s\"}", otp);
            CHECK(outcome_of_text(factor2_verify, auth, request) == expected);
        }
    }
    CHECK(json_escape("x\",\"otp\":\"" CODE_NOW, request, sizeof request));
    CHECK(verify_code(auth, request) == FACTOR2_INVALID_TOKEN);
    factor2_authenticator_free(auth);
}

TEST test_reads_members(void) {
    static const char JSON[] =
        "{\"a\":\"one\",\"n\":7,\"b\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"c\":{\"d\":\"deep\"},"
        "\"e\":\"\\u0041\",\"f\":\"\",\"g\":\"\\\",\\\"h\\\":\\\"trap\",\"i\":\"open";
    char out[16];
    CHECK(json_member(JSON, "a", out, sizeof out) && strcmp(out, "one") == 0);
    CHECK(json_member(JSON, "b", out, sizeof out) && strcmp(out, "\"\\/\b\f\n\r\t") == 0);
    CHECK(json_member(JSON, "d", out, sizeof out) && strcmp(out, "deep") == 0);
    CHECK(json_member(JSON, "f", out, sizeof out) && strcmp(out, "") == 0);
    CHECK(json_member(JSON, "g", out, sizeof out) && strcmp(out, "\",\"h\":\"trap") == 0);

    CHECK(!json_member(JSON, "h", out, sizeof out) && out[0] == '\0'); /* inside a string */
    CHECK(!json_member(JSON, "n", out, sizeof out) && out[0] == '\0'); /* no string */
    CHECK(!json_member(JSON, "e", out, sizeof out) && out[0] == '\0'); /* an escape it can't read */
    CHECK(!json_member(JSON, "i", out, sizeof out) && out[0] == '\0'); /* no end */
    CHECK(!json_member("{\"j\":\"\\", "j", out, sizeof out) && out[0] == '\0');
    CHECK(!json_member(JSON, "nowhere", out, sizeof out) && out[0] == '\0');
    CHECK(!json_member("{\"za\":\"no\"}", "a", out, sizeof out) && out[0] == '\0');
    CHECK(!json_member(NULL, "a", out, sizeof out) && out[0] == '\0');
    CHECK(!json_member(JSON, "a", out, 3) && out[0] == '\0'); /* no room for the NUL */
    CHECK(json_member(JSON, "a", out, 4) && strcmp(out, "one") == 0);
    CHECK(!json_member(JSON, "a", out, 0));
    CHECK(!json_member(JSON, "a-name-that-is-longer-than-every-name-of-a-member-in-any-answer", out,
                       sizeof out));
}

/* What the library writes, JSON's escapes included, comes back as it was given. */
TEST test_reads_the_librarys_own_answers(void) {
    static const char NAME[] = "\"b\\o/b\" \xc3\xa9 <&> {\"totpsecret\"}";
    char secret[64], name[128], request[256];
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    CHECK(json_escape(NAME, name, sizeof name));
    sprintf(request, "{\"username\":\"%s\",\"totpsecret\":\"" SECRET "\"}", name);
    CHECK(factor2_create_secret(auth, request, FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    CHECK(json_member(json_of(response), "username", name, sizeof name));
    CHECK(strcmp(name, NAME) == 0);
    CHECK(json_member(json_of(response), "totpsecret", secret, sizeof secret));
    CHECK(strcmp(secret, SECRET) == 0);
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_escapes);
    RUN(test_never_cuts_a_text_short);
    RUN(test_what_it_writes_is_json);
    RUN(test_reads_members);
    RUN(test_reads_the_librarys_own_answers);
    return 0;
}
