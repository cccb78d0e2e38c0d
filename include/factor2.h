/*
 * factor2: a second factor in one C library.
 *
 * Make an authenticator once. To enroll a user, call factor2_create_secret(), show the QR code,
 * store the secret, and let the user confirm by a code. To log a user in, call factor2_verify():
 *
 *     factor2_authenticator *authenticator;
 *     if (factor2_authenticator_new("{\"issuer\":\"Example\"}", FACTOR2_NUL_TERMINATED,
 *                                   &authenticator, NULL) != FACTOR2_OK) return -1;
 *     if (factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, NULL) == FACTOR2_OK)
 *         let_in();
 *
 * The rules, which hold for every function:
 *
 * 1. The status is the verdict. factor2_verify() returns FACTOR2_OK (0) only for an accepted code;
 *    whatever else happens, the status is not 0.
 * 2. Out-pointers are set to NULL on entry, on every path. `response` may be NULL if you want only
 *    the verdict.
 * 3. On failure the response holds {"error":{"code","http_status","message"}}, see
 *    factor2_response_json(). It may be NULL when there was no memory or an internal error. There
 *    is no "last error" to ask for later.
 * 4. What the accessors return is borrowed from the response, until factor2_response_free(). What
 *    you get as a handle is yours to free, once. All free functions take NULL. A NULL, or a handle
 *    of the other kind, is an error; a freed handle usually is, as long as its memory was not used
 *    again.
 * 5. A `const factor2_authenticator *` may be used by any number of threads at once, although its
 *    guard's records change, and after fork() in the child (the store "memory" refuses there).
 *    factor2_authenticator_free() needs it alone. A response, const or not, belongs to one thread
 *    at a time. The functions of the last chapter may be called at any time; nothing else may be
 *    called from a signal handler. pthread_cancel() waits until a call is over.
 * 6. Requests are JSON objects, and strict: unknown, duplicate and missing members, wrong types,
 *    trailing bytes and nesting deeper than 8 levels are refused, so that a typed code such as
 *    000000","totpsecret":"... never changes a request that was put together by snprintf(). Still
 *    write every text into it by factor2_json_quote(). In responses, ignore members that you don't
 *    know.
 * 7. No panic leaves the library. It reads no environment variable, locale or terminal and no file
 *    but those that the settings name, makes no thread and no signal handler, and prints nothing.
 *    It has no global state, but for the guard's store "sqlite": SQLite has some, and from the
 *    first use on there are fork handlers for the life of the process, because nobody may be
 *    inside SQLite while it forks.
 * 8. Secrets are wiped from the library's memory when it has done with them: in a response by
 *    factor2_response_free(). The memory that you pass is yours to wipe.
 *
 * Within one SONAME (libfactor2.so.0) there are only additions: functions, statuses, optional
 * members of requests, members of responses. A function that is to go is marked FACTOR2_DEPRECATED
 * for one SONAME first.
 *
 * Made by `make header` from src/capi/ and src/status.rs; don't edit.
 * Copyright the factor2 developers. SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FACTOR2_H
#define FACTOR2_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Stands before every function; yours to define, to import them from a DLL for instance. */
#ifndef FACTOR2_API
#define FACTOR2_API
#endif

#ifndef FACTOR2_MUST_USE
#if defined(__GNUC__)
#define FACTOR2_MUST_USE __attribute__((warn_unused_result))
#else
#define FACTOR2_MUST_USE
#endif
#endif

/* Stands before functions that will go; define it as nothing to use them without a warning. */
#ifndef FACTOR2_DEPRECATED
#if defined(__GNUC__)
#define FACTOR2_DEPRECATED __attribute__((deprecated))
#else
#define FACTOR2_DEPRECATED
#endif
#endif

/*
 * Statuses. Numbers never change their meaning and never come back. 1xx: the caller's mistake. 2xx:
 * the verdict, and what is wrong with the user's data. 3xx: the settings and the store. 9xx: the
 * system. New ones keep to these ranges.
 */

/** accepted, or done (HTTP 200) */
#define FACTOR2_OK 0
/** a required pointer is NULL (HTTP 500) */
#define FACTOR2_NULL_POINTER 101
/** not a live handle of this kind (HTTP 500) */
#define FACTOR2_INVALID_HANDLE 102
/** the text is longer than 64 KiB, or than 16 MiB for factor2_import() (HTTP 413) */
#define FACTOR2_REQUEST_TOO_LARGE 103
/** not UTF-8, not JSON, or an unknown, duplicate, missing, mistyped or out-of-range member
    (HTTP 400) */
#define FACTOR2_BAD_REQUEST 104
/** wrong or malformed code, or secret or code not given (HTTP 401) */
#define FACTOR2_INVALID_TOKEN 201
/** the code's step, or a later one, was accepted before; the recovery code was used (HTTP 401) */
#define FACTOR2_TOKEN_REUSED 202
/** too many wrong codes: wait retry_after_s seconds (HTTP 429) */
#define FACTOR2_THROTTLED 203
/** the hard limit of wrong codes was reached (HTTP 403) */
#define FACTOR2_DISABLED 204
/** the session has no totpsecret, or no factor2 (HTTP 401) */
#define FACTOR2_UNAUTHORIZED 205
/** the session key has no data (HTTP 401) */
#define FACTOR2_INVALID_KEY 206
/** the session's data is no JSON that could hold a configuration, or the recovery text is none
    (HTTP 500) */
#define FACTOR2_DATA_FORMAT 207
/** the secret is no base32 and no URI, has a wrong length, or is sealed and does not open
    (HTTP 500) */
#define FACTOR2_INVALID_SECRET 208
/** a setting is missing or wrong, or factor_name or seal is not set where it is needed
    (HTTP 500) */
#define FACTOR2_CONFIGURATION 301
/** the guard's store did not answer, is full, corrupt, or cannot be shared as it is used
    (HTTP 503) */
