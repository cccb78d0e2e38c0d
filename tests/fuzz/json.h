/* A small strict JSON reader for the oracles, written apart from the library so that the two can disagree. */
#ifndef FUZZ_JSON_H
#define FUZZ_JSON_H

#include <stddef.h>

#define JSON_MAX_DEPTH 8

/* A piece of somebody else's text; `at` is NULL for an absent one. */
typedef struct {
    const char *at;
    size_t len;
} slice;

int utf8_valid(slice text);

/* One JSON value and nothing after it, UTF-8, not too deep, no name twice in any object. */
int json_strict(slice text);

/* Steps through the members of an object inside a text that json_strict() has passed:
 * `rest` starts as the object, and 0 says there are no more. Names and values are raw JSON. */
int json_next(slice *rest, slice *name, slice *value);

/* The value of a member, absent when `object` is absent, is no object or has no such member. */
slice json_member(slice object, const char *name);

/* Decodes a JSON string into `out` and adds a NUL; -1 when it is no string, does not fit or has a lone surrogate. */
long json_decode(slice string, char *out, size_t room);

int json_is(slice value, const char *raw_json);
int json_is_string(slice value, const char *expected);
int json_is_integer(slice value);

/* An integer between `min` and `max`. */
int json_in_range(slice value, long long min, long long max);

/* Writes `bytes` so that they can stand inside a JSON string; bytes that are not UTF-8 stay what they are. */
size_t json_escape(slice bytes, char *out, size_t room);

#endif
