//! The C ABI. The comments here become `include/factor2.h`, and are the specification.

#![allow(unsafe_code, non_camel_case_types)]

mod boundary;
mod cancellation;
#[cfg(feature = "sqlite")]
pub(crate) mod file_size_signal;
#[cfg(feature = "sqlite")]
pub(crate) mod file_system;
mod handle;
mod input;
#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) mod process;
#[cfg(any(feature = "memory", feature = "redis", feature = "sqlite"))]
pub(crate) mod process_mark;
#[cfg(feature = "memory")]
pub(crate) mod processor;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_calls;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_connection;

use std::ffi::{c_char, c_int, c_uchar, c_uint};
use std::ptr;

use crate::answer::Answer;
use crate::authenticator::Authenticator;
use crate::capi::boundary::{null_pointer, respond, set, whole};
use crate::capi::handle::Handle;
use crate::error::{Result, Status};

/// Settings and guard of one second factor. Make one at start, share it between threads.
pub struct factor2_authenticator {
    _private: [u8; 0],
}

/// One answer. Yours to free, by factor2_response_free().
pub struct factor2_response {
    _private: [u8; 0],
}

/// The verdict: FACTOR2_OK (0) means accepted or done, anything else means no. Take a number that
/// you don't know as a refusal.
pub type factor2_status = c_int;

/// Makes an authenticator from its settings.
///
/// `config` is a JSON object. Only `issuer` is required:
///
/// - `issuer`: your service's name as apps show it. 1 to 255 bytes without the blanks around it, which are
///   dropped; no colon, and nothing that cannot be seen (control, zero-width and direction characters).
/// - `factor_name`: the factor's name in crossauth; factor2_prepare_configuration() needs it.
/// - `friendly_name`, "Authenticator app": what users are shown when they choose a factor.
/// - `algorithm`, "SHA1": or "SHA256", "SHA512"; many apps know SHA1 only.
/// - `digits`, 6: 6 to 8.
/// - `period`, 30: seconds per step, 15 to 120.
/// - `window`, {"past":1,"future":1}: how many steps before and after the current one are accepted, 0
///   to 2 each.
/// - `secret_bytes`, 20: length of new secrets, 16 to 64.
/// - `qr`: an object. `module_px`, 10: pixels per module, 1 to 32. `quiet_zone`, 5: light modules
///   around the symbol, 0 to 16; scanners want 4. `error_correction`, "M": or "L", "Q", "H", for 7,
///   15, 25, 30 % of the symbol that may be unreadable. `dark` and `light`, "#000000" and "#ffffff":
///   colours, with a contrast of 3:1 at least. `logo`: a PNG in base64, at most 1024 pixels wide and
///   high, to be shown in the middle with a light margin of one module. It raises the error correction
///   to "H", and may take a larger symbol: scanners want some patterns whole.
/// - `guard`, {"store":"memory"}: who remembers accepted codes and counts wrong ones, see below.
/// - `fixed_time`: for tests, what the clock shows, in Unix seconds. It stands still then.
///
/// The guard keeps one record per credential (that is, per secret and period; no user name is kept): the
/// last accepted step and its code, which is used up, the wrong codes in a row, and the lock. A code is
/// accepted if its step is newer than the last accepted one. Each wrong code counts: from the fifth in a
/// row on, each one locks the credential for 30 s, 60 s, 120 s and so on up to one hour, and the 33rd
/// disables it, until factor2_reset() or a new secret. An accepted code sets the count back. A lock is as
/// long as it was set, whatever the settings of others that share the store. If its store cannot answer,
/// the guard refuses. `guard` has the member `store`:
///
/// - "memory": the records of one process, for an embedded server. They are forgotten when it ends: a
///   code can be used again after a restart within its window. In a forked child it refuses.
///   `max_records`, 100000: when it is full, the longest idle record without wrong codes makes room;
///   if there is none, new credentials are refused.
/// - "sqlite": a file that all processes of one machine share. `path`: the file, whose folder only its
///   owner may write. `create`, false: whether to make the file if it is missing. `synchronous`, "FULL":
///   an accepted code is on the disk before it is answered; "NORMAL" is many times faster, and a power
///   failure may forget the last ones. `group`, "refuse": or "trust", and a group that the process is in
///   may write as well, as in volumes of containers. `filesystem`, "refuse": or "trust", if the folder is
///   on one that machines share (NFS, SMB, FUSE, 9p, virtiofs), but one machine uses it. Mount the folder
///   into a container, never the file alone. A process that drops rights (setuid, chroot) makes its
///   authenticator after that: another user cannot open the file again. fork() waits for calls under way,
///   for as long as their budget lasts; a child that was made while one went on, or not by fork(), is
///   refused by this store.
/// - "redis": Redis 7 or Valkey, for a fleet. `url`: redis://, rediss:// (TLS) or unix:// with user,
///   password and database as usual, for one server; an array of them, of one or more, for a cluster; or
///   redis-sentinel://user:password@host,host/name (rediss-sentinel:// with TLS) for the primary that
///   Sentinels call so. Signs in user and password are written as % and two hex digits. `prefix`,
///   "factor2:": of the keys. `ca_file`, required with TLS: a PEM file of the authorities to trust, or
///   "system" for those that the system trusts. `cert_file` and `key_file`: the certificate, and its key,
///   which nobody but its owner may read, for a server that wants one; PEM, without a passphrase.
///   `sentinel_user` and `sentinel_password`: if the Sentinels want them. The user needs the rights
///   `~prefix* +eval +evalsha +get +set +time`; `+select` for a database; `+cluster|myid +asking` for a
///   cluster; that of the Sentinels `+sentinel|get-master-addr-by-name`.
/// - "none": you remember accepted codes, see factor2_verify(), and count wrong ones.
///
/// All but "none" also take `soft`, 5, and `hard`, 33 (the wrong codes in a row that lock, and that
/// disable; at most 100), `base_delay_s`, 30, and `max_delay_s`, 3600 (the first and the longest lock);
/// "sqlite" and "redis" take `budget_ms`, 1000 (the longest that a call may wait for the store, 10 to
/// 5000). With "sqlite" a disk that is asked to write in time, and is slow to, is waited for longer.
///
/// @param config         JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param config_len     its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param authenticator  set to the new authenticator, or to NULL on failure. Not NULL. Yours to
///                       free by factor2_authenticator_free().
/// @param response       set to the answer, `{}` or an error; may be NULL if you don't want it
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (a setting is missing, unknown or wrong; the error's
///         message names it), FACTOR2_BAD_REQUEST (not UTF-8, or not one JSON object),
///         FACTOR2_STORE_UNAVAILABLE, FACTOR2_RANDOM_UNAVAILABLE, FACTOR2_REQUEST_TOO_LARGE,
///         FACTOR2_NULL_POINTER
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_authenticator_new(
    config: *const c_char,
    config_len: usize,
    authenticator: *mut *mut factor2_authenticator,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        set(authenticator, ptr::null_mut());
        respond(response.cast(), || {
            if authenticator.is_null() {
                return Err(null_pointer("authenticator"));
            }
            let config = input::read(config, config_len, "config")?;
            let made = Authenticator::new(config)?;
            let answer = Answer::new(&serde_json::json!({}))?;
            set(authenticator, Handle::into_raw(made).cast());
            Ok(answer)
        })
    }
}

