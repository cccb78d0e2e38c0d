//! Taking over what is there.
//!
//! Secrets that another system has made need not be made anew: factor2_import() reads what it left
//! behind, all users at once. What it gives is stored as it is, like a secret of our own.
//!
//!     format                 text
//!     otpauth                otpauth URIs, one a line
//!     otpauth-migration      what Google's app shows as QR codes to move accounts, a URI a line
//!     users-file             the users file of liboath (pam_oath, ocserv) or mod_authn_otp
//!     google-authenticator   ~/.google_authenticator, of one user of pam_google_authenticator
//!     privacyidea-csv        privacyIDEA's OATH CSV: serial, seed in hex, type, digits, period
//!                            or counter, algorithm. With "# version: 2" in its first line, user,
//!                            resolver and realm are before that
//!     entra-csv              Microsoft Entra's hardware tokens, with the header line
//!     keycloak               an export of realms or users, JSON
//!
//! A line that cannot be taken over is told and never keeps back the others. What an entry loses is
//! told in its warnings: a PIN, by how much a clock was off, which steps were used, recovery codes
//! that stood there in the clear, and limits, which the settings have for all.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, input, operate_on};

/// Reads the credentials that another system has left behind.
///
/// Request: `{"format", "text", "username"?}`, here of up to 16 MiB. `format` is one of the above.
/// `username` is whose file it is, for "google-authenticator", and must be absent for the others,
/// whose texts have the names.
///
/// Response: `{"entries":[{"username", "issuer", "totpsecret", "sealed"?, "warnings"?}, ...],
/// "refused":[{"line", "why"}, ...]}`, each in the text's order. `totpsecret` is an otpauth URI,
/// written as factor2_create_secret() writes it, or of type hotp with the next counter; `issuer` is
/// "" if there is none. If the settings have `seal`, `sealed` is what to store in its place, sealed
/// for the entry's username. Where the text has no name for it, `username` is "", and there is no
/// `sealed`; the names of a CSV without users are serial numbers. `line` counts from 1, and where
/// there are no lines ("otpauth-migration", "keycloak") it is the number of the credential. `why`
/// names what is wrong and never quotes it.
///
/// Who has several credentials has several entries. Blank lines are skipped, and a byte order mark.
/// A text of which nothing can be read is FACTOR2_DATA_FORMAT: JSON that is cut off, a URI without
/// data, a CSV whose header does not name the secret, over 1048576 entries and refused lines.
///
/// @return FACTOR2_OK, or FACTOR2_DATA_FORMAT, FACTOR2_RANDOM_UNAVAILABLE, or what every operation
///         can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_import(
    authenticator: *const factor2_authenticator,
    request: *const c_char,
    request_len: usize,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        operate_on(
            input::MAX_IMPORT_BYTES,
            authenticator,
            request,
            request_len,
            response,
            Authenticator::import,
        )
    }
}
