//! Codes.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Verifies a code. The returned status is the verdict:
///
///     if (factor2_verify(authenticator, request, length, NULL) == FACTOR2_OK) let_in();
///
/// Request: `{"totpsecret", "otp", "username"?, "bind"?, "last_step"?, "retry_key"?}`. `totpsecret`
/// is the user's stored secret, or an array of 1 to 8 for a user who has several authenticators.
/// `otp` is what the user typed: blanks, a newline, dashes and zero-width characters are dropped,
/// and what is left must be exactly as many decimal digits as the settings say: of ASCII,
/// full-width, Arabic-Indic, Persian or Devanagari. However a code is written, it is the same code
/// to the guard. `username` may be any text; it matters for sealed secrets alone.
///
/// The guard sees to it that each code is accepted once (RFC 6238 section 5.2) and that few
/// guesses are answered (RFC 4226 section 7.3), also under many threads, processes and machines
/// that share a store. Call it for the first code of an enrollment as well: that code is used up
/// then. A malformed code is not counted, nor is a code that was accepted before. The code
/// accepted last never is, however late it comes again, so that a client which repeats a stored
/// code locks nobody out.
///
/// For a user who does not exist, or has no second factor, pass `"totpsecret":null`. It stands for
/// nobody: the call does the same work as for a wrong code, the store's included, takes the same
/// time, answers FACTOR2_INVALID_TOKEN with the same message whatever the code, and remembers
/// nothing. So time does not tell who has a second factor; nor who is locked, because a call that
/// changes nothing takes as long as one that does. A malformed code does the same work, too, and
/// when the store is in trouble, that is the answer.
///
/// Of several authenticators, the one whose code it is judges it, and the others are left alone; a
/// code of none counts as a wrong one on each. So nobody is locked out of one device by using the
/// other, and two devices give an attacker no more guesses than one. Without that, a loop around
/// this function would count each right code as wrong on the others.
///
/// VPNs renegotiate, RADIUS clients retransmit and mail clients open a second connection, all with
/// the same code. With `"retry":{"ttl_s":30,"limit":5}` in the guard's settings, a call with the
/// `retry_key` (1 to 255 bytes) and the code of the call that was accepted last is answered as that
/// one was, with `"repeated":true`, for so many seconds and so often. The key must come from the
/// server's side and tell one session from all others: a VPN's session id, or a RADIUS client's
/// address, identifier and authenticator. Who could choose it, and saw a code, could use that code
/// again for so long. A locked or disabled credential repeats nothing. Without the setting,
/// `retry_key` is FACTOR2_BAD_REQUEST.
///
/// With the guard {"store":"none"} this is yours to do: pass the `step` of the last accepted code
/// as `last_step` (or an array of them, one for each secret; -1 or nothing when there is no such
/// code yet), and store the response's `step` before you let the user in, by one statement that
/// only ever raises it and whose count of changed rows you check:
///
///     UPDATE users SET last_step = :step WHERE id = :id AND last_step < :step
///
/// With another store, `last_step` is respected as well.
///
/// Response: `{"accepted":true, "step", "drift", "index"?, "reseal"?, "repeated"?, "warnings"?}`.
/// `step` is the number of the accepted time step, the newest one if the code belongs to several;
/// `drift` tells how many steps it is after (or, below 0, before) the current one. `index` is the
/// place, from 0 on, of the authenticator whose code it was, if `totpsecret` is an array. With
/// `"reseal":true`, call factor2_seal() for it. Warnings are about the secret, as those of
/// factor2_create_secret().
///
/// @return FACTOR2_OK only for an accepted code, or FACTOR2_INVALID_TOKEN (the code is wrong or no
///         code, or code or secret were not given; with `retry_after_s` when it locked the
///         credential), FACTOR2_TOKEN_REUSED (right, but this step or a later one was accepted
///         before, or the code that was accepted last; the message tells if a clock was ahead then),
///         FACTOR2_THROTTLED (locked: the code was not looked at, wait `retry_after_s`),
///         FACTOR2_DISABLED (too many wrong codes), FACTOR2_STORE_UNAVAILABLE (the guard's store did
///         not answer in time, is full, corrupt, or not to be shared with a forked child; the
///         message says which), FACTOR2_INVALID_SECRET, or what every operation can return
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

/// Computes the current code of a secret, as an authenticator app does: for clients and for tests.
/// A server has no use for it.
///
/// Request: `{"totpsecret", "username"?, "bind"?}`.
///
/// Response: `{"otp", "valid_for_s", "warnings"?}`: the code, and for how many seconds it stays
/// the current one. Warnings are about the secret, as those of factor2_create_secret().
///
/// @return FACTOR2_OK, or FACTOR2_INVALID_SECRET, or what every operation can return
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
