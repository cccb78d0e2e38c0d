#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int continuation(const unsigned char *at, const unsigned char *end, int count) {
    if (end - at <= count)
        return 0;
    for (int i = 1; i <= count; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return 1;
}

int utf8_valid(slice text) {
    const unsigned char *at = (const unsigned char *)text.at, *end = at + text.len;
    while (at < end) {
        unsigned char first = *at, second = end - at > 1 ? at[1] : 0;
        int more = first < 0x80   ? 0
                   : first < 0xC2 ? -1
                   : first < 0xE0 ? 1
                   : first < 0xF0 ? 2
                   : first < 0xF5 ? 3
                                  : -1;
        if (more < 0 || !continuation(at, end, more))
            return 0;
        if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F))
            return 0;
        if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
            return 0;
        at += more + 1;
    }
    return 1;
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && strchr(" \t\r\n", *at) && *at)
        at++;
    return at;
}

static int hex4(const char *at, const char *end, unsigned *value) {
    *value = 0;
    if (end - at < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdefABCDEF",
                   *found = at[i] ? strchr(digits, at[i]) : NULL;
        if (!found)
            return 0;
        *value =
            *value * 16 + (unsigned)(found - digits < 16 ? found - digits : found - digits - 6);
    }
    return 1;
}

/* The skip functions return where the next token may start, or NULL for what is not JSON. */
static const char *skip_string(const char *at, const char *end) {
    unsigned unit;
    if (at == end || *at++ != '"')
        return NULL;
    for (; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at != '\\')
            continue;
        if (++at == end || !*at || !strchr("\"\\/bfnrtu", *at))
            return NULL;
        if (*at != 'u')
            continue;
        if (!hex4(at + 1, end, &unit))
            return NULL;
        at += 4;
    }
    return at == end ? NULL : at + 1;
}

static const char *skip_digits(const char *at, const char *end) {
    const char *first = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at == first ? NULL : at;
}

static const char *skip_number(const char *at, const char *end) {
    if (at < end && *at == '-')
        at++;
    if (at < end && *at == '0')
        at++;
    else if (!(at = skip_digits(at, end)))
        return NULL;
    if (at < end && *at == '.' && !(at = skip_digits(at + 1, end)))
        return NULL;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = skip_digits(at, end);
    }
    return at;
}

static const char *skip_value(const char *at, const char *end, int depth) {
    static const char *const words[] = {"true", "false", "null"};
    if (at == end)
        return NULL;
    if (*at == '"')
        return skip_string(at, end);
    if (*at != '{' && *at != '[') {
        for (int i = 0; i < 3; i++)
            if ((size_t)(end - at) >= strlen(words[i]) && !memcmp(at, words[i], strlen(words[i])))
                return at + strlen(words[i]);
        return skip_number(at, end);
    }
    if (depth == JSON_MAX_DEPTH)
        return NULL;
    char close = *at == '{' ? '}' : ']';
    at = skip_blanks(at + 1, end);
    if (at < end && *at == close)
        return at + 1;
    for (;;) {
        if (close == '}') {
            if (!(at = skip_string(at, end)))
                return NULL;
            at = skip_blanks(at, end);
            if (at == end || *at++ != ':')
                return NULL;
            at = skip_blanks(at, end);
        }
        if (!(at = skip_value(at, end, depth + 1)))
            return NULL;
        at = skip_blanks(at, end);
        if (at == end)
            return NULL;
        if (*at == close)
            return at + 1;
        if (*at++ != ',')
            return NULL;
        at = skip_blanks(at, end);
    }
}

/* The next element of a list or member of an object; `name` is NULL for a list. */
static int next_item(slice *rest, slice *name, slice *value) {
    const char *at = rest->at, *end = at + rest->len, *after;
    at = skip_blanks(at, end);
    if (at < end && strchr("{[,", *at))
        at = skip_blanks(at + 1, end);
    if (at == end || *at == '}' || *at == ']')
        return 0;
    if (name) {
        after = skip_string(at, end);
        *name = (slice){at, (size_t)(after - at)};
        at = skip_blanks(skip_blanks(after, end) + 1, end);
    }
    after = skip_value(at, end, 0);
    *value = (slice){at, (size_t)(after - at)};
    *rest = (slice){after, (size_t)(end - after)};
    return 1;
}

int json_next(slice *rest, slice *name, slice *value) { return next_item(rest, name, value); }

static int same_string(slice a, slice b) {
    char *left = malloc(a.len + 1), *right = malloc(b.len + 1);
    long a_len = json_decode(a, left, a.len + 1), b_len = json_decode(b, right, b.len + 1);
    int same = a_len < 0 || b_len < 0 ? a.len == b.len && !memcmp(a.at, b.at, a.len)
                                      : a_len == b_len && !memcmp(left, right, (size_t)a_len);
    free(left);
    free(right);
    return same;
}

