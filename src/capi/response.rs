//! Responses, and JSON in C.

use std::ffi::{CStr, c_char, c_uchar};
use std::io;
use std::{ptr, slice};

use crate::capi::boundary::{set, whole};
use crate::capi::factor2_response;
use crate::capi::handle::Handle;
use crate::capi::input::NUL_TERMINATED;
use crate::response::Response;

/// The response's JSON: on success what the operation documents, on failure `{"error":{"code",
/// "http_status", "message", "retry_after_s"?}}`, where `code` is factor2_status_name() and
/// `http_status` is factor2_status_http() of the returned status, and `retry_after_s` tells after
/// how many seconds another code will be looked at. Ignore members that you don't know. Messages
/// are for developers and logs; they never hold a secret or a code.
///
/// @param response  from a call, or NULL
/// @param len       where to put the length in bytes, without the NUL; may be NULL
/// @return UTF-8, NUL-terminated, valid until factor2_response_free(); NULL if `response` is NULL
///         or no live response
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_response_json(
    response: *const factor2_response,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise, passed on.
    unsafe { borrow_text(response, len, |response| Some(response.json_with_nul())) }
}

/// One member of the response's JSON as text, so that a C program needs no JSON parser:
///
///     const char *why = factor2_response_text(response, "error.message", NULL);
///
/// A string comes without quotes and escapes, anything else as JSON writes it (`30`, `null`,
/// `{"a":1}`). Each call that asks for another member takes memory until factor2_response_free().
///
/// @param response  from a call, or NULL
/// @param path      the member's name, UTF-8, NUL-terminated; below an object after a dot, in an
///                  array by its number: `error.message`, `warnings.0`. May be NULL.
/// @param len       where to put the length in bytes, without the NUL, or 0; may be NULL. A string
///                  with `\u0000` in it has a NUL before its end.
/// @return UTF-8, NUL-terminated, valid until factor2_response_free(); NULL if there is no such
///         member, or if `response` is NULL or no live response, or `path` NULL
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_response_text(
    response: *const factor2_response,
    path: *const c_char,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        borrow_text(response, len, |response| {
            if path.is_null() {
                return None;
            }
            response.text_with_nul(CStr::from_ptr(path).to_str().ok()?)
        })
    }
}

/// The bytes beside the JSON: the picture of factor2_create_secret() and factor2_qr(). No NUL ends
/// them.
///
/// @param response  from a call, or NULL
/// @param len       where to put the number of bytes, 0 if there are none; may be NULL
/// @return the bytes, valid until factor2_response_free(); NULL if there are none, or if
///         `response` is NULL or no live response
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_response_data(
    response: *const factor2_response,
    len: *mut usize,
) -> *const c_uchar {
    // SAFETY: the caller's promise, passed on.
    unsafe { borrow(response, len, |response| response.data().map(ptr::from_ref)) }
}

/// Wipes a response, then frees it.
///
/// @param response  from a call, or NULL (nothing happens)
/// @since 0.1.0
///
/// # Safety
/// The pointer is as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_response_free(response: *mut factor2_response) {
    // SAFETY: the caller's promise, passed on.
    let _ = whole(|| unsafe { Handle::<Response>::free(response.cast()) });
}

/// Writes a text as a JSON string, quotes included, so that a C program cannot build a wrong
/// request:
///
///     char name[200], request[256];
///     if (factor2_json_quote(user, FACTOR2_NUL_TERMINATED, name, sizeof name) >= sizeof name)
///         return too_long_or_not_utf8();
///     snprintf(request, sizeof request, "{\"username\":%s}", name);
///
/// @param text      UTF-8; may be NULL
/// @param len       its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param out       where to put the string and a NUL, apart from `text`; may be NULL, to learn
///                  the length
/// @param out_size  how many bytes there are. What does not fit, or is not UTF-8, leaves an empty
///                  string: a request made of it is refused.
/// @return how many bytes the string takes without the NUL, whether it fits or not, or (size_t)-1,
///         which is larger than any buffer, when `text` is NULL or not UTF-8
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_json_quote(
    text: *const c_char,
    len: usize,
    out: *mut c_char,
    out_size: usize,
) -> usize {
    let quoted = whole(|| {
        // SAFETY: as promised by the caller.
        unsafe {
            if out_size > 0 {
                set(out, 0);
            }
            let text = match len {
                _ if text.is_null() => return None,
                NUL_TERMINATED => CStr::from_ptr(text).to_bytes(),
                len => slice::from_raw_parts(text.cast(), len),
            };
            let text = str::from_utf8(text).ok()?;
            let mut length = Length(0);
            serde_json::to_writer(&mut length, text).ok()?;
            let Length(length) = length;
            if length < out_size && !out.is_null() {
                ptr::write_bytes(out, 0, length + 1);
                let room: &mut [u8] = slice::from_raw_parts_mut(out.cast(), length);
                serde_json::to_writer(room, text).ok()?;
            }
            Some(length)
        }
    });
    quoted.flatten().unwrap_or(usize::MAX)
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Borrows bytes that end with a NUL, which does not count.
///
/// # Safety
/// The pointers are as the header describes.
unsafe fn borrow_text(
    response: *const factor2_response,
    len: *mut usize,
    text: impl FnOnce(&Response) -> Option<*const [u8]>,
) -> *const c_char {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        let text = borrow(response, len, text);
        if !text.is_null() && !len.is_null() {
            *len -= 1;
        }
        text.cast()
    }
}

/// Borrows bytes that live as long as the response.
///
/// # Safety
/// The pointers are as the header describes.
unsafe fn borrow(
    response: *const factor2_response,
    len: *mut usize,
    bytes: impl FnOnce(&Response) -> Option<*const [u8]>,
) -> *const c_uchar {
    let borrowed = whole(|| {
        // SAFETY: the caller's promise, passed on.
        let response = unsafe { Handle::<Response>::borrow(response.cast()) };
        response.ok().and_then(bytes)
    });
    let (start, length) = match borrowed.flatten() {
        Some(bytes) => (bytes.cast(), bytes.len()),
        None => (ptr::null(), 0),
    };
    // SAFETY: the caller's promise, passed on.
    unsafe { set(len, length) };
    start
}
