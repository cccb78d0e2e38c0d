/* factor2_verify_recovery_code: a code is accepted by the set that has it, under its number, and no other is. */
#include "fuzz.h"

/* Of tests/vectors/recovery.json. */
#define RECOVERY                                                                                      \
    "f2r1.AAECAwQFBgcICQoLDA0ODxLcJH4goEHtjOCOEoCR93NjCAzTemmaCbeqoCQFYoTeX-pMkRwKmPAunPMAmu7_XnNeaR" \
    "zMIsU64TkIT43NQW7vxEcVaco5KeaNp3ctMPARdVpzhOZ8vPW8Oi9bkyucGIp-h092lbsvB5HEc7sICyevotWltm8KCkmV"  \
    "KirU5sCdhoWzbe8Vkip3wvf53coB7XBijJd8vIJqdOJrEzy9-SQ"
#define PART 16
#define MOST (PART * 33)

static const char *const codes[] = {"3U9RY7W5HFN9488UTS5ZXVU2", "CN4M4W63EHP36AHKXY8UYRA2",
                                    "HKR7ZEVB76YB8N3X4PRVGZ2R", "RLYX72JJT3DR5M8Z4BJXQCQW",
                                    "D74ZGBD8DXKFAVBM9TQPFQA4", "RNXFJ4GACXCGR2JPHTKZA948",
                                    "N53W9MBNUKLND5PVFAUXZ2VD", "ZM7ZAV3BT4C94XU5FEU2J4AU",
                                    "B5PMA46GUQM8RYZ5PF8JL5VE", "DFSDWN9ZTQ99MAZWGNNF6DAW"};
#define COUNT ((int)(sizeof codes / sizeof *codes))

const char *const never_in_an_error[] = {"3U9RY7W5", "3U9R-Y7W5", "HKR7-ZEVB", "DA0ODxAR", NULL};

static factor2_authenticator *authenticator;
static unsigned char original[MOST];

/* Base64url without padding, in its one form; the length in bytes, or -1. */
static int decode(slice text, unsigned char bytes[MOST]) {
    static const char symbols[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned buffer = 0, bits = 0;
    int len = 0;
    if (text.len % 4 == 1)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        const char *symbol = text.at[i] ? strchr(symbols, text.at[i]) : NULL;
        if (!symbol)
            return -1;
        buffer = (buffer << 6 | (unsigned)(symbol - symbols)) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (len == MOST)
                return -1;
            bytes[len++] = (unsigned char)(buffer >> bits);
            buffer &= (1u << bits) - 1;
        }
    }
    return buffer ? -1 : len;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    slice text = {&RECOVERY[5], strlen(RECOVERY) - 5};
    authenticator = authenticator_for("{\"issuer\":\"X\"," FOR_TESTS "}");
    must(decode(text, original) == PART * (1 + COUNT));
    return 0;
}

/* The status that a code gets, and its number and what remains when it is accepted. */
static factor2_status expected(slice recovery, slice typed, int *number, int *remaining) {
    unsigned char bytes[MOST];
    char code[RECOVERY_ROOM];
    int len = -1, is_code;
    if (!utf8_valid(recovery) || !utf8_valid(typed))
        return FACTOR2_BAD_REQUEST;
    if (recovery.len > 5 && !memcmp(recovery.at, "f2r1.", 5))
        len = decode((slice){recovery.at + 5, recovery.len - 5}, bytes);
    if (len < 2 * PART || len % PART)
        return FACTOR2_DATA_FORMAT;
    is_code = typed_recovery(typed, code);
    *remaining = len / PART - 2;
    for (*number = 1; is_code && *number <= COUNT && *number < len / PART; ++*number)
        if (!strcmp(code, codes[*number - 1]) && !memcmp(bytes, original, PART) &&
            !memcmp(bytes + PART * *number, original + PART * *number, PART))
            return FACTOR2_OK;
    return FACTOR2_INVALID_TOKEN;
}

static void check(slice recovery, slice typed) {
    static char request[MAX_REQUEST], recovery_quoted[MAX_REQUEST / 2], quoted[MAX_REQUEST / 2];
    int number, remaining;
    quote(recovery, recovery_quoted, sizeof recovery_quoted);
    quote(typed, quoted, sizeof quoted);
    must(strlen(recovery_quoted) + strlen(quoted) + 64 < sizeof request);
    sprintf(request, "{\"recovery\":%s,\"code\":%s}", recovery_quoted, quoted);
    result got = call(factor2_verify_recovery_code, authenticator, slice_of(request));
    must(got.status == expected(recovery, typed, &number, &remaining));
    if (got.status == FACTOR2_OK) {
        must(json_is_true(json_object_get(got.json, "accepted")));
        must(in_range(json_object_get(got.json, "number"), number, number));
        must(in_range(json_object_get(got.json, "remaining"), remaining, remaining));
    }
    done(&got);
}

/* What an accepted request says is what was expected of it. */
static void check_request(slice request) {
    static const char *const members[] = {"recovery", "code", "number", "used", NULL};
    int number, remaining;
    result got = call(factor2_verify_recovery_code, authenticator, request);
    json_t *taken = got.status == FACTOR2_OK ? read_accepted(request) : NULL;
    if (taken) {
        json_t *demanded = json_object_get(taken, "number");
        only_members(taken, members);
        must(expected(text_of(json_object_get(taken, "recovery")),
                      text_of(json_object_get(taken, "code")), &number, &remaining) == FACTOR2_OK);
        must(in_range(json_object_get(got.json, "number"), number, number));
        must(!demanded || in_range(demanded, number, number));
    }
    json_decref(taken);
    done(&got);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static char text[MAX_REQUEST], request[MAX_REQUEST];
    if (!size || size > 4096)
        return 0;
    int mode = (unsigned char)(*data - '0') % 6, which = (unsigned char)data[size - 1] % COUNT;
    slice input = {(const char *)data + 1, size - 1}, recovery = slice_of(RECOVERY);
    switch (mode) {
    case 0: check_request(input); break;
    case 1: check(recovery, input); break;
    case 2: check(recovery, almost(codes[which], input, text)); break;
    case 3: check(input, slice_of(codes[which])); break;
    case 4: check(almost(RECOVERY, input, text), slice_of(codes[which])); break;
    default: /* a code put into JSON by snprintf alone */
        sprintf(request, "{\"recovery\":\"" RECOVERY "\",\"code\":\"%.*s\"}", (int)input.len,
                input.at);
        check_request(slice_of(request));
    }
    return 0;
}
