//! Codes.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Verifies a code. The returned status is the verdict:
///
///     if (factor2_verify(authenticator, request, length, NULL) == FACTOR2_OK) let_in();
///
/// Request: `{"totpsecret", "otp", "username"?, "bind"?, "last_step"?, "drift"?, "retry_key"?}`.
/// `totpsecret` is the user's stored secret, or an array of 1 to 8 for a user who has several
/// authenticators. `otp` is what the user typed: blanks, a newline, dashes and zero-width
/// characters are dropped, and what is left must be exactly as many decimal digits as the settings
/// say: of ASCII, full-width, Arabic-Indic, Persian or Devanagari. However a code is written, it is
/// the same code to the guard. `username` may be any text; it matters for sealed secrets alone.
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
/// A secret of type hotp (RFC 4226) has codes of counters, not of time. The next `look_ahead`
/// counters after the last accepted one count, because a token's button is also pressed in vain;
/// those that were skipped never do again. What is further ahead is for factor2_resync().
///
/// `drift`, -1000 to 1000, is for a hardware token whose clock has gone wrong, as factor2_resync()
/// has found: so many steps it is ahead or, below 0, behind. The window lies around the token's time
/// then, and gets no wider. With type hotp it means nothing. A response's `drift` may take the place
/// of the one that is stored, as long as it is within these bounds.
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
/// With the guard {"store":"none"} this is yours to do: pass the `step`, or the `counter`, of the
/// last accepted code as `last_step` (-1 or nothing when there is no such code yet), and store the
/// response's before you let the user in, by one statement that only ever raises it and whose count
/// of changed rows you check. For several secrets, `last_step` and `drift` may be arrays, with one
/// for each.
///
///     UPDATE users SET last_step = :step WHERE id = :id AND last_step < :step
///
/// With another store, `last_step` is respected as well.
///
/// Response: `{"accepted":true, "step", "drift", "index"?, "reseal"?, "repeated"?, "warnings"?}`,
/// with `counter` in the place of `step` and `drift` for a secret of type hotp. `step` is the
/// number of the accepted time step, the newest one if the code belongs to several; `drift` tells
/// how many steps it is after (or, below 0, before) the current one, by the server's clock.
/// `counter` is the accepted one, the lowest that has the code. `index` is the place, from 0 on, of
/// the authenticator whose code it was, if `totpsecret` is an array. With `"reseal":true`, call
/// factor2_seal() for it. Warnings are about the secret, as those of factor2_create_secret().
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

/// Finds an authenticator again whose counter or clock has run away from the server's, by two codes
/// in a row (RFC 4226 section 7.4, RFC 6238 section 6). It is for hardware tokens: the clocks of
/// phones are right, and a server's that is wrong must be set. Both codes are used up, as if they
/// had been accepted by factor2_verify(), and a wrong pair counts as one wrong code.
///
/// Request: `{"totpsecret", "otp", "next_otp", "username"?, "bind"?, "last_step"?}`. `next_otp` is
/// the code that the authenticator shows after `otp`, and the one that it shows now. Of type hotp,
/// `otp` is searched among the next 1000 counters; of type totp, `next_otp` within 1000 steps on
/// either side. Both must be newer than what was accepted before.
///
/// Response: `{"accepted":true, "step", "drift", "warnings"?}`, or `{"accepted":true, "counter",
/// "warnings"?}` of type hotp: those of `next_otp`, as factor2_verify() tells them. Store `drift`
/// with the user, and give it to factor2_verify() from then on; a counter is remembered by the
/// guard. With the guard {"store":"none"}, pass and store them as for factor2_verify().
///
/// @return FACTOR2_OK only for two such codes, or what factor2_verify() can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_resync(
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
            Authenticator::resync,
        )
    }
}

/// Computes the current code of a secret, as an authenticator app does: for clients and for tests.
/// A server has no use for it.
///
/// Request: `{"totpsecret", "username"?, "bind"?}`.
///
/// Response: `{"otp", "valid_for_s", "warnings"?}`: the code, and for how many seconds it stays the
/// current one. For type hotp it is `{"otp", "counter", "warnings"?}`, of the URI's counter,
/// whatever the guard has accepted. Warnings are about the secret, as those of
/// factor2_create_secret().
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
