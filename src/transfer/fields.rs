//! What the fields of many formats have in common.

use std::ops::RangeInclusive;

use totp_rs::Algorithm;

use crate::error::Error;
use crate::otpauth::{MAX_COUNTER, algorithm_of};
use crate::secret::Secret;
use crate::transfer::Why;
use crate::wiped::Wiped;

/// Why a secret or a URI is refused.
pub(super) fn why(error: Error) -> Why {
    error.message
}

/// A secret in hex.
pub(super) fn hex(text: &str) -> Result<Secret, Why> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(16 * digit(*high)? + digit(*low)?).ok(),
        _ => None,
    };
    let mut bytes = Wiped::with_capacity(text.len().div_ceil(2));
    for pair in text.as_bytes().chunks(2) {
        bytes.push(byte(pair).ok_or("totpsecret: not hex")?);
    }
    Secret::from_bytes(bytes).map_err(why)
}

/// A secret in base32, as people have it.
pub(super) fn base32(text: &str) -> Result<Secret, Why> {
    Secret::from_base32(text).map_err(why)
}

/// A secret that was stored as its bytes.
pub(super) fn raw(bytes: &[u8]) -> Result<Secret, Why> {
    let mut copy = Wiped::with_capacity(bytes.len());
    copy.extend_from_slice(bytes);
    Secret::from_bytes(copy).map_err(why)
}

pub(super) fn algorithm(text: &str) -> Result<Algorithm, Why> {
    match algorithm_of(text) {
        Some((algorithm, _)) => Ok(algorithm),
        None => Err("algorithm: must be SHA1, SHA256 or SHA512".into()),
    }
}

pub(super) fn digits(text: &str) -> Result<u8, Why> {
    in_range(decimal(text), "digits", 6..=8)
}

pub(super) fn period(text: &str) -> Result<u64, Why> {
    in_range(decimal(text), "period", 15..=120)
}

/// The next counter.
pub(super) fn counter(number: Option<u64>) -> Result<u64, Why> {
    in_range(number, "counter", 0..=MAX_COUNTER)
}

/// A decimal number without a sign.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal)
}

fn in_range<T: TryFrom<u64>>(
    number: Option<u64>,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<T, Why> {
    let number = number.filter(|number| range.contains(number));
    match number.and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => {
            let (least, most) = (range.start(), range.end());
            Err(format!("{name}: must be an integer from {least} to {most}").into())
        }
    }
}

/// What is said of a clock that is known to go wrong by so many steps.
pub(super) fn drift_warning(steps: i64) -> Why {
    format!("drift: the token's clock was {steps} steps off, which the URI cannot say").into()
}
