//! Handles: boxes whose first word says what they are, and whether they still live.

use std::ptr;

use crate::authenticator::Authenticator;
use crate::capi::boundary::null_pointer;
use crate::error::{Error, Result};
use crate::response::Response;
use crate::status::Status;

/// What a pointer of the C ABI points to.
#[repr(C)]
pub(super) struct Handle<T> {
    mark: u64,
    value: T,
}

/// A value that is given out as a handle.
pub(super) trait Kind {
    /// The first word of a live handle of this kind.
    const MARK: u64;
    /// How messages call it.
    const NAME: &'static str;
}

impl Kind for Authenticator {
    const MARK: u64 = u64::from_be_bytes(*b"f2authen");
    const NAME: &'static str = "authenticator";
}

impl Kind for Response {
    const MARK: u64 = u64::from_be_bytes(*b"f2respon");
    const NAME: &'static str = "response";
}

/// The first word of a handle that was freed.
const FREED: u64 = u64::from_be_bytes(*b"f2freed!");

impl<T: Kind> Handle<T> {
    pub(super) fn into_raw(value: T) -> *mut Self {
        let mark = T::MARK;
        Box::into_raw(Box::new(Handle { mark, value }))
    }

    /// Borrows the value of a handle that `into_raw` made.
    ///
    /// # Safety
    /// `handle` is NULL or points to eight readable bytes; if these are the mark of a live handle
    /// of this kind, it is one, and it lives as long as `'a`.
    pub(super) unsafe fn borrow<'a>(handle: *const Self) -> Result<&'a T> {
        if handle.is_null() {
            return Err(null_pointer(T::NAME));
        }
        // SAFETY: not NULL, and as promised by the caller.
        if !unsafe { is_live(handle) } {
            let message = format!("{} is not a live handle of this kind", T::NAME);
            return Err(Error::new(Status::InvalidHandle, message));
        }
        // SAFETY: it is a live handle.
        Ok(unsafe { &(*handle).value })
    }

    /// Drops a handle, and marks it as freed first. Does nothing with NULL or what is no handle.
    ///
    /// # Safety
    /// As for `borrow`, and nobody else uses the handle any more.
    pub(super) unsafe fn free(handle: *mut Self) {
        // SAFETY: not NULL, and as promised by the caller.
        if handle.is_null() || !unsafe { is_live(handle) } {
            return;
        }
        // SAFETY: a live handle is a box that `into_raw` gave out, and nobody else uses it. The
        // volatile write is not optimised away before the box goes.
        unsafe {
            ptr::write_volatile(&raw mut (*handle).mark, FREED);
            drop(Box::from_raw(handle));
        }
    }
}

/// # Safety
/// `handle` points to eight readable bytes.
unsafe fn is_live<T: Kind>(handle: *const Handle<T>) -> bool {
    // SAFETY: as promised by the caller; read as bytes first if it is not even aligned.
    handle.is_aligned() && unsafe { ptr::read_volatile(handle.cast::<u64>()) } == T::MARK
}
