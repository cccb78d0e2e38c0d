/* What the fuzz targets share: calls into the library whose every response is checked against the contract,
 * with Jansson and zlib for judges of JSON and of pictures. */
#ifndef FUZZ_H
#define FUZZ_H

#include "factor2.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An abort is a finding: libFuzzer keeps the input. */
#define must(condition)                                                                \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                   \
        }                                                                              \
    } while (0)

#define MAX_REQUEST 65536

/* A secret for requests, and a part of it for never_in_an_error. */
#define CANARY "CANARY234567CANARY234567CANARY23"
#define PART_OF_CANARY "RY234567CA"

#define FOR_TESTS "\"fixed_time\":59,\"guard\":{\"store\":\"none\"}"

/* A piece of somebody else's text; `at` is NULL for an absent one. */
typedef struct {
    const char *at;
    size_t len;
} slice;

typedef struct {
    factor2_status status;
    factor2_response *response;
    slice text; /* the JSON as it is written */
    json_t *json;
    const unsigned char *data;
    size_t data_len;
} result;

/* Texts which no error may repeat, in any letter case; ends with NULL. Each target has its own. Each has a digit:
 * what is letters alone may be a misspelt name of a member, and those are repeated. */
extern const char *const never_in_an_error[];

slice slice_of(const char *text);

/* Both pass a copy of the text that ends where its memory ends, and abort unless the response is sane. */
result call(factor2_operation, const factor2_authenticator *, slice request);
result new_authenticator(slice config, factor2_authenticator **);

/* The same for a request that the target itself wrote and which therefore succeeds. */
result succeed(factor2_operation, const factor2_authenticator *, const char *request);
factor2_authenticator *authenticator_for(const char *config);

/* The status that the text gets when it is passed NUL-terminated instead. */
factor2_status status_nul_terminated(factor2_operation, const factor2_authenticator *,
                                     slice request);

void done(result *);

/* A text as JSON: one value and nothing after it, UTF-8, no name twice in any object, not too deep. NULL if it is
 * not that, and then `unsure` says whether Jansson alone refuses it, which keeps no number out of its range and
 * no name with a NUL. */
json_t *read_json(slice text, int *unsure);

/* The same for a text that the library has taken; NULL only when Jansson is unsure. */
json_t *read_accepted(slice text);

/* A JSON string's content; aborts when it is none. It lives as long as the value. */
slice text_of(const json_t *string);

int is_text(const json_t *value, const char *expected);

/* An integer between `min` and `max`. */
int in_range(const json_t *value, long long min, long long max);

int utf8_valid(slice text);

/* Writes a text as a JSON string by factor2_json_quote(), and looks at it; a text that is not UTF-8 as
 * it is, but for what JSON would escape. Ends it with a NUL, and gives the length. */
size_t quote(slice text, char *out, size_t room);

/* Room for 512 bytes in base32. */
#define SECRET_ROOM 821

/* The secret in canonical base32; aborts when the value is no string with one. Whether bits of it were dropped. */
int read_secret(const json_t *string, char secret[SECRET_ROOM]);

/* The same for valid UTF-8: 0 when it is no secret, 2 when bits were dropped, else 1. */
int base32_secret(slice text, char secret[SECRET_ROOM]);

/* What was typed as ASCII digits, when it is a code of `digits` of them. */
int typed_code(slice typed, int digits, char code[16]);

/* Room for a recovery code without dashes. */
#define RECOVERY_ROOM 25

/* What was typed as a recovery code of capital letters and digits, when it is one. */
int typed_recovery(slice typed, char code[RECOVERY_ROOM]);

/* What an otpauth URI says of codes; the counter is -1 for type totp. */
struct otpauth {
    char secret[SECRET_ROOM];
    const char *algorithm;
    long long digits, period, counter;
};

/* Whether a text is meant to be a URI: the target "stored" knows what becomes of it. */
int is_uri(slice text);

/* Whether a text, which is valid UTF-8, is a URI from which codes can be made. */
int otpauth_uri(slice text, struct otpauth *read);

/* Valid UTF-8 without the blanks around it. */
slice trimmed(slice name);

/* Aborts unless the value is an object with no members but these. */
void only_members(const json_t *object, const char *const *names);

/* Aborts unless `png` is a complete square picture, and gives its side in pixels. */
unsigned png_side(const unsigned char *png, size_t len);

/* Aborts unless `uri` is the data URI of exactly these bytes. */
void must_be_data_uri(const json_t *uri, const unsigned char *png, size_t len);

/* Aborts unless `uri` is the otpauth URI of this account and secret, neither able to add anything to it. */
void must_be_otpauth(const json_t *uri, const char *issuer_encoded, slice account,
                     const char *secret);

/* Whether the account of a new secret may be called so: 1 to 255 bytes without the blanks around it, nothing that
 * cannot be seen, and something that can. */
int name_valid(slice name);

/* A good text with a part of it replaced by the input, whose first two bytes say which; written into `text`. */
slice almost(const char *good, slice input, char *text);

#endif
