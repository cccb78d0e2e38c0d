/* What the fuzz targets share: calls into the library whose every answer is checked against the contract. */
#ifndef FUZZ_H
#define FUZZ_H

#include "factor2.h"
#include "json.h"

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

typedef factor2_status (*operation)(const factor2_authenticator *, const char *, size_t,
                                    factor2_response **);

typedef struct {
    factor2_status status;
    factor2_response *response;
    slice json;
    const unsigned char *data;
    size_t data_len;
} answer;

/* Texts which no error may repeat, in any letter case; ends with NULL. Each target has its own. */
extern const char *const never_in_an_error[];

slice slice_of(const char *text);

/* Both pass a copy of the text that ends where its memory ends, and abort unless the answer is sane. */
answer call(operation, const factor2_authenticator *, slice request);
answer new_authenticator(slice config, factor2_authenticator **);

/* The same for a request that the target itself wrote and which therefore succeeds. */
answer succeed(operation, const factor2_authenticator *, const char *request);
factor2_authenticator *authenticator_for(const char *config);

/* The status that the text gets when it is passed NUL-terminated instead. */
factor2_status status_nul_terminated(operation, const factor2_authenticator *, slice request);

void done(answer *);

/* Room for 512 bytes in base32. */
#define SECRET_ROOM 821

/* The secret in canonical base32; aborts when the value is no string with one. Whether bits of it were dropped. */
int read_secret(slice json_string, char secret[SECRET_ROOM]);

/* The same for valid UTF-8: 0 when it is no secret, 2 when bits were dropped, else 1. */
int base32_secret(slice text, char secret[SECRET_ROOM]);

/* What was typed as ASCII digits, when it is a code of `digits` of them. */
int typed_code(slice typed, int digits, char code[16]);

/* Valid UTF-8 without the blanks around it. */
slice trimmed(slice name);

/* A JSON string's content; aborts when it is none. It stays until the next but seven calls. */
slice read_text(slice json_string);

/* Aborts unless the object has no members but these; a name twice is json_strict()'s finding. */
void only_members(slice object, const char *const *names);

/* Decompresses zlib's format into `out` and gives the length; aborts when it is broken or does not fit. */
size_t inflate_zlib(const unsigned char *packed, size_t packed_len, unsigned char *out,
                    size_t room);

/* Aborts unless `png` is a complete square picture, and gives its side in pixels. */
unsigned png_side(const unsigned char *png, size_t len);

/* Aborts unless `uri` is the data URI of exactly these bytes. */
void must_be_data_uri(slice uri, const unsigned char *png, size_t len);

/* Aborts unless `uri` is the otpauth URI of this account and secret, neither able to add anything to it. */
void must_be_otpauth(slice uri, const char *issuer_encoded, slice account, const char *secret);

/* Whether the account of a new secret may be called so: 1 to 255 bytes without the blanks around it, nothing that
 * cannot be seen, and something that can. */
int name_valid(slice name);

#endif
