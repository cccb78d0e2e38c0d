/* Only the right code opens: the tests know the three codes that are right at this moment. */
#include "calls.h"

static const char *const RIGHT[] = {CODE_PAST, CODE_NOW, CODE_FUTURE};

/* The contract for a code in ASCII: blanks and hyphens are dropped, then it is one of the right ones. */
static factor2_status expected_for(const char *otp, size_t length) {
    char digits[6];
    size_t i, kept = 0;
    for (i = 0; i < length; i++) {
        if (otp[i] == ' ' || otp[i] == '-' || (otp[i] >= '\t' && otp[i] <= '\r'))
            continue;
        if (kept == sizeof digits)
            return FACTOR2_INVALID_TOKEN;
        digits[kept++] = otp[i];
    }
    for (i = 0; i < 3; i++)
        if (kept == sizeof digits && memcmp(digits, RIGHT[i], kept) == 0)
            return FACTOR2_OK;
    return FACTOR2_INVALID_TOKEN;
}

/* Beyond ASCII the first 256 characters have two blanks, and a hyphen that is not seen. */
static int means_nothing_in_latin1(int byte) {
    return byte == 0x85 || byte == 0xa0 || byte == 0xad;
}

/* Between the quotes goes `written`, JSON's spelling of a code. */
static void check_written(const factor2_authenticator *auth, const char *written, size_t length,
                          factor2_status expected) {
    static const char HEAD[] = "{\"totpsecret\":\"" SECRET "\",\"otp\":\"";
    static char request[70000];
    factor2_response *response = NULL;
    size_t head = sizeof HEAD - 1;
    factor2_status status;
    CHECK(head + length + 2 <= sizeof request);
    memcpy(request, HEAD, head);
    memcpy(request + head, written, length);
    memcpy(request + head + length, "\"}", 2);
    status = factor2_verify(auth, request, head + length + 2, &response);
    check_response(status, response);
    if (status != expected)
        fprintf(stderr, "otp \"%.*s\": %d, expected %d\n", (int)length, written, status, expected);
    CHECK(status == expected);
    CHECK((status == FACTOR2_OK) == contains(response, "\"accepted\":true"));
    factor2_response_free(response);
}

static void check_text(const factor2_authenticator *auth, const char *otp) {
    check_written(auth, otp, strlen(otp), expected_for(otp, strlen(otp)));
}

/* `otp` with one byte put at `at`, instead of the digit there or before it. */
static void check_byte(const factor2_authenticator *auth, const char *otp, size_t at, int byte,
                       int replace) {
    size_t rest = at + (replace ? 1 : 0);
    int pasted_breaks_json = byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
    factor2_status expected;
    char plain[16], escaped[24];
    int length = sprintf(plain, "%.*s%c%s", (int)at, otp, byte ? byte : 'x', otp + rest);
    plain[at] = means_nothing_in_latin1(byte) ? ' ' : (char)byte;
    expected = expected_for(plain, (size_t)length);
    plain[at] = (char)byte;
    check_written(auth, plain, (size_t)length, pasted_breaks_json ? FACTOR2_BAD_REQUEST : expected);
    length = sprintf(escaped, "%.*s\\u%04x%s", (int)at, otp, (unsigned)byte, otp + rest);
    check_written(auth, escaped, (size_t)length, expected);
}

TEST test_every_byte_in_every_position(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t code, at;
    int byte;
    for (code = 0; code < (size_t)rounds(3, 1); code++) {
        for (byte = 0; byte <= 0xff; byte++) {
            for (at = 0; at < 6; at++)
                check_byte(auth, RIGHT[code], at, byte, 1);
            for (at = 0; at <= 6; at++)
                check_byte(auth, RIGHT[code], at, byte, 0);
        }
    }
    factor2_authenticator_free(auth);
}

TEST test_of_all_codes_three_are_right(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    long code, step = rounds(1, 997), accepted = 0;
    char request[] = "{\"totpsecret\":\"" SECRET "\",\"otp\":\"000000\"}";
    char *digits = strstr(request, "000000"), otp[8];
    for (code = 0; code < 1000000; code += step) {
        factor2_status status;
        sprintf(otp, "%06d", (int)(code % 1000000));
        memcpy(digits, otp, 6);
        status = factor2_verify(auth, request, sizeof request - 1, NULL);
        CHECK(status == expected_for(otp, 6));
        accepted += status == FACTOR2_OK;
    }
    if (step == 1)
        CHECK(accepted == 3);
    factor2_authenticator_free(auth);
}

