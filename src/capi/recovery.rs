//! Recovery codes.
//!
//! The way back in for a user whose device is lost: a set of codes on paper, each good for one
//! login. They have a record of their own in the guard, with their own count of wrong codes, so
//! that guessing at the one never locks the other.

use std::ffi::c_char;

use crate::authenticator::Authenticator;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, operate};

/// Makes a set of recovery codes.
///
/// Request: `{"count"?}`, 1 to 32; 10 if it is not given.
///
/// Response: `{"codes":["ABCD-EFGH-JKLM-NPQR-STUV-WXYZ", ...], "recovery"}`. Show the codes once,
/// to be printed or saved; each has 120 random bits, in letters and digits that do not look alike.
/// `recovery` is the text to store. It holds no code, and none can be computed from it. A new set
/// takes the place of the old one, and with it go the old codes.
///
/// @return FACTOR2_OK, or FACTOR2_RANDOM_UNAVAILABLE, or what every operation can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_create_recovery_codes(
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
            Authenticator::create_recovery_codes,
        )
    }
}

/// Verifies a recovery code, and uses it up. The returned status is the verdict, as that of
/// factor2_verify().
///
/// Request: `{"recovery", "code", "number"?, "used"?}`. `recovery` is the stored text. `code` is
/// what the user typed: case, blanks, dashes and zero-width characters do not matter. `number`
/// demands the code with this number, from 1 on. For a user who does not exist, or has no recovery
/// codes, pass `"recovery":null`: as with factor2_verify(), time does not tell.
///
/// Each code is accepted once, in any order, also under many threads, processes and machines that
/// share a store; "memory" forgets at a restart which were used. Wrong codes count and lock as
/// those of factor2_verify() do; what cannot be a code is not counted, nor is a used one.
///
/// With the guard {"store":"none"} this is yours to do: pass the numbers of the used codes as
/// `used`, and store the response's `number` before you let the user in, by one statement that
/// fails if it is there:
///
///     INSERT INTO used_recovery_codes (user_id, number) VALUES (:id, :number)
///
/// with (user_id, number) as the primary key. With another store, `used` is respected as well.
///
/// Response: `{"accepted":true, "number", "remaining"}`: which code it was, and how many are left.
/// Tell the user, and offer a new set when they are few.
///
/// @return FACTOR2_OK only for an accepted code, or FACTOR2_INVALID_TOKEN (wrong or no recovery
///         code, or code or set were not given; with `retry_after_s` when it locked the set),
///         FACTOR2_TOKEN_REUSED (this code was used), FACTOR2_THROTTLED (locked: the code was not
///         looked at, wait `retry_after_s`), FACTOR2_DISABLED (too many wrong codes),
///         FACTOR2_DATA_FORMAT (`recovery` is not what factor2_create_recovery_codes() made),
///         FACTOR2_STORE_UNAVAILABLE, or what every operation can return
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_verify_recovery_code(
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
            Authenticator::verify_recovery_code,
        )
    }
}