#define FACTOR2_STORE_UNAVAILABLE 302
/** an internal error, or one with no other name (HTTP 500) */
#define FACTOR2_UNKNOWN_ERROR 901
/** no memory; reserved: today a failed allocation ends the process (HTTP 500) */
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
/* Whether this header is that version or a newer one. */
#define FACTOR2_VERSION_AT_LEAST(major, minor, patch) \
    (FACTOR2_VERSION_NUMBER >= (major) * 1000000 + (minor) * 1000 + (patch))

/**
 * The settings and the guard of one second factor. Make one at the start and share it between
 * threads.
 */
typedef struct factor2_authenticator factor2_authenticator;

/**
 * One response. Yours to free, by factor2_response_free().
 */
typedef struct factor2_response factor2_response;

/**
 * The verdict: FACTOR2_OK (0) means accepted or done, anything else means no. Take a number that
 * you don't know as a refusal.
 */
typedef int factor2_status;

/**
 * The one shape of all operations.
 */
typedef factor2_status (*factor2_operation)(const factor2_authenticator *authenticator,
                                            const char *request,
                                            size_t request_len,
                                            factor2_response **response);

/*
 * Settings.
 *
 * factor2_authenticator_new() takes a JSON object. Only `issuer` is required.
 *
 *     member           | default      | range          | meaning
 *     -----------------|--------------|----------------|-----------------------------------
 *     issuer           | -            | 1 to 255 bytes | your service's name as apps show it
 *     factor_name      | none         | 1 to 255 bytes | the factor's name in crossauth
 *     friendly_name    | (1)          | 1 to 255 bytes | what users see when they choose a factor
 *     algorithm        | "SHA1"       | (2)            | the hash; many apps know SHA1 only
 *     digits           | 6            | 6 to 8         | of a code
 *     period           | 30           | 15 to 120      | seconds of a step
 *     window           | (3)          | 0 to 2 each    | steps before and after that count
 *     look_ahead       | 10           | 1 to 50        | counters that count, with type hotp
 *     secret_bytes     | 20           | 16 to 64       | length of new secrets
 *     qr               | {}           | object         | how QR codes are drawn
 *     guard            | (4)          | object         | who remembers codes and counts guesses
 *     seal             | none         | object         | keys: see "Stored secrets"
 *     fixed_time       | none         | 0 and up       | for tests: the clock, in Unix seconds
 *
 * (1) "Authenticator app". (2) "SHA1", "SHA256" or "SHA512". (3) {"past":1,"future":1}.
 * (4) {"store":"memory"}. Blanks around `issuer` are dropped; it has no colon and nothing that
 * cannot be seen (control, zero-width and direction characters).
 *
 * In `qr`:
 *
 *     member           | default      | range          | meaning
 *     -----------------|--------------|----------------|-----------------------------------
 *     module_px        | 10           | 1 to 32        | pixels per module
 *     quiet_zone       | 5            | 0 to 16        | light modules around; scanners want 4
 *     error_correction | "M"          | L, M, Q, H     | 7, 15, 25 or 30 % may be unreadable
 *     dark, light      | black, white | "#rrggbb"      | colors, with a contrast of at least 3:1
 *     logo             | none         | PNG in base64  | in the middle; up to 1024 x 1024 pixels
 *
 * A logo raises the error correction to "H" and may take a larger symbol, because scanners want
 * some patterns whole.
 *
 * The guard keeps one record per credential, that is, per secret and period (or per secret of type
 * hotp), and one per set of recovery codes; no user name is kept. The record holds the last
 * accepted step or counter and its code, or the used recovery codes, the wrong codes in a row, and
 * the lock. A code is accepted if its step is newer than the last accepted one. Wrong codes count:
 * from the fifth in a row on, each one locks the credential, for 30 s, 60 s, 120 s and so on up to
 * one hour; the 33rd disables it until factor2_reset() or a new secret. An accepted code sets the
 * count back to zero. A lock lasts as long as it was set for, whatever the settings of others that
 * share the store. When its store cannot answer, the guard refuses. In `guard`:
 *
 *     member           | default      | range          | which stores have it: what it is
 *     -----------------|--------------|----------------|-----------------------------------
 *     store            | -            | (5)            | all
 *     soft             | 5            | 1 to hard      | not "none": wrong codes that lock
 *     hard             | 33           | 1 to 100       | not "none": wrong codes that disable
 *     base_delay_s     | 30           | up to the next | not "none": seconds of the first lock
 *     max_delay_s      | 3600         | 1 to 86400     | not "none": seconds of the longest lock
 *     retry            | none         | object         | not "none": see factor2_verify()
 *     budget_ms        | 1000         | 10 to 5000     | "sqlite", "redis": longest wait of a call
 *     max_records      | 100000       | 1 to 10^9      | "memory"
 *     path             | -            | 1 to 504 bytes | "sqlite": the file
 *     create           | false        | true, false    | "sqlite": make the file if it is missing
 *     synchronous      | "FULL"       | FULL, NORMAL   | "sqlite": see below
 *     group            | "refuse"     | refuse, trust  | "sqlite": may a group write?
 *     filesystem       | "refuse"     | refuse, trust  | "sqlite": on a shared file system?
 *     url              | -            | URLs           | "redis": see below
 *     prefix           | "factor2:"   | up to 64 bytes | "redis": of the keys; no braces
 *     max_connections  | 64           | 1 to 1024      | "redis": calls of a process at once
 *     ca_file          | - with TLS   | path, "system" | "redis": the authorities to trust, PEM
 *     cert_file        | none         | path           | "redis": a client's certificate, PEM
 *     key_file         | none         | path           | "redis": its key, PEM without a passphrase
 *     sentinel_user    | none         | text           | "redis": for the Sentinels
 *     sentinel_password | none        | text           | "redis": as above
 *
 * (5) "memory", "sqlite", "redis" or "none". `retry` has `ttl_s`, 1 to 3600 (30 if not given), and
 * `limit`, 1 to 100 (5 if not given).
 *
 * "memory": the records of one process, for a server that is one process. They are forgotten when
 * it ends, so a code can be used again after a restart within its window, a recovery code unless
 * you keep `used` as well, and a code of type hotp unless you keep `last_step`. In a forked child
 * the store refuses. When it is full, the longest idle record without wrong codes makes room; if
 * there is none, new credentials are refused. It waits for nothing but other threads, for
 * microseconds.
 *
 * "sqlite": a file that all processes of one machine share. Only its owner may write in its
 * folder; with "group":"trust" a group that the process is in may write as well, as in volumes of
 * containers. "FULL": an accepted code is on the disk before you are told; "NORMAL" is many times
 * faster, and a power failure may forget the last ones. File systems that machines share (NFS,
 * SMB, FUSE, 9p, virtiofs) are refused, because locks may not hold there; "filesystem":"trust" is
 * for one that a single machine uses. Mount the folder into a container, never the file alone. A
 * process that drops rights (setuid, chroot) makes its authenticator after that, because another
 * user cannot open the file again. fork() waits for calls under way, as long as their budget
 * lasts; a child that was made while one went on, or not by fork(), is refused. `budget_ms` bounds
 * every wait for others. A disk that is slow to write is waited for longer.
 *
 * "redis": Redis 7 or Valkey, for a fleet. `url` is redis://, rediss:// (TLS) or unix:///path,
 * with user, password and database as usual, for one server; an array of one or more of them for a
 * cluster; or redis-sentinel://user:password@host,host/name (rediss-sentinel:// with TLS) for the
 * primary that Sentinels know by this name. Special characters in user and password are written as
 * % and two hex digits. Only its owner may read the key file. Locks use the server's clock.
 * `budget_ms` bounds a whole call; the system looks up host names, which is outside of the budget,
 * so use addresses or unix:// where that matters. The user needs the rights `~prefix* +eval
 * +evalsha +get +set +time`; `+select` for a database; `+cluster|myid +asking` for a cluster; the
 * Sentinels' user `+sentinel|get-master-addr-by-name`.
 *
 * "none": you remember accepted codes, see factor2_verify(), and count wrong ones.
 */

