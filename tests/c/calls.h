/*
 * What the tests share that call the library: a good request for every operation, the responses
 * that are known to be right, and what has to hold for any response.
 */
#ifndef FACTOR2_TESTS_CALLS_H
#define FACTOR2_TESTS_CALLS_H

#include "check.h"

#include "factor2.h"

/* RFC 4226 appendix D and RFC 6238 appendix B: this secret, and its codes for the steps 0, 1, 2.
 * At 59 seconds, with one step of tolerance on both sides, these three and no others are right. */
#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define CODE_PAST "755224"
#define CODE_NOW "287082"
#define CODE_FUTURE "359152"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* Of tests/vectors/recovery.json. */
#define RECOVERY                                                                                \
    "f2r1.AAECAwQFBgcICQoLDA0ODxLcJH4goEHtjOCOEoCR93NjCAzTemmaCbeqoCQFYoTeX-pMkRwKmPAunPMAmu7_" \
    "XnNeaRzMIsU64TkIT43NQW7vxEcVaco5KeaNp3ctMPARdVpzhOZ8vPW8Oi9bkyucGIp-h092lbsvB5HEc7sICyev"  \
    "otWltm8KCkmVKirU5sCdhoWzbe8Vkip3wvf53coB7XBijJd8vIJqdOJrEzy9-SQ"
#define RECOVERY_CODE "HKR7-ZEVB-76YB-8N3X-4PRV-GZ2R"

#define CONFIG                                                                      \
    "{\"issuer\":\"Example\",\"factor_name\":\"totp\",\"friendly_name\":\"Phone\"," \
    "\"window\":{\"past\":1,\"future\":1},\"fixed_time\":59,"                       \
    "\"guard\":{\"store\":\"none\"},"                                               \
    "\"seal\":{\"keys\":{\"k1\":\"" KEY "\"},\"use\":\"k1\"}}"

/* The same, but each code once, and wrong ones counted. */
#define GUARDED_CONFIG "{\"issuer\":\"Example\",\"fixed_time\":59,\"guard\":{\"store\":\"memory\"}}"

struct call {
    const char *name;
    factor2_operation run;
    const char *request;   /* a good one */
    factor2_status status; /* what comes of it with CONFIG */
    const char *part;      /* of its response */
};

static const struct call CALLS[] = {
    {"describe", factor2_describe, "{}", FACTOR2_OK, "\"totpsecret\""},
    {"create_secret", factor2_create_secret, "{\"username\":\"bob\",\"totpsecret\":\"" SECRET "\"}",
     FACTOR2_OK, "\"totpsecret\":\"" SECRET "\""},
    {"qr", factor2_qr, "{\"username\":\"bob\",\"totpsecret\":\"" SECRET "\"}", FACTOR2_OK,
     "\"uri\":\"otpauth://totp/Example:bob?secret=" SECRET "&issuer=Example\""},
    {"prepare_configuration", factor2_prepare_configuration,
     "{\"user\":{\"username\":\"bob\",\"email\":\"bob@example.com\"}}", FACTOR2_OK,
     "\"factor2\":\"totp\""},
    {"reprepare_configuration", factor2_reprepare_configuration,
     "{\"username\":\"bob\",\"sessionKey\":{\"data\":"
     "\"{\\\"2fa\\\":{\\\"totpsecret\\\":\\\"" SECRET "\\\",\\\"factor2\\\":\\\"totp\\\"}}\"}}",
     FACTOR2_OK, "\"totpsecret\":\"" SECRET "\""},
    {"verify", factor2_verify, "{\"totpsecret\":\"" SECRET "\",\"otp\":\"" CODE_NOW "\"}",
     FACTOR2_OK, "\"accepted\":true"},
    {"resync", factor2_resync,
     "{\"totpsecret\":\"" SECRET "\",\"otp\":\"" CODE_PAST "\",\"next_otp\":\"" CODE_NOW "\"}",
     FACTOR2_OK, "\"step\":1,\"drift\":0"},
    {"diagnose", factor2_diagnose, "{\"totpsecret\":\"" SECRET "\",\"otp\":\"" CODE_NOW "\"}",
     FACTOR2_OK, "{\"right\":true,\"findings\":[]}"},
    /* with the guard "none" there is nothing to show and to forget */
    {"inspect", factor2_inspect, "{\"totpsecret\":\"" SECRET "\"}", FACTOR2_CONFIGURATION,
     "\"Configuration\""},
    {"reset", factor2_reset, "{\"totpsecret\":\"" SECRET "\"}", FACTOR2_CONFIGURATION,
     "\"Configuration\""},
    {"generate", factor2_generate, "{\"totpsecret\":\"" SECRET "\"}", FACTOR2_OK,
     "\"otp\":\"" CODE_NOW "\""},
    {"seal", factor2_seal, "{\"totpsecret\":\"" SECRET "\",\"username\":\"bob\"}", FACTOR2_OK,
     "{\"sealed\":\"f2s1.k1."},
    {"create_recovery_codes", factor2_create_recovery_codes, "{\"count\":3}", FACTOR2_OK,
     "\"recovery\":\"f2r1."},
    {"verify_recovery_code", factor2_verify_recovery_code,
     "{\"recovery\":\"" RECOVERY "\",\"code\":\"" RECOVERY_CODE "\"}", FACTOR2_OK,
     "\"number\":3,\"remaining\":9"},
    {"import", factor2_import,
     "{\"format\":\"otpauth\",\"text\":\"x\\notpauth://totp/bob?secret=" SECRET "\"}", FACTOR2_OK,
     "\"totpsecret\":\"otpauth://totp/bob?secret=" SECRET "\",\"sealed\":\"f2s1.k1."},
};
#define CALL_COUNT (sizeof CALLS / sizeof CALLS[0])

