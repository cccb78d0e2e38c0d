//! Settings.
//!
//! factor2_authenticator_new() takes a JSON object. Only `issuer` is required.
//!
//!     member           | default      | range          | meaning
//!     -----------------|--------------|----------------|-----------------------------------
//!     issuer           | -            | 1 to 255 bytes | your service's name as apps show it
//!     factor_name      | none         | 1 to 255 bytes | the factor's name in crossauth
//!     friendly_name    | (1)          | 1 to 255 bytes | what users see when they choose a factor
//!     algorithm        | "SHA1"       | (2)            | the hash; many apps know SHA1 only
//!     digits           | 6            | 6 to 8         | of a code
//!     period           | 30           | 15 to 120      | seconds of a step
//!     window           | (3)          | 0 to 2 each    | steps before and after that count
//!     look_ahead       | 10           | 1 to 50        | counters that count, with type hotp
//!     secret_bytes     | 20           | 16 to 64       | length of new secrets
//!     qr               | {}           | object         | how QR codes are drawn
//!     guard            | (4)          | object         | who remembers codes and counts guesses
//!     seal             | none         | object         | keys: see "Stored secrets"
//!     fixed_time       | none         | 0 and up       | for tests: the clock, in Unix seconds
//!
//! (1) "Authenticator app". (2) "SHA1", "SHA256" or "SHA512". (3) {"past":1,"future":1}.
//! (4) {"store":"memory"}. Blanks around `issuer` are dropped; it has no colon and nothing that
//! cannot be seen (control, zero-width and direction characters).
//!
//! In `qr`:
//!
//!     member           | default      | range          | meaning
//!     -----------------|--------------|----------------|-----------------------------------
//!     module_px        | 10           | 1 to 32        | pixels per module
//!     quiet_zone       | 5            | 0 to 16        | light modules around; scanners want 4
//!     error_correction | "M"          | L, M, Q, H     | 7, 15, 25 or 30 % may be unreadable
//!     dark, light      | black, white | "#rrggbb"      | colors, with a contrast of at least 3:1
//!     logo             | none         | PNG in base64  | in the middle; up to 1024 x 1024 pixels
//!
//! A logo raises the error correction to "H" and may take a larger symbol, because scanners want
//! some patterns whole.
//!
//! The guard keeps one record per credential, that is, per secret and period (or per secret of type
//! hotp), and one per set of recovery codes; no user name is kept. The record holds the last
//! accepted step or counter and its code, or the used recovery codes, the wrong codes in a row, and
//! the lock. A code is accepted if its step is newer than the last accepted one. Wrong codes count:
//! from the fifth in a row on, each one locks the credential, for 30 s, 60 s, 120 s and so on up to
//! one hour; the 33rd disables it until factor2_reset() or a new secret. An accepted code sets the
//! count back to zero. A lock lasts as long as it was set for, whatever the settings of others that
//! share the store. When its store cannot answer, the guard refuses. In `guard`:
//!
//!     member           | default      | range          | which stores have it: what it is
//!     -----------------|--------------|----------------|-----------------------------------
//!     store            | -            | (5)            | all
//!     soft             | 5            | 1 to hard      | not "none": wrong codes that lock
//!     hard             | 33           | 1 to 100       | not "none": wrong codes that disable
//!     base_delay_s     | 30           | up to the next | not "none": seconds of the first lock
//!     max_delay_s      | 3600         | 1 to 86400     | not "none": seconds of the longest lock
//!     retry            | none         | object         | not "none": see factor2_verify()
//!     budget_ms        | 1000         | 10 to 5000     | "sqlite", "redis": longest wait of a call
//!     max_records      | 100000       | 1 to 10^9      | "memory"
//!     path             | -            | 1 to 504 bytes | "sqlite": the file
//!     create           | false        | true, false    | "sqlite": make the file if it is missing
//!     synchronous      | "FULL"       | FULL, NORMAL   | "sqlite": see below
//!     group            | "refuse"     | refuse, trust  | "sqlite": may a group write?
//!     filesystem       | "refuse"     | refuse, trust  | "sqlite": on a shared file system?
//!     url              | -            | URLs           | "redis": see below
//!     prefix           | "factor2:"   | up to 64 bytes | "redis": of the keys; no braces
//!     max_connections  | 64           | 1 to 1024      | "redis": calls of a process at once
//!     ca_file          | - with TLS   | path, "system" | "redis": the authorities to trust, PEM
//!     cert_file        | none         | path           | "redis": a client's certificate, PEM
//!     key_file         | none         | path           | "redis": its key, PEM without a passphrase
//!     sentinel_user    | none         | text           | "redis": for the Sentinels
//!     sentinel_password | none        | text           | "redis": as above
//!
//! (5) "memory", "sqlite", "redis" or "none". `retry` has `ttl_s`, 1 to 3600 (30 if not given), and
//! `limit`, 1 to 100 (5 if not given).
//!
//! "memory": the records of one process, for a server that is one process. They are forgotten when
//! it ends, so a code can be used again after a restart within its window, a recovery code unless
//! you keep `used` as well, and a code of type hotp unless you keep `last_step`. In a forked child
//! the store refuses. When it is full, the longest idle record without wrong codes makes room; if
//! there is none, new credentials are refused. It waits for nothing but other threads, for
//! microseconds.
//!
//! "sqlite": a file that all processes of one machine share. Only its owner may write in its
//! folder; with "group":"trust" a group that the process is in may write as well, as in volumes of
//! containers. "FULL": an accepted code is on the disk before you are told; "NORMAL" is many times
//! faster, and a power failure may forget the last ones. File systems that machines share (NFS,
//! SMB, FUSE, 9p, virtiofs) are refused, because locks may not hold there; "filesystem":"trust" is
//! for one that a single machine uses. Mount the folder into a container, never the file alone. A
//! process that drops rights (setuid, chroot) makes its authenticator after that, because another
//! user cannot open the file again. fork() waits for calls under way, as long as their budget
//! lasts; a child that was made while one went on, or not by fork(), is refused. `budget_ms` bounds
//! every wait for others. A disk that is slow to write is waited for longer.
//!
//! "redis": Redis 7 or Valkey, for a fleet. `url` is redis://, rediss:// (TLS) or unix:///path,
//! with user, password and database as usual, for one server; an array of one or more of them for a
//! cluster; or redis-sentinel://user:password@host,host/name (rediss-sentinel:// with TLS) for the
//! primary that Sentinels know by this name. Special characters in user and password are written as
//! % and two hex digits. Only its owner may read the key file. Locks use the server's clock.
//! `budget_ms` bounds a whole call; the system looks up host names, which is outside of the budget,
//! so use addresses or unix:// where that matters. The user needs the rights `~prefix* +eval
//! +evalsha +get +set +time`; `+select` for a database; `+cluster|myid +asking` for a cluster; the
//! Sentinels' user `+sentinel|get-master-addr-by-name`.
//!
//! "none": you remember accepted codes, see factor2_verify(), and count wrong ones.