static int names_differ(slice value) {
    slice rest = value, name, inner;
    if (!value.len || (*value.at != '{' && *value.at != '['))
        return 1;
    int object = *value.at == '{';
    while (next_item(&rest, object ? &name : NULL, &inner)) {
        slice later = rest, other, ignored;
        if (!names_differ(inner))
            return 0;
        while (object && next_item(&later, &other, &ignored))
            if (same_string(name, other))
                return 0;
    }
    return 1;
}

int json_strict(slice text) {
    const char *end = text.at + text.len, *at = skip_blanks(text.at, end);
    const char *after = skip_value(at, end, 0);
    return after && skip_blanks(after, end) == end && utf8_valid(text) &&
           names_differ((slice){at, (size_t)(after - at)});
}

slice json_member(slice object, const char *wanted) {
    slice name, value;
    if (object.at) {
        const char *start = skip_blanks(object.at, object.at + object.len);
        object = (slice){start, (size_t)(object.at + object.len - start)};
    }
    if (object.at && object.len && *object.at == '{')
        while (json_next(&object, &name, &value))
            if (json_is_string(name, wanted))
                return value;
    return (slice){NULL, 0};
}

static size_t encode_utf8(unsigned point, char *out) {
    if (point < 0x80)
        return out[0] = (char)point, 1;
    if (point < 0x800)
        return out[0] = (char)(0xC0 | point >> 6), out[1] = (char)(0x80 | (point & 63)), 2;
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12), out[1] = (char)(0x80 | (point >> 6 & 63));
        return out[2] = (char)(0x80 | (point & 63)), 3;
    }
    out[0] = (char)(0xF0 | point >> 18), out[1] = (char)(0x80 | (point >> 12 & 63));
    return out[2] = (char)(0x80 | (point >> 6 & 63)), out[3] = (char)(0x80 | (point & 63)), 4;
}

long json_decode(slice string, char *out, size_t room) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t len = 0;
    if (!string.at || string.len < 2 || *string.at != '"')
        return -1;
    const char *at = string.at + 1, *end = string.at + string.len - 1;
    while (at < end) {
        char bytes[4] = {*at++};
        size_t count = 1;
        unsigned unit, low;
        if (bytes[0] == '\\' && *at == 'u') {
            if (!hex4(at + 1, end, &unit))
                return -1;
            at += 5;
            if (unit >= 0xDC00 && unit < 0xE000)
                return -1;
            if (unit >= 0xD800 && unit < 0xDC00) {
                if (end - at < 6 || at[0] != '\\' || at[1] != 'u' || !hex4(at + 2, end, &low))
                    return -1;
                if (low < 0xDC00 || low >= 0xE000)
                    return -1;
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                at += 6;
            }
            count = encode_utf8(unit, bytes);
        } else if (bytes[0] == '\\') {
            bytes[0] = to[strchr(from, *at++) - from];
        }
        if (len + count >= room)
            return -1;
        memcpy(out + len, bytes, count);
        len += count;
    }
    if (len >= room)
        return -1;
    out[len] = 0;
    return (long)len;
}

int json_is(slice value, const char *raw_json) {
    return value.at && value.len == strlen(raw_json) && !memcmp(value.at, raw_json, value.len);
}

int json_is_string(slice value, const char *expected) {
    char *text = malloc(value.len + 1);
    int same = json_decode(value, text, value.len + 1) == (long)strlen(expected) &&
               !strcmp(text, expected);
    free(text);
    return same;
}

int json_is_integer(slice value) {
    if (!value.at || !value.len || (*value.at != '-' && (*value.at < '0' || *value.at > '9')))
        return 0;
    return !memchr(value.at, '.', value.len) && !memchr(value.at, 'e', value.len) &&
           !memchr(value.at, 'E', value.len);
}

int json_in_range(slice value, long long min, long long max) {
    char digits[32];
    if (!json_is_integer(value) || value.len >= sizeof digits)
        return 0;
    memcpy(digits, value.at, value.len);
    digits[value.len] = 0;
    errno = 0;
    long long number = strtoll(digits, NULL, 10);
    return !errno && number >= min && number <= max;
}

size_t json_escape(slice bytes, char *out, size_t room) {
    size_t len = 0;
    for (size_t i = 0; i < bytes.len && len + 7 < room; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        if (byte < 0x20)
            len += (size_t)sprintf(out + len, "\\u%04x", byte);
        else {
            if (byte == '"' || byte == '\\')
                out[len++] = '\\';
            out[len++] = (char)byte;
        }
    }
    out[len] = 0;
    return len;
}