TEST test_every_length(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char otp[65];
    size_t length, i;
    for (length = 0; length <= 64; length++) {
        otp[length] = '\0';
        for (i = 0; i < length; i++)
            otp[i] = CODE_NOW[i % 6]; /* repeated */
        check_text(auth, otp);
        memset(otp, '0', length); /* zeros before, then behind */
        if (length >= 6)
            memcpy(otp + length - 6, CODE_NOW, 6);
        check_text(auth, otp);
        memset(otp, '0', length);
        memcpy(otp, CODE_NOW, length < 6 ? length : 6);
        check_text(auth, otp);
        memset(otp, ' ', length); /* blanks and hyphens do not count */
        if (length >= 6)
            memcpy(otp + length - 6, CODE_NOW, 6);
        check_text(auth, otp);
    }
    factor2_authenticator_free(auth);
}

TEST test_long_codes(void) {
    static char otp[60001];
    factor2_authenticator *auth = authenticator(CONFIG);
    memset(otp, '2', sizeof otp - 1);
    check_text(auth, otp);
    memcpy(otp, CODE_NOW, 6);
    check_text(auth, otp);
    memset(otp + 6, '-', sizeof otp - 7);
    CHECK(expected_for(otp, sizeof otp - 1) == FACTOR2_OK);
    check_text(auth, otp);
    factor2_authenticator_free(auth);
}

TEST test_friendly_spellings(void) {
    static const char *const TYPED[] = {"287 082", "287-082",     " 287082",
                                        "287082 ", "2-8-7-0-8-2", "  2 8 - 7 0 8 2 --"};
    /* as JSON spells them: what fgets leaves, and blanks, dashes and marks that phones and pages put in */
    /* The formatter would make a column of these. */
    /* clang-format off */
    static const char *const PASTED[] = {"287082\\n",        "287082\\r\\n",    "\\t287082",
                                         "287\xc2\xa0" "082", "287\\u202f082",   "287\xe2\x80\x93" "082",
                                         "287\\u2212082",     "\\ufeff287082",    "287\xe2\x80\x8b" "082",
                                         "\\u2066287082\\u2069"};
    /* clang-format on */
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < sizeof TYPED / sizeof TYPED[0]; i++) {
        CHECK(expected_for(TYPED[i], strlen(TYPED[i])) == FACTOR2_OK);
        check_text(auth, TYPED[i]);
    }
    for (i = 0; i < sizeof PASTED / sizeof PASTED[0]; i++)
        check_written(auth, PASTED[i], strlen(PASTED[i]), FACTOR2_OK);
    factor2_authenticator_free(auth);
}

static void check_refused_text(const factor2_authenticator *auth, const char *otp) {
    check_written(auth, otp, strlen(otp), FACTOR2_INVALID_TOKEN);
}

TEST test_spellings_that_other_libraries_take(void) {
    /* The formatter would make a column of these. */
    /* clang-format off */
    static const char *const TYPED[] = {
        "",         "+287082",  "287082.",   "287082.0", "2.87082e5", "0x4616a", "28708x",
        "28708",    "287_082",  "287082L",   "0287082",  "287,082",   "287082\\b", "\\u001b287082",
        "287082\\u0000", "\\u0000287082", "287082;", "287082 OR 1=1", "*", "......",
        "true",     "null",     "287083",    "969429",   "287082287082"};
    /* clang-format on */
    /* marks that are neither blanks nor dashes, though some look like them: a bullet, an overline, accents, a
     * keycap, the Hangul filler, a private character */
    static const char *const MARKS[] = {
        "\xe2\x80\xa2", "\xe2\x80\xbe", "\xcc\x81",     "\xe2\x83\xa3", "\xe3\x85\xa4",
        "\xee\x80\x80", "\xe2\x80\xa7", "\xef\xb8\x8f", "\xe2\x81\x83",
    };
    factor2_authenticator *auth = authenticator(CONFIG);
    char otp[32];
    size_t i;
    for (i = 0; i < sizeof TYPED / sizeof TYPED[0]; i++)
        check_refused_text(auth, TYPED[i]);
    for (i = 0; i < sizeof MARKS / sizeof MARKS[0]; i++) {
        sprintf(otp, "%s" CODE_NOW, MARKS[i]);
        check_refused_text(auth, otp);
        sprintf(otp, CODE_NOW "%s", MARKS[i]);
        check_refused_text(auth, otp);
        sprintf(otp, "287%s082", MARKS[i]);
        check_refused_text(auth, otp);
    }
    factor2_authenticator_free(auth);
}

