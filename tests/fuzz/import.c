/* Texts to import: whatever they hold, each entry is read back to the same, opens when it is sealed, and nothing that is
 * refused is quoted. What becomes of otpauth URIs, another reader knows. */
#include "fuzz.h"

#include <strings.h>

const char *const never_in_an_error[] = {PART_OF_CANARY, "GY3TQOJQ", "DA0ODxAR", NULL};

static const char *const FORMATS[] = {
    "otpauth",   "otpauth-migration", "users-file",          "privacyidea-csv",
    "entra-csv", "keycloak",          "google-authenticator"};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof FORMATS[0] };

static factor2_authenticator *authenticator;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    authenticator = authenticator_for(
        "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k1\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"},"
        "\"use\":\"k1\"}," FOR_TESTS "}");
    return 0;
}

static result generate(const json_t *secret, const char *whose) {
    static char request[MAX_REQUEST], quoted[MAX_REQUEST / 2], name[MAX_REQUEST / 2];
    quote(text_of(secret), quoted, sizeof quoted);
    quote(slice_of(whose), name, sizeof name);
    must(strlen(quoted) + strlen(name) + 64 < sizeof request);
    sprintf(request, "{\"totpsecret\":%s,\"username\":%s}", quoted, name);
    return call(factor2_generate, authenticator, slice_of(request));
}

static void check_entry(const json_t *entry) {
    static const char *const members[] = {"username", "issuer",   "totpsecret",
                                          "sealed",   "warnings", NULL};
    struct otpauth read;
    const json_t *uri = json_object_get(entry, "totpsecret");
    const json_t *sealed = json_object_get(entry, "sealed");
    const char *username = json_string_value(json_object_get(entry, "username"));
    only_members(entry, members);
    must(username && json_is_string(json_object_get(entry, "issuer")));
    must(otpauth_uri(text_of(uri), &read));
    must((sealed != NULL) == (*username != 0));
    if (!sealed)
        return;
    result plain = generate(uri, username), opened = generate(sealed, username);
    must(plain.status == opened.status);
    if (plain.status == FACTOR2_OK)
        must(json_equal(json_object_get(plain.json, "otp"), json_object_get(opened.json, "otp")));
    done(&plain), done(&opened);
}

static int contains(const char *text, const char *part) {
    size_t len = strlen(part);
    for (; strlen(text) >= len; text++)
        if (!strncasecmp(text, part, len))
            return 1;
    return 0;
}

static void check_refused(const json_t *refused, long long *last) {
    static const char *const members[] = {"line", "why", NULL};
    const json_t *line = json_object_get(refused, "line");
    const char *why = json_string_value(json_object_get(refused, "why"));
    only_members(refused, members);
    must(in_range(line, *last + 1, 1 << 20));
    *last = json_integer_value(line);
    must(why && *why);
    for (size_t i = 0; never_in_an_error[i]; i++)
        must(!contains(why, never_in_an_error[i]));
}

/* Without the blanks and byte order marks around it. */
static slice trimmed_of_marks(slice line) {
    static const char mark[] = "\xef\xbb\xbf";
    size_t before;
    do {
        before = line.len;
        line = trimmed(line);
        if (line.len >= 3 && !memcmp(line.at, mark, 3))
            line = (slice){line.at + 3, line.len - 3};
        if (line.len >= 3 && !memcmp(line.at + line.len - 3, mark, 3))
            line.len -= 3;
    } while (line.len < before);
    return line;
}

/* Another reader takes the same lines. */
static void check_otpauth(slice text, const json_t *entries, const json_t *refused) {
    size_t taken = 0, left = 0;
    long long number = 0;
    while (text.len) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;
        slice line = trimmed_of_marks((slice){text.at, len});
        struct otpauth read, ours;
        number++;
        text = (slice){text.at + len + !!end, text.len - len - !!end};
        if (!line.len)
            continue;
        if (!otpauth_uri(line, &read)) {
            const json_t *row = json_array_get(refused, left++);
            must(json_integer_value(json_object_get(row, "line")) == number);
            continue;
        }
        must(otpauth_uri(text_of(json_object_get(json_array_get(entries, taken++), "totpsecret")),
                         &ours));
        must(!strcmp(ours.secret, read.secret) && !strcmp(ours.algorithm, read.algorithm));
        must(ours.digits == read.digits && ours.counter == read.counter);
        must(read.counter >= 0 || ours.period == read.period);
    }
    must(taken == json_array_size(entries) && left == json_array_size(refused));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char request[MAX_REQUEST], quoted[MAX_REQUEST / 2];
    if (!size || size > 4096)
        return 0;
    const char *format = FORMATS[(unsigned char)(*data - '0') % FORMAT_COUNT];
    int is_one_user_s = !strcmp(format, "google-authenticator");
    slice text = {(const char *)data + 1, size - 1};
    quote(text, quoted, sizeof quoted);
    sprintf(request, "{\"format\":\"%s\",\"text\":%s%s}", format, quoted,
            is_one_user_s ? ",\"username\":\"alice\"" : "");
    result got = call(factor2_import, authenticator, slice_of(request));
    if (!utf8_valid(text)) {
        must(got.status == FACTOR2_BAD_REQUEST);
    } else if (got.status == FACTOR2_OK) {
        static const char *const members[] = {"entries", "refused", NULL};
        const json_t *entries = json_object_get(got.json, "entries");
        const json_t *refused = json_object_get(got.json, "refused");
        long long last = 0;
        only_members(got.json, members);
        must(json_is_array(entries) && json_is_array(refused));
        for (size_t i = 0; i < json_array_size(entries); i++)
            check_entry(json_array_get(entries, i));
        for (size_t i = 0; i < json_array_size(refused); i++)
            check_refused(json_array_get(refused, i), &last);
        if (!strcmp(format, "otpauth"))
            check_otpauth(text, entries, refused);
    } else {
        must(got.status == FACTOR2_DATA_FORMAT);
        must(strcmp(format, "otpauth") && strcmp(format, "users-file") && !is_one_user_s &&
             strcmp(format, "privacyidea-csv"));
    }
    done(&got);
    return 0;
}
