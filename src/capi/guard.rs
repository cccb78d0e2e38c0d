//! What the guard remembers.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Shows what the guard remembers of a credential, or of a set of recovery codes.
///
/// Request: `{"totpsecret", "username"?, "bind"?}` or `{"recovery"}`.
///
/// Response: `{"last_step", "failures", "locked_until", "disabled"}`: the last accepted step or
/// counter (null when there is none yet), the wrong codes in a row, until when in Unix seconds no
/// code is looked at (0 when it was not locked), and whether the hard limit was reached. A
/// credential that was never tried looks like a new one. Of a set, `"used":[...]` and `remaining`
/// in the place of `last_step`: the numbers of the codes that were used, and how many were not.
///
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the guard's store is "none"),
///         FACTOR2_STORE_UNAVAILABLE, FACTOR2_INVALID_SECRET, FACTOR2_DATA_FORMAT (`recovery`), or
///         what every operation can return
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

/// Forgets the wrong codes of a credential, or of a set of recovery codes: failures, lock and
/// disabled. For an administrator, once the user's identity was checked in another way. What was
/// accepted stays accepted: no code works a second time after it.
///
/// Request: that of factor2_inspect().
///
/// Response: that of factor2_inspect(), after the reset.
///
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the guard's store is "none"),
///         FACTOR2_STORE_UNAVAILABLE, FACTOR2_INVALID_SECRET, FACTOR2_DATA_FORMAT (`recovery`), or
///         what every operation can return
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
