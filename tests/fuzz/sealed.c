/* Sealed texts: one opens, for one user. Everything else is refused by the one message. */
#include "fuzz.h"

/* Of tests/vectors/sealed.json. */
#define SEALED                                                                                       \
    "f2s1.k1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXN2YOYxn6ObDjR4IrGR27ftH4pYc5ChKSoSX3fKEDmh7P97IeXeLWpo" \
    "K2IDpcAc_H2y5iX8Jh3XhoERW4UOj8jYjBYAFuO_lMRle5clPqeKs"
#define WHOSE "alice@example.com"
#define SECRET "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

const char *const never_in_an_error[] = {"EHPK3PXP", "DA0ODxAR", "ZGVmZ2hp", "N2YOYxn6", NULL};

static factor2_authenticator *authenticator;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    authenticator = authenticator_for(
        "{\"issuer\":\"X\",\"seal\":{\"keys\":{"
        "\"k1\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
        "\"2026-11\":\"ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=\"},\"use\":\"2026-11\"}," FOR_TESTS
        "}");
    return 0;
}

static int is(slice text, const char *expected) {
    return text.len == strlen(expected) && !memcmp(text.at, expected, text.len);
}

/* Nothing else has a dot and no "://", and its beginning is no secret. */
static int is_sealed(slice text) {
    return !is_uri(text) && text.len &&
           (memchr(text.at, '.', text.len) ||
            (text.len <= 4 && !memcmp(text.at, "f2s1", text.len)));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char changed[MAX_REQUEST / 8];
    static char request[MAX_REQUEST], quoted[MAX_REQUEST / 2], whose_quoted[MAX_REQUEST / 2];
    if (!size || size > 4096)
        return 0;
    int mode = (unsigned char)(*data - '0') % 5;
    slice input = {(const char *)data + 1, size - 1}, text = slice_of(SEALED);
    slice whose = slice_of(WHOSE);
    const char *member = mode == 3 || mode == 4 ? "bind" : "username";
    switch (mode) {
    case 0: text = input; break;
    case 1: text = almost(SEALED, input, changed); break;
    case 2:
    case 3: whose = input; break;
    default: text = almost(SEALED, input, changed);
    }
    quote(text, quoted, sizeof quoted);
    quote(whose, whose_quoted, sizeof whose_quoted);
    must(strlen(quoted) + strlen(whose_quoted) + 64 < sizeof request);
    sprintf(request, "{\"totpsecret\":%s,\"%s\":%s}", quoted, member, whose_quoted);
    result got = call(factor2_generate, authenticator, slice_of(request));

    int by_bind = *member == 'b';
    if (!utf8_valid(text) || !utf8_valid(whose) || (by_bind && (!whose.len || whose.len > 255))) {
        must(got.status == FACTOR2_BAD_REQUEST);
    } else if (is_sealed(text)) {
        slice name = by_bind ? whose : trimmed(whose);
        int opens = is(text, SEALED) && is(name, WHOSE);
        const char *why = name.len
                              ? "totpsecret: sealed, and does not open: it was changed, is another "
                                "user's, or its key is not in config.seal.keys"
                              : "totpsecret: sealed, and the request has neither username nor bind";
        must(got.status == (opens ? FACTOR2_OK : FACTOR2_INVALID_SECRET));
        if (opens)
            must(is_text(json_object_get(got.json, "otp"), "503347"));
        else
            must(is_text(json_object_get(json_object_get(got.json, "error"), "message"), why));
    } else {
        struct otpauth uri;
        char secret[SECRET_ROOM];
        int taken = otpauth_uri(text, &uri) || base32_secret(text, secret);
        must(got.status == (taken ? FACTOR2_OK : FACTOR2_INVALID_SECRET));
    }
    done(&got);
    return 0;
}