static inline const char *json_of(const factor2_response *response) {
    const char *json = factor2_response_json(response, NULL);
    return json ? json : "";
}

/* One member as text; "" if there is none. */
static inline const char *text_of(const factor2_response *response, const char *path) {
    const char *text = factor2_response_text(response, path, NULL);
    return text ? text : "";
}

static inline int contains(const factor2_response *response, const char *part) {
    return strstr(json_of(response), part) != NULL;
}

/* What has to hold for the response to any call whatsoever. */
static inline void check_response(factor2_status status, const factor2_response *response) {
    size_t length = 1;
    CHECK((status == FACTOR2_OK) == !contains(response, "{\"error\":{"));
    if (status == FACTOR2_OK)
        CHECK(response != NULL);
    if (response != NULL)
        CHECK(strlen(factor2_response_json(response, &length)) == length);
    if (status == FACTOR2_OK || response == NULL)
        return;
    CHECK(strcmp(text_of(response, "error.code"), factor2_status_name(status)) == 0);
    CHECK(atoi(text_of(response, "error.http_status")) == factor2_status_http(status));
    CHECK(strlen(text_of(response, "error.message")) > 0);
    CHECK(factor2_response_data(response, &length) == NULL && length == 0);
}

static inline factor2_authenticator *authenticator(const char *config) {
    factor2_authenticator *made = NULL;
    factor2_response *response = NULL;
    factor2_status status =
        factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &made, &response);
    if (status != FACTOR2_OK)
        fprintf(stderr, "%s\n", json_of(response));
    CHECK(status == FACTOR2_OK && made != NULL);
    factor2_response_free(response);
    return made;
}

/* Calls, checks the response's form, and gives the verdict. */
static inline factor2_status outcome(factor2_operation run, const factor2_authenticator *with,
                                     const char *request, size_t length) {
    factor2_response *response = NULL;
    factor2_status status = run(with, request, length, &response);
    check_response(status, response);
    factor2_response_free(response);
    return status;
}

static inline factor2_status
outcome_of_text(factor2_operation run, const factor2_authenticator *with, const char *request) {
    return outcome(run, with, request, FACTOR2_NUL_TERMINATED);
}

/* The good request gets the response that it must get. */
static inline void check_call(const struct call *call, const factor2_authenticator *with) {
    factor2_response *response = NULL;
    factor2_status status = call->run(with, call->request, FACTOR2_NUL_TERMINATED, &response);
    check_response(status, response);
    if (status != call->status || !contains(response, call->part))
        fprintf(stderr, "%s: %s\n", call->name, json_of(response));
    CHECK(status == call->status);
    CHECK(contains(response, call->part));
    factor2_response_free(response);
}

static inline void check_every_call(const factor2_authenticator *with) {
    size_t i;
    for (i = 0; i < CALL_COUNT; i++)
        check_call(&CALLS[i], with);
}

/* The status of a verify for `otp`, whose characters need no escape in JSON. */
static inline factor2_status verify_code(const factor2_authenticator *with, const char *otp) {
    char request[256];
    CHECK(snprintf(request, sizeof request, "{\"totpsecret\":\"%s\",\"otp\":\"%s\"}", SECRET, otp) <
          (int)sizeof request);
    return outcome_of_text(factor2_verify, with, request);
}

/* Has a secret made, and copies it out of the response. */
#define MADE_SECRET_LENGTH 32
static inline void make_secret(const factor2_authenticator *with, char *out) {
    factor2_response *response = NULL;
    factor2_status status =
        factor2_create_secret(with, "{\"username\":\"bob\"}", FACTOR2_NUL_TERMINATED, &response);
    CHECK(status == FACTOR2_OK);
    CHECK(strlen(text_of(response, "totpsecret")) == MADE_SECRET_LENGTH);
    strcpy(out, text_of(response, "totpsecret"));
    factor2_response_free(response);
}

#endif
