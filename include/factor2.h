/*
 * factor2: a second factor in one C library.
 *
 * Make an authenticator once. To enrol a user, call factor2_create_secret(), show the QR code, store
 * the secret, and let the user confirm by a code. To log a user in, call factor2_verify():
 *
 *     factor2_authenticator *authenticator;
 *     if (factor2_authenticator_new("{\"issuer\":\"Example\"}", FACTOR2_NUL_TERMINATED,
 *                                   &authenticator, NULL) != FACTOR2_OK) return -1;
 *     if (factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, NULL) == FACTOR2_OK) let_in();
 *
 * The rules, which hold for every function:
 *
 * 1. The status is the verdict. factor2_verify() returns FACTOR2_OK (0) only for an accepted code;
 *    whatever else happens, the status is not 0.
 * 2. Out-pointers are set to NULL on entry, on every path. `response` may be NULL if you want only
 *    the verdict.
 * 3. On failure the response holds {"error":{"code","http_status","message"}}. It may be NULL when
 *    there was an internal error. There is no "last error" to ask for later.
 * 4. What the accessors return is borrowed from the response, until factor2_response_free(). What
 *    you get as a handle is yours to free, once. All free functions take NULL.
 * 5. An authenticator may be used by any number of threads at once, and after fork() in the child. A
 *    response belongs to one thread at a time. Nothing here may be called from a signal handler.
 * 6. Requests are JSON objects, and strict: unknown, duplicate and missing members, wrong types,
 *    trailing bytes and nesting deeper than 8 levels are refused, so that a typed code such as
 *    000000","totpsecret":"... never changes a request that was put together by snprintf(). In
 *    answers, ignore members that you don't know.
 * 7. No panic leaves the library, and it reads no environment variable, file, locale or terminal,
 *    makes no thread, signal handler or global state, and prints nothing.
 * 8. Secrets are wiped from the library's memory when it has done with them: in a response by
 *    factor2_response_free(). The memory that you pass is yours to wipe.
 *
 * Within one SONAME (libfactor2.so.0) there are only additions: functions, statuses, optional members
 * of requests, members of answers.
 *
 * Made by `make header` from src/capi/mod.rs and src/error.rs; don't edit.
 * Copyright the factor2 developers. SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FACTOR2_H
#define FACTOR2_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef FACTOR2_MUST_USE
#if defined(__GNUC__)
#define FACTOR2_MUST_USE __attribute__((warn_unused_result))
#else
#define FACTOR2_MUST_USE
#endif
#endif

/* Statuses. Numbers never change their meaning. */

/** accepted, or done (HTTP 200) */
#define FACTOR2_OK 0
/** a required pointer is NULL (HTTP 500) */
#define FACTOR2_NULL_POINTER 101
/** not a live handle of this kind (HTTP 500) */
#define FACTOR2_INVALID_HANDLE 102
/** the text is longer than 64 KiB (HTTP 413) */
#define FACTOR2_REQUEST_TOO_LARGE 103
/** not UTF-8, not JSON, or an unknown, duplicate, missing, mistyped or out-of-range member (HTTP 400) */
#define FACTOR2_BAD_REQUEST 104
/** wrong or malformed code, or secret or code not given (HTTP 401) */
#define FACTOR2_INVALID_TOKEN 201
/** the code's step, or a later one, was accepted before (HTTP 401) */
#define FACTOR2_TOKEN_REUSED 202
/** too many wrong codes: wait retry_after_s seconds (HTTP 429) */
#define FACTOR2_THROTTLED 203
/** the hard limit of wrong codes was reached (HTTP 403) */
#define FACTOR2_DISABLED 204
/** the session has no totpsecret, or no factor2 (HTTP 401) */
#define FACTOR2_UNAUTHORIZED 205
/** the session key has no data (HTTP 401) */
#define FACTOR2_INVALID_KEY 206
/** the session's data is not a JSON object (HTTP 500) */
#define FACTOR2_DATA_FORMAT 207
/** the secret is not base32, or of a wrong length (HTTP 500) */
#define FACTOR2_INVALID_SECRET 208
/** a setting is missing or wrong, or factor_name is not set where it is needed (HTTP 500) */
#define FACTOR2_CONFIGURATION 301
/** the guard's store did not answer, is full, corrupt, or cannot be shared as it is used (HTTP 503) */
#define FACTOR2_STORE_UNAVAILABLE 302
/** an internal error, or a failure with no other name (HTTP 500) */
#define FACTOR2_UNKNOWN_ERROR 901
/** no memory (HTTP 500) */
#define FACTOR2_OUT_OF_MEMORY 902
/** the system gave no randomness (HTTP 500) */
#define FACTOR2_RANDOM_UNAVAILABLE 903

