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

/* Whether a URI with a counter was asked for: the target "stored" knows what it says. */
static int is_of_counter(const json_t *request) {
    json_t *type = json_object_get(request, "type");
    must(!type || is_text(type, "totp") || is_text(type, "hotp"));
    return type && is_text(type, "hotp");
}

static void check_enrollment(const json_t *enrollment, const json_t *request_username,
                             const json_t *request_secret) {
    char secret[SECRET_ROOM], given[SECRET_ROOM];
    slice username = text_of(request_username), shown = trimmed(username);
    slice given_back = text_of(json_object_get(enrollment, "username"));
    must(!read_secret(json_object_get(enrollment, "totpsecret"), secret));
    if (request_secret && is_uri(text_of(request_secret)))
        return;
    if (request_secret) {
        read_secret(request_secret, given);
        must(!strcmp(secret, given));
    } else {
        must(strlen(secret) == 32 && name_valid(username));
    }
    must(given_back.len == shown.len && !memcmp(given_back.at, shown.at, shown.len));
    must_be_otpauth(json_object_get(enrollment, "uri"), ISSUER_ENCODED, shown, secret);
}

/* An upper bound for the URI's length, and how much always fits at error correction L. */
static int uri_fits(slice name, slice secret) {
    return sizeof "otpauth://totp/:?secret=&issuer=" + 2 * strlen(ISSUER_ENCODED) + 3 * name.len +
               secret.len <
           2953;
}

static void check_created(const json_t *request, result *got) {
    static const char *const members[] = {"username", "totpsecret", "type", "bind", NULL};
    only_members(request, members);
    must(png_side(got->data, got->data_len) >= 21 + 8);
    must_be_data_uri(json_object_get(got->json, "qr"), got->data, got->data_len);
    if (!is_of_counter(request))
        check_enrollment(got->json, json_object_get(request, "username"),
                         json_object_get(request, "totpsecret"));
}

/* The picture's height; each line has blocks for as many modules, and ends. */
static long must_be_blocks(slice picture, long width) {
    static const char *const blocks[] = {" ", "\xE2\x96\x80", "\xE2\x96\x84", "\xE2\x96\x88"};
    long lines = 0, column = 0;
    for (const char *at = picture.at, *end = at + picture.len; at < end;) {
        if (*at == '\n') {
            must(column == width);
            at++, lines++, column = 0;
            continue;
        }
        int kind = 0;
        while (kind < 4 && strncmp(at, blocks[kind], strlen(blocks[kind])))
            kind++;
        must(kind < 4);
        at += strlen(blocks[kind]), column++;
    }
    must(!column);
    return lines;
}

/* The whole text, of modules of one pixel: nothing in it but outlines. */
static void must_be_svg(slice picture, long width) {
    char start[300];
    size_t start_len =
        (size_t)sprintf(start,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" "
                        "viewBox=\"0 0 %ld %ld\" shape-rendering=\"crispEdges\">"
                        "<rect width=\"%ld\" height=\"%ld\" fill=\"#ffffff\"/>"
                        "<path fill=\"#000000\" fill-rule=\"evenodd\" d=\"m4+4h7v7h-7z",
                        width, width, width, width, width, width);
    must(picture.len > start_len && !memcmp(picture.at, start, start_len));
    const char *end = picture.at + start_len;
    end += strspn(end, "mhvz+-0123456789");
    must(picture.at + picture.len - end == 9 && !memcmp(end, "\"/></svg>", 9));
}

static void check_drawn(const json_t *request, result *got) {
    static const char *const members[] = {"username", "totpsecret", "format", "type", "bind", NULL};
    char secret[SECRET_ROOM];
    json_t *format = json_object_get(request, "format");
    long width = (long)json_integer_value(json_object_get(got->json, "width")), height;
    only_members(request, members);
    int by_uri = is_uri(text_of(json_object_get(request, "totpsecret")));
    if (!by_uri)
        read_secret(json_object_get(request, "totpsecret"), secret);
    slice username = trimmed(text_of(json_object_get(request, "username")));
    if (!by_uri && !is_of_counter(request))
        must_be_otpauth(json_object_get(got->json, "uri"), ISSUER_ENCODED, username, secret);
    must(!format || is_text(format, "png") || is_text(format, "svg") || is_text(format, "text"));
    must(is_text(json_object_get(got->json, "format"), format ? text_of(format).at : "png"));
    if (format && is_text(format, "text")) {
        height = must_be_blocks((slice){(const char *)got->data, got->data_len}, width);
        must(height == (width + 1) / 2);
    } else if (format && is_text(format, "svg")) {
        must_be_svg((slice){(const char *)got->data, got->data_len}, width);
        height = width;
    } else {
        height = png_side(got->data, got->data_len);
        must(width == height);
    }
    must(in_range(json_object_get(got->json, "height"), height, height));
    must(in_range(json_object_get(got->json, "bytes"), (long long)got->data_len,
                  (long long)got->data_len));
}

static void check_prepared(const json_t *request, result *got) {
    static const char *const members[] = {"user", NULL};
    char secret[SECRET_ROOM], kept[SECRET_ROOM];
    json_t *shown = json_object_get(got->json, "userData"),
           *session = json_object_get(got->json, "sessionData");
    only_members(request, members);
    check_enrollment(shown, json_object_get(json_object_get(request, "user"), "username"), NULL);
    read_secret(json_object_get(shown, "totpsecret"), secret);
    read_secret(json_object_get(session, "totpsecret"), kept);
    must(!strcmp(secret, kept));
    must(is_text(json_object_get(shown, "factor2"), FACTOR));
    must(is_text(json_object_get(session, "factor2"), FACTOR));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char request[MAX_REQUEST], username[MAX_REQUEST / 4], secret[MAX_REQUEST / 4];
    static const struct {
        factor2_operation call;
        void (*check)(const json_t *request, result *);
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
        quote(input, secret, sizeof secret);
        sent.len = (size_t)sprintf(
            request, "{\"username\":\"alice\",\"totpsecret\":\"" CANARY "%s}", secret + 1);
        break;
    default: /* a user name and, behind a bar, a secret, put into JSON as they should be */
        quote(name, username, sizeof username);
        quote(given, secret, sizeof secret);
        sent.len = (size_t)sprintf(
            request, given.at ? "{\"username\":%s,\"totpsecret\":%s}" : "{\"username\":%s}",
            username, secret);
    }

    result got = call(operations[operation_index].call, authenticator, sent);
    json_t *taken = got.status == FACTOR2_OK ? read_accepted(sent) : NULL;
    if (taken) {
        if (mode == 3 || mode == 4)
            must(is_text(json_object_get(taken, "totpsecret"), CANARY));
        operations[operation_index].check(taken, &got);
    }
    json_decref(taken);
    if (mode == 6 && !is_uri(given)) {
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