static size_t utf8(unsigned long point, char *out) {
    if (point < 0x800)
        return (size_t)sprintf(out, "%c%c", (int)(0xc0 | point >> 6), (int)(0x80 | (point & 0x3f)));
    if (point < 0x10000)
        return (size_t)sprintf(out, "%c%c%c", (int)(0xe0 | point >> 12),
                               (int)(0x80 | (point >> 6 & 0x3f)), (int)(0x80 | (point & 0x3f)));
    return (size_t)sprintf(out, "%c%c%c%c", (int)(0xf0 | point >> 18),
                           (int)(0x80 | (point >> 12 & 0x3f)), (int)(0x80 | (point >> 6 & 0x3f)),
                           (int)(0x80 | (point & 0x3f)));
}

/* The code with one digit of another script, and at last with all six. */
static void check_script(const factor2_authenticator *auth, unsigned long zero,
                         factor2_status expected) {
    size_t i, only;
    for (only = 0; only <= 6; only++) {
        char otp[64];
        size_t length = 0;
        for (i = 0; i < 6; i++) {
            unsigned digit = (unsigned)(CODE_NOW[i] - '0');
            if (only == 6 || only == i)
                length += utf8(zero + digit, otp + length);
            else
                otp[length++] = CODE_NOW[i];
        }
        check_written(auth, otp, length, expected);
    }
}

TEST test_digits_of_other_scripts(void) {
    /* Arabic-Indic, Persian, Devanagari, full-width */
    static const unsigned long COUNTED[] = {0x660, 0x6f0, 0x966, 0xff10};
    /* N'Ko, Bengali, Thai, Tibetan, superscript-like, subscript, and the mathematical digits */
    static const unsigned long OTHERS[] = {0x7c0,  0x9e6,   0xe50,   0xf20,  0x2070,
                                           0x2080, 0x1d7ce, 0x1d7d8, 0x1d7e2};
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t script;
    for (script = 0; script < sizeof COUNTED / sizeof COUNTED[0]; script++)
        check_script(auth, COUNTED[script], FACTOR2_OK);
    for (script = 0; script < sizeof OTHERS / sizeof OTHERS[0]; script++)
        check_script(auth, OTHERS[script], FACTOR2_INVALID_TOKEN);
    factor2_authenticator_free(auth);
}

/* A host that builds JSON with snprintf, and a user who types JSON instead of a code. `code` is
 * right for `other`, a secret that the user knows. */
