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

static void check_accepted(const json_t *request, result *got) {
    static const char *const members[] = {"username", "sessionKey", NULL};
    static const char *const key_members[] = {"data",   "value",      "created", "expires",
                                              "userid", "lastactive", NULL};
    char secret[SECRET_ROOM], shown_secret[SECRET_ROOM], stored_secret[SECRET_ROOM];
    json_t *key = json_object_get(request, "sessionKey"), *data = json_object_get(key, "data");
    only_members(request, members);
    only_members(key, key_members);
    json_t *session = json_is_string(data) ? read_accepted(text_of(data)) : json_incref(data);
    if (!session)
        return;
    json_t *inner = json_object_get(session, "2fa"), *factor = inner ? inner : session;

    slice username = trimmed(text_of(json_object_get(request, "username")));
    slice factor_name = text_of(json_object_get(factor, "factor2"));
    if (is_uri(text_of(json_object_get(factor, "totpsecret")))) {
        json_decref(session);
        return;
    }
    read_secret(json_object_get(factor, "totpsecret"), secret);

    json_t *shown = json_object_get(got->json, "userData");
    read_secret(json_object_get(shown, "totpsecret"), shown_secret);
    read_secret(json_object_get(json_object_get(got->json, "secrets"), "totpsecret"),
                stored_secret);
    must(!strcmp(secret, shown_secret) && !strcmp(secret, stored_secret));
    slice name_shown = text_of(json_object_get(shown, "factor2"));
    must(name_shown.len == factor_name.len);
    must(!memcmp(name_shown.at, factor_name.at, factor_name.len));
    must(json_is_null(json_object_get(got->json, "newSessionData")));
    must_be_otpauth(json_object_get(shown, "uri"), "Example", username, secret);
    json_decref(session);
}

/* What the session's text must come to, or FACTOR2_OK where that depends on more. */
static factor2_status expected_of(slice session) {
    int unsure;
    if (!utf8_valid(session))
        return FACTOR2_BAD_REQUEST;
    if (!session.len)
        return FACTOR2_UNAUTHORIZED;
    if (memchr(session.at, 0,
               session.len)) /* no JSON; but Jansson overlooks a NUL behind a number */
        return FACTOR2_DATA_FORMAT;
    json_t *value = read_json(session, &unsure);
    factor2_status expected = FACTOR2_OK;
    if (!value && !unsure)
        expected = FACTOR2_DATA_FORMAT;
    else if (json_is_array(value) || json_is_string(value))
        expected = FACTOR2_UNAUTHORIZED; /* as good as an object without members */
    json_decref(value);
    return expected;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char request[MAX_REQUEST], quoted[MAX_REQUEST / 2];
    if (!size || size > MAX_REQUEST / 32)
        return 0;
    int mode = (unsigned char)(*data - '0') % 4;
    slice input = {(const char *)data + 1, size - 1}, sent = {request, 0};

    switch (mode) {
    case 0: /* the request itself */ sent = input; break;
    case 1: /* the session's text, put into JSON as it should be */
        quote(input, quoted, sizeof quoted);
        sent.len = (size_t)sprintf(request, "{\"username\":\"alice\",\"sessionKey\":{\"data\":%s}}",
                                   quoted);
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

    result got = call(factor2_reprepare_configuration, authenticator, sent);
    json_t *taken = got.status == FACTOR2_OK ? read_accepted(sent) : NULL;
    if (taken)
        check_accepted(taken, &got);
    json_decref(taken);
    if (mode == 1) {
        factor2_status expected = expected_of(input);
        must(expected == FACTOR2_OK || got.status == expected);
    }
    if (mode == 3 && got.status == FACTOR2_OK)
        must(is_text(json_object_get(json_object_get(got.json, "secrets"), "totpsecret"), CANARY));
    done(&got);
    return 0;
}
