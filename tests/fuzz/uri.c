/* otpauth URIs, read by code of its own. */
#include "fuzz.h"

#include <ctype.h>
#include <strings.h>

static int begins(slice text, const char *word) {
    return text.len >= strlen(word) && !strncasecmp(text.at, word, strlen(word));
}

int is_uri(slice text) {
    if (begins(text, "otpauth:") || begins(text, "apple-otpauth:"))
        return 1;
    for (size_t i = 0; i + 3 <= text.len; i++)
        if (!memcmp(text.at + i, "://", 3))
            return 1;
    return 0;
}

static int is_word(slice text, const char *word) {
    return text.len == strlen(word) && !strncasecmp(text.at, word, text.len);
}

/* What is in front of the first `end`, which goes; all of it if there is none. */
static slice cut(slice *rest, char end) {
    const char *at = memchr(rest->at, end, rest->len);
    slice front = {rest->at, at ? (size_t)(at - rest->at) : rest->len};
    size_t gone = front.len + (at != NULL);
    *rest = (slice){rest->at + gone, rest->len - gone};
    return front;
}

/* 0 where a NUL or something that is no UTF-8 comes of it. */
static int decode(slice text, int is_query, char *out, slice *decoded) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        if (byte == '%' && i + 2 < text.len && isxdigit((unsigned char)text.at[i + 1]) &&
            isxdigit((unsigned char)text.at[i + 2])) {
            char hex[3] = {text.at[i + 1], text.at[i + 2], 0};
            byte = (char)strtol(hex, NULL, 16);
            i += 2;
        } else if (byte == '+' && is_query) {
            byte = ' ';
        }
        if (!byte)
            return 0;
        out[len++] = byte;
    }
    *decoded = (slice){out, len};
    return utf8_valid(*decoded);
}

static int number(slice text, long long min, long long max, long long *value) {
    unsigned long long read = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || read > 1000000000000000000ULL)
            return 0;
        read = 10 * read + (unsigned)(text.at[i] - '0');
    }
    *value = (long long)read;
    return text.len && read >= (unsigned long long)min && read <= (unsigned long long)max;
}

static const char *algorithm(slice text) {
    static const char *const names[] = {"SHA1", "SHA256", "SHA512"};
    char name[64];
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '-' && len < sizeof name - 1)
            name[len++] = (char)toupper((unsigned char)text.at[i]);
    }
    name[len] = 0;
    const char *at = name;
    while (!strncmp(at, "HMAC", 4))
        at += 4;
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(at, names[i]))
            return names[i];
    return NULL;
}

int otpauth_uri(slice text, struct otpauth *read) {
    static const char *const names[] = {"secret", "algorithm", "digits",
                                        "period", "counter",   "issuer"};
    static char room[MAX_REQUEST];
    char *out = room;
    int seen = 0;
    slice rest = text, label;
    if (!is_word(cut(&rest, ':'), "otpauth")) {
        rest = text;
        if (!is_word(cut(&rest, ':'), "apple-otpauth"))
            return 0;
    }
    if (rest.len < 2 || memcmp(rest.at, "//", 2))
        return 0;
    rest = (slice){rest.at + 2, rest.len - 2};
    rest = cut(&rest, '#');
    slice path = cut(&rest, '?'), kind = cut(&path, '/');
    int is_totp = is_word(kind, "totp");
    *read = (struct otpauth){.algorithm = "SHA1", .digits = 6, .period = 30, .counter = -1};
    if ((!is_totp && !is_word(kind, "hotp")) || !decode(path, 0, out, &label))
        return 0;
    while (rest.len) {
        slice value = cut(&rest, '&'), name = cut(&value, '=');
        int i = 0;
        while (i < 6 && !is_word(name, names[i]))
            i++;
        if (i == 6)
            continue;
        if (seen >> i & 1 || !decode(value, 1, out, &value))
            return 0;
        seen |= 1 << i;
        out += value.len;
        if ((i == 0 && !base32_secret(value, read->secret)) ||
            (i == 1 && !(read->algorithm = algorithm(value))) ||
            (i == 2 && !number(value, 6, 8, &read->digits)) ||
            (i == 3 && is_totp && !number(value, 15, 120, &read->period)) ||
            (i == 4 && !is_totp && !number(value, 0, 9223372036854775806, &read->counter)))
            return 0;
    }
    return seen & 1 && (is_totp || read->counter >= 0);
}