/// Frees an authenticator. No other thread may be using it.
///
/// @param authenticator  from factor2_authenticator_new(), or NULL (nothing happens)
/// @since 0.1.0
///
/// # Safety
/// The pointer is as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_authenticator_free(authenticator: *mut factor2_authenticator) {
    // SAFETY: the caller's promise, passed on.
    let _ = whole(|| unsafe { Handle::<Authenticator>::free(authenticator.cast()) });
}

/// Says what an authenticator is and can do.
///
/// Request: `{}`, or NULL.
///
/// Answer: `{"version", "mfa_type":"otp", "mfa_channel":"none", "factor_name", "friendly_name",
/// "secret_names":["totpsecret"], "transient_secret_names":["otp"], "create_one_time_secrets":{},
/// "validate_secrets":[], "can_create_user":true, "can_update_user":true,
/// "can_update_secrets":false, "capabilities":{...}, "require_user_entry":true,
/// "skip_email_verification_on_signup":false}`, which are crossauth's names (the two empty ones:
/// there are no one-time secrets to send, and no secrets of the user's to validate), then the
/// settings as factor2_authenticator_new() took them, defaults included, and
/// `"guard":{"store","scope",...}`: the scope tells who shares the records: "process" (memory),
/// "machine" (sqlite), "fleet" (redis), or "caller" (none).
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, or NULL
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER,
///         FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_describe(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    let (request, request_len) = if request.is_null() {
        (c"{}".as_ptr(), input::NUL_TERMINATED)
    } else {
        (request, request_len)
    };
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::describe,
        )
    }
}

