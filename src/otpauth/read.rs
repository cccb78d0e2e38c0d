//! Reading otpauth URIs, as other programs write them.
//!
//! Tolerant where people err (letter case, padding, `+` for a blank), strict where it matters: two secrets, or
//! what no code can be verified with, are refused. What a URI says of names does not matter here, but must be
//! text.

use std::ops::RangeInclusive;

use totp_rs::Algorithm;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::otp::Scheme;
use crate::secret::{Secret, invalid};

/// What a URI says of codes.
pub(crate) struct FromUri {
    pub(crate) secret: Secret,
    /// For hotp, its period means nothing.
    pub(crate) scheme: Scheme,
    /// The next counter, of type hotp.
    pub(crate) counter: Option<u64>,
}

/// What URIs begin with, the second one Apple's.
const BEGINNINGS: [&str; 2] = ["otpauth://", "apple-otpauth://"];

/// The largest counter that still has a next one in a record.
const MAX_COUNTER: u64 = i64::MAX.cast_unsigned() - 1;

/// Whether a text is meant to be a URI.
pub(crate) fn is_uri(text: &str) -> bool {
    text.contains("://")
}

/// Reads a URI of type totp or hotp.
pub(crate) fn read_uri(uri: &str) -> Result<FromUri> {
    let rest = BEGINNINGS.iter().find_map(|beginning| {
        let (begin, rest) = uri.split_at_checked(beginning.len())?;
        begin.eq_ignore_ascii_case(beginning).then_some(rest)
    });
    let rest = rest.ok_or_else(|| invalid("the URI must begin with otpauth://"))?;
    let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    let is_hotp = kind.eq_ignore_ascii_case("hotp");
    if !is_hotp && !kind.eq_ignore_ascii_case("totp") {
        return Err(invalid("the URI must be of type totp or hotp"));
    }
    decode(label, false)?;
    let mut query = Query::read(query)?;
    let secret = query.0[SECRET]
        .take()
        .ok_or_else(|| invalid("the URI has no secret"))?;
    let counter = match query.number(COUNTER, 0..=MAX_COUNTER)? {
        None if is_hotp => return Err(invalid("the URI is of type hotp, and has no counter")),
        counter => counter.filter(|_| is_hotp),
    };
    Ok(FromUri {
        secret: Secret::from_base32(&secret)?,
        scheme: Scheme {
            algorithm: query.algorithm()?,
            digits: query.number(DIGITS, 6..=8)?.unwrap_or(6),
            period: query.number(PERIOD, 15..=120)?.unwrap_or(30),
        },
        counter,
    })
}

// Their places in a query.
const SECRET: usize = 0;
const ALGORITHM: usize = 1;
const DIGITS: usize = 2;
const PERIOD: usize = 3;
const COUNTER: usize = 4;
const NAMES: [&str; 6] = [
    "secret",
    "algorithm",
    "digits",
    "period",
    "counter",
    "issuer",
];

/// The values of the parameters that there are, each at most once. Others are ignored.
#[derive(Default)]
struct Query([Option<Zeroizing<String>>; NAMES.len()]);

