//! Text from the caller: a pointer and a length become `&str`, and never a byte too much is read.

use std::ffi::c_char;
use std::slice;

use crate::capi::boundary::null_pointer;
use crate::error::{Error, Result};
use crate::status::Status;

/// The longest text that is read, in bytes, but for what is imported.
pub(super) const MAX_BYTES: usize = 64 * 1024;

/// The longest request to import.
pub(super) const MAX_IMPORT_BYTES: usize = 16 * 1024 * 1024;

/// The length that stands for "up to the first NUL".
pub(super) const NUL_TERMINATED: usize = usize::MAX;

/// Borrows the text at `text`, of at most `most` bytes; `name` is the argument's name, for messages.
///
/// # Safety
/// `text` is NULL or points to `length` readable bytes, or to a NUL-terminated string if `length`
/// is `NUL_TERMINATED`, which nobody changes as long as `'a`.
pub(super) unsafe fn read<'a>(
    text: *const c_char,
    length: usize,
    most: usize,
    name: &'static str,
) -> Result<&'a str> {
    if text.is_null() {
        return Err(null_pointer(name));
    }
    let length = if length == NUL_TERMINATED {
        // SAFETY: stops at the NUL, or after one byte more than is allowed.
        unsafe { libc::strnlen(text, most + 1) }
    } else {
        length
    };
    if length > most {
        let message = format!("{name}: longer than {most} bytes");
        return Err(Error::new(Status::RequestTooLarge, message));
    }
    // SAFETY: not NULL, and `length` bytes are readable as promised by the caller.
    let bytes = unsafe { slice::from_raw_parts(text.cast::<u8>(), length) };
    std::str::from_utf8(bytes).map_err(|error| {
        let position = error.valid_up_to();
        Error::bad_request(format!("{name}: not UTF-8 at byte {position}"))
    })
}