/**
 * Makes an authenticator from its settings.
 *
 * @param config         JSON, UTF-8, at most 64 KiB. Not NULL. Read during the call only.
 * @param config_len     its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param authenticator  where to put the new authenticator, or NULL on failure. Not NULL. Yours
 *                       to free by factor2_authenticator_free().
 * @param response       where to put the response, `{}` or an error; NULL if you don't want it
 * @return FACTOR2_OK, or FACTOR2_CONFIGURATION (a setting is missing, unknown or wrong; the
 *         error's message names it), FACTOR2_BAD_REQUEST (not UTF-8, or not one JSON object),
 *         FACTOR2_STORE_UNAVAILABLE, FACTOR2_RANDOM_UNAVAILABLE, FACTOR2_REQUEST_TOO_LARGE,
 *         FACTOR2_NULL_POINTER (`config` or `authenticator`)
 * @since 0.1.0
 */
FACTOR2_API
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
FACTOR2_API
void factor2_authenticator_free(factor2_authenticator *authenticator);

/*
 * Operations.
 *
 * Each takes a request and gives a response; factor2_operation is their type:
 *
 *     authenticator  from factor2_authenticator_new(); not NULL
 *     request        a JSON object, UTF-8, at most 64 KiB; not NULL, read during the call only
 *     request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
 *     response       where to put the response, yours to free; NULL if you want only the status
 *
 * Each can return FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER and
 * FACTOR2_INVALID_HANDLE. What else it can return is said with it. A request of factor2_import()
 * may have 16 MiB. A `?` marks members that may be left out of a request, or be missing from a
 * response.
 *
 * Texts in `"warnings":["...",...]` are for developers and logs.
 */

/**
 * Says what an authenticator is and can do.
 *
 * Request: `{}`, or NULL.
 *
 * Response: `{"version", "mfa_type":"otp", "mfa_channel":"none", "factor_name", "friendly_name",
 * "secret_names":["totpsecret"], "transient_secret_names":["otp"], "create_one_time_secrets":{},
 * "validate_secrets":[], "can_create_user":true, "can_update_user":true,
 * "can_update_secrets":false, "capabilities":{...}, "require_user_entry":true,
 * "skip_email_verification_on_signup":false}`, which are crossauth's names (the two empty ones:
 * there are no one-time secrets to send, and no secrets of the user's to validate), then the
 * settings as factor2_authenticator_new() took them, defaults included, the keys of `seal` by
 * their names, `"guard":{"store","scope",...}`, and `"warnings"?`. The scope tells who shares the
 * records: "process" (memory), "machine" (sqlite), "fleet" (redis), or "caller" (none). There are
 * warnings about what authenticator apps are known to ignore or to refuse: an algorithm other than
 * SHA1, digits other than 6, a period other than 30, an issuer that leaves little for the user
 * name.
 *
 * @return FACTOR2_OK, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_describe(const factor2_authenticator *authenticator,
                                const char *request,
                                size_t request_len,
                                factor2_response **response);

/*
 * Enrollment.
 *
 * The enrollment counts only once the user has typed a right code: call factor2_verify() then.
 */

