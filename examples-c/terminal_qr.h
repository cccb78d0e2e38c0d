/*
 * Draws a QR code in a terminal. C89.
 */
#ifndef TERMINAL_QR_H
#define TERMINAL_QR_H

#include <stdio.h>
#include <string.h>

/* Room for the largest `text`. */
enum { TERMINAL_QR_SIZE = 65536 };

/*
 * Prints the member `text` of a response of factor2_qr_png(): bright white on black, whatever the
 * terminal's colours are, because scanners want dark on light.
 */
static void terminal_qr(const char *picture) {
    while (*picture != '\0') {
        int length = (int)strcspn(picture, "\n");
        printf("\033[97;40m%.*s\033[0m\n", length, picture);
        picture += length;
        picture += *picture == '\n';
    }
}

#endif
