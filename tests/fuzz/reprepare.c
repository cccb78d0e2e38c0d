/* factor2_reprepare_configuration: the secret of the session comes back, and no other. */
#include "fuzz.h"

const char *const never_in_an_error[] = {PART_OF_CANARY, NULL};

static factor2_authenticator *authenticator;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    authenticator = authenticator_for(
        "{\"issuer\":\"Example\",\"qr\":{\"module_px\":1,\"quiet_zone\":0}," FOR_TESTS "}");
    return 0;
}

static void check_accepted(slice request, answer *got) {
    static const char *const members[] = {"username", "sessionKey", NULL};
    static const char *const key_members[] = {"data",   "value",      "created", "expires",
                                              "userid", "lastactive", NULL};
    static char session_text[MAX_REQUEST], factor_name[MAX_REQUEST];
    char secret[SECRET_ROOM], shown_secret[SECRET_ROOM], stored_secret[SECRET_ROOM];
    must(json_strict(request));
    slice key = json_member(request, "sessionKey"), session = json_member(key, "data");
    only_members(request, members);
    only_members(key, key_members);
    if (*session.at == '"') {
        long len = json_decode(session, session_text, sizeof session_text);
        must(len > 0);
        session = (slice){session_text, (size_t)len};
        must(json_strict(session));
    }
    slice factor = json_member(session, "2fa").at ? json_member(session, "2fa") : session;

    slice username = trimmed(read_text(json_member(request, "username")));
    long factor_len = json_decode(json_member(factor, "factor2"), factor_name, sizeof factor_name);
    must(factor_len >= 0);
    read_secret(json_member(factor, "totpsecret"), secret);

    slice shown = json_member(got->json, "userData");
    read_secret(json_member(shown, "totpsecret"), shown_secret);
    read_secret(json_member(json_member(got->json, "secrets"), "totpsecret"), stored_secret);
    must(!strcmp(secret, shown_secret) && !strcmp(secret, stored_secret));
    if (strlen(factor_name) == (size_t)factor_len)
        must(json_is_string(json_member(shown, "factor2"), factor_name));
    must(json_is(json_member(got->json, "newSessionData"), "null"));
    must_be_otpauth(json_member(shown, "uri"), "Example", username, secret);
}

/* An array or a string, as good as any. */
static int has_no_members(slice session) {
    while (session.len && strchr(" \t\r\n", *session.at))
        session.at++, session.len--;
    return session.len && (*session.at == '[' || *session.at == '"');
}

/* Half a character in a string is refused wherever it stands; json_strict() does not look into strings. */
static int may_have_half_characters(slice text) {
    for (; text.len > 2; text.at++, text.len--)
        if (text.at[0] == '\\' && text.at[1] == 'u' && (text.at[2] == 'd' || text.at[2] == 'D'))
            return 1;
    return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char request[MAX_REQUEST], escaped[MAX_REQUEST / 2];
    if (!size || size > MAX_REQUEST / 32)
        return 0;
    int mode = (unsigned char)(*data - '0') % 4;
    slice input = {(const char *)data + 1, size - 1}, sent = {request, 0};

    switch (mode) {
    case 0: /* the request itself */ sent = input; break;
    case 1: /* the session's text, put into JSON as it should be */
        json_escape(input, escaped, sizeof escaped);
        sent.len = (size_t)sprintf(
            request, "{\"username\":\"alice\",\"sessionKey\":{\"data\":\"%s\"}}", escaped);
        break;
    case 2: /* the session as an object, or whatever it is */
        sent.len =
            (size_t)sprintf(request, "{\"username\":\"alice\",\"sessionKey\":{\"data\":%.*s}}",
                            (int)input.len, input.at);
        break;
    default: /* a user name put into JSON by snprintf alone */
        sent.len =
            (size_t)sprintf(request,
                            "{\"username\":\"%.*s\",\"sessionKey\":{\"data\":"
                            "{\"2fa\":{\"totpsecret\":\"" CANARY "\",\"factor2\":\"totp\"}}}}",
                            (int)input.len, input.at);
    }

    answer got = call(factor2_reprepare_configuration, authenticator, sent);
    if (got.status == FACTOR2_OK)
        check_accepted(sent, &got);
    if (mode == 1 && !utf8_valid(input))
        must(got.status == FACTOR2_BAD_REQUEST);
    else if (mode == 1 && !input.len)
        must(got.status == FACTOR2_UNAUTHORIZED);
    else if (mode == 1 && !json_strict(input))
        must(got.status == FACTOR2_DATA_FORMAT);
    else if (mode == 1 && has_no_members(input))
        must(got.status == FACTOR2_UNAUTHORIZED ||
             (got.status == FACTOR2_DATA_FORMAT && may_have_half_characters(input)));
    if (mode == 3 && got.status == FACTOR2_OK)
        must(json_is_string(json_member(json_member(got.json, "secrets"), "totpsecret"), CANARY));
    done(&got);
    return 0;
}
