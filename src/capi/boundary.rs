//! The choke point of every call: what comes in as a pointer becomes a reference or a named error
//! here, what goes out is written here, and here a panic ends.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::capi::cancellation::uncancelled;
use crate::capi::handle::Handle;
use crate::error::{Error, Result};
use crate::response::Response;
use crate::status::Status;
use crate::wiped::on_wiped_stack;

/// Runs `body` and turns its result into a status, and into a response where the caller wants one.
///
/// A panic becomes `UnknownError` without a response: nothing is known of the state that it left.
///
/// # Safety
/// `response` is NULL or may be written.
pub(super) unsafe fn respond(
    response: *mut *mut Handle<Response>,
    body: impl FnOnce() -> Result<Response>,
) -> c_int {
    let outcome = whole(|| {
        // SAFETY: as promised by the caller.
        unsafe { set(response, ptr::null_mut()) };
        let (status, made) = match on_wiped_stack::<WIPED_STACK, _>(body) {
            Ok(made) => (Status::Ok, Some(made)),
            Err(error) => (error.status, Response::of_error(&error).ok()),
        };
        let handle = match made {
            Some(made) if !response.is_null() => Handle::into_raw(made),
            _ => ptr::null_mut(),
        };
        // SAFETY: as promised by the caller.
        unsafe { set(response, handle) };
        status
    });
    outcome.unwrap_or(Status::UnknownError) as c_int
}

/// How much of the stack is wiped after a call.
const WIPED_STACK: usize = 4 * 1024;

/// Runs `body` as a whole: neither a panic nor a cancellation of the thread leaves it in the
/// middle. `None` when it panicked.
#[inline(always)]
pub(super) fn whole<T: Copy>(body: impl FnOnce() -> T) -> Option<T> {
    let mut body = Some(body);
    let mut outcome = None;
    uncancelled(|| {
        outcome = catch_unwind(AssertUnwindSafe(|| body.take().map(|body| body())))
            .ok()
            .flatten();
    });
    outcome
}

/// Writes through an out-pointer, which may be NULL.
///
/// # Safety
/// `out` is NULL or may be written.
pub(super) unsafe fn set<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: not NULL, and as promised by the caller.
        unsafe { out.write(value) };
    }
}

/// The error for a NULL where a pointer is required.
pub(super) fn null_pointer(argument: &str) -> Error {
    Error::new(Status::NullPointer, format!("{argument} is NULL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status() {
        let mut response = ptr::dangling_mut();
        // SAFETY: a local that may be written.
        let status =
            unsafe { respond(&raw mut response, || std::panic::resume_unwind(Box::new(1))) };
        assert_eq!(status, Status::UnknownError as c_int);
        assert!(response.is_null());
    }
}
