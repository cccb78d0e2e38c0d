/* The pictures and URIs of an enrollment. zlib reads what is compressed. */
#include "fuzz.h"

#include <zlib.h>

static unsigned big_endian(const unsigned char *at) {
    return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
}

/* Aborts unless the compressed pixels are those of a whole picture with this header. */
static void check_pixels(const unsigned char *header, const unsigned char *packed,
                         size_t packed_len) {
    static const unsigned char channels_of[] = {1, 0, 3, 1, 2, 0, 4};
    unsigned side = big_endian(header), depth = header[8], colour = header[9];
    must(side > 0 && side == big_endian(header + 4));
    must(colour < sizeof channels_of && channels_of[colour] &&
         (depth == 8 || (depth == 1 && colour % 3 == 0)));
    must(!header[10] && !header[11] && !header[12]);
    size_t row = ((size_t)side * channels_of[colour] * depth + 7) / 8 + 1;
    unsigned char *pixels = malloc(row * side);
    uLong size = row * side, read = packed_len;
    must(uncompress2(pixels, &size, packed, &read) == Z_OK);
    must(size == row * side && read == packed_len);
    for (size_t y = 0; y < side; y++)
        must(pixels[y * row] <= 4);
    free(pixels);
}

unsigned png_side(const unsigned char *png, size_t len) {
    const unsigned char *at = png + 8, *end = png + len, *header = NULL, *kind;
    unsigned char *packed = malloc(len);
    size_t packed_len = 0;
    int palette = 0;
    must(len > 8 && !memcmp(png, "\x89PNG\r\n\x1a\n", 8));
    do {
        must(end - at >= 12);
        unsigned size = big_endian(at);
        kind = at + 4;
        must(size <= (size_t)(end - at) - 12);
        must(crc32(0, kind, size + 4) == big_endian(kind + 4 + size));
        if (!header) {
            must(!memcmp(kind, "IHDR", 4) && size == 13);
            header = kind + 4;
        } else if (!memcmp(kind, "PLTE", 4)) {
            must(header[9] == 3 && size == 2 * 3 && !packed_len);
            palette = 1;
        } else if (!memcmp(kind, "IDAT", 4)) {
            memcpy(packed + packed_len, kind + 4, size);
            packed_len += size;
        }
        at = kind + 4 + size + 4;
    } while (memcmp(kind, "IEND", 4));
    must(at == end && palette == (header[9] == 3));
    check_pixels(header, packed, packed_len);
    free(packed);
    return big_endian(header);
}

void must_be_data_uri(const json_t *string, const unsigned char *png, size_t len) {
    static const char prefix[] = "data:image/png;base64,";
    static const char symbols[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    slice uri = text_of(string);
    size_t start = sizeof prefix - 1;
    must(uri.len == start + (len + 2) / 3 * 4);
    must(!memcmp(uri.at, prefix, start));
    const char *at = uri.at + start;
    for (size_t i = 0; i < len; i += 3, at += 4) {
        size_t left = len - i;
        unsigned group = (unsigned)png[i] << 16;
        if (left > 1)
            group |= (unsigned)png[i + 1] << 8;
        if (left > 2)
            group |= png[i + 2];
        must(at[0] == symbols[group >> 18] && at[1] == symbols[group >> 12 & 63]);
        must(at[2] == (left > 1 ? symbols[group >> 6 & 63] : '='));
        must(at[3] == (left > 2 ? symbols[group & 63] : '='));
    }
}

static const char *must_start_with(const char *text, const char *prefix) {
    must(!strncmp(text, prefix, strlen(prefix)));
    return text + strlen(prefix);
}

void must_be_otpauth(const json_t *uri, const char *issuer_encoded, slice account,
                     const char *secret) {
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char encoded[4];
    slice text = text_of(uri);
    const char *at = must_start_with(text.at, "otpauth://totp/");
    at = must_start_with(must_start_with(at, issuer_encoded), ":");
    for (size_t i = 0; i < account.len; i++) {
        unsigned char byte = (unsigned char)account.at[i];
        snprintf(encoded, sizeof encoded, byte && strchr(unreserved, byte) ? "%c" : "%%%02X", byte);
        at = must_start_with(at, encoded);
    }
    at = must_start_with(must_start_with(at, "?secret="), secret);
    at = must_start_with(must_start_with(at, "&issuer="), issuer_encoded);
    must(at == text.at + text.len);
}
