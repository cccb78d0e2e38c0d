/* The QR code of a secret as a PNG, and a whole enrollment; beside libqrencode and libpng, and
   liboath for the secret. */
#include <liboath/oath.h>
#include <png.h>
#include <qrencode.h>
#include <string.h>
#include <sys/random.h>

#include "calls.h"
#include "themes.h"

enum { MODULE_PX = 10, QUIET_ZONE = 5, SIDE = 470 };

static factor2_authenticator *enroller;

static void our_png(size_t calls) {
    static const char REQUEST[] = "{\"username\":\"" ACCOUNT "\",\"totpsecret\":\"" SECRET "\"}";
    while (calls--)
        CHECK(call(factor2_qr, enroller, REQUEST, sizeof REQUEST - 1) == FACTOR2_OK);
}

static void our_enrollment(size_t calls) {
    static const char REQUEST[] = "{\"username\":\"" ACCOUNT "\"}";
    while (calls--)
        CHECK(call(factor2_create_secret, enroller, REQUEST, sizeof REQUEST - 1) == FACTOR2_OK);
}

typedef struct {
    unsigned char bytes[8192];
    size_t length;
} picture;

static void append(png_structp png, png_bytep bytes, png_size_t length) {
    picture *out = png_get_io_ptr(png);
    CHECK(length <= sizeof out->bytes - out->length);
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void flush(png_structp png) { (void)png; }

/* One bit for each pixel, and libpng's own choice of compression and filter. */
static void write_png(const QRcode *symbol, picture *out) {
    unsigned char row[(SIDE + 7) / 8];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    CHECK(info && symbol->width * MODULE_PX + 2 * QUIET_ZONE * MODULE_PX == SIDE);
    out->length = 0;
    png_set_write_fn(png, out, append, flush);
    png_set_IHDR(png, info, SIDE, SIDE, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = -QUIET_ZONE; y < symbol->width + QUIET_ZONE; y++) {
        memset(row, 0xFF, sizeof row);
        for (int x = 0; y >= 0 && y < symbol->width && x < symbol->width; x++)
            if (symbol->data[y * symbol->width + x] & 1)
                for (int pixel = (x + QUIET_ZONE) * MODULE_PX, n = 0; n < MODULE_PX; n++, pixel++)
                    row[pixel / 8] &= (unsigned char)~(0x80 >> pixel % 8);
        for (int n = 0; n < MODULE_PX; n++)
            png_write_row(png, row);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

static void draw(const char *uri, picture *out) {
    QRcode *symbol = QRcode_encodeString(uri, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    CHECK(symbol);
    write_png(symbol, out);
    QRcode_free(symbol);
}

static void write_uri(char *uri, size_t room, const char *secret) {
    char account[64], *end = account;
    for (const char *c = ACCOUNT; *c; c++)
        end += *c == '@' ? sprintf(end, "%%%02X", *c) : sprintf(end, "%c", *c);
    snprintf(uri, room, "otpauth://totp/%s:%s?secret=%s&issuer=%s", ISSUER, account, secret,
             ISSUER);
}

static picture drawn;

static void peers_png(size_t calls) {
    char uri[256];
    while (calls--) {
        write_uri(uri, sizeof uri, SECRET);
        draw(uri, &drawn);
    }
}

static size_t write_base64(char *out, const unsigned char *bytes, size_t length) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *end = out;
    for (; length >= 3; length -= 3, bytes += 3) {
        unsigned three = (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | bytes[2];
        *end++ = DIGITS[three >> 18];
        *end++ = DIGITS[three >> 12 & 63];
        *end++ = DIGITS[three >> 6 & 63];
        *end++ = DIGITS[three & 63];
    }
    if (length) {
        unsigned three = (unsigned)bytes[0] << 16 | (length == 2 ? (unsigned)bytes[1] << 8 : 0);
        *end++ = DIGITS[three >> 18];
        *end++ = DIGITS[three >> 12 & 63];
        *end++ = length == 2 ? DIGITS[three >> 6 & 63] : '=';
        *end++ = '=';
    }
    *end = '\0';
    return (size_t)(end - out);
}

static void peers_enrollment(size_t calls) {
    static char base64[sizeof drawn.bytes * 4 / 3 + 8], response[sizeof base64 + 1024];
    while (calls--) {
        char key[20], *secret, uri[256];
        CHECK(getrandom(key, sizeof key, 0) == sizeof key);
        CHECK(oath_base32_encode(key, sizeof key, &secret, NULL) == OATH_OK);
        write_uri(uri, sizeof uri, secret);
        draw(uri, &drawn);
        CHECK(write_base64(base64, drawn.bytes, drawn.length));
        CHECK(snprintf(response, sizeof response,
                       "{\"username\":\"%s\",\"totpsecret\":\"%s\",\"uri\":\"%s\","
                       "\"qr\":\"data:image/png;base64,%s\"}",
                       ACCOUNT, secret, uri, base64) > 0);
        free(secret);
    }
}

static bench_case ours_png = {.run = our_png}, theirs_png = {.run = peers_png},
                  ours_enrollment = {.run = our_enrollment},
                  theirs_enrollment = {.run = peers_enrollment};

void compare_pictures(void) {
    enroller = authenticator("{\"store\":\"none\"}");
    compare("qr: URI to PNG, 470 x 470", &ours_png, "libqrencode + libpng", &theirs_png, SPEED, 20);
    compare("create_secret: a whole enrollment", &ours_enrollment,
            "liboath + libqrencode + libpng + base64", &theirs_enrollment, SPEED, 20);
}

void picture_sizes(size_t *ours, size_t *theirs) {
    static const char REQUEST[] = "{\"username\":\"" ACCOUNT "\",\"totpsecret\":\"" SECRET "\"}";
    factor2_response *response;
    CHECK(factor2_qr(enroller, REQUEST, sizeof REQUEST - 1, &response) == FACTOR2_OK);
    factor2_response_data(response, ours);
    CHECK(strcmp(factor2_response_text(response, "width", NULL), "470") == 0);
    factor2_response_free(response);
    peers_png(1);
    *theirs = drawn.length;
}
