//! The C ABI. The comments of its files become `include/factor2.h`, and are the specification: of
//! each file first the head, as a chapter, then what it exports. `tests/suite/header.rs` has their
//! order.

#![allow(unsafe_code, non_camel_case_types)]

mod authenticator;
mod boundary;
mod cancellation;
mod crossauth;
mod describe;
mod diagnose;
mod enroll;
mod guard;
mod handle;
mod input;
mod recovery;
mod response;
mod seal;
mod transfer;
mod types;
mod verify;
mod version;

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::boundary::respond;
use crate::capi::handle::Handle;
use crate::error::Result;
use crate::response::Response;

pub use authenticator::{factor2_authenticator_free, factor2_authenticator_new};
pub use crossauth::{factor2_prepare_configuration, factor2_reprepare_configuration};
pub use describe::factor2_describe;
pub use diagnose::factor2_diagnose;
pub use enroll::{factor2_create_secret, factor2_qr};
pub use guard::{factor2_inspect, factor2_reset};
pub use recovery::{factor2_create_recovery_codes, factor2_verify_recovery_code};
pub use response::{
    factor2_json_quote, factor2_response_data, factor2_response_free, factor2_response_json,
    factor2_response_text,
};
pub use seal::factor2_seal;
pub use transfer::factor2_import;
pub use types::{factor2_authenticator, factor2_operation, factor2_response, factor2_status};
pub use verify::{factor2_generate, factor2_resync, factor2_verify};
pub use version::{
    factor2_status_http, factor2_status_name, factor2_version, factor2_version_number,
};

/// Runs an operation.
///
/// # Safety
/// The pointers are as the header describes.
unsafe fn operate(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
    operation: impl FnOnce(&Authenticator, &str) -> Result<Response>,
) -> factor2_status {
    let most = input::MAX_BYTES;
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate_on(
            most,
            authenticator,
            request,
            request_len,
            response,
            operation,
        )
    }
}

/// The same for a request of at most `most` bytes.
///
/// # Safety
/// The pointers are as the header describes.
unsafe fn operate_on(
    most: usize,
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
    operation: impl FnOnce(&Authenticator, &str) -> Result<Response>,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        respond(response.cast(), || {
            let authenticator = Handle::borrow(authenticator.cast())?;
            let request = input::read(request, request_len, most, "request")?;
            operation(authenticator, request)
        })
    }
}
