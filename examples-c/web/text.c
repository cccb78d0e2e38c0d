#define _DEFAULT_SOURCE /* explicit_bzero */

#include "text.h"

#include <stdlib.h>
#include <string.h>

struct text text_new(void) {
    struct text text = {malloc(TEXT_SIZE), 0, 0};

    if (text.bytes == NULL)
        text.failed = 1;
    else
        text.bytes[0] = '\0';
    return text;
}

void text_wipe(void *bytes) {
    if (bytes != NULL)
        explicit_bzero(bytes, TEXT_SIZE);
    free(bytes);
}

void text_free(struct text *text) {
    text_wipe(text->bytes);
    text->bytes = NULL;
}

static void add_bytes(struct text *text, const char *bytes, size_t length) {
    if (text->failed || length >= TEXT_SIZE - text->length) {
        text->failed = 1;
        return;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *markup) { add_bytes(text, markup, strlen(markup)); }

void text_add_escaped(struct text *text, const char *plain) {
    for (; *plain != '\0'; plain++) {
        switch (*plain) {
        case '&': text_add(text, "&amp;"); break;
        case '<': text_add(text, "&lt;"); break;
        case '>': text_add(text, "&gt;"); break;
        case '"': text_add(text, "&quot;"); break;
        case '\'': text_add(text, "&#39;"); break;
        default: add_bytes(text, plain, 1);
        }
    }
}

int text_equal_secretly(const char *one, const char *other) {
    size_t length = strlen(one), i;
    unsigned difference = length != strlen(other);

    for (i = 0; i < length && other[i] != '\0'; i++)
        difference |= (unsigned)(one[i] ^ other[i]);
    return difference == 0;
}
