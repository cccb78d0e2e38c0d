/*
 * Any text as printable ASCII, for a log or a terminal, in a way that cannot be taken for another
 * text. C89.
 */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include <stddef.h>
#include <string.h>

/* How much of a text is shown: a user's or a machine's longest name. */
enum { PRINTABLE_LONGEST = 256, PRINTABLE_SIZE = PRINTABLE_LONGEST * 4 + sizeof "\\..." };

/*
 * Writes `text` to `out`, and gives `out`. Quotes, backslashes and all bytes that are not printable
 * ASCII become \xNN. What is longer is cut, and ends with \... then. NULL is the empty text.
 */
static const char *printable(const char *text, char out[PRINTABLE_SIZE]) {
    static const char hex[] = "0123456789abcdef";
    char *end = out;
    size_t i;

    for (i = 0; text != NULL && text[i] != '\0' && i < PRINTABLE_LONGEST; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte < 0x7f && strchr("'\"\\", byte) == NULL) {
            *end++ = text[i];
            continue;
        }
        *end++ = '\\';
        *end++ = 'x';
        *end++ = hex[byte >> 4];
        *end++ = hex[byte & 15];
    }
    strcpy(end, text != NULL && text[i] != '\0' ? "\\..." : "");
    return out;
}

#endif
