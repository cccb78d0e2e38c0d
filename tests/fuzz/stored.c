/* Stored forms: base32 and URIs are what another reader takes them for, and the same when they are sealed. */
#include "fuzz.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

const char *const never_in_an_error[] = {"GY3TQOJQ", "DA0ODxAR", NULL};

static factor2_authenticator *authenticator;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    authenticator = authenticator_for(
        "{\"issuer\":\"X\",\"algorithm\":\"SHA256\",\"digits\":7,\"period\":45,"
        "\"qr\":{\"module_px\":1,\"quiet_zone\":0,\"error_correction\":\"L\"},"
        "\"seal\":{\"keys\":{\"k1\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"},"
        "\"use\":\"k1\"}," FOR_TESTS "}");
    return 0;
}

/* Whether it is a secret; with the scheme of the settings where it has none of its own. */
static int is_secret(slice text, struct otpauth *read) {
    if (is_uri(text))
        return otpauth_uri(text, read);
    *read = (struct otpauth){.algorithm = "SHA256", .digits = 7, .period = 45, .counter = -1};
    return base32_secret(text, read->secret);
}

static result ask(factor2_operation operation, const char *quoted) {
    static char request[MAX_REQUEST];
    must(strlen(quoted) + 64 < sizeof request);
    sprintf(request, "{\"username\":\"alice\",\"totpsecret\":%s}", quoted);
    return call(operation, authenticator, slice_of(request));
}

static void check_uri(const json_t *uri, const struct otpauth *read) {
    char expected[SECRET_ROOM + 128];
    const char *type = read->counter < 0 ? "totp" : "hotp";
    int len = sprintf(expected, "otpauth://%s/X:alice?secret=%s&issuer=X", type, read->secret);
    if (strcmp(read->algorithm, "SHA1"))
        len += sprintf(expected + len, "&algorithm=%s", read->algorithm);
    if (read->digits != 6)
        len += sprintf(expected + len, "&digits=%lld", read->digits);
    if (read->counter >= 0)
        sprintf(expected + len, "&counter=%lld", read->counter);
    else if (read->period != 30)
        sprintf(expected + len, "&period=%lld", read->period);
    must(is_text(uri, expected));
}

/* Sealed, it is the same. */
static void check_sealed(const char *quoted, const struct otpauth *read) {
    static char sealed_quoted[MAX_REQUEST];
    result sealed = ask(factor2_seal, quoted);
    must(sealed.status == FACTOR2_OK);
    slice text = text_of(json_object_get(sealed.json, "sealed"));
    must(!memcmp(text.at, "f2s1.k1.", 8));
    quote(text, sealed_quoted, sizeof sealed_quoted);
    result plain = ask(factor2_generate, quoted), opened = ask(factor2_generate, sealed_quoted);
    must(plain.status == FACTOR2_OK && opened.status == FACTOR2_OK);
    json_t *otp = json_object_get(plain.json, "otp");
    must((long long)text_of(otp).len == read->digits);
    must(json_equal(otp, json_object_get(opened.json, "otp")));
    done(&sealed), done(&plain), done(&opened);
}

static void check_number(const json_t *answer, const char *name, long long expected) {
    const json_t *number = json_object_get(answer, name);
    must(expected < 0 ? number == NULL : in_range(number, expected, expected));
}

/* As a URI that is not stored, it says the same, or is none. */
static void check_read(const char *quoted, const struct otpauth *read) {
    static char request[MAX_REQUEST];
    sprintf(request, "{\"uri\":%s}", quoted);
    result got = call(factor2_read_uri, authenticator, slice_of(request));
    must(got.status == (read != NULL ? FACTOR2_OK : FACTOR2_INVALID_SECRET));
    if (read != NULL) {
        int is_totp = read->counter < 0;
        must(is_text(json_object_get(got.json, "type"), is_totp ? "totp" : "hotp"));
        must(is_text(json_object_get(got.json, "totpsecret"), read->secret));
        must(is_text(json_object_get(got.json, "algorithm"), read->algorithm));
        check_number(got.json, "digits", read->digits);
        check_number(got.json, "period", is_totp ? read->period : -1);
        check_number(got.json, "counter", read->counter);
        must(json_is_array(json_object_get(got.json, "warnings")));
    }
    done(&got);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static const char *const beginnings[] = {
        "", "otpauth://totp/a?", "otpauth://totp/a?secret=" SECRET "&",
        "otpauth://hotp/a?counter=1&",
        "otpauth://totp/a?digits=8&algorithm=SHA512&period=60&secret="};
    static char text[MAX_REQUEST / 8], quoted[MAX_REQUEST];
    struct otpauth read;
    if (!size || size > 4096)
        return 0;
    const char *beginning = beginnings[(unsigned char)(*data - '0') % 5];
    slice stored = {text, strlen(beginning) + size - 1};
    memcpy(text, beginning, strlen(beginning));
    memcpy(text + strlen(beginning), data + 1, size - 1);
    quote(stored, quoted, sizeof quoted);

    int taken = utf8_valid(stored) && is_secret(stored, &read);
    result got = ask(factor2_create_secret, quoted);
    if (!utf8_valid(stored))
        must(got.status == FACTOR2_BAD_REQUEST);
    else
        must(got.status == (taken ? FACTOR2_OK : FACTOR2_INVALID_SECRET));
    if (got.status == FACTOR2_OK) {
        must(is_text(json_object_get(got.json, "totpsecret"), read.secret));
        check_uri(json_object_get(got.json, "uri"), &read);
    }
    if (taken)
        check_sealed(quoted, &read);
    if (utf8_valid(stored))
        check_read(quoted, taken && is_uri(stored) ? &read : NULL);
    done(&got);
    return 0;
}
