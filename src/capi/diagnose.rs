//! Help for support.
//!
//! What a user who cannot log in has done wrong, or what has: for the help desk and for logs, never
//! for the user who logs in, who may be somebody else.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Tells why a code is refused. It accepts nothing, counts nothing and changes nothing, and its
/// status is no verdict: FACTOR2_OK only means that it has an answer.
///
/// Request: `{"totpsecret", "otp", "next_otp"?, "username"?, "bind"?, "last_step"?, "drift"?}`, as
/// for factor2_verify(). `otp` may have 6 to 8 digits, whatever the settings say. With `next_otp`,
/// the code that the authenticator shows after that, more is searched and chance is ruled out.
///
/// Response: `{"right", "findings", "warnings"?}`. `right` is true for a code that is right and was
/// not used, also while the credential is locked or disabled. `findings` is an array, empty if
/// nothing was found, of objects whose `what` is
///
///     "used"       it, or a later one, was accepted before: its "step" or "counter"
///     "clock"      the authenticator is "drift" steps, "drift_s" seconds, ahead of the server (or,
///                  below 0, behind): its clock or the server's is wrong, or the code is old
///     "counter"    of type hotp: "ahead" of the expected counter, for factor2_resync()
///     "algorithm", "digits", "period"
///                  the authenticator has another one, of the same name: it ignored the URI's
///     "locked"     for "retry_after_s" seconds no code is looked at
///     "disabled"   no code is looked at until factor2_reset() or a new secret
///
/// Searched are a day on either side (of type hotp, 1000 counters), then the other algorithms,
/// digits and usual periods, within the window or, with `next_otp`, the day. Each finding but the
/// last two has `chance`, the probability that a code which is wrong altogether gives such a
/// finding: some 0.006 for "clock" and one code of 6 digits, 10^-8 for two.
///
/// @return FACTOR2_OK, or FACTOR2_INVALID_TOKEN (a code is none, or not given),
///         FACTOR2_INVALID_SECRET, FACTOR2_STORE_UNAVAILABLE, or what every operation can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_diagnose(
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
            Authenticator::diagnose,
        )
    }
}