/**
 * Makes a secret for a user, with the QR code that brings it into an authenticator app.
 *
 * Request: `{"username", "totpsecret"?, "type"?, "bind"?}`. `username` is the account's name as
 * the app shows it. For a new secret it has 1 to 255 bytes, not counting the blanks around it,
 * which are dropped, and nothing that cannot be seen (control, zero-width and direction
 * characters). A `totpsecret` that is given is used again, not replaced, and `username` may then
 * be any text. `type` is "totp", which is the default and what apps are made for, or "hotp", whose
 * codes belong to a counter, which begins at 0. A URI that is given has its own type, and no other
 * may be asked for.
 *
 * Response: `{"username", "totpsecret", "uri", "qr", "sealed"?, "warnings"?}`, and the PNG as its
 * data. `totpsecret` is base32 in capitals without padding, for the user who cannot scan. With
 * `seal` in the settings, `sealed` is what to store; otherwise store `totpsecret` or, if you gave
 * a URI, that; for a new secret of type hotp, store `uri`. `uri` is the otpauth provisioning URI;
 * of type hotp it has the counter that the guard expects next, so that it suits another phone.
 * `qr` is the PNG as `data:image/png;base64,...`, ready for `<img src>`. There are warnings when
 * the secret has fewer than 16 bytes, when bits of it were dropped, when the user name has a colon
 * (which is written `%3A`; some apps cut the name there), when it could not be that of a new
 * secret, when issuer and user name are longer than the 64 bytes that a YubiKey has for both, and
 * those of factor2_describe() about algorithm, digits and period.
 *
 * @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
 *         chosen error correction), FACTOR2_INVALID_SECRET, FACTOR2_RANDOM_UNAVAILABLE, or what
 *         every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_create_secret(const factor2_authenticator *authenticator,
                                     const char *request,
                                     size_t request_len,
                                     factor2_response **response);

/**
 * Draws the QR code of a secret that exists.
 *
 * Request: `{"username", "totpsecret", "format"?, "type"?, "bind"?}`. `username` is any text, and
 * `type` is as for factor2_create_secret(), as is the counter of the URI. `format` is "png", which
 * is the default, "svg" or "text". An SVG can be enlarged, and put into a page as it is: one path,
 * and a logo as a PNG, without scripts and without anything from elsewhere. A text has Unicode
 * block elements for a terminal that writes light on dark, two rows of modules per line, each line
 * ended by a newline.
 *
 * Response: `{"uri", "format", "media_type", "width", "height", "bytes", "warnings"?}`, and the
 * picture as its data. Width and height are in pixels, or in characters for "text". Warnings are
 * those of factor2_create_secret().
 *
 * @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
 *         chosen error correction), FACTOR2_INVALID_SECRET, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_qr(const factor2_authenticator *authenticator,
                          const char *request,
                          size_t request_len,
                          factor2_response **response);

/*
 * Stored secrets.
 *
 * One column of a database holds all that a credential is. Wherever a request has the
 * `totpsecret` of a user, it is one of
 *
 * - base32 (RFC 4648) of 10 to 512 bytes as people have it: in any letter case, padded or not,
 *   with blanks, dashes and zero-width characters anywhere. No digit is taken for a letter. Bits
 *   at its end that make no byte are dropped, with a warning. Algorithm, digits and period are
 *   those of the settings;
 * - an otpauth URI, type totp or hotp: its own algorithm, digits and period hold, and SHA1, 6 and
 *   30 where it has none. Label and issuer do not matter. Of type hotp, its counter is the first
 *   that may be used, and the guard remembers how far it has come: the text stays as it is;
 * - either of these, sealed.
 *
 * Who reads a database must not have the users' codes. With `seal` in the settings, what is to be
 * stored comes sealed: encrypted (XChaCha20-Poly1305) by a key that the database does not have.
 *
 *     "seal":{"keys":{"2026-11":"<base64 of 32 random bytes>"},"use":"2026-11"}
 *
 * `keys` are those that open, 1 to 16, with names of 1 to 32 letters, digits, `-` and `_`; `use`
 * names the one that seals. Keep them in a file that only the service can read, or where you keep
 * other keys. They are wiped with the authenticator.
 *
 * A sealed secret is bound to its user: to `username`, less the blanks around it, or to `bind` in
 * its place, 1 to 255 bytes that survive a rename, a row's id for instance. Each call that has the
 * secret must have the same, so that nobody gets in by moving secrets between rows. A sealed
 * secret that does not open, for whatever reason, is FACTOR2_INVALID_SECRET with one message, and
 * nothing is counted.
 *
 * To move to another key: add it everywhere, then let `use` name it. From then on
 * factor2_verify() answers `"reseal":true` for secrets that another key sealed, or none: call
 * factor2_seal(), and store what it gives. Drop the old key when no stored secret begins with
 * `f2s1.`, its name and a dot. When all are sealed, `"plain":"refuse"` beside `use` refuses secrets
 * that are not, so that who can write the database cannot put one in.
 */

/**
 * Seals a secret for a user, or seals it anew by the key in use.
 *
 * Request: `{"totpsecret", "username"}` or `{"totpsecret", "bind"}`. `totpsecret` has any stored
 * form; if it is sealed, then for this user.
 *
 * Response: `{"sealed", "key", "warnings"?}`: what to store, in the place of the secret, and the
 * name of the key. Warnings are about the secret, as those of factor2_create_secret().
 *
 * @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the settings have no `seal`),
 *         FACTOR2_INVALID_SECRET, FACTOR2_RANDOM_UNAVAILABLE, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_seal(const factor2_authenticator *authenticator,
                            const char *request,
                            size_t request_len,
                            factor2_response **response);

/*
 * Codes.
 */

