//! Statuses and versions. These functions may be called at any time, from any thread.

use std::ffi::{c_char, c_int, c_uint};

use crate::capi::factor2_status;
use crate::status::Status;

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
        let digits = text.as_bytes();
        let (mut number, mut at) = (0, 0);
        while at < digits.len() {
            number = 10 * number + (digits[at] - b'0') as c_uint;
            at += 1;
        }
        number
    }
    const MAJOR: c_uint = number(env!("CARGO_PKG_VERSION_MAJOR"));
    const MINOR: c_uint = number(env!("CARGO_PKG_VERSION_MINOR"));
    const PATCH: c_uint = number(env!("CARGO_PKG_VERSION_PATCH"));
    MAJOR * 1_000_000 + MINOR * 1_000 + PATCH
}

fn known(status: factor2_status) -> Status {
    Status::from_number(status).unwrap_or(Status::UnknownError)
}