/** A length that stands for "up to the first NUL". */
#define FACTOR2_NUL_TERMINATED ((size_t)-1)

/* This header's version; factor2_version() is the library's. */
#define FACTOR2_VERSION "0.1.0"
#define FACTOR2_VERSION_MAJOR 0
#define FACTOR2_VERSION_MINOR 1
#define FACTOR2_VERSION_PATCH 0
#define FACTOR2_VERSION_NUMBER \
    (FACTOR2_VERSION_MAJOR * 1000000 + FACTOR2_VERSION_MINOR * 1000 + FACTOR2_VERSION_PATCH)

/**
 * Settings and guard of one second factor. Make one at start, share it between threads.
 */
typedef struct factor2_authenticator factor2_authenticator;

/**
 * One answer. Yours to free, by factor2_response_free().
 */
typedef struct factor2_response factor2_response;

/**
 * The verdict: FACTOR2_OK (0) means accepted or done, anything else means no. Take a number that
 * you don't know as a refusal.
 */
typedef int factor2_status;

/**
 * Makes an authenticator from its settings.
 *
 * `config` is a JSON object. Only `issuer` is required:
 *
 * | member             | default              | meaning                                             |
 * |--------------------|----------------------|-----------------------------------------------------|
 * | `issuer`           |                      | your service's name as apps show it, 1 to 255 bytes, no colon, no control characters |
 * | `factor_name`      | `""`                 | the factor's name in crossauth; needed by factor2_prepare_configuration() |
 * | `friendly_name`    | `"Authenticator app"`| what users are shown when they choose a factor      |
 * | `algorithm`        | `"SHA1"`             | or `"SHA256"`, `"SHA512"`; many apps know SHA1 only |
 * | `digits`           | 6                    | 6 to 8                                              |
 * | `period`           | 30                   | seconds per step, 15 to 120                         |
 * | `window`           | `{"past":1,"future":1}` | steps accepted before and after the current one, 0 to 2 each |
 * | `secret_bytes`     | 20                   | length of new secrets, 16 to 64                     |
 * | `qr`               | `{"module_px":10,"quiet_zone":5,"error_correction":"M"}` | pixels per module (1 to 32), light modules around the symbol (0 to 16; scanners want 4), error correction `"L"`, `"M"`, `"Q"` or `"H"` |
 * | `guard`            | `{"store":"none"}`   | who remembers accepted codes: `"none"` leaves it to you, see factor2_verify() |
 * | `fixed_time`       | the system's clock   | for tests: what the clock shows, in Unix seconds    |
 *
 * @param config         JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
 * @param config_len     its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param authenticator  set to the new authenticator, or to NULL on failure. Not NULL. Yours to
 *                       free by factor2_authenticator_free().
 * @param response       set to the answer, `{}` or an error; may be NULL if you don't want it
 * @return FACTOR2_OK, or FACTOR2_CONFIGURATION (a setting is missing, unknown or wrong; the error's
 *         message names it), FACTOR2_BAD_REQUEST (not UTF-8, or not one JSON object),
 *         FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_authenticator_new(const char *config,
                                         size_t config_len,
                                         factor2_authenticator **authenticator,
                                         factor2_response **response);

/**
 * Frees an authenticator. No other thread may be using it.
 *
 * @param authenticator  from factor2_authenticator_new(), or NULL (nothing happens)
 * @since 0.1.0
 */
void factor2_authenticator_free(factor2_authenticator *authenticator);