/**
 * Verifies a code. The returned status is the verdict:
 *
 *     if (factor2_verify(authenticator, request, length, NULL) == FACTOR2_OK) let_in();
 *
 * Request: `{"totpsecret", "otp", "username"?, "bind"?, "last_step"?, "drift"?, "retry_key"?}`.
 * `totpsecret` is the user's stored secret, or an array of 1 to 8 for a user who has several
 * authenticators. `otp` is what the user typed: blanks, a newline, dashes and zero-width
 * characters are dropped, and what is left must be exactly as many decimal digits as the settings
 * say: of ASCII, full-width, Arabic-Indic, Persian or Devanagari. However a code is written, it is
 * the same code to the guard. `username` may be any text; it matters for sealed secrets alone.
 *
 * The guard sees to it that each code is accepted once (RFC 6238 section 5.2) and that few
 * guesses are answered (RFC 4226 section 7.3), also under many threads, processes and machines
 * that share a store. Call it for the first code of an enrollment as well: that code is used up
 * then. A malformed code is not counted, nor is a code that was accepted before. The code
 * accepted last never is, however late it comes again, so that a client which repeats a stored
 * code locks nobody out.
 *
 * For a user who does not exist, or has no second factor, pass `"totpsecret":null`. It stands for
 * nobody: the call does the same work as for a wrong code, the store's included, takes the same
 * time, answers FACTOR2_INVALID_TOKEN with the same message whatever the code, and remembers
 * nothing. So time does not tell who has a second factor; nor who is locked, because a call that
 * changes nothing takes as long as one that does. A malformed code does the same work, too, and
 * when the store is in trouble, that is the answer.
 *
 * A secret of type hotp (RFC 4226) has codes of counters, not of time. The next `look_ahead`
 * counters after the last accepted one count, because a token's button is also pressed in vain;
 * those that were skipped never do again. What is further ahead is for factor2_resync().
 *
 * `drift`, -1000 to 1000, is for a hardware token whose clock has gone wrong, as factor2_resync()
 * has found: so many steps it is ahead or, below 0, behind. The window lies around the token's time
 * then, and gets no wider. With type hotp it means nothing. A response's `drift` may take the place
 * of the one that is stored, as long as it is within these bounds.
 *
 * Of several authenticators, the one whose code it is judges it, and the others are left alone; a
 * code of none counts as a wrong one on each. So nobody is locked out of one device by using the
 * other, and two devices give an attacker no more guesses than one. Without that, a loop around
 * this function would count each right code as wrong on the others.
 *
 * VPNs renegotiate, RADIUS clients retransmit and mail clients open a second connection, all with
 * the same code. With `"retry":{"ttl_s":30,"limit":5}` in the guard's settings, a call with the
 * `retry_key` (1 to 255 bytes) and the code of the call that was accepted last is answered as that
 * one was, with `"repeated":true`, for so many seconds and so often. The key must come from the
 * server's side and tell one session from all others: a VPN's session id, or a RADIUS client's
 * address, identifier and authenticator. Who could choose it, and saw a code, could use that code
 * again for so long. A locked or disabled credential repeats nothing. Without the setting,
 * `retry_key` is FACTOR2_BAD_REQUEST.
 *
 * With the guard {"store":"none"} this is yours to do: pass the `step`, or the `counter`, of the
 * last accepted code as `last_step` (-1 or nothing when there is no such code yet), and store the
 * response's before you let the user in, by one statement that only ever raises it and whose count
 * of changed rows you check. For several secrets, `last_step` and `drift` may be arrays, with one
 * for each.
 *
 *     UPDATE users SET last_step = :step WHERE id = :id AND last_step < :step
 *
 * With another store, `last_step` is respected as well.
 *
 * Response: `{"accepted":true, "step", "drift", "index"?, "reseal"?, "repeated"?, "warnings"?}`,
 * with `counter` in the place of `step` and `drift` for a secret of type hotp. `step` is the
 * number of the accepted time step, the newest one if the code belongs to several; `drift` tells
 * how many steps it is after (or, below 0, before) the current one, by the server's clock.
 * `counter` is the accepted one, the lowest that has the code. `index` is the place, from 0 on, of
 * the authenticator whose code it was, if `totpsecret` is an array. With `"reseal":true`, call
 * factor2_seal() for it. Warnings are about the secret, as those of factor2_create_secret().
 *
 * @return FACTOR2_OK only for an accepted code, or FACTOR2_INVALID_TOKEN (the code is wrong or no
 *         code, or code or secret were not given; with `retry_after_s` when it locked the
 *         credential), FACTOR2_TOKEN_REUSED (right, but this step or a later one was accepted
 *         before, or the code that was accepted last; the message tells if a clock was ahead then),
 *         FACTOR2_THROTTLED (locked: the code was not looked at, wait `retry_after_s`),
 *         FACTOR2_DISABLED (too many wrong codes), FACTOR2_STORE_UNAVAILABLE (the guard's store did
 *         not answer in time, is full, corrupt, or not to be shared with a forked child; the
 *         message says which), FACTOR2_INVALID_SECRET, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_verify(const factor2_authenticator *authenticator,
                              const char *request,
                              size_t request_len,
                              factor2_response **response);

/**
 * Finds an authenticator again whose counter or clock has run away from the server's, by two codes
 * in a row (RFC 4226 section 7.4, RFC 6238 section 6). It is for hardware tokens: the clocks of
 * phones are right, and a server's that is wrong must be set. Both codes are used up, as if they
 * had been accepted by factor2_verify(), and a wrong pair counts as one wrong code.
 *
 * Request: `{"totpsecret", "otp", "next_otp", "username"?, "bind"?, "last_step"?}`. `next_otp` is
 * the code that the authenticator shows after `otp`, and the one that it shows now. Of type hotp,
 * `otp` is searched among the next 1000 counters; of type totp, `next_otp` within 1000 steps on
 * either side. Both must be newer than what was accepted before.
 *
 * Response: `{"accepted":true, "step", "drift", "warnings"?}`, or `{"accepted":true, "counter",
 * "warnings"?}` of type hotp: those of `next_otp`, as factor2_verify() tells them. Store `drift`
 * with the user, and give it to factor2_verify() from then on; a counter is remembered by the
 * guard. With the guard {"store":"none"}, pass and store them as for factor2_verify().
 *
 * @return FACTOR2_OK only for two such codes, or what factor2_verify() can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_resync(const factor2_authenticator *authenticator,
                              const char *request,
                              size_t request_len,
                              factor2_response **response);

/**
 * Computes the current code of a secret, as an authenticator app does: for clients and for tests.
 * A server has no use for it.
 *
 * Request: `{"totpsecret", "username"?, "bind"?}`.
 *
 * Response: `{"otp", "valid_for_s", "warnings"?}`: the code, and for how many seconds it stays the
 * current one. For type hotp it is `{"otp", "counter", "warnings"?}`, of the URI's counter,
 * whatever the guard has accepted. Warnings are about the secret, as those of
 * factor2_create_secret().
 *
 * @return FACTOR2_OK, or FACTOR2_INVALID_SECRET, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_generate(const factor2_authenticator *authenticator,
                                const char *request,
                                size_t request_len,
                                factor2_response **response);

/*
 * Recovery codes.
 *
 * The way back in for a user whose device is lost: a set of codes on paper, each good for one
 * login. They have a record of their own in the guard, with their own count of wrong codes, so
 * that guessing at the one never locks the other.
 */

