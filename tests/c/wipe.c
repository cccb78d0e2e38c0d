/*
 * What the library gives back to the allocator holds no secret any more.
 *
 * This program has its own free() and realloc(), which the library gets, too. While it watches,
 * nothing is really freed: the blocks are kept as the library left them, and searched afterwards.
 */
#include "calls.h"

#include <malloc.h>

/* glibc's own, under the names that stay when a program replaces free(). */
extern void __libc_free(void *block);

#define KEPT 65536
static void *kept[KEPT];
static size_t kept_count;
static int watching;

void free(void *block) {
    if (!watching || block == NULL) {
        __libc_free(block);
        return;
    }
    CHECK(kept_count < KEPT);
    kept[kept_count++] = block;
}

/* Always moves the block, as realloc() may do at any time. */
void *realloc(void *block, size_t size) {
    size_t old = block ? malloc_usable_size(block) : 0;
    void *moved = malloc(size);
    if (moved != NULL && block != NULL) {
        memcpy(moved, block, old < size ? old : size);
        free(block);
    }
    return moved;
}

static void watch(void) { watching = 1; }

static void forget(void) {
    watching = 0;
    while (kept_count > 0)
        __libc_free(kept[--kept_count]);
}

/* How many of the kept blocks have these bytes in them. */
static int found(const void *bytes, size_t length) {
    int count = 0;
    size_t i;
    for (i = 0; i < kept_count; i++)
        count += memmem(kept[i], malloc_usable_size(kept[i]), bytes, length) != NULL;
    return count;
}

static int found_text(const char *text) { return found(text, strlen(text)); }

static size_t decode_base32(const char *text, unsigned char *bytes) {
    unsigned long buffer = 0;
    size_t bits = 0, length = 0;
    for (; *text; text++) {
        buffer = buffer << 5 | (unsigned long)(*text >= 'A' ? *text - 'A' : *text - '2' + 26);
        bits += 5;
        if (bits >= 8)
            bytes[length++] = (unsigned char)(buffer >> (bits -= 8));
    }
    return length;
}

/* No half of the secret is left: as text, as bytes, or as the pads that HMAC makes of it. */
static void check_wiped(const char *what, const char *secret) {
    static const unsigned char MASKS[] = {0, 0x36, 0x5c};
    unsigned char bytes[64], masked[64];
    size_t length = decode_base32(secret, bytes), half = strlen(secret) / 2, mask, i;
    int left = found(secret, half) + found(secret + half, half);
    for (mask = 0; mask < sizeof MASKS; mask++) {
        for (i = 0; i < length; i++)
            masked[i] = bytes[i] ^ MASKS[mask];
        left += found(masked, length / 2) + found(masked + length / 2, length - length / 2);
    }
    if (left)
        fprintf(stderr, "%s: the secret is in %d freed blocks\n", what, left);
    CHECK(left == 0);
}

/* The instrument itself: it sees the library's blocks, and it finds a secret. */
TEST test_the_watch_works(void) {
    factor2_authenticator *auth;
    char *volatile planted = strdup("xx" SECRET "xx");
    watch();
    auth = authenticator(CONFIG);
    factor2_authenticator_free(auth);
    CHECK(kept_count > 0 && !found_text(SECRET));
    free(planted);
    CHECK(found_text(SECRET) == 1);
    forget();
    planted = strdup(SECRET);
    watch();
    planted = realloc(planted, 4096);
    CHECK(found_text(SECRET) == 1);
    free(planted);
    forget();
}

TEST test_every_operation(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        watch();
        check_call(&CALLS[i], auth);
        CHECK(kept_count > 0);
        check_wiped(CALLS[i].name, SECRET);
        if (found_text(CODE_NOW))
            fprintf(stderr, "%s: the code\n", CALLS[i].name);
        CHECK(!found_text(CODE_NOW));
        CHECK(!found(RECOVERY_CODE, 14) && !found(&RECOVERY_CODE[15], 14));
        CHECK(!found(KEY, 20) && !found(&KEY[20], 20));
        forget();
    }
    watch();
    factor2_authenticator_free(auth);
    CHECK(kept_count > 0 && !found(KEY, 20));
    forget();
}

