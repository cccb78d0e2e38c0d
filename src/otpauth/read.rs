//! Reading otpauth URIs, as other programs write them.
//!
//! Tolerant where people err (letter case, padding, `+` for a blank), strict where it matters: two secrets, or
//! what no code can be verified with, are refused. A parameter that belongs to the other type is ignored.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use totp_rs::Algorithm;

use crate::error::Result;
use crate::otp::Scheme;
use crate::otpauth::names::Names;
use crate::otpauth::percent::{Decoded, decode};
use crate::secret::{Secret, invalid};

/// What a URI says.
pub(crate) struct FromUri {
    pub(crate) secret: Secret,
    /// For hotp, its period means nothing.
    pub(crate) scheme: Scheme,
    /// The next counter, of type hotp.
    pub(crate) counter: Option<u64>,
    /// About how secret and scheme are written. What the secret itself is warned of is not repeated.
    pub(crate) warnings: Vec<Cow<'static, str>>,
    pub(crate) names: Names,
}

/// The schemes of URIs, the second one Apple's.
const SCHEMES: [&str; 2] = ["otpauth:", "apple-otpauth:"];

/// The largest counter that still has a next one in a record.
pub(crate) const MAX_COUNTER: u64 = i64::MAX.cast_unsigned() - 1;

/// Whether a text is meant to be a URI.
pub(crate) fn is_uri(text: &str) -> bool {
    text.contains("://") || behind_scheme(text).is_some()
}

