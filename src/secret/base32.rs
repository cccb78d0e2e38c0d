//! Base32 as people have it, RFC 4648 section 6.

use data_encoding::BASE32_NOPAD;

use crate::error::{Error, Result};
use crate::pasted::means_nothing;
use crate::status::Status;
use crate::wiped::Wiped;

/// The shortest secret that is read, in bytes. 80 bits were once common, and crossauth's
/// TypeScript edition still makes them.
pub(super) const MIN_BYTES: usize = 10;

/// The longest one.
pub(super) const MAX_BYTES: usize = 512;

/// The symbols of the longest one.
const MAX_SYMBOLS: usize = 820;

/// Base32 in its one form, as databases have it, is read at once; `None` for all else.
fn read_canonical(text: &str) -> Option<Wiped> {
    let length = BASE32_NOPAD.decode_len(text.len()).ok()?;
    if length < MIN_BYTES || text.len() > MAX_SYMBOLS {
        return None;
    }
    let mut bytes = Wiped::zeroed(length);
    BASE32_NOPAD.decode_mut(text.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}

/// Any letter case, padded or not, with blanks and dashes between groups. Nothing is taken for another
/// symbol. Also tells whether the last bits make no byte and are not zero.
pub(super) fn read(text: &str) -> Result<(Wiped, bool)> {
    if let Some(bytes) = read_canonical(text) {
        return Ok((bytes, false));
    }
    let mut bytes = Wiped::with_capacity(text.len().min(MAX_SYMBOLS) * 5 / 8);
    let mut symbols = 0;
    let mut padded = false;
    // The bits that do not make a byte yet, and how many there are.
    let (mut bits, mut pending) = (0u32, 0);
    for c in text.chars().filter(|&c| !means_nothing(c)) {
        if c == '=' && symbols != 0 {
            padded = true;
            continue;
        }
        symbols += 1;
        let value = value_of(c).filter(|_| !padded);
        let Some(value) = value else {
            return Err(no_symbol(c, padded, symbols));
        };
        if symbols > MAX_SYMBOLS {
            return Err(invalid("too long, must be at most 512 bytes (820 symbols)"));
        }
        bits = bits << 5 | value;
        pending += 5;
        if pending >= 8 {
            pending -= 8;
            bytes.push((bits >> pending) as u8);
            bits &= (1 << pending) - 1;
        }
    }
    if bytes.len() < MIN_BYTES {
        return Err(invalid("too short, must be at least 10 bytes (16 symbols)"));
    }
    if pending >= 5 {
        return Err(invalid(
            "not base32: a symbol is missing at the end, or one too many",
        ));
    }
    Ok((bytes, bits != 0))
}

pub(crate) fn invalid(what: &str) -> Error {
    Error::new(Status::InvalidSecret, format!("totpsecret: {what}"))
}

/// The five bits of a symbol, RFC 4648 table 3, in either letter case.
fn value_of(c: char) -> Option<u32> {
    match c {
        'A'..='Z' => Some(c as u32 - 'A' as u32),
        'a'..='z' => Some(c as u32 - 'a' as u32),
        '2'..='7' => Some(c as u32 - '2' as u32 + 26),
        _ => None,
    }
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
