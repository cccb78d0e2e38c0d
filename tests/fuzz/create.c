/* factor2_create_secret, factor2_qr and factor2_prepare_configuration: names and secrets arrive in
 * the URI as they are, and can add nothing to it. A name is never refused to a user who has a secret. */
#include "fuzz.h"

const char *const never_in_an_error[] = {PART_OF_CANARY, NULL};

#define ISSUER_ENCODED "R%26D%2C%20Z%C3%BCrich"
#define FACTOR "totp \xE2\x9C\x93"

static factor2_authenticator *authenticator;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    authenticator = authenticator_for(
        "{\"issuer\":\"R&D, Z\xC3\xBCrich\",\"factor_name\":\"" FACTOR "\","
        "\"qr\":{\"module_px\":1,\"quiet_zone\":4,\"error_correction\":\"L\"}," FOR_TESTS "}");
    return 0;
}

static void check_enrollment(slice enrollment, slice request_username, slice request_secret) {
    char secret[SECRET_ROOM], given[SECRET_ROOM];
    slice username = read_text(request_username), shown = trimmed(username);
    slice answered = read_text(json_member(enrollment, "username"));
    must(!read_secret(json_member(enrollment, "totpsecret"), secret));
    if (request_secret.at) {
        read_secret(request_secret, given);
        must(!strcmp(secret, given));
    } else {
        must(strlen(secret) == 32 && name_valid(username));
    }
    must(answered.len == shown.len && !memcmp(answered.at, shown.at, shown.len));
    must_be_otpauth(json_member(enrollment, "uri"), ISSUER_ENCODED, shown, secret);
}

/* An upper bound for the URI's length, and how much always fits at error correction L. */
static int uri_fits(slice name, slice secret) {
    return sizeof "otpauth://totp/:?secret=&issuer=" + 2 * strlen(ISSUER_ENCODED) + 3 * name.len +
               secret.len <
           2953;
}

static void check_created(slice request, answer *got) {
    static const char *const members[] = {"username", "totpsecret", NULL};
    only_members(request, members);
    must(png_side(got->data, got->data_len) >= 21 + 8);
    must_be_data_uri(json_member(got->json, "qr"), got->data, got->data_len);
    check_enrollment(got->json, json_member(request, "username"),
                     json_member(request, "totpsecret"));
}

static void check_drawn(slice request, answer *got) {
    static const char *const members[] = {"username", "totpsecret", "text", NULL};
    char secret[SECRET_ROOM];
    long side = png_side(got->data, got->data_len);
    only_members(request, members);
    read_secret(json_member(request, "totpsecret"), secret);
    slice username = trimmed(read_text(json_member(request, "username")));
    must_be_otpauth(json_member(got->json, "uri"), ISSUER_ENCODED, username, secret);
    must(json_in_range(json_member(got->json, "width"), side, side));
    must(json_in_range(json_member(got->json, "height"), side, side));
    must(json_in_range(json_member(got->json, "bytes"), (long long)got->data_len,
                       (long long)got->data_len));
}

static void check_prepared(slice request, answer *got) {
    static const char *const members[] = {"user", NULL};
    char secret[SECRET_ROOM], kept[SECRET_ROOM];
    slice shown = json_member(got->json, "userData"),
          session = json_member(got->json, "sessionData");
    slice username = json_member(json_member(request, "user"), "username");
    only_members(request, members);
    check_enrollment(shown, username, (slice){NULL, 0});
    read_secret(json_member(shown, "totpsecret"), secret);
    read_secret(json_member(session, "totpsecret"), kept);
    must(!strcmp(secret, kept));
    must(json_is_string(json_member(shown, "factor2"), FACTOR));
    must(json_is_string(json_member(session, "factor2"), FACTOR));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char request[MAX_REQUEST], username[MAX_REQUEST / 4], secret[MAX_REQUEST / 4];
    static const struct {
        operation call;
        void (*check)(slice request, answer *);
    } operations[] = {{factor2_create_secret, check_created},
                      {factor2_qr, check_drawn},
                      {factor2_prepare_configuration, check_prepared}};
    if (!size || size > MAX_REQUEST / 32)
        return 0;
    int mode = (unsigned char)(*data - '0') % 7, operation_index = mode < 3 ? mode : mode == 4;
    slice input = {(const char *)data + 1, size - 1}, sent = {request, 0};
    const char *bar = memchr(input.at, '|', input.len);
    slice name = {input.at, bar ? (size_t)(bar - input.at) : input.len};
    slice given = {bar ? bar + 1 : NULL, bar ? input.len - name.len - 1 : 0};

    switch (mode) {
    case 0: /* the request itself, to each operation */
    case 1:
    case 2: sent = input; break;
    case 3: /* a user name put into JSON by snprintf alone */
    case 4:
        sent.len = (size_t)sprintf(request, "{\"username\":\"%.*s\",\"totpsecret\":\"" CANARY "\"}",
                                   (int)input.len, input.at);
        break;
    case 5: /* a broken secret */
        json_escape(input, secret, sizeof secret);
        sent.len = (size_t)sprintf(
            request, "{\"username\":\"alice\",\"totpsecret\":\"" CANARY "%s\"}", secret);
        break;
    default: /* a user name and, behind a bar, a secret, put into JSON as they should be */
        json_escape(name, username, sizeof username);
        json_escape(given, secret, sizeof secret);
        sent.len = (size_t)sprintf(request,
                                   given.at ? "{\"username\":\"%s\",\"totpsecret\":\"%s\"}"
                                            : "{\"username\":\"%s\"}",
                                   username, secret);
    }

    answer got = call(operations[operation_index].call, authenticator, sent);
    if (got.status == FACTOR2_OK) {
        must(json_strict(sent));
        if (mode == 3 || mode == 4)
            must(json_is_string(json_member(sent, "totpsecret"), CANARY));
        operations[operation_index].check(sent, &got);
    }
    if (mode == 6) {
        char read[SECRET_ROOM];
        int utf8 = utf8_valid(name) && utf8_valid(given);
        int name_right = given.at ? utf8 : name_valid(name);
        int secret_right = !given.at || (utf8 && base32_secret(given, read));
        int too_long = given.at && !uri_fits(name, given);
        must(got.status != FACTOR2_OK || (name_right && secret_right));
        must(got.status == FACTOR2_OK || !name_right || !secret_right || too_long);
        must(got.status != FACTOR2_BAD_REQUEST || !name_right || !utf8 || too_long);
        must(got.status != FACTOR2_INVALID_SECRET || !secret_right);
    }
    done(&got);
    return 0;
}