/**
 * Makes a set of recovery codes.
 *
 * Request: `{"count"?}`, 1 to 32; 10 if it is not given.
 *
 * Response: `{"codes":["ABCD-EFGH-JKLM-NPQR-STUV-WXYZ", ...], "recovery"}`. Show the codes once,
 * to be printed or saved; each has 120 random bits, in letters and digits that do not look alike.
 * `recovery` is the text to store. It holds no code, and none can be computed from it. A new set
 * takes the place of the old one, and with it go the old codes.
 *
 * @return FACTOR2_OK, or FACTOR2_RANDOM_UNAVAILABLE, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_create_recovery_codes(const factor2_authenticator *authenticator,
                                             const char *request,
                                             size_t request_len,
                                             factor2_response **response);

/**
 * Verifies a recovery code, and uses it up. The returned status is the verdict, as that of
 * factor2_verify().
 *
 * Request: `{"recovery", "code", "number"?, "used"?}`. `recovery` is the stored text. `code` is
 * what the user typed: case, blanks, dashes and zero-width characters do not matter. `number`
 * demands the code with this number, from 1 on. For a user who does not exist, or has no recovery
 * codes, pass `"recovery":null`: as with factor2_verify(), time does not tell.
 *
 * Each code is accepted once, in any order, also under many threads, processes and machines that
 * share a store; "memory" forgets at a restart which were used. Wrong codes count and lock as
 * those of factor2_verify() do; what cannot be a code is not counted, nor is a used one.
 *
 * With the guard {"store":"none"} this is yours to do: pass the numbers of the used codes as
 * `used`, and store the response's `number` before you let the user in, by one statement that
 * fails if it is there:
 *
 *     INSERT INTO used_recovery_codes (user_id, number) VALUES (:id, :number)
 *
 * with (user_id, number) as the primary key. With another store, `used` is respected as well.
 *
 * Response: `{"accepted":true, "number", "remaining"}`: which code it was, and how many are left.
 * Tell the user, and offer a new set when they are few.
 *
 * @return FACTOR2_OK only for an accepted code, or FACTOR2_INVALID_TOKEN (wrong or no recovery
 *         code, or code or set were not given; with `retry_after_s` when it locked the set),
 *         FACTOR2_TOKEN_REUSED (this code was used), FACTOR2_THROTTLED (locked: the code was not
 *         looked at, wait `retry_after_s`), FACTOR2_DISABLED (too many wrong codes),
 *         FACTOR2_DATA_FORMAT (`recovery` is not what factor2_create_recovery_codes() made),
 *         FACTOR2_STORE_UNAVAILABLE, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_verify_recovery_code(const factor2_authenticator *authenticator,
                                            const char *request,
                                            size_t request_len,
                                            factor2_response **response);

/*
 * What the guard remembers.
 */

/**
 * Shows what the guard remembers of a credential, or of a set of recovery codes.
 *
 * Request: `{"totpsecret", "username"?, "bind"?}` or `{"recovery"}`.
 *
 * Response: `{"last_step", "failures", "locked_until", "disabled"}`: the last accepted step or
 * counter (null when there is none yet), the wrong codes in a row, until when in Unix seconds no
 * code is looked at (0 when it was not locked), and whether the hard limit was reached. A
 * credential that was never tried looks like a new one. Of a set, `"used":[...]` and `remaining`
 * in the place of `last_step`: the numbers of the codes that were used, and how many were not.
 *
 * @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the guard's store is "none"),
 *         FACTOR2_STORE_UNAVAILABLE, FACTOR2_INVALID_SECRET, FACTOR2_DATA_FORMAT (`recovery`), or
 *         what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_inspect(const factor2_authenticator *authenticator,
                               const char *request,
                               size_t request_len,
                               factor2_response **response);

/**
 * Forgets the wrong codes of a credential, or of a set of recovery codes: failures, lock and
 * disabled. For an administrator, once the user's identity was checked in another way. What was
 * accepted stays accepted: no code works a second time after it.
 *
 * Request: that of factor2_inspect().
 *
 * Response: that of factor2_inspect(), after the reset.
 *
 * @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the guard's store is "none"),
 *         FACTOR2_STORE_UNAVAILABLE, FACTOR2_INVALID_SECRET, FACTOR2_DATA_FORMAT (`recovery`), or
 *         what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_reset(const factor2_authenticator *authenticator,
                             const char *request,
                             size_t request_len,
                             factor2_response **response);

/*
 * Help for support.
 *
 * What a user who cannot log in has done wrong, or what has: for the help desk and for logs, never
 * for the user who logs in, who may be somebody else.
 */

