/*
 * Text that grows in one place of fixed size, so that no copy of a secret is left behind by growing.
 * HTML is escaped here and nowhere else.
 */
#ifndef WEB_TEXT_H
#define WEB_TEXT_H

#include <stddef.h>

enum { TEXT_SIZE = 65536 };

struct text {
    char *bytes; /* NUL-terminated; NULL when there was no memory */
    size_t length;
    int failed; /* something did not fit: the text is not to be sent */
};

/* An empty text; give it back by text_free(), or hand `bytes` to text_wipe(). */
struct text text_new(void);
void text_free(struct text *text);
void text_wipe(void *bytes);

/* Adds markup as it is: for what the program itself wrote. */
void text_add(struct text *text, const char *markup);

/* Adds what came from anywhere else, fit for HTML's text and for quoted attributes. */
void text_add_escaped(struct text *text, const char *plain);

/* Compares in a time that does not tell where they differ; gives 1 when they are equal. */
int text_equal_secretly(const char *one, const char *other);

#endif