/**
 * Says what an authenticator is and can do.
 *
 * Request: `{}`, or NULL.
 *
 * Answer: `{"version", "mfa_type":"otp", "mfa_channel":"none", "factor_name", "friendly_name",
 * "secret_names":["totpsecret"], "transient_secret_names":["otp"], "create_one_time_secrets":{},
 * "validate_secrets":[], "can_create_user":true, "can_update_user":true,
 * "can_update_secrets":false, "capabilities":{...}, "require_user_entry":true,
 * "skip_email_verification_on_signup":false}`, which are crossauth's names (the two empty ones:
 * there are no one-time secrets to send, and no secrets of the user's to validate), then the
 * settings as factor2_authenticator_new() took them, defaults included, and
 * `"guard":{"store","scope"}`: the scope tells who shares the memory of accepted codes, `"caller"`
 * for the store `"none"`.
 *
 * @param authenticator  not NULL
 * @param request        JSON, UTF-8, or NULL
 * @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param response       set to the answer or the error; may be NULL
 * @return FACTOR2_OK, or FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER,
 *         FACTOR2_INVALID_HANDLE
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_describe(const factor2_authenticator *authenticator,
                                const char *request,
                                size_t request_len,
                                factor2_response **response);

/**
 * Makes a secret for a user, with the QR code that brings it into an authenticator app.
 *
 * Request: `{"username", "totpsecret"?}`. `username` is the account's name as the app shows it, 1
 * to 255 bytes, no colon, no control characters. A `totpsecret` that is given is used again, not
 * replaced: base32 (RFC 4648; any letter case, with or without padding) of 10 to 64 bytes.
 *
 * Answer: `{"username", "totpsecret", "uri", "qr"}`, and the PNG as the response's data.
 * `totpsecret` is base32 in capitals without padding: store it, encrypted if you can. `uri` is the
 * otpauth provisioning URI. `qr` is the PNG as `data:image/png;base64,...`, ready for
 * `<img src>`. With a given secret of less than 16 bytes there is also `"warnings":["..."]`.
 *
 * The enrolment counts only once the user has typed a right code: call factor2_verify() then.
 *
 * @param authenticator  not NULL
 * @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
 * @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param response       set to the answer or the error; may be NULL
 * @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
 *         chosen error correction), FACTOR2_INVALID_SECRET, FACTOR2_RANDOM_UNAVAILABLE,
 *         FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_create_secret(const factor2_authenticator *authenticator,
                                     const char *request,
                                     size_t request_len,
                                     factor2_response **response);

/**
 * Draws the QR code of a secret that exists.
 *
 * Request: `{"username", "totpsecret", "text"?}`, the first two as for factor2_create_secret().
 *
 * Answer: `{"uri", "width", "height", "bytes"}`, and the PNG as the response's data: its size in
 * pixels and in bytes. With `"text":true` there is also `text`: the code in Unicode block elements
 * for a terminal that writes light on dark, two rows of modules per line, each line ended by a
 * newline. With a secret of less than 16 bytes there is also `"warnings":["..."]`.
 *
 * @param authenticator  not NULL
 * @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
 * @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param response       set to the answer or the error; may be NULL
 * @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
 *         chosen error correction), FACTOR2_INVALID_SECRET, FACTOR2_REQUEST_TOO_LARGE,
 *         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_qr_png(const factor2_authenticator *authenticator,
                              const char *request,
                              size_t request_len,
                              factor2_response **response);

/**
 * crossauth's prepare_configuration: makes a secret, and sorts it into what to show and what to
 * keep in the session until the user has typed a right code.
 *
 * Request: `{"user":{"username", ...}}`; other members of `user` are ignored.
 *
 * Answer: `{"userData":{"username", "totpsecret", "factor2", "qr", "uri"},
 * "sessionData":{"username", "totpsecret", "factor2"}}`. `factor2` is the `factor_name` of the
 * settings; the rest is as for factor2_create_secret().
 *
 * @param authenticator  not NULL
 * @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
 * @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param response       set to the answer or the error; may be NULL
 * @return FACTOR2_OK, or FACTOR2_CONFIGURATION (no `factor_name` was set), FACTOR2_BAD_REQUEST,
 *         FACTOR2_RANDOM_UNAVAILABLE, FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER,
 *         FACTOR2_INVALID_HANDLE
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_prepare_configuration(const factor2_authenticator *authenticator,
                                             const char *request,
                                             size_t request_len,
                                             factor2_response **response);

/**
 * crossauth's reprepare_configuration: shows an enrolment again whose page was closed too early.
 *
 * Request: `{"username", "sessionKey":{"data"}}`. `data` is the session's JSON text, or the same as
 * an object; the configuration of factor2_prepare_configuration() is at its top level or under
 * `2fa`, and its other members are ignored. The other members of a crossauth key (`value`,
 * `created`, `expires`, `userid`, `lastactive`) may be there, and are ignored.
 *
 * Answer: `{"userData":{"totpsecret", "factor2", "qr", "uri"}, "secrets":{"totpsecret"},
 * "newSessionData":null}`. With a secret of less than 16 bytes there is also `"warnings":["..."]`.
 *
 * @param authenticator  not NULL
 * @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
 * @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param response       set to the answer or the error; may be NULL
 * @return FACTOR2_OK, or FACTOR2_INVALID_KEY (no `data`), FACTOR2_DATA_FORMAT (it is not a JSON
 *         object), FACTOR2_UNAUTHORIZED (no `totpsecret` or no `factor2` in it),
 *         FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE,
 *         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_reprepare_configuration(const factor2_authenticator *authenticator,
                                               const char *request,
                                               size_t request_len,
                                               factor2_response **response);

/**
 * Verifies a code. The returned status is the verdict:
 *
 *     if (factor2_verify(authenticator, request, length, NULL) == FACTOR2_OK) let_in();
 *
 * Request: `{"totpsecret", "otp", "username"?, "last_step"?}`. `totpsecret` is the user's stored
 * secret, base32 of 10 to 64 bytes. `otp` is what the user typed: spaces and hyphens are dropped,
 * and what is left must be exactly as many ASCII digits as the settings say. `username` is checked
 * for its form, and otherwise ignored.
 *
 * With the guard `{"store":"none"}` you keep the memory that one code is accepted once (RFC 6238
 * section 5.2): pass the `step` of the last accepted code as `last_step`, and store the answer's
 * `step` before you let the user in, by one statement that only ever raises it and whose count of
 * changed rows you check:
 *
 *     UPDATE users SET last_step = :step WHERE id = :id AND last_step < :step
 *
 * Answer: `{"accepted":true, "step", "drift"}`. `step` is the number of the accepted time step, the
 * newest one if the code belongs to several; `drift` tells how many steps it is after (or, below 0,
 * before) the current one. With a secret of less than 16 bytes there is also `"warnings":["..."]`.
 *
 * @param authenticator  not NULL
 * @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
 * @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param response       set to the answer or the error; may be NULL
 * @return FACTOR2_OK only for an accepted code, or FACTOR2_INVALID_TOKEN (the code is wrong or no
 *         code, or code or secret were not given), FACTOR2_TOKEN_REUSED (its step is not after
 *         `last_step`), FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE,
 *         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_verify(const factor2_authenticator *authenticator,
                              const char *request,
                              size_t request_len,
                              factor2_response **response);

/**
 * Computes the current code of a secret, as an authenticator app does: for clients and for tests.
 * A server has no use for it.
 *
 * Request: `{"totpsecret"}`, base32 of 10 to 64 bytes.
 *
 * Answer: `{"otp", "valid_for_s"}`: the code, and for how many seconds it stays the current one.
 * With a secret of less than 16 bytes there is also `"warnings":["..."]`.
 *
 * @param authenticator  not NULL
 * @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
 * @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param response       set to the answer or the error; may be NULL
 * @return FACTOR2_OK, or FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE,
 *         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
 * @since 0.1.0
 */