use std::ffi::c_char;
use std::ptr;

use crate::authenticator::Authenticator;
use crate::capi::boundary::{null_pointer, respond, set, whole};
use crate::capi::handle::Handle;
use crate::capi::{factor2_authenticator, factor2_response, factor2_status, input};
use crate::response::Response;

/// Makes an authenticator from its settings.
///
/// @param config         JSON, UTF-8, at most 64 KiB. Not NULL. Read during the call only.
/// @param config_len     its length in bytes, or FACTOR2_NUL_TERMINATED
/// @param authenticator  where to put the new authenticator, or NULL on failure. Not NULL. Yours
///                       to free by factor2_authenticator_free().
/// @param response       where to put the response, `{}` or an error; NULL if you don't want it
/// @return FACTOR2_OK, or FACTOR2_CONFIGURATION (a setting is missing, unknown or wrong; the
///         error's message names it), FACTOR2_BAD_REQUEST (not UTF-8, or not one JSON object),
///         FACTOR2_STORE_UNAVAILABLE, FACTOR2_RANDOM_UNAVAILABLE, FACTOR2_REQUEST_TOO_LARGE,
///         FACTOR2_NULL_POINTER (`config` or `authenticator`)
/// @since 0.1.0
///
/// # Safety
/// The pointers are as described.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn factor2_authenticator_new(
    config: *const c_char,
    config_len: usize,
    authenticator: *mut *mut factor2_authenticator,
    response: *mut *mut factor2_response,
) -> factor2_status {
    // SAFETY: the caller's promise, passed on.
    unsafe {
        set(authenticator, ptr::null_mut());
        respond(response.cast(), || {
            if authenticator.is_null() {
                return Err(null_pointer("authenticator"));
            }
            let config = input::read(config, config_len, input::MAX_BYTES, "config")?;
            let made = Authenticator::new(config)?;
            let response = Response::new(&serde_json::json!({}))?;
            set(authenticator, Handle::into_raw(made).cast());
            Ok(response)
        })
    }
}

/// Frees an authenticator. No other thread may be using it.
///
/// @param authenticator  from factor2_authenticator_new(), or NULL (nothing happens)
/// @since 0.1.0
///
/// # Safety
/// The pointer is as described.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn factor2_authenticator_free(authenticator: *mut factor2_authenticator) {
    // SAFETY: the caller's promise, passed on.
    let _ = whole(|| unsafe { Handle::<Authenticator>::free(authenticator.cast()) });
}