fn behind_scheme(uri: &str) -> Option<&str> {
    SCHEMES.iter().find_map(|scheme| {
        let (begin, rest) = uri.split_at_checked(scheme.len())?;
        begin.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Reads a URI of type totp or hotp.
pub(crate) fn read_uri(uri: &str) -> Result<FromUri> {
    let rest = behind_scheme(uri).and_then(|rest| rest.strip_prefix("//"));
    let rest = rest.ok_or_else(|| invalid("the URI must begin with otpauth://"))?;
    let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    let is_hotp = kind.eq_ignore_ascii_case("hotp");
    if !is_hotp && !kind.eq_ignore_ascii_case("totp") {
        return Err(invalid("the URI must be of type totp or hotp"));
    }
    let mut query = Query::read(query)?;
    let names = Names::read(label, query.0[ISSUER].take())?;
    let secret = query.secret()?;
    let algorithm = query.algorithm()?;
    let digits = query.number(DIGITS, 6..=8)?;
    let (period, counter) = if is_hotp {
        let counter = query.number(COUNTER, 0..=MAX_COUNTER)?;
        let none = "the URI is of type hotp, and has no counter";
        (None, Some(counter.ok_or_else(|| invalid(none))?))
    } else {
        (query.number(PERIOD, 15..=120)?, None)
    };
    Ok(FromUri {
        secret,
        scheme: Scheme {
            algorithm,
            digits: digits.unwrap_or(6),
            period: period.unwrap_or(30),
        },
        counter,
        warnings: query.warnings(),
        names,
    })
}

// Their places in a query.
const SECRET: usize = 0;
const ALGORITHM: usize = 1;
const DIGITS: usize = 2;
const PERIOD: usize = 3;
const COUNTER: usize = 4;
const ISSUER: usize = 5;
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
struct Query([Option<Decoded>; NAMES.len()]);

impl Query {
    fn read(query: &str) -> Result<Self> {
        let mut read = Query::default();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let mut names = NAMES.iter().zip(&mut read.0);
            let Some((known, place)) = names.find(|(known, _)| name.eq_ignore_ascii_case(known))
            else {
                continue;
            };
            let mut value = decode(value, true)?;
            value.is_odd |= name != *known;
            if place.replace(value).is_some() {
                return Err(invalid(&format!("the URI has its {known} twice")));
            }
        }
        Ok(read)
    }

    fn secret(&mut self) -> Result<Secret> {
        let secret = self.0[SECRET].as_mut();
        let secret = secret.ok_or_else(|| invalid("the URI has no secret"))?;
        secret.is_odd |= secret.text.contains('=');
        Secret::from_base32(&secret.text)
    }

    /// A decimal number, if it is there.
    fn number<T: TryFrom<u64> + PartialOrd>(
        &self,
        place: usize,
        range: RangeInclusive<u64>,
    ) -> Result<Option<T>> {
        let Some(Decoded { text, .. }) = &self.0[place] else {
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

    fn algorithm(&mut self) -> Result<Algorithm> {
        let Some(Decoded { text, is_odd }) = &mut self.0[ALGORITHM] else {
            return Ok(Algorithm::SHA1);
        };
        let unknown = "the URI's algorithm must be SHA1, SHA256 or SHA512";
        let (algorithm, name) = algorithm_of(text).ok_or_else(|| invalid(unknown))?;
        *is_odd |= !text.eq_ignore_ascii_case(name);
        Ok(algorithm)
    }

    fn warnings(&self) -> Vec<Cow<'static, str>> {
        let odd = NAMES.iter().zip(&self.0).filter_map(|(name, value)| {
            let is_odd = value.as_ref().is_some_and(|value| value.is_odd);
            is_odd.then_some(name)
        });
        let odd = odd.map(|name| {
            format!("totpsecret: the URI's {name} is written in a way that some apps do not read")
        });
        odd.map(Cow::Owned).collect()
    }
}

/// An algorithm by its name, also as `SHA-256` or `HmacSHA256`, which some write; and its usual name.
pub(crate) fn algorithm_of(text: &str) -> Option<(Algorithm, &'static str)> {
    let name = text.to_ascii_uppercase().replace('-', "");
    let name = name.strip_prefix("HMAC").unwrap_or(&name);
    let known = [
        (Algorithm::SHA1, "SHA1"),
        (Algorithm::SHA256, "SHA256"),
        (Algorithm::SHA512, "SHA512"),
    ];
    known.into_iter().find(|(_, known)| *known == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::otpauth::provisioning_uri;
    use crate::status::Status;

    fn described(read: &FromUri) -> Value {
        let (scheme, names) = (&read.scheme, &read.names);
        let mut described = json!({
            "type": if read.counter.is_some() { "hotp" } else { "totp" },
            "issuer": *names.issuer,
            "account": *names.account,
            "totpsecret": *read.secret.to_base32(),
            "algorithm": scheme.algorithm.to_string(),
            "digits": scheme.digits,
        });
        if let Some(issuer) = &names.label_issuer {
            described["label_issuer"] = issuer.as_str().into();
        }
        match read.counter {
            Some(counter) => described["counter"] = counter.into(),
            None => described["period"] = scheme.period.into(),
        }
        described
    }

    fn all_warnings(read: &FromUri) -> Vec<Cow<'static, str>> {
        let of_secret = read.secret.warnings();
        [&read.warnings[..], &read.names.warnings, &of_secret].concat()
    }

    /// URIs of many programs, and what they are.
    #[test]
    fn uris_of_others_are_what_they_are() {
        let vectors = include_str!("../../tests/vectors/uri_read.json");
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        assert_eq!(vectors.len(), 60);
        for row in vectors {
            let uri = row["uri"].as_str().unwrap();
            match read_uri(uri) {
                Ok(read) => {
                    assert_eq!(described(&read), row["is"], "{uri}");
                    let warnings = all_warnings(&read);
                    // null: they may be there or not.
                    let expected = row["warns"].as_bool().unwrap_or(!warnings.is_empty());
                    assert_eq!(!warnings.is_empty(), expected, "{uri}: {warnings:?}");
                }
                Err(error) => {
                    assert!(row["is"].is_null(), "{uri}: {}", error.message);
                    assert_eq!(error.status, Status::InvalidSecret);
                }
            }
        }
    }

    const SECRET_TEXT: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

    /// What is wrong is named, and never quoted.
    #[test]
    fn a_refusal_tells_what_is_wrong() {
        for (uri, message) in [
            (
                "otpauth:totp/a?secret=S",
                "the URI must begin with otpauth://",
            ),
            ("otpauth://totp/a", "the URI has no secret"),
            (
                "otpauth://motp/a?secret=S",
                "the URI must be of type totp or hotp",
            ),
            (
                "otpauth://totp/a?secret=S&Secret=S",
                "the URI has its secret twice",
            ),
            (
                "otpauth://totp/a?secret=S&issuer=A&issuer=B",
                "the URI has its issuer twice",
            ),
            (
                "otpauth://totp/a?secret=S&digits=9",
                "the URI's digits must be an integer from 6 to 8",
            ),
            (
                "otpauth://totp/a?secret=S&digits=",
                "the URI's digits must be an integer from 6 to 8",
            ),
            (
                "otpauth://totp/a?secret=S&period=121",
                "the URI's period must be an integer from 15 to 120",
            ),
            (
                "otpauth://totp/a?secret=S&algorithm=HmacHmacSHA1",
                "the URI's algorithm must be SHA1, SHA256 or SHA512",
            ),
            (
                "otpauth://hotp/a?secret=S",
                "the URI is of type hotp, and has no counter",
            ),
            (
                "otpauth://hotp/a?secret=S&counter=9223372036854775807",
                "the URI's counter must be an integer from 0 to 9223372036854775806",
            ),
            ("otpauth://totp/a%00?secret=S", "the URI has a NUL"),
            (
                "otpauth://totp/a?secret=S&issuer=%FF",
                "the URI is not UTF-8 where it is decoded",
            ),
        ] {
            let uri = uri.replace("ecret=S", &format!("ecret={SECRET_TEXT}"));
            let error = read_uri(&uri).err().unwrap();
            assert_eq!(error.status, Status::InvalidSecret);
            assert_eq!(error.message, format!("totpsecret: {message}"), "{uri}");
        }
    }

    /// Programs leave them there, and they mean nothing.
    #[test]
    fn parameters_of_the_other_type_are_ignored() {
        let uri = format!("otpauth://totp/a?secret={SECRET_TEXT}&counter=");
        assert_eq!(read_uri(&uri).unwrap().counter, None);
        let uri = format!("otpauth://hotp/a?secret={SECRET_TEXT}&period=0&counter={MAX_COUNTER}");
        assert_eq!(read_uri(&uri).unwrap().counter, Some(MAX_COUNTER));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            bytes in 10..64usize, digits in 6..=8u8, period in 15..=120u64,
            algorithm in prop_oneof![Just(Algorithm::SHA1), Just(Algorithm::SHA256), Just(Algorithm::SHA512)],
            issuer in "[^\0]{0,20}", account in "[^\0]{1,20}", counter in proptest::option::of(0..=MAX_COUNTER),
        ) {
            let secret = Secret::generate(bytes).unwrap();
            let scheme = Scheme { algorithm, digits, period };
            let uri = provisioning_uri(issuer.trim(), account.trim(), &secret.to_base32(), &scheme, counter);
            let read = read_uri(&uri).unwrap();
            prop_assert_eq!(read.secret.as_bytes(), secret.as_bytes());
            let read = (read.scheme.algorithm, read.scheme.digits, read.scheme.period, read.counter);
            let period = if counter.is_some() { 30 } else { period };
            prop_assert_eq!(read, (algorithm, digits, period, counter));
            let names = read_uri(&uri).unwrap().names;
            let names = (names.issuer.as_str(), names.account.as_str(), names.label_issuer);
            prop_assert_eq!(names, (issuer.trim(), account.trim(), None));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(otpauth://(t|h)otp/.{0,9}\\?)?(&?(secret|digits|.)=?[%+A-Z0-9]{0,40}){0,4}") {
            let _ = read_uri(&text);
        }
    }
}
