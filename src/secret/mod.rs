//! The shared secret: made from the operating system's randomness, read from base32, wiped when it
//! goes. RFC 4226 section 4 asks for 128 bits at least and recommends 160.

mod base32;
mod keys;
mod seal;
mod stored;

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::wiped::Wiped;

pub(crate) use base32::invalid;
pub(crate) use keys::Keys;
pub(crate) use stored::Stored;

/// Below this, RFC 4226's requirement R6 is broken and responses carry a warning.
pub(crate) const MIN_SOUND_BYTES: usize = 16;

/// A secret's bytes.
pub(crate) struct Secret {
    bytes: Wiped,
    /// Whether it was read from base32 whose last bits make no byte and are not zero.
    has_rest: bool,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Secret {
    /// A new secret of `bytes` bytes from the operating system, which is asked at each call, so that
    /// a forked child never repeats its parent.
    pub(crate) fn generate(bytes: usize) -> Result<Self> {
        let mut bytes = Wiped::zeroed(bytes);
        getrandom::fill(&mut bytes).map_err(|_| Error::no_randomness())?;
        Ok(Secret {
            bytes,
            has_rest: false,
        })
    }

    /// Reads base32 as people have it.
    pub(crate) fn from_base32(text: &str) -> Result<Self> {
        let (bytes, has_rest) = base32::read(text)?;
        Secret::not_empty(bytes, has_rest)
    }

    /// Takes bytes that another program had as they are, or in hex.
    pub(crate) fn from_bytes(bytes: Wiped) -> Result<Self> {
        match bytes.len() {
            ..base32::MIN_BYTES => Err(invalid("too short, must be at least 10 bytes")),
            ..=base32::MAX_BYTES => Secret::not_empty(bytes, false),
            _ => Err(invalid("too long, must be at most 512 bytes")),
        }
    }

    fn not_empty(bytes: Wiped, has_rest: bool) -> Result<Self> {
        if bytes.iter().all(|&byte| byte == 0) {
            return Err(invalid("all bits are zero"));
        }
        Ok(Secret { bytes, has_rest })
    }

    /// Upper-case base32 without padding.
    pub(crate) fn to_base32(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(
            BASE32_NOPAD.encode_len(self.bytes.len()),
        ));
        BASE32_NOPAD.encode_append(&self.bytes, &mut text);
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a response should warn about, if anything.
    pub(crate) fn warnings(&self) -> Vec<Cow<'static, str>> {
        let short = "totpsecret: shorter than the 128 bits that RFC 4226 requires";
        let rest = "totpsecret: the last bits of its base32 make no byte and were dropped";
        let warnings = [
            (self.bytes.len() < MIN_SOUND_BYTES, short),
            (self.has_rest, rest),
        ];
        let warnings = warnings.into_iter().filter(|(applies, _)| *applies);
        warnings.map(|(_, text)| text.into()).collect()
    }
}
