//! Enrollment.
//!
//! The enrollment counts only once the user has typed a right code: call factor2_verify() then.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Makes a secret for a user, with the QR code that brings it into an authenticator app.
///
/// Request: `{"username", "totpsecret"?, "type"?, "bind"?}`. `username` is the account's name as
/// the app shows it. For a new secret it has 1 to 255 bytes, not counting the blanks around it,
/// which are dropped, and nothing that cannot be seen (control, zero-width and direction
/// characters). A `totpsecret` that is given is used again, not replaced, and `username` may then
/// be any text. `type` is "totp", which is the default and what apps are made for, or "hotp", whose
/// codes belong to a counter, which begins at 0. A URI that is given has its own type, and no other
/// may be asked for.
///
/// Response: `{"username", "totpsecret", "uri", "qr", "sealed"?, "warnings"?}`, and the PNG as its
/// data. `totpsecret` is base32 in capitals without padding, for the user who cannot scan. With
/// `seal` in the settings, `sealed` is what to store; otherwise store `totpsecret` or, if you gave
/// a URI, that; for a new secret of type hotp, store `uri`. `uri` is the otpauth provisioning URI;
/// of type hotp it has the counter that the guard expects next, so that it suits another phone.
/// `qr` is the PNG as `data:image/png;base64,...`, ready for `<img src>`. There are warnings when
/// the secret has fewer than 16 bytes, when bits of it were dropped, when the user name has a colon
/// (which is written `%3A`; some apps cut the name there), when it could not be that of a new
/// secret, when issuer and user name are longer than the 64 bytes that a YubiKey has for both, and
/// those of factor2_describe() about algorithm, digits and period.
///
/// @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
///         chosen error correction), FACTOR2_INVALID_SECRET, FACTOR2_RANDOM_UNAVAILABLE, or what
///         every operation can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_create_secret(
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
            Authenticator::create_secret,
        )
    }
}

/// Draws the QR code of a secret that exists.
///
/// Request: `{"username", "totpsecret", "format"?, "type"?, "bind"?}`. `username` is any text, and
/// `type` is as for factor2_create_secret(), as is the counter of the URI. `format` is "png", which
/// is the default, "svg" or "text". An SVG can be enlarged, and put into a page as it is: one path,
/// and a logo as a PNG, without scripts and without anything from elsewhere. A text has Unicode
/// block elements for a terminal that writes light on dark, two rows of modules per line, each line
/// ended by a newline.
///
/// Response: `{"uri", "format", "media_type", "width", "height", "bytes", "warnings"?}`, and the
/// picture as its data. Width and height are in pixels, or in characters for "text". Warnings are
/// those of factor2_create_secret().
///
/// @return FACTOR2_OK, or FACTOR2_BAD_REQUEST (also when the URI is too long for a QR code at the
///         chosen error correction), FACTOR2_INVALID_SECRET, or what every operation can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_qr(
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
            Authenticator::qr,
        )
    }
}
