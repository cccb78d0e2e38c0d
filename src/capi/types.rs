//! The types of the C ABI.

use std::ffi::{c_char, c_int};

/// The settings and the guard of one second factor. Make one at the start and share it between
/// threads.
pub struct factor2_authenticator {
    _private: [u8; 0],
}

/// One response. Yours to free, by factor2_response_free().
pub struct factor2_response {
    _private: [u8; 0],
}

/// The verdict: FACTOR2_OK (0) means accepted or done, anything else means no. Take a number that
/// you don't know as a refusal.
pub type factor2_status = c_int;

/// The one shape of all operations.
pub type factor2_operation = Option<
    unsafe extern "C" fn(
        authenticator: *const factor2_authenticator,
        request: *const c_char,
        request_len: usize,
        response: *mut *mut factor2_response,
    ) -> factor2_status,
>;
