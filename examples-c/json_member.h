/*
 * Reads one string out of a response of factor2. C89. It is no JSON parser: a program that has one
 * uses that instead.
 */
#ifndef JSON_MEMBER_H
#define JSON_MEMBER_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * Copies the first string member called `name`, at any depth, to `out` as plain text.
 *
 * The search cannot be led astray by what users typed: factor2 writes no blanks between its tokens,
 * and inside a JSON string every quote has a backslash before it.
 *
 * Gives 1; or 0 when `json` is NULL, the member is not there or no string, the room is too small, or
 * an escape is one of those that factor2 does not write. Then `out` is the empty string.
 */
static int json_member(const char *json, const char *name, char *out, size_t out_size) {
    char start[64];
    size_t used = 0;

    if (out_size == 0)
        return 0;
    out[0] = '\0';
    if (json == NULL || strlen(name) + sizeof "\"\":\"" > sizeof start)
        return 0;
    sprintf(start, "\"%s\":\"", name);
    json = strstr(json, start);
    if (json == NULL)
        return 0;
    for (json += strlen(start); *json != '"'; json++) {
        char byte = *json;
        if (byte == '\\') {
            static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
            const char *letter = *++json != '\0' ? strchr(letters, *json) : NULL;
            byte = letter != NULL ? meant[letter - letters] : '\0';
        }
        if (byte == '\0' || used + 1 >= out_size) {
            out[0] = '\0';
            return 0;
        }
        out[used++] = byte;
    }
    out[used] = '\0';
    return 1;
}

#endif
