//! The shared secret: made from the operating system's randomness, read from base32, wiped when it
//! goes. RFC 4226 section 4 asks for 128 bits at least and recommends 160.

use std::fmt;

use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE};
use zeroize::Zeroizing;

use crate::error::{Failure, Result, Status};
use crate::wiped::Wiped;

/// Shortest and longest secret that is read, in bytes. 80 bits were once common, and crossauth's
/// TypeScript edition still makes them.
const MIN_BYTES: usize = 10;
const MAX_BYTES: usize = 64;

/// Below this, RFC 4226's requirement R6 is broken and answers carry a warning.
pub(crate) const MIN_SOUND_BYTES: usize = 16;

/// A secret's bytes.
pub(crate) struct Secret(Wiped);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Secret {
    /// A new secret of `bytes` bytes from the operating system, which is asked at each call, so that
    /// a forked child never repeats its parent.
    pub(crate) fn generate(bytes: usize) -> Result<Self> {
        let mut secret = Wiped::zeroed(bytes);
        getrandom::fill(&mut secret).map_err(|_| Failure::no_randomness())?;
        Ok(Secret(secret))
    }

    /// Reads RFC 4648 section 6 base32: upper or lower case, padded or not, and otherwise strict.
    pub(crate) fn from_base32(text: &str) -> Result<Self> {
        let invalid = |message| Err(Failure::new(Status::InvalidSecret, message));
        let symbols = text.trim_end_matches('=');
        let padding = text.len().saturating_sub(symbols.len());
        if padding != 0 && padding != padding_of(symbols.len()) {
            return invalid("totpsecret: not base32: wrong padding");
        }
        let Ok(length) = BASE32_NOPAD_NOCASE.decode_len(symbols.len()) else {
            return invalid("totpsecret: not base32: impossible length");
        };
        if length < MIN_BYTES {
            return invalid("totpsecret: too short, must be at least 10 bytes (16 characters)");
        }
        if length > MAX_BYTES {
            return invalid("totpsecret: too long, must be at most 64 bytes (103 characters)");
        }
        let mut secret = Wiped::zeroed(length);
        let decoded = BASE32_NOPAD_NOCASE.decode_mut(symbols.as_bytes(), &mut secret);
        if decoded != Ok(length) {
            return invalid("totpsecret: not base32");
        }
        if secret.iter().all(|&byte| byte == 0) {
            return invalid("totpsecret: all bits are zero");
        }
        Ok(Secret(secret))
    }

    /// Upper-case base32 without padding.
    pub(crate) fn to_base32(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(BASE32_NOPAD.encode_len(self.0.len())));
        BASE32_NOPAD.encode_append(&self.0, &mut text);
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What an answer should warn about, if anything.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        (self.0.len() < MIN_SOUND_BYTES)
            .then_some("totpsecret: shorter than the 128 bits that RFC 4226 requires")
    }
}

/// How many `=` complete this many base32 symbols.
fn padding_of(symbols: usize) -> usize {
    symbols.next_multiple_of(8).saturating_sub(symbols)
}