/// Makes a secret for a user, with the QR code that brings it into an authenticator app.
///
/// Request: `{"username", "totpsecret"?}`. `username` is the account's name as the app shows it. For a new
/// secret it must have 1 to 255 bytes without the blanks around it, which are dropped, and nothing that
/// cannot be seen (control, zero-width and direction characters). A `totpsecret` that is given is used
/// again, not replaced, and `username` may then be any text.
///
/// A given secret is base32 (RFC 4648) of 10 to 512 bytes as people have it: in any letter case, with
/// padding, too much, too little or none, with blanks, dashes and zero-width characters anywhere. No digit
/// is taken for a letter. Bits at its end that make no byte are dropped, with a warning.
///
/// Answer: `{"username", "totpsecret", "uri", "qr"}`, and the PNG as the response's data.
/// `totpsecret` is base32 in capitals without padding: store it, encrypted if you can. `uri` is the
/// otpauth provisioning URI. `qr` is the PNG as `data:image/png;base64,...`, ready for
/// `<img src>`. There is also `"warnings":["...",...]`, texts for developers and logs, when the secret has
/// less than 16 bytes, when bits of it were dropped, when the user name has a colon (which is written `%3A`;
/// some apps cut the name there), or when it could not be a new one's.
///
/// The enrolment counts only once the user has typed a right code: call factor2_verify() then.
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
///         chosen error correction), FACTOR2_INVALID_SECRET, FACTOR2_RANDOM_UNAVAILABLE,
///         FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_create_secret(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::create_secret,
        )
    }
}

/// Draws the QR code of a secret that exists.
///
/// Request: `{"username", "totpsecret", "text"?}`, the first two as factor2_create_secret() takes a
/// given secret.
///
/// Answer: `{"uri", "width", "height", "bytes"}`, and the PNG as the response's data: its size in
/// pixels and in bytes. With `"text":true` there is also `text`: the code in Unicode block elements
/// for a terminal that writes light on dark, two rows of modules per line, each line ended by a
/// newline. `"warnings"` as for factor2_create_secret().
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
///         chosen error correction), FACTOR2_INVALID_SECRET, FACTOR2_REQUEST_TOO_LARGE,
///         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_qr_png(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::qr_png,
        )
    }
}

/// crossauth's prepare_configuration: makes a secret, and sorts it into what to show and what to
/// keep in the session until the user has typed a right code.
///
/// Request: `{"user":{"username", ...}}`; other members of `user` are ignored.
///
/// Answer: `{"userData":{"username", "totpsecret", "factor2", "qr", "uri"},
/// "sessionData":{"username", "totpsecret", "factor2"}}`. `factor2` is the `factor_name` of the
/// settings; the rest, `"warnings"` beside the two included, is as for factor2_create_secret().
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (no `factor_name` was set), FACTOR2_BAD_REQUEST,
///         FACTOR2_RANDOM_UNAVAILABLE, FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER,
///         FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_prepare_configuration(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    let operation = Authenticator::prepare_configuration;
    // SAFETY: the caller's promise, passed on.
    unsafe { operate(authenticator, request, request_len, response, operation) }
}

/// crossauth's reprepare_configuration: shows an enrolment again whose page was closed too early.
///
/// Request: `{"username", "sessionKey":{"data"}}`. `username` is any text. `data` is the session's JSON
/// text, or the same as an object; the configuration of factor2_prepare_configuration() is at its top level
/// or under `2fa`, and its other members are ignored. The other members of a crossauth key (`value`,
/// `created`, `expires`, `userid`, `lastactive`) may be there, and are ignored.
///
/// Answer: `{"userData":{"totpsecret", "factor2", "qr", "uri"}, "secrets":{"totpsecret"},
/// "newSessionData":null}`. `"warnings"` as for factor2_create_secret().
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_INVALID_KEY (no `data`), FACTOR2_DATA_FORMAT (it is no JSON that
///         could hold any), FACTOR2_UNAUTHORIZED (no `totpsecret` or no `factor2` in it; it may be empty,
///         null, or an array),
///         FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE,
///         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_reprepare_configuration(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    let operation = Authenticator::reprepare_configuration;
    // SAFETY: the caller's promise, passed on.
    unsafe { operate(authenticator, request, request_len, response, operation) }
}

