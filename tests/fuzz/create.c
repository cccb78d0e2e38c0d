/* factor2_create_secret, factor2_qr_png and factor2_prepare_configuration: names and secrets arrive in
 * the URI as they are, and can add nothing to it. */
#include "fuzz.h"

const char *const never_in_an_error[] = {PART_OF_CANARY, NULL};

#define ISSUER_ENCODED "R%26D%2C%20Z%C3%BCrich"
#define FACTOR "totp \xE2\x9C\x93"

static factor2_authenticator *authenticator;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    authenticator = authenticator_for("{\"issuer\":\"R&D, Z\xC3\xBCrich\",\"factor_name\":\"" FACTOR "\","
                                      "\"qr\":{\"module_px\":1,\"quiet_zone\":4,\"error_correction\":\"L\"}," FOR_TESTS
                                      "}");
    return 0;
}

static int symbol_value(char symbol) {
    if (symbol >= 'a' && symbol <= 'z') return symbol - 'a';
    if (symbol >= 'A' && symbol <= 'Z') return symbol - 'A';
    return symbol >= '2' && symbol <= '7' ? symbol - '2' + 26 : -1;
}

/* RFC 4648 section 6: 10 to 64 bytes, padding right or absent, no bits left over, not all zero. */
static int secret_valid(slice text) {
    size_t symbols = text.len, bits;
    int any = 0, last = 0;
    while (symbols && text.at[symbols - 1] == '=') symbols--;
    if (symbols != text.len && (text.len % 8 || text.len - symbols > 7)) return 0;
    for (size_t i = 0; i < symbols; i++) {
        if ((last = symbol_value(text.at[i])) < 0) return 0;
        any |= last;
    }
    bits = symbols * 5;
    return any && bits % 8 < 5 && !(last & ((1 << bits % 8) - 1)) && bits / 8 >= 10 && bits / 8 <= 64;
}

static void check_enrolment(slice enrolment, slice request_username, slice request_secret) {
    char username[256], secret[128], given[128];
    long name_len = json_decode(request_username, username, sizeof username);
    must(name_len >= 0 && name_valid((slice){username, (size_t)name_len}));
    read_secret(json_member(enrolment, "totpsecret"), secret);
    if (request_secret.at) {
        read_secret(request_secret, given);
        must(!strcmp(secret, given));
    } else {
        must(strlen(secret) == 32);
    }
    must(json_is_string(json_member(enrolment, "username"), username));
    must_be_otpauth(json_member(enrolment, "uri"), ISSUER_ENCODED, username, secret);
}

static void check_created(slice request, answer *got) {
    static const char *const members[] = {"username", "totpsecret", NULL};
    only_members(request, members);
    must(png_side(got->data, got->data_len) >= 21 + 8);
    must_be_data_uri(json_member(got->json, "qr"), got->data, got->data_len);
    check_enrolment(got->json, json_member(request, "username"), json_member(request, "totpsecret"));
}

static void check_drawn(slice request, answer *got) {
    static const char *const members[] = {"username", "totpsecret", "text", NULL};
    char username[256], secret[128];
    long side = png_side(got->data, got->data_len);
    only_members(request, members);
    read_secret(json_member(request, "totpsecret"), secret);
    must(json_decode(json_member(request, "username"), username, sizeof username) > 0);
    must_be_otpauth(json_member(got->json, "uri"), ISSUER_ENCODED, username, secret);
    must(json_in_range(json_member(got->json, "width"), side, side));
    must(json_in_range(json_member(got->json, "height"), side, side));
    must(json_in_range(json_member(got->json, "bytes"), (long long)got->data_len, (long long)got->data_len));
}

static void check_prepared(slice request, answer *got) {
    static const char *const members[] = {"user", NULL};
    char secret[128], kept[128];
    slice shown = json_member(got->json, "userData"), session = json_member(got->json, "sessionData");
    slice username = json_member(json_member(request, "user"), "username");
    only_members(request, members);
    check_enrolment(shown, username, (slice){NULL, 0});
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
                      {factor2_qr_png, check_drawn},
                      {factor2_prepare_configuration, check_prepared}};
    if (!size || size > MAX_REQUEST / 32) return 0;
    int mode = (unsigned char)(*data - '0') % 7, operation_index = mode < 3 ? mode : mode == 4;
    slice input = {(const char *)data + 1, size - 1}, sent = {request, 0};
    const char *bar = memchr(input.at, '|', input.len);
    slice name = {input.at, bar ? (size_t)(bar - input.at) : input.len};
    slice given = {bar ? bar + 1 : NULL, bar ? input.len - name.len - 1 : 0};

    switch (mode) {
    case 0: /* the request itself, to each operation */
    case 1:
    case 2:
        sent = input;
        break;
    case 3: /* a user name put into JSON by snprintf alone */
    case 4:
        sent.len = (size_t)sprintf(request, "{\"username\":\"%.*s\",\"totpsecret\":\"" CANARY "\"}",
                                   (int)input.len, input.at);
        break;
    case 5: /* a broken secret */
        json_escape(input, secret, sizeof secret);
        sent.len = (size_t)sprintf(request, "{\"username\":\"alice\",\"totpsecret\":\"" CANARY "%s\"}", secret);
        break;
    default: /* a user name and, behind a bar, a secret, put into JSON as they should be */
        json_escape(name, username, sizeof username);
        json_escape(given, secret, sizeof secret);
        sent.len = (size_t)sprintf(request, given.at ? "{\"username\":\"%s\",\"totpsecret\":\"%s\"}"
                                                     : "{\"username\":\"%s\"}", username, secret);
    }

    answer got = call(operations[operation_index].call, authenticator, sent);
    if (got.status == FACTOR2_OK) {
        must(json_strict(sent));
        if (mode == 3 || mode == 4) must(json_is_string(json_member(sent, "totpsecret"), CANARY));
        operations[operation_index].check(sent, &got);
    }
    if (mode == 6) {
        int name_right = name_valid(name), secret_right = !given.at || secret_valid(given);
        must((got.status == FACTOR2_OK) == (name_right && secret_right));
        must(got.status != FACTOR2_BAD_REQUEST || !name_right || !utf8_valid(given));
        must(got.status != FACTOR2_INVALID_SECRET || !secret_right);
    }
    done(&got);
    return 0;
}
