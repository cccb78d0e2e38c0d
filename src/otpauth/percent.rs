//! Percent-encoding, as URIs have it.

use std::mem;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::secret::invalid;

/// What a part of a URI says.
pub(crate) struct Decoded {
    pub(crate) text: Zeroizing<String>,
    /// Whether it is written in a way that some apps do not read.
    pub(crate) is_odd: bool,
}

/// RFC 3986 section 2.1. A `%` without two hex digits behind it stands for itself. In a query, `+` is a blank.
pub(crate) fn decode(text: &str, is_query: bool) -> Result<Decoded> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut is_odd = false;
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = (byte == b'%')
            .then(|| behind.split_first_chunk().and_then(hex))
            .flatten();
        is_odd |= byte == b'%' && escaped.is_none();
        let (byte, behind) = match (byte, escaped) {
            (_, Some(escaped)) => escaped,
            (b'+', None) if is_query => (b' ', behind),
            (byte, None) => (byte, behind),
        };
        if byte == 0 {
            return Err(invalid("the URI has a NUL"));
        }
        decoded.push(byte);
        rest = behind;
    }
    match String::from_utf8(mem::take(&mut *decoded)) {
        Ok(text) => Ok(Decoded {
            text: text.into(),
            is_odd,
        }),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(invalid("the URI is not UTF-8 where it is decoded"))
        }
    }
}

/// The byte that two hex digits stand for, and what is behind them.
fn hex<'a>((digits, behind): (&[u8; 2], &'a [u8])) -> Option<(u8, &'a [u8])> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(16 * high? + low?)
        .ok()
        .map(|byte| (byte, behind))
}