/// Verifies a code. The returned status is the verdict:
///
///     if (factor2_verify(authenticator, request, length, NULL) == FACTOR2_OK) let_in();
///
/// Request: `{"totpsecret", "otp", "username"?, "last_step"?}`. `totpsecret` is the user's stored
/// secret, as factor2_create_secret() takes a given one. `otp` is what the user typed: blanks, a newline,
/// dashes and zero-width characters are dropped, and what is left must be exactly as many decimal digits as
/// the settings say: of ASCII, full-width, Arabic-Indic, Persian or Devanagari. However a code is written, it
/// is the same code to the guard. `username` may be any text, and is ignored.
///
/// The guard sees to it that each code is accepted once (RFC 6238 section 5.2) and that few guesses are
/// answered (RFC 4226 section 7.3), also under many threads, processes and machines that share a store.
/// Call it for the first code of an enrolment as well: that code is used up then. A malformed code is
/// not counted, nor is a code that was accepted before; the last accepted one never is, however late it
/// comes again, so that a client which repeats a stored code locks nobody out.
///
/// For a user who does not exist, or has no second factor, pass `"totpsecret":null`. It stands for
/// nobody: the call does the same work as for a wrong code, the store's included, and takes the same
/// time, answers FACTOR2_INVALID_TOKEN with the same message, whatever the code, and remembers nothing. So
/// time does not tell who has a second factor; nor who is locked, for a call that changes nothing takes as
/// long as one that does. A malformed code does the same work, too, and if the store is in trouble, that is
/// the answer.
///
/// With the guard {"store":"none"} this is yours to do: pass the `step` of the last accepted code as
/// `last_step` (-1, as well as none at all, when there is no such code yet), and store the answer's
/// `step` before you let the user in, by one statement that only ever raises it and whose count of changed
/// rows you check:
///
///     UPDATE users SET last_step = :step WHERE id = :id AND last_step < :step
///
/// With another store, `last_step` is respected as well.
///
/// Answer: `{"accepted":true, "step", "drift"}`. `step` is the number of the accepted time step, the
/// newest one if the code belongs to several; `drift` tells how many steps it is after (or, below 0,
/// before) the current one. `"warnings"` about the secret as for factor2_create_secret().
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK only for an accepted code, or FACTOR2_INVALID_TOKEN (the code is wrong or no
///         code, or code or secret were not given; with `retry_after_s` when it locked the
///         credential), FACTOR2_TOKEN_REUSED (right, but this step or a later one was accepted
///         before, or the code that was accepted last; the message tells if a clock was ahead then),
///         FACTOR2_THROTTLED (locked: the code was not looked at, wait `retry_after_s`),
///         FACTOR2_DISABLED (too many wrong codes), FACTOR2_STORE_UNAVAILABLE (the guard's store did
///         not answer in time, is full, corrupt, or not to be shared with a forked child; the
///         message says which), FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE,
///         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_verify(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::verify,
        )
    }
}

/// Shows what the guard remembers of a credential. Changes nothing.
///
/// Request: `{"totpsecret"}`.
///
/// Answer: `{"last_step", "failures", "locked_until", "disabled"}`: the highest accepted step (null
/// when there is none), the consecutive wrong codes, until when in Unix seconds no code is looked at
/// (0 when it was not locked), and whether the hard limit was reached. A credential that was never
/// tried looks like a new one.
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the guard's store is `"none"`),
///         FACTOR2_STORE_UNAVAILABLE, FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST,
///         FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_inspect(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::inspect,
        )
    }
}

/// Forgets the wrong codes of a credential: failures, lock and disabled. For an administrator, once
/// the user's identity was checked in another way. What was accepted stays accepted: no code works a
/// second time after it.
///
/// Request: `{"totpsecret"}`.
///
/// Answer: as for factor2_inspect(), after the reset.
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the guard's store is `"none"`),
///         FACTOR2_STORE_UNAVAILABLE, FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST,
///         FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_reset(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::reset,
        )
    }
}

/// Computes the current code of a secret, as an authenticator app does: for clients and for tests.
/// A server has no use for it.
///
/// Request: `{"totpsecret"}`, as factor2_create_secret() takes a given one.
///
/// Answer: `{"otp", "valid_for_s"}`: the code, and for how many seconds it stays the current one.
/// `"warnings"` about the secret as for factor2_create_secret().
///
/// @param authenticator  not NULL
/// @param request        JSON, UTF-8, at most 64 KiB. Not NULL. Not kept.
/// @param request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param response       set to the answer or the error; may be NULL
/// @return FACTOR2_OK, or FACTOR2_INVALID_SECRET, FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE,
///         FACTOR2_NULL_POINTER, FACTOR2_INVALID_HANDLE
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_generate(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::generate,
        )
    }
}

