/* JSON as Jansson reads it. */
#include "fuzz.h"

#define MAX_DEPTH 8

static int depth_of(const json_t *value) {
    int deepest = 0;
    const char *name;
    size_t i;
    json_t *inner;
    json_object_foreach((json_t *)value, name, inner) {
        int depth = depth_of(inner);
        deepest = depth > deepest ? depth : deepest;
    }
    json_array_foreach(value, i, inner) {
        int depth = depth_of(inner);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + (json_is_object(value) || json_is_array(value));
}

json_t *read_json(slice text, int *unsure) {
    json_error_t error;
    json_t *value = json_loadb(text.at, text.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    *unsure = !value && (json_error_code(&error) == json_error_numeric_overflow ||
                         json_error_code(&error) == json_error_null_byte_in_key);
    if (value && depth_of(value) > MAX_DEPTH) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

json_t *read_accepted(slice text) {
    int unsure;
    json_t *value = read_json(text, &unsure);
    must(value || unsure);
    return value;
}

slice text_of(const json_t *string) {
    must(json_is_string(string));
    return (slice){json_string_value(string), json_string_length(string)};
}

int is_text(const json_t *value, const char *expected) {
    return json_is_string(value) && json_string_length(value) == strlen(expected) &&
           !strcmp(json_string_value(value), expected);
}

int in_range(const json_t *value, long long min, long long max) {
    return json_is_integer(value) && json_integer_value(value) >= min &&
           json_integer_value(value) <= max;
}

int utf8_valid(slice text) {
    json_t *string = json_stringn(text.at ? text.at : "", text.len);
    json_decref(string);
    return string != NULL;
}

size_t quote(slice text, char *out, size_t room) {
    size_t len = factor2_json_quote(text.at ? text.at : "", text.len, out, room);
    must(utf8_valid(text) == (len != (size_t)-1));
    if (len == (size_t)-1) {
        must(text.len + 3 <= room);
        *out = '"';
        for (size_t i = 0; i < text.len; i++) {
            unsigned char byte = (unsigned char)text.at[i];
            out[1 + i] = byte < 0x20 || byte == '"' || byte == '\\' ? ' ' : (char)byte;
        }
        strcpy(out + 1 + text.len, "\"");
        return text.len + 2;
    }
    must(len < room && strlen(out) == len);
    json_t *read = read_accepted((slice){out, len});
    slice meant = text_of(read);
    must(meant.len == text.len && !memcmp(meant.at, text.at ? text.at : "", meant.len));
    json_decref(read);
    return len;
}