/**
 * Tells why a code is refused. It accepts nothing, counts nothing and changes nothing, and its
 * status is no verdict: FACTOR2_OK only means that it has an answer.
 *
 * Request: `{"totpsecret", "otp", "next_otp"?, "username"?, "bind"?, "last_step"?, "drift"?}`, as
 * for factor2_verify(). `otp` may have 6 to 8 digits, whatever the settings say. With `next_otp`,
 * the code that the authenticator shows after that, more is searched and chance is ruled out.
 *
 * Response: `{"right", "findings", "warnings"?}`. `right` is true for a code that is right and was
 * not used, also while the credential is locked or disabled. `findings` is an array, empty if
 * nothing was found, of objects whose `what` is
 *
 *     "used"       it, or a later one, was accepted before: its "step" or "counter"
 *     "clock"      the authenticator is "drift" steps, "drift_s" seconds, ahead of the server (or,
 *                  below 0, behind): its clock or the server's is wrong, or the code is old
 *     "counter"    of type hotp: "ahead" of the expected counter, for factor2_resync()
 *     "algorithm", "digits", "period"
 *                  the authenticator has another one, of the same name: it ignored the URI's
 *     "locked"     for "retry_after_s" seconds no code is looked at
 *     "disabled"   no code is looked at until factor2_reset() or a new secret
 *
 * Searched are a day on either side (of type hotp, 1000 counters), then the other algorithms,
 * digits and usual periods, within the window or, with `next_otp`, the day. Each finding but the
 * last two has `chance`, the probability that a code which is wrong altogether gives such a
 * finding: some 0.006 for "clock" and one code of 6 digits, 10^-8 for two.
 *
 * @return FACTOR2_OK, or FACTOR2_INVALID_TOKEN (a code is none, or not given),
 *         FACTOR2_INVALID_SECRET, FACTOR2_STORE_UNAVAILABLE, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_diagnose(const factor2_authenticator *authenticator,
                                const char *request,
                                size_t request_len,
                                factor2_response **response);

/*
 * Moving in.
 *
 * Secrets that another system has made need not be made anew. factor2_read_uri() tells what a URI
 * says that was written elsewhere; factor2_import() reads what a whole system left behind, all
 * users at once. What it gives is stored as it is, like a secret of our own.
 *
 *     format                 text
 *     otpauth                otpauth URIs, one a line
 *     otpauth-migration      what Google's app shows as QR codes to move accounts, a URI a line
 *     users-file             the users file of liboath (pam_oath, ocserv) or mod_authn_otp
 *     google-authenticator   ~/.google_authenticator, of one user of pam_google_authenticator
 *     privacyidea-csv        privacyIDEA's OATH CSV: serial, seed in hex, type, digits, period
 *                            or counter, algorithm. With "# version: 2" in its first line, user,
 *                            resolver and realm are before that
 *     entra-csv              Microsoft Entra's hardware tokens, with the header line
 *     keycloak               an export of realms or users, JSON
 *
 * A line that cannot be taken over is told and never keeps back the others. What an entry loses is
 * told in its warnings: a PIN, by how much a clock was off, which steps were used, recovery codes
 * that stood there in the clear, and limits, which the settings have for all.
 */

/**
 * Reads an otpauth URI, as a QR code has it.
 *
 * Request: `{"uri"}`.
 *
 * Response: `{"type", "issuer", "label_issuer"?, "account", "totpsecret", "algorithm", "digits",
 * "period", "warnings"}`, with `counter` in the place of `period` for type "hotp". `type` is
 * "totp" or "hotp", `totpsecret` base32 in capitals without padding. `label_issuer` is there if
 * label and parameter name two different issuers. What the URI leaves out has the format's
 * default: SHA1, 6 digits, 30 seconds, and "" for names. `warnings`, perhaps an empty array,
 * tells what was mended (letter case, padding, blanks, `+` for a blank, names of algorithms) and
 * what apps may take for something else. What could be read in two ways is refused: a parameter
 * that is given twice, an algorithm, digits or a period that factor2_verify() does not take, a
 * counter that is missing, NUL, bytes that are not UTF-8.
 *
 * The URI itself can be stored as a `totpsecret`, so there is no need to take it apart for that.
 *
 * @return FACTOR2_OK, or FACTOR2_INVALID_SECRET (no URI of this kind; the message says what is
 *         wrong), or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_read_uri(const factor2_authenticator *authenticator,
                                const char *request,
                                size_t request_len,
                                factor2_response **response);

/**
 * Reads the credentials that another system has left behind.
 *
 * Request: `{"format", "text", "username"?}`, here of up to 16 MiB. `format` is one of the above.
 * `username` is whose file it is, for "google-authenticator", and must be absent for the others,
 * whose texts have the names.
 *
 * Response: `{"entries":[{"username", "issuer", "totpsecret", "sealed"?, "warnings"?}, ...],
 * "refused":[{"line", "why"}, ...]}`, each in the text's order. `totpsecret` is an otpauth URI,
 * written as factor2_create_secret() writes it, or of type hotp with the next counter; `issuer` is
 * "" if there is none. If the settings have `seal`, `sealed` is what to store in its place, sealed
 * for the entry's username. Where the text has no name for it, `username` is "", and there is no
 * `sealed`; the names of a CSV without users are serial numbers. `line` counts from 1, and where
 * there are no lines ("otpauth-migration", "keycloak") it is the number of the credential. `why`
 * names what is wrong and never quotes it.
 *
 * Who has several credentials has several entries. Blank lines are skipped, and a byte order mark.
 * A text of which nothing can be read is FACTOR2_DATA_FORMAT: JSON that is cut off, a URI without
 * data, a CSV whose header does not name the secret, over 1048576 entries and refused lines.
 *
 * @return FACTOR2_OK, or FACTOR2_DATA_FORMAT, FACTOR2_RANDOM_UNAVAILABLE, or what every operation
 *         can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_import(const factor2_authenticator *authenticator,
                              const char *request,
                              size_t request_len,
                              factor2_response **response);

/*
 * For those who come from crossauth.
 */