TEST test_typed_json_never_changes_the_request(void) {
    static const char *const HOSTS[] = {
        "{\"totpsecret\":\"" SECRET "\",\"otp\":\"%s\"}",
        "{\"otp\":\"%s\",\"totpsecret\":\"" SECRET "\"}",
        "{\"username\":\"bob\",\"totpsecret\":\"" SECRET "\",\"otp\":\"%s\",\"last_step\":0}",
        "{\"username\":\"%s\",\"totpsecret\":\"" SECRET "\",\"otp\":\"000000\"}",
        "{\"totpsecret\":\"" SECRET "\",\"last_step\":0,\"otp\":\"%s\"}",
    };
    static const char *const TYPED[] = {
        "000000\",\"totpsecret\":\"OTHER",
        "CODE\",\"totpsecret\":\"OTHER",
        "CODE\",\"totp\\u0073ecret\":\"OTHER",
        "CODE\",\"totpsecret\":\"OTHER\",\"username\":\"x",
        "CODE\",\"totpsecret\":\"OTHER\"}",
        "CODE\",\"totpsecret\":\"OTHER\"}//",
        "CODE\",\"totpsecret\":\"OTHER\"} {\"otp\":\"",
        "x\",\"otp\":\"CODE\",\"totpsecret\":\"OTHER",
        "x\",\"otp\":\"" CODE_NOW,
        "000000\",\"otp\":\"" CODE_NOW,
        "000000\",\"fixed_time\":59,\"username\":\"x",
        "000000\",\"window\":{\"past\":9},\"username\":\"x",
        "000000\",\"accepted\":true,\"username\":\"x",
        "\\",
        "\\\\",
        "\"",
        "000000\"",
        "000000\\",
    };
    static const char OTHER[] = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    char code[7], typed[256], request[512];
    size_t host, i;

    CHECK(factor2_generate(auth, "{\"totpsecret\":\"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\"}",
                           FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    sprintf(code, "%.6s", text_of(response, "otp"));
    factor2_response_free(response);
    sprintf(request, "{\"totpsecret\":\"%s\",\"otp\":\"%s\"}", OTHER, code);
    CHECK(outcome_of_text(factor2_verify, auth, request) == FACTOR2_OK);

    for (i = 0; i < sizeof TYPED / sizeof TYPED[0]; i++) {
        const char *from = TYPED[i];
        char *to = typed;
        while (*from) {
            if (strncmp(from, "CODE", 4) == 0)
                to += sprintf(to, "%s", code), from += 4;
            else if (strncmp(from, "OTHER", 5) == 0)
                to += sprintf(to, "%s", OTHER), from += 5;
            else
                *to++ = *from++;
        }
        *to = '\0';
        for (host = 0; host < sizeof HOSTS / sizeof HOSTS[0]; host++) {
            const char *mark = strstr(HOSTS[host], "%s");
            snprintf(request, sizeof request, "%.*s%s%s", (int)(mark - HOSTS[host]), HOSTS[host],
                     typed, mark + 2);
            CHECK(outcome_of_text(factor2_verify, auth, request) != FACTOR2_OK);
        }
    }
    factor2_authenticator_free(auth);
}

TEST test_nothing_but_a_string_is_a_code(void) {
    static const char *const VALUES[] = {
        "287082",  "287082.0",          "null",     "true",      "[]", "{}", "[\"287082\"]",
        "-287082", "{\"\":\"287082\"}", "[287082]", "2.87082e5", "0"};
    factor2_authenticator *auth = authenticator(CONFIG);
    char request[256];
    size_t i;
    for (i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        sprintf(request, "{\"totpsecret\":\"" SECRET "\",\"otp\":%s}", VALUES[i]);
        CHECK(outcome_of_text(factor2_verify, auth, request) == FACTOR2_BAD_REQUEST);
        sprintf(request, "{\"totpsecret\":%s,\"otp\":\"" CODE_NOW "\"}", VALUES[i]);
        /* No secret but null, which stands for nobody, and an array of strings, which may be secrets. */
        CHECK(outcome_of_text(factor2_verify, auth, request) ==
              (strcmp(VALUES[i], "null") == 0           ? FACTOR2_INVALID_TOKEN
               : strcmp(VALUES[i], "[\"287082\"]") == 0 ? FACTOR2_INVALID_SECRET
                                                        : FACTOR2_BAD_REQUEST));
    }
    CHECK(outcome_of_text(factor2_verify, auth, "{\"totpsecret\":\"" SECRET "\"}") ==
          FACTOR2_INVALID_TOKEN);
    CHECK(outcome_of_text(factor2_verify, auth, "{\"otp\":\"" CODE_NOW "\"}") ==
          FACTOR2_INVALID_TOKEN);
    CHECK(outcome_of_text(factor2_verify, auth, "{}") == FACTOR2_INVALID_TOKEN);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_every_byte_in_every_position);
    RUN(test_of_all_codes_three_are_right);
    RUN(test_every_length);
    RUN(test_long_codes);
    RUN(test_friendly_spellings);
    RUN(test_spellings_that_other_libraries_take);
    RUN(test_digits_of_other_scripts);
    RUN(test_typed_json_never_changes_the_request);
    RUN(test_nothing_but_a_string_is_a_code);
    return 0;
}
