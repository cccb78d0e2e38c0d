//! The shared secret: made from the operating system's randomness, read from base32, wiped when it
//! goes. RFC 4226 section 4 asks for 128 bits at least and recommends 160.

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::pasted::means_nothing;
use crate::status::Status;
use crate::wiped::Wiped;

/// The shortest secret that is read, in bytes. 80 bits were once common, and crossauth's
/// TypeScript edition still makes them.
const MIN_BYTES: usize = 10;

/// The longest secret that is read has 512 bytes: so many symbols.
const MAX_SYMBOLS: usize = 820;

/// Below this, RFC 4226's requirement R6 is broken and answers carry a warning.
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

    /// Reads RFC 4648 section 6 base32 as people have it: any letter case, padded or not, with blanks
    /// and dashes between groups. Nothing is taken for another symbol.
    pub(crate) fn from_base32(text: &str) -> Result<Self> {
        let mut bytes = Wiped::with_capacity(text.len().min(MAX_SYMBOLS).saturating_mul(5) / 8);
        let mut symbols: usize = 0;
        let mut padded = false;
        // The bits that do not make a byte yet, 0 to 7 of them.
        let (mut bits, mut pending) = (0u32, 0u32);
        for c in text.chars().filter(|&c| !means_nothing(c)) {
            if c == '=' && symbols != 0 {
                padded = true;
                continue;
            }
            symbols = symbols.saturating_add(1);
            let value = value_of(c).filter(|_| !padded);
            let Some(value) = value else {
                return Err(no_symbol(c, padded, symbols));
            };
            if symbols > MAX_SYMBOLS {
                return invalid("too long, must be at most 512 bytes (820 symbols)");
            }
            bits = bits << 5 | value;
            pending = pending.wrapping_add(5);
            if let Some(rest) = pending.checked_sub(8) {
                bytes.extend(u8::try_from(bits >> rest));
                pending = rest;
                bits &= (1u32 << rest).wrapping_sub(1);
            }
        }
        if bytes.len() < MIN_BYTES {
            return invalid("too short, must be at least 10 bytes (16 symbols)");
        }
        if pending >= 5 {
            return invalid("not base32: a symbol is missing at the end, or one too many");
        }
        if bytes.iter().all(|&byte| byte == 0) {
            return invalid("all bits are zero");
        }
        Ok(Secret {
            bytes,
            has_rest: bits != 0,
        })
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

    /// What an answer should warn about, if anything.
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

fn invalid<T>(what: &str) -> Result<T> {
    let message = format!("totpsecret: {what}");
    Err(Error::new(Status::InvalidSecret, message))
}

/// The five bits of a symbol, RFC 4648 table 3, in either letter case.
fn value_of(c: char) -> Option<u32> {
    let (first, value) = match c {
        'A'..='Z' => ('A', 0),
        'a'..='z' => ('a', 0),
        '2'..='7' => ('2', 26),
        _ => return None,
    };
    u32::from(c)
        .checked_sub(u32::from(first))?
        .checked_add(value)
}

/// Which kind of character stands in the place of a symbol. The character itself may belong to a
/// secret, and is not told.
fn no_symbol(c: char, padded: bool, place: usize) -> Error {
    let kind = match c {
        _ if padded => "follows padding, which ends a secret",
        '=' => "is padding, and no symbol is before it",
        '0' | '1' | '8' | '9' => "is one of the digits 0, 1, 8, 9, which base32 has not",
        c if c.is_control() => "is a control character",
        c if c.is_ascii() => "is a punctuation mark",
        _ => "is not of ASCII",
    };
    let message = format!("totpsecret: not base32: symbol {place} {kind}");
    Error::new(Status::InvalidSecret, message)
}
