/*
 * The settings and the request of the largest pictures: long names, every byte of them percent-encoded,
 * the most pixels per module, the widest quiet zone.
 */
#ifndef FACTOR2_TESTS_LARGEST_H
#define FACTOR2_TESTS_LARGEST_H

#include "calls.h"

/* 1024 x 1024 black pixels, the largest logo there is. */
#define LOGO                                                                           \
    "\"logo\":\""                                                                      \
    "iVBORw0KGgoAAAANSUhEUgAABAAAAAQAAQAAAABXZhYuAAAAlklEQVR42u3BAQEAAACCIP+vbkhAAQAA" \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "AAAAAADvBgQeAAEN3jhkAAAAAElFTkSuQmCC"                                             \
    "\""
#define COLOURS "\"dark\":\"#223366\",\"light\":\"#ffeecc\""
#define LEVEL(letter) "\"error_correction\":\"" letter "\""

/* How many two-byte letters in issuer and account a symbol holds at L, and at H. */
enum { LETTERS_AT_L = 127, LETTERS_AT_H = 94 };

/* Writes both; `qr` has further members of that setting. */
static void write_largest(char *config, char *request, size_t room, int letters, int module_px,
                          const char *qr) {
    char name[256];
    int i;
    for (i = 0; i < letters; i++)
        memcpy(name + 2 * i, "\xc3\xa9", 2);
    name[2 * letters] = '\0';
    snprintf(config, room,
             "{\"issuer\":\"%s\",\"guard\":{\"store\":\"none\"},"
             "\"qr\":{\"module_px\":%d,\"quiet_zone\":16,%s}}",
             name, module_px, qr);
    snprintf(request, room, "{\"username\":\"%s\",\"totpsecret\":\"" SECRET "\"}", name);
}

#endif
