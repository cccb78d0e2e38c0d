//! Stored secrets.
//!
//! One column of a database holds all that a credential is. Wherever a request has the
//! `totpsecret` of a user, it is one of
//!
//! - base32 (RFC 4648) of 10 to 512 bytes as people have it: in any letter case, padded or not,
//!   with blanks, dashes and zero-width characters anywhere. No digit is taken for a letter. Bits
//!   at its end that make no byte are dropped, with a warning. Algorithm, digits and period are
//!   those of the settings;
//! - an otpauth URI, type totp or hotp: its own algorithm, digits and period hold, and SHA1, 6 and
//!   30 where it has none. Label and issuer do not matter. Of type hotp, its counter is the first
//!   that may be used, and the guard remembers how far it has come: the text stays as it is;
//! - either of these, sealed.
//!
//! Who reads a database must not have the users' codes. With `seal` in the settings, what is to be
//! stored comes sealed: encrypted (XChaCha20-Poly1305) by a key that the database does not have.
//!
//!     "seal":{"keys":{"2026-11":"<base64 of 32 random bytes>"},"use":"2026-11"}
//!
//! `keys` are those that open, 1 to 16, with names of 1 to 32 letters, digits, `-` and `_`; `use`
//! names the one that seals. Keep them in a file that only the service can read, or where you keep
//! other keys. They are wiped with the authenticator.
//!
//! A sealed secret is bound to its user: to `username`, less the blanks around it, or to `bind` in
//! its place, 1 to 255 bytes that survive a rename, a row's id for instance. Each call that has the
//! secret must have the same, so that nobody gets in by moving secrets between rows. A sealed
//! secret that does not open, for whatever reason, is FACTOR2_INVALID_SECRET with one message, and
//! nothing is counted.
//!
//! To move to another key: add it everywhere, then let `use` name it. From then on
//! factor2_verify() answers `"reseal":true` for secrets that another key sealed, or none: call
//! factor2_seal(), and store what it gives. Drop the old key when no stored secret begins with
//! `f2s1.`, its name and a dot. When all are sealed, `"plain":"refuse"` beside `use` refuses secrets
//! that are not, so that who can write the database cannot put one in.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Seals a secret for a user, or seals it anew by the key in use.
///
/// Request: `{"totpsecret", "username"}` or `{"totpsecret", "bind"}`. `totpsecret` has any stored
/// form; if it is sealed, then for this user.
///
/// Response: `{"sealed", "key", "warnings"?}`: what to store, in the place of the secret, and the
/// name of the key. Warnings are about the secret, as those of factor2_create_secret().
///
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (the settings have no `seal`),
///         FACTOR2_INVALID_SECRET, FACTOR2_RANDOM_UNAVAILABLE, or what every operation can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_seal(
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
            Authenticator::seal,
        )
    }
}