impl Query {
    fn read(query: &str) -> Result<Self> {
        let mut read = Query::default();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let mut names = NAMES.iter().zip(&mut read.0);
            let Some((name, place)) = names.find(|(known, _)| name.eq_ignore_ascii_case(known))
            else {
                continue;
            };
            if place.replace(decode(value, true)?).is_some() {
                return Err(invalid(&format!("the URI has its {name} twice")));
            }
        }
        Ok(read)
    }

    /// A decimal number, if it is there.
    fn number<T: TryFrom<u64> + PartialOrd>(
        &self,
        place: usize,
        range: RangeInclusive<u64>,
    ) -> Result<Option<T>> {
        let Some(text) = &self.0[place] else {
            return Ok(None);
        };
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text
            .parse()
            .ok()
            .filter(|n| is_decimal && range.contains(n));
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => {
                let (name, least, most) = (NAMES[place], range.start(), range.end());
                let what = format!("the URI's {name} must be an integer from {least} to {most}");
                Err(invalid(&what))
            }
        }
    }

    /// Also as `SHA-256` or `HmacSHA256`, which some write.
    fn algorithm(&self) -> Result<Algorithm> {
        let Some(name) = &self.0[ALGORITHM] else {
            return Ok(Algorithm::SHA1);
        };
        let name = name.to_ascii_uppercase().replace('-', "");
        match name.trim_start_matches("HMAC") {
            "SHA1" => Ok(Algorithm::SHA1),
            "SHA256" => Ok(Algorithm::SHA256),
            "SHA512" => Ok(Algorithm::SHA512),
            _ => Err(invalid(
                "the URI's algorithm must be SHA1, SHA256 or SHA512",
            )),
        }
    }
}

/// RFC 3986 section 2.1. A `%` without two hex digits behind it stands for itself. In a query, `+` is a blank.
fn decode(text: &str, is_query: bool) -> Result<Zeroizing<String>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = (byte == b'%')
            .then(|| behind.split_first_chunk().and_then(hex))
            .flatten();
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
    let decoded = String::from_utf8(std::mem::take(&mut *decoded));
    decoded.map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        invalid("the URI is not UTF-8 where it is decoded")
    })
}

/// The byte that two hex digits stand for, and what is behind them.
fn hex<'a>((digits, behind): (&[u8; 2], &'a [u8])) -> Option<(u8, &'a [u8])> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(16 * high? + low?)
        .ok()
        .map(|byte| (byte, behind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::otpauth::provisioning_uri;

    fn described(read: &FromUri) -> Value {
        let scheme = &read.scheme;
        let mut described = json!({
            "type": if read.counter.is_some() { "hotp" } else { "totp" },
            "totpsecret": *read.secret.to_base32(),
            "algorithm": scheme.algorithm.to_string(),
            "digits": scheme.digits,
        });
        match read.counter {
            Some(counter) => described["counter"] = counter.into(),
            None => described["period"] = scheme.period.into(),
        }
        described
    }

    /// URIs of many programs, and what they are.
    #[test]
    fn uris_of_others_are_what_they_are() {
        let vectors = include_str!("../../tests/vectors/uri_read.json");
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 50);
        for row in vectors {
            let uri = row["uri"].as_str().unwrap();
            let mut expected = row["is"].clone();
            match read_uri(uri) {
                Ok(read) => {
                    for name in ["issuer", "label_issuer", "account"] {
                        expected.as_object_mut().unwrap().remove(name);
                    }
                    assert_eq!(described(&read), expected, "{uri}");
                }
                Err(error) => assert!(expected.is_null(), "{uri}: {}", error.message),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            bytes in 10..64usize, digits in 6..=8u8, period in 15..=120u64,
            algorithm in prop_oneof![Just(Algorithm::SHA1), Just(Algorithm::SHA256), Just(Algorithm::SHA512)],
            issuer in "[^:\0]{1,20}", account in "[^\0]{1,20}",
        ) {
            let secret = Secret::generate(bytes).unwrap();
            let scheme = Scheme { algorithm, digits, period };
            let uri = provisioning_uri(&issuer, &account, &secret.to_base32(), &scheme);
            let read = read_uri(&uri).unwrap();
            prop_assert_eq!(read.secret.as_bytes(), secret.as_bytes());
            let read = (read.scheme.algorithm, read.scheme.digits, read.scheme.period, read.counter);
            prop_assert_eq!(read, (algorithm, digits, period, None));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(otpauth://(t|h)otp/.{0,9}\\?)?(&?(secret|digits|.)=?[%+A-Z0-9]{0,40}){0,4}") {
            let _ = read_uri(&text);
        }
    }
}
