//! For those who come from crossauth.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// crossauth's prepare_configuration: makes a secret, and sorts it into what to show and what to
/// keep in the session until the user has typed a right code.
///
/// Request: `{"user":{"username", ...}}`; other members of `user` are ignored.
///
/// Response: `{"userData":{"username", "totpsecret", "factor2", "qr", "uri"},
/// "sessionData":{"username", "totpsecret", "factor2"}, "warnings"?}`. `factor2` is the
/// `factor_name` of the settings; the rest is as in factor2_create_secret(). With `seal` in the
/// settings, the session's `totpsecret` is sealed for this user.
///
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (no `factor_name` was set),
///         FACTOR2_RANDOM_UNAVAILABLE, or what every operation can return
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
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::prepare_configuration,
        )
    }
}

/// crossauth's reprepare_configuration: shows an enrollment again whose page was closed too early.
///
/// Request: `{"username", "sessionKey":{"data"}}`. `username` is any text. `data` is the session's
/// JSON text, or the same as an object; the configuration of factor2_prepare_configuration() is at
/// its top level or under `2fa`, and its other members are ignored. The other members of a
/// crossauth key (`value`, `created`, `expires`, `userid`, `lastactive`) may be there, and are
/// ignored.
///
/// Response: `{"userData":{"totpsecret", "factor2", "qr", "uri"}, "secrets":{"totpsecret"},
/// "newSessionData":null, "warnings"?}`. `secrets.totpsecret` is what to store: sealed, with `seal`
/// in the settings.
///
/// @return FACTOR2_OK, or FACTOR2_INVALID_KEY (no `data`), FACTOR2_DATA_FORMAT (it is no JSON that
///         could hold a configuration), FACTOR2_UNAUTHORIZED (it has no `totpsecret` or no
///         `factor2`; it may be empty, null or an array), FACTOR2_INVALID_SECRET, or what every
///         operation can return
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
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate(
            authenticator,
            request,
            request_len,
            response,
            Authenticator::reprepare_configuration,
        )
    }
}