FACTOR2_MUST_USE
factor2_status factor2_generate(const factor2_authenticator *authenticator,
                                const char *request,
                                size_t request_len,
                                factor2_response **response);

/**
 * The answer's JSON: on success what the operation documents, on failure
 * `{"error":{"code", "http_status", "message"}}`, where `code` is factor2_status_name() and
 * `http_status` is factor2_status_http() of the returned status. Ignore members that you don't
 * know. Messages are for developers and logs; they never hold a secret or a code.
 *
 * @param response  from a call, or NULL
 * @param len       set to the length in bytes without the NUL; may be NULL
 * @return UTF-8, NUL-terminated, valid until factor2_response_free(); NULL if `response` is NULL
 * @since 0.1.0
 */
const char *factor2_response_json(const factor2_response *response,
                                  size_t *len);

/**
 * The bytes beside the JSON: the PNG of factor2_create_secret() and factor2_qr_png().
 *
 * @param response  from a call, or NULL
 * @param len       set to the number of bytes, 0 if there are none; may be NULL
 * @return the bytes, valid until factor2_response_free(); NULL if there are none
 * @since 0.1.0
 */
const unsigned char *factor2_response_data(const factor2_response *response,
                                           size_t *len);

/**
 * Wipes a response, then frees it.
 *
 * @param response  from a call, or NULL (nothing happens)
 * @since 0.1.0
 */
void factor2_response_free(factor2_response *response);

/**
 * The stable name of a status, such as "InvalidToken"; "UnknownError" for a number that this
 * version does not know.
 *
 * @return static, never NULL
 * @since 0.1.0
 */
const char *factor2_status_name(factor2_status status);

/**
 * The HTTP status that a web server would answer with, such as 401; 500 for a number that this
 * version does not know.
 *
 * @since 0.1.0
 */
int factor2_status_http(factor2_status status);

/**
 * The library's version at run time, such as "0.1.0"; FACTOR2_VERSION is the header's.
 *
 * @return static, never NULL
 * @since 0.1.0
 */
const char *factor2_version(void);

/**
 * The library's version at run time as a number, major * 1000000 + minor * 1000 + patch;
 * FACTOR2_VERSION_NUMBER is the header's.
 *
 * @since 0.1.0
 */
unsigned int factor2_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
