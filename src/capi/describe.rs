//! Operations.
//!
//! Each takes a request and gives a response; factor2_operation is their type:
//!
//!     authenticator  from factor2_authenticator_new(); not NULL
//!     request        a JSON object, UTF-8, at most 64 KiB, 16 MiB for factor2_import(); not NULL,
//!                    read during the call only
//!     request_len    its length in bytes, or FACTOR2_NUL_TERMINATED
//!     response       where to put the response, yours to free; NULL if you want only the status
//!
//! Each can return FACTOR2_BAD_REQUEST, FACTOR2_REQUEST_TOO_LARGE, FACTOR2_NULL_POINTER and
//! FACTOR2_INVALID_HANDLE. What else it can return is said with it. A `?` marks members that may
//! be left out of a request, or be missing from a response.
//!
//! Texts in `"warnings":["...",...]` are for developers and logs.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, input, operate};

/// Says what an authenticator is and can do.
///
/// Request: `{}`, or NULL.
///
/// Response: `{"version", "mfa_type":"otp", "mfa_channel":"none", "factor_name", "friendly_name",
/// "secret_names":["totpsecret"], "transient_secret_names":["otp"], "create_one_time_secrets":{},
/// "validate_secrets":[], "can_create_user":true, "can_update_user":true,
/// "can_update_secrets":false, "capabilities":{...}, "require_user_entry":true,
/// "skip_email_verification_on_signup":false}`, which are crossauth's names (the two empty ones:
/// there are no one-time secrets to send, and no secrets of the user's to validate), then the
/// settings as factor2_authenticator_new() took them, defaults included, the keys of `seal` by
/// their names, `"guard":{"store","scope",...}`, and `"warnings"?`. The scope tells who shares the
/// records: "process" (memory), "machine" (sqlite), "fleet" (redis), or "caller" (none). There are
/// warnings about what authenticator apps are known to ignore or to refuse: an algorithm other than
/// SHA1, digits other than 6, a period other than 30, an issuer that leaves little for the user
/// name.
///
/// @return FACTOR2_OK, or what every operation can return
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