/* What a sealed secret was opened to. */
TEST test_opened_secrets(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char sealed[256], request[512];
    size_t i;
    static const factor2_operation OPERATIONS[] = {factor2_generate, factor2_create_secret,
                                                   factor2_qr, factor2_seal};
    factor2_response *response = NULL;
    CHECK(factor2_seal(auth, "{\"totpsecret\":\"" SECRET "\",\"username\":\"bob\"}",
                       FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    CHECK(strlen(text_of(response, "sealed")) < sizeof sealed);
    strcpy(sealed, text_of(response, "sealed"));
    factor2_response_free(response);
    for (i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        CHECK(snprintf(request, sizeof request, "{\"totpsecret\":\"%s\",\"username\":\"bob\"}",
                       sealed) < (int)sizeof request);
        watch();
        CHECK(outcome_of_text(OPERATIONS[i], auth, request) == FACTOR2_OK);
        check_wiped("a sealed secret", SECRET);
        forget();
    }
    CHECK(snprintf(request, sizeof request,
                   "{\"totpsecret\":\"%s\",\"username\":\"bob\",\"otp\":\"" CODE_NOW "\"}",
                   sealed) < (int)sizeof request);
    watch();
    CHECK(outcome_of_text(factor2_verify, auth, request) == FACTOR2_OK);
    check_wiped("verify", SECRET);
    CHECK(!found_text(CODE_NOW));
    forget();
    factor2_authenticator_free(auth);
}

TEST test_made_secrets(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    char secret[MADE_SECRET_LENGTH + 1];
    int round;
    for (round = 0; round < 100; round++) {
        watch();
        make_secret(auth, secret);
        check_wiped("create_secret", secret);
        forget();
    }
    factor2_authenticator_free(auth);
}

/* A part from the middle of a response, JSON and picture, is nowhere else, and goes with the response. */
static void check_gone(const factor2_authenticator *auth, const struct call *call) {
    factor2_response *response = NULL;
    char json_part[24], picture_part[24];
    const char *json;
    const unsigned char *picture;
    size_t json_length, picture_length;
    watch();
    CHECK(call->run(auth, call->request, FACTOR2_NUL_TERMINATED, &response) == call->status);
    json = factor2_response_json(response, &json_length);
    picture = factor2_response_data(response, &picture_length);
    CHECK(json_length > sizeof json_part);
    memcpy(json_part, json + (json_length - sizeof json_part) / 2, sizeof json_part);
    if (picture != NULL)
        memcpy(picture_part, picture + (picture_length - sizeof picture_part) / 2,
               sizeof picture_part);
    factor2_response_free(response);
    if (found(json_part, sizeof json_part))
        fprintf(stderr, "%s: JSON \"%.24s\"\n", call->name, json_part);
    CHECK(!found(json_part, sizeof json_part));
    CHECK(picture == NULL || !found(picture_part, sizeof picture_part));
    forget();
}

static void check_responses(const char *config) {
#define PART "0123456789abcdefghijklmnopqrstuvwxyz."
    /* More of it than the library makes room for at first. */
    static const struct call SVG = {"qr", factor2_qr,
                                    "{\"username\":\"" PART PART PART PART
                                    "\",\"totpsecret\":\"" SECRET "\",\"format\":\"svg\"}",
                                    FACTOR2_OK, "\"svg\""};
    factor2_authenticator *auth = authenticator(config);
    size_t i;
    for (i = 0; i < CALL_COUNT; i++)
        check_gone(auth, &CALLS[i]);
    check_gone(auth, &SVG);
    factor2_authenticator_free(auth);
}

TEST test_responses(void) {
    check_responses(CONFIG);
    check_responses("{\"issuer\":\"Example\",\"factor_name\":\"totp\",\"fixed_time\":59,"
                    "\"guard\":{\"store\":\"none\"},\"qr\":{\"dark\":\"#223366\"},"
                    "\"seal\":{\"keys\":{\"k1\":\"" KEY "\"},\"use\":\"k1\"}}");
}

/* What was asked for as text is a copy, which goes with the response. */
TEST test_texts(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    char warning[24];
    const char *text;
    size_t length;
    watch();
    CHECK(factor2_create_secret(auth, "{\"username\":\"a:b\",\"totpsecret\":\"" SECRET "\"}",
                                FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    CHECK(strcmp(text_of(response, "totpsecret"), SECRET) == 0);
    CHECK(strstr(text_of(response, "uri"), SECRET) != NULL);
    text = factor2_response_text(response, "warnings.0", &length);
    CHECK(text != NULL && length > sizeof warning);
    memcpy(warning, text + (length - sizeof warning) / 2, sizeof warning);
    factor2_response_free(response);
    check_wiped("texts", SECRET);
    CHECK(!found(warning, sizeof warning));
    forget();
    factor2_authenticator_free(auth);
}

TEST test_refused_requests(void) {
    static const struct {
        factor2_operation run;
        const char *request;
        factor2_status expected;
    } REFUSED[] = {
#define SECRET_MEMBER "\"totpsecret\":\"" SECRET "\""
#define ESCAPED_MEMBER "\\\"totpsecret\\\":\\\"" SECRET "\\\""
#define SPELT_MEMBER "\"totpsecret\":\"\\u0047EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        {factor2_verify, "{" SECRET_MEMBER ",\"otp\":\"000000\"}", FACTOR2_INVALID_TOKEN},
        {factor2_verify, "{" SECRET_MEMBER ",\"otp\":\"\"}", FACTOR2_INVALID_TOKEN},
        {factor2_verify, "{" SECRET_MEMBER "}", FACTOR2_INVALID_TOKEN},
        {factor2_verify, "{" SPELT_MEMBER "\",\"otp\":\"000000\"}", FACTOR2_INVALID_TOKEN},
        {factor2_verify, "{" SPELT_MEMBER "\",\"otp\":\"\\u003287082\"}", FACTOR2_OK},
        {factor2_verify, "{" SPELT_MEMBER "!\",\"otp\":\"000000\"}", FACTOR2_INVALID_SECRET},
        {factor2_verify, "{" SPELT_MEMBER "\",\"otp\":1}", FACTOR2_BAD_REQUEST},
        {factor2_verify, "{" SPELT_MEMBER "\",\"otp\":\"287082\",\"x\":1}", FACTOR2_BAD_REQUEST},
        {factor2_verify, "{" SPELT_MEMBER "\"", FACTOR2_BAD_REQUEST},
        {factor2_verify, "{" SPELT_MEMBER "\\ud800\"}", FACTOR2_BAD_REQUEST},
        {factor2_generate, "{\"x\":{" SPELT_MEMBER "\"}}", FACTOR2_BAD_REQUEST},
        {factor2_generate, "{\"\\u0047EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\":1}", FACTOR2_BAD_REQUEST},
        {factor2_verify, "{" SECRET_MEMBER ",\"otp\":\"287082\",\"last_step\":9}",
         FACTOR2_TOKEN_REUSED},
        {factor2_verify, "{\"totpsecret\":\"" SECRET "!\",\"otp\":\"000000\"}",
         FACTOR2_INVALID_SECRET},
        {factor2_verify, "{\"totpsecret\":\"" SECRET "1\",\"otp\":\"000000\"}",
         FACTOR2_INVALID_SECRET},
        {factor2_verify, "{\"totpsecret\":\"" SECRET SECRET SECRET SECRET "\",\"otp\":\"000000\"}",
         FACTOR2_INVALID_TOKEN},
        {factor2_generate, "{\"totpsecret\":\"" SECRET SECRET SECRET SECRET "=\"}", FACTOR2_OK},
        {factor2_generate, "{\"totpsecret\":\"" SECRET "=A\"}", FACTOR2_INVALID_SECRET},
        {factor2_create_secret, "{\"username\":[]," SECRET_MEMBER "}", FACTOR2_BAD_REQUEST},
        {factor2_create_secret, "{" SPELT_MEMBER "\"}", FACTOR2_BAD_REQUEST},
        {factor2_create_secret, "{\"username\":\"bob\"," SPELT_MEMBER "\"}", FACTOR2_OK},
        {factor2_qr, "{\"username\":\"bob\"," SPELT_MEMBER "\",\"format\":\"text\"}", FACTOR2_OK},
        {factor2_qr, "{\"username\":\"bob\"," SPELT_MEMBER "\",\"format\":1}", FACTOR2_BAD_REQUEST},
        {factor2_prepare_configuration, "{\"user\":{\"username\":\"bob\"," SPELT_MEMBER "\"}}",
         FACTOR2_OK},
        {factor2_prepare_configuration, "{\"user\":{" SPELT_MEMBER "\"}}", FACTOR2_BAD_REQUEST},
#define SESSION(data) "{\"username\":\"bob\",\"sessionKey\":{\"data\":" data "}}"
        {factor2_reprepare_configuration, SESSION("{" SPELT_MEMBER "\"}"), FACTOR2_UNAUTHORIZED},
        {factor2_reprepare_configuration, SESSION("{" SPELT_MEMBER "\",\"factor2\":\"totp\"}"),
         FACTOR2_OK},
        {factor2_reprepare_configuration, SESSION("\"{" ESCAPED_MEMBER "}\""),
         FACTOR2_UNAUTHORIZED},
        {factor2_reprepare_configuration, SESSION("\"{" ESCAPED_MEMBER "\""), FACTOR2_DATA_FORMAT},
        {factor2_reprepare_configuration, SESSION("\"{" ESCAPED_MEMBER "," ESCAPED_MEMBER "}\""),
         FACTOR2_DATA_FORMAT},
        {factor2_reprepare_configuration,
         SESSION("\"{\\\"a\\\":1,\\\"2fa\\\":{" ESCAPED_MEMBER
                 ",\\\"factor2\\\":\\\"t\\\",\\\"b\\\":[{" ESCAPED_MEMBER "}]}}\""),
         FACTOR2_OK},
        {factor2_reprepare_configuration,
         SESSION("\"{\\\"totpsecret\\\":\\\"\\\\u0047EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\\\","
                 "\\\"factor2\\\":\\\"t\\\"}\""),
         FACTOR2_OK},
    };
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        factor2_status status;
        watch();
        status = outcome_of_text(REFUSED[i].run, auth, REFUSED[i].request);
        if (status != REFUSED[i].expected)
            fprintf(stderr, "%s: %d\n", REFUSED[i].request, status);
        CHECK(status == REFUSED[i].expected);
        check_wiped(REFUSED[i].request, SECRET);
        CHECK(!found_text(CODE_NOW));
        forget();
    }
    factor2_authenticator_free(auth);
}

/* A freed handle is no handle any more: its first word is gone before the memory is given back. */
TEST test_freed_handles_are_refused(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    size_t i, length = 77;
    CHECK(factor2_describe(auth, "{}", 2, &response) == FACTOR2_OK);
    watch();
    factor2_response_free(response);
    factor2_authenticator_free(auth);
    CHECK(kept_count >= 2);
    CHECK(factor2_response_json(response, &length) == NULL && length == 0);
    CHECK(factor2_response_data(response, &length) == NULL && length == 0);
    length = 77;
    CHECK(factor2_response_text(response, "version", &length) == NULL && length == 0);
    for (i = 0; i < CALL_COUNT; i++)
        CHECK(outcome_of_text(CALLS[i].run, auth, CALLS[i].request) == FACTOR2_INVALID_HANDLE);
    i = kept_count; /* and a second free does nothing */
    factor2_response_free(response);
    factor2_authenticator_free(auth);
    CHECK(kept_count == i);
    forget();
}

int main(void) {
    RUN(test_the_watch_works);
    RUN(test_every_operation);
    RUN(test_opened_secrets);
    RUN(test_made_secrets);
    RUN(test_responses);
    RUN(test_texts);
    RUN(test_refused_requests);
    RUN(test_freed_handles_are_refused);
    return 0;
}
