/*
 * Puts any text into a JSON string. C89; copy it into your own program.
 *
 *     char name[64];
 *     if (json_escape(typed, name, sizeof name))
 *         sprintf(request, "{\"username\":\"%s\"}", name);
 */
#ifndef JSON_ESCAPE_H
#define JSON_ESCAPE_H

#include <stddef.h>
#include <string.h>

/*
 * Writes `text` to `out` with quotes, backslashes and control characters escaped, and a NUL behind
 * it; without quotes around it. One byte of text takes at most six bytes of room, and the NUL one.
 * All other bytes stay as they are: the text is meant to be UTF-8, and factor2 refuses what is not.
 *
 * Gives 1; or 0 when the room is too small, and then `out` is the empty string: it never cuts a
 * text short.
 */
static int json_escape(const char *text, char *out, size_t out_size) {
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;

    if (out_size == 0)
        return 0;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char escaped[6];
        size_t length = 1;

        escaped[0] = *text;
        if (byte == '"' || byte == '\\') {
            escaped[0] = '\\';
            escaped[1] = *text;
            length = 2;
        } else if (byte < 0x20) {
            memcpy(escaped, "\\u00", 4);
            escaped[4] = hex[byte >> 4];
            escaped[5] = hex[byte & 15];
            length = 6;
        }
        if (length >= out_size - used) {
            out[0] = '\0';
            return 0;
        }
        memcpy(out + used, escaped, length);
        used += length;
    }
    out[used] = '\0';
    return 1;
}

#endif
