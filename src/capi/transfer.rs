//! Moving in.
//!
//! What other systems left behind: URIs that were written elsewhere.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Reads an otpauth URI, as a QR code has it.
///
/// Request: `{"uri"}`.
///
/// Response: `{"type", "issuer", "label_issuer"?, "account", "totpsecret", "algorithm", "digits",
/// "period", "warnings"}`, with `counter` in the place of `period` for type "hotp". `type` is
/// "totp" or "hotp", `totpsecret` base32 in capitals without padding. `label_issuer` is there if
/// label and parameter name two different issuers. What the URI leaves out has the format's
/// default: SHA1, 6 digits, 30 seconds, and "" for names. `warnings`, perhaps an empty array,
/// tells what was mended (letter case, padding, blanks, `+` for a blank, names of algorithms) and
/// what apps may take for something else. What could be read in two ways is refused: a parameter
/// that is given twice, an algorithm, digits or a period that factor2_verify() does not take, a
/// counter that is missing, NUL, bytes that are not UTF-8.
///
/// The URI itself can be stored as a `totpsecret`, so there is no need to take it apart for that.
///
/// @return FACTOR2_OK, or FACTOR2_INVALID_SECRET (no URI of this kind; the message says what is
///         wrong), or what every operation can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_read_uri(
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
            Authenticator::read_uri,
        )
    }
}