/**
 * crossauth's prepare_configuration: makes a secret, and sorts it into what to show and what to
 * keep in the session until the user has typed a right code.
 *
 * Request: `{"user":{"username", ...}}`; other members of `user` are ignored.
 *
 * Response: `{"userData":{"username", "totpsecret", "factor2", "qr", "uri"},
 * "sessionData":{"username", "totpsecret", "factor2"}, "warnings"?}`. `factor2` is the
 * `factor_name` of the settings; the rest is as in factor2_create_secret(). With `seal` in the
 * settings, the session's `totpsecret` is sealed for this user.
 *
 * @return FACTOR2_OK, or FACTOR2_CONFIGURATION (no `factor_name` was set),
 *         FACTOR2_RANDOM_UNAVAILABLE, or what every operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_prepare_configuration(const factor2_authenticator *authenticator,
                                             const char *request,
                                             size_t request_len,
                                             factor2_response **response);

/**
 * crossauth's reprepare_configuration: shows an enrollment again whose page was closed too early.
 *
 * Request: `{"username", "sessionKey":{"data"}}`. `username` is any text. `data` is the session's
 * JSON text, or the same as an object; the configuration of factor2_prepare_configuration() is at
 * its top level or under `2fa`, and its other members are ignored. The other members of a
 * crossauth key (`value`, `created`, `expires`, `userid`, `lastactive`) may be there, and are
 * ignored.
 *
 * Response: `{"userData":{"totpsecret", "factor2", "qr", "uri"}, "secrets":{"totpsecret"},
 * "newSessionData":null, "warnings"?}`. `secrets.totpsecret` is what to store: sealed, with `seal`
 * in the settings.
 *
 * @return FACTOR2_OK, or FACTOR2_INVALID_KEY (no `data`), FACTOR2_DATA_FORMAT (it is no JSON that
 *         could hold a configuration), FACTOR2_UNAUTHORIZED (it has no `totpsecret` or no
 *         `factor2`; it may be empty, null or an array), FACTOR2_INVALID_SECRET, or what every
 *         operation can return
 * @since 0.1.0
 */
FACTOR2_API
FACTOR2_MUST_USE
factor2_status factor2_reprepare_configuration(const factor2_authenticator *authenticator,
                                               const char *request,
                                               size_t request_len,
                                               factor2_response **response);

/*
 * Responses, and JSON in C.
 */

/**
 * The response's JSON: on success what the operation documents, on failure `{"error":{"code",
 * "http_status", "message", "retry_after_s"?}}`, where `code` is factor2_status_name() and
 * `http_status` is factor2_status_http() of the returned status, and `retry_after_s` tells after
 * how many seconds another code will be looked at. Ignore members that you don't know. Messages
 * are for developers and logs; they never hold a secret or a code.
 *
 * @param response  from a call, or NULL
 * @param len       where to put the length in bytes, without the NUL; may be NULL
 * @return UTF-8, NUL-terminated, valid until factor2_response_free(); NULL if `response` is NULL
 *         or no live response
 * @since 0.1.0
 */
FACTOR2_API
const char *factor2_response_json(const factor2_response *response,
                                  size_t *len);

/**
 * One member of the response's JSON as text, so that a C program needs no JSON parser:
 *
 *     const char *why = factor2_response_text(response, "error.message", NULL);
 *
 * A string comes without quotes and escapes, anything else as JSON writes it (`30`, `null`,
 * `{"a":1}`). Each call that asks for another member takes memory until factor2_response_free().
 *
 * @param response  from a call, or NULL
 * @param path      the member's name, UTF-8, NUL-terminated; below an object after a dot, in an
 *                  array by its number: `error.message`, `warnings.0`. May be NULL.
 * @param len       where to put the length in bytes, without the NUL, or 0; may be NULL. A string
 *                  with `\u0000` in it has a NUL before its end.
 * @return UTF-8, NUL-terminated, valid until factor2_response_free(); NULL if there is no such
 *         member, or if `response` is NULL or no live response, or `path` NULL
 * @since 0.1.0
 */
FACTOR2_API
const char *factor2_response_text(const factor2_response *response,
                                  const char *path,
                                  size_t *len);

/**
 * The bytes beside the JSON: the picture of factor2_create_secret() and factor2_qr(). No NUL ends
 * them.
 *
 * @param response  from a call, or NULL
 * @param len       where to put the number of bytes, 0 if there are none; may be NULL
 * @return the bytes, valid until factor2_response_free(); NULL if there are none, or if
 *         `response` is NULL or no live response
 * @since 0.1.0
 */
FACTOR2_API
const unsigned char *factor2_response_data(const factor2_response *response,
                                           size_t *len);

/**
 * Wipes a response, then frees it.
 *
 * @param response  from a call, or NULL (nothing happens)
 * @since 0.1.0
 */
FACTOR2_API
void factor2_response_free(factor2_response *response);

/**
 * Writes a text as a JSON string, quotes included, so that a C program cannot build a wrong
 * request:
 *
 *     char name[200], request[256];
 *     if (factor2_json_quote(user, FACTOR2_NUL_TERMINATED, name, sizeof name) >= sizeof name)
 *         return too_long_or_not_utf8();
 *     snprintf(request, sizeof request, "{\"username\":%s}", name);
 *
 * @param text      UTF-8; may be NULL
 * @param len       its length in bytes, or FACTOR2_NUL_TERMINATED
 * @param out       where to put the string and a NUL, apart from `text`; may be NULL, to learn
 *                  the length
 * @param out_size  how many bytes there are. What does not fit, or is not UTF-8, leaves an empty
 *                  string: a request made of it is refused.
 * @return how many bytes the string takes without the NUL, whether it fits or not, or (size_t)-1,
 *         which is larger than any buffer, when `text` is NULL or not UTF-8
 * @since 0.1.0
 */
FACTOR2_API
size_t factor2_json_quote(const char *text,
                          size_t len,
                          char *out,
                          size_t out_size);

/*
 * Statuses and versions. These functions may be called at any time, from any thread.
 */

/**
 * The stable name of a status, such as "InvalidToken"; "UnknownError" for a number that this
 * version does not know.
 *
 * @return static, never NULL
 * @since 0.1.0
 */
FACTOR2_API
const char *factor2_status_name(factor2_status status);

/**
 * The HTTP status that a web server would answer with, such as 401; 500 for a number that this
 * version does not know.
 *
 * @since 0.1.0
 */
FACTOR2_API
int factor2_status_http(factor2_status status);

/**
 * The library's version at run time, such as "0.1.0"; FACTOR2_VERSION is the header's.
 *
 * @return static, never NULL
 * @since 0.1.0
 */
FACTOR2_API
const char *factor2_version(void);

/**
 * The library's version at run time as a number, major * 1000000 + minor * 1000 + patch;
 * FACTOR2_VERSION_NUMBER is the header's.
 *
 * @since 0.1.0
 */
FACTOR2_API
unsigned int factor2_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