/// The answer's JSON: on success what the operation documents, on failure
/// `{"error":{"code", "http_status", "message", "retry_after_s"?}}`, where `code` is
/// factor2_status_name() and `http_status` is factor2_status_http() of the returned status, and
/// `retry_after_s` tells after how many seconds another code will be looked at. Ignore members that you don't
/// know. Messages are for developers and logs; they never hold a secret or a code.
///
/// @param response  from a call, or NULL
/// @param len       set to the length in bytes without the NUL; may be NULL
/// @return UTF-8, NUL-terminated, valid until factor2_response_free(); NULL if `response` is NULL
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_response_json(
    response: *const factor2_response,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        let json = borrow_bytes(response, len, |answer| Some(answer.json_with_nul()));
        if !json.is_null() && !len.is_null() {
            *len = (*len).saturating_sub(1);
        }
        json.cast()
    }
}

/// The bytes beside the JSON: the PNG of factor2_create_secret() and factor2_qr_png().
///
/// @param response  from a call, or NULL
/// @param len       set to the number of bytes, 0 if there are none; may be NULL
/// @return the bytes, valid until factor2_response_free(); NULL if there are none
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_response_data(
    response: *const factor2_response,
    len: *mut usize,
) -> *const c_uchar {
    // SAFETY: the caller's promise, passed on.
    unsafe { borrow_bytes(response, len, Answer::data) }
}

/// Wipes a response, then frees it.
///
/// @param response  from a call, or NULL (nothing happens)
/// @since 0.1.0
///
/// # Safety
/// The pointer is as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_response_free(response: *mut factor2_response) {
    // SAFETY: the caller's promise, passed on.
    let _ = whole(|| unsafe { Handle::<Answer>::free(response.cast()) });
}

/// The stable name of a status, such as "InvalidToken"; "UnknownError" for a number that this
/// version does not know.
///
/// @return static, never NULL
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn factor2_status_name(status: factor2_status) -> *const c_char {
    known(status).c_name().as_ptr().cast()
}

/// The HTTP status that a web server would answer with, such as 401; 500 for a number that this
/// version does not know.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn factor2_status_http(status: factor2_status) -> c_int {
    known(status).http()
}

/// The library's version at run time, such as "0.1.0"; FACTOR2_VERSION is the header's.
///
/// @return static, never NULL
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn factor2_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The library's version at run time as a number, major * 1000000 + minor * 1000 + patch;
/// FACTOR2_VERSION_NUMBER is the header's.
///
/// @since 0.1.0
#[unsafe(no_mangle)]
pub extern "C" fn factor2_version_number() -> c_uint {
    const fn number(text: &str) -> c_uint {
        match c_uint::from_str_radix(text, 10) {
            Ok(number) => number,
            Err(_) => 0,
        }
    }
    const MAJOR: c_uint = number(env!("CARGO_PKG_VERSION_MAJOR"));
    const MINOR: c_uint = number(env!("CARGO_PKG_VERSION_MINOR"));
    const PATCH: c_uint = number(env!("CARGO_PKG_VERSION_PATCH"));
    MAJOR * 1_000_000 + MINOR * 1_000 + PATCH
}

fn known(status: factor2_status) -> Status {
    Status::from_number(status).unwrap_or(Status::UnknownError)
}

/// The one shape of every operation.
///
/// # Safety
/// The pointers are as the header describes.
unsafe fn operate(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
    operation: impl FnOnce(&Authenticator, &str) -> Result<Answer>,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        respond(response.cast(), || {
            let authenticator = Handle::borrow(authenticator.cast())?;
            operation(authenticator, input::read(request, request_len, "request")?)
        })
    }
}

/// The one shape of every accessor: borrows bytes from a response.
///
/// # Safety
/// The pointers are as the header describes.
unsafe fn borrow_bytes(
    response: *const factor2_response,
    len: *mut usize,
    bytes: impl FnOnce(&Answer) -> Option<&[u8]>,
) -> *const c_uchar {
    let borrowed = whole(|| {
        // SAFETY: the caller's promise, passed on.
        let answer = unsafe { Handle::<Answer>::borrow(response.cast()) };
        answer.ok().and_then(bytes)
    });
    let (start, length) = match borrowed.flatten() {
        Some(bytes) => (bytes.as_ptr(), bytes.len()),
        None => (ptr::null(), 0),
    };
    // SAFETY: the caller's promise, passed on.
    unsafe { set(len, length) };
    start
}
