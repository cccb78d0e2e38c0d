//! Verification of codes.

use std::ops::RangeInclusive;
use std::slice;

use serde::Serialize;

use crate::authenticator::{Authenticator, NOBODYS};
use crate::error::{Error, Result};
use crate::guard::{Match, Verdict, judge_several};
use crate::json::{Object, Text};
use crate::operations::authenticating::{Authenticating, DRIFTS, FromCaller, LAST_STEPS, Typed};
use crate::operations::refused::given;
use crate::request::{self, WHOSE, Warnings, Whose};
use crate::response::Response;
use crate::status::Status;

/// No user has more authenticators than this.
const MAX_SECRETS: usize = 8;
const SECRETS: &str = "a string, null, or an array of 1 to 8 strings";

/// The members of its request beside those of every secret.
const OWN: &[&str] = &["totpsecret", "otp", "last_step", "drift", "retry_key"];

const MAX_RETRY_KEY_BYTES: usize = 255;

/// Whose code may be accepted.
enum Secrets<'a> {
    One {
        text: Text<'a>,
        /// It stands for a user who has none. What is done with it differs in data alone, because time must
        /// not tell.
        is_nobodys: bool,
    },
    Several(Vec<Text<'a>>),
}

/// A number that the caller keeps: one for all secrets, or one for each.
enum Numbers {
    All(i64),
    Each(Vec<i64>),
}

impl Authenticator {
    /// `{"totpsecret","otp","username"?,"bind"?,"last_step"?,"drift"?,"retry_key"?}` ->
    /// `{"accepted":true,"step","drift","counter"?,"index"?,"reseal"?,"repeated"?}`.
    pub(crate) fn verify(&self, request: &str) -> Result<Response> {
        let mut request = request::read(request, &[OWN, WHOSE])?;
        let secrets = self.read_secrets(&mut request)?;
        let otp = request.text("otp")?;
        let whose = Whose::read(&mut request)?;
        let count = secrets.as_ref().and_then(Secrets::count);
        let last_steps = Numbers::read(&mut request, "last_step", LAST_STEPS, -1, count)?;
        let drifts = Numbers::read(&mut request, "drift", DRIFTS, 0, count)?;
        let retry_key = self.read_retry_key(&mut request)?;
        let secrets = given(&request, "totpsecret", secrets)?;
        let otp = given(&request, "otp", otp)?;
        request.finish()?;

        let now = self.now()?;
        let typed = Typed {
            otp,
            retry_key,
            now,
        };
        let bound_to = whose.bound_to();
        let from_caller = |place| FromCaller {
            last_step: last_steps.of(place),
            drift: drifts.of(place),
        };
        match secrets {
            Secrets::One { text, is_nobodys } => {
                let bound_to = if is_nobodys { Some(NOBODYS) } else { bound_to };
                let (one, mut candidate) =
                    self.try_code(&text, bound_to, &typed, from_caller(0))?;
                if is_nobodys && self.guard.keeps_records() {
                    candidate.attempt.matched = Match::Old;
                }
                let (_, verdict) = judge_several(slice::from_ref(&candidate))?;
                let verdict = if is_nobodys { Verdict::Wrong } else { verdict };
                if !candidate.is_code {
                    return Err(malformed(slice::from_ref(&one)));
                }
                one.answer(verdict, None)
            }
            Secrets::Several(texts) => {
                let tried = texts.iter().enumerate().map(|(place, text)| {
                    let tried = self.try_code(text, bound_to, &typed, from_caller(place));
                    tried.map_err(|error| at_place(error, place))
                });
                let tried = tried.collect::<Result<Vec<_>>>()?;
                let (all, candidates): (Vec<_>, Vec<_>) = tried.into_iter().unzip();
                let (place, verdict) = judge_several(&candidates)?;
                if candidates.iter().all(|candidate| !candidate.is_code) {
                    return Err(malformed(&all));
                }
                all[place].answer(verdict, Some(place))
            }
        }
    }

    fn read_secrets<'a>(&'a self, request: &mut Object<'a>) -> Result<Option<Secrets<'a>>> {
        if request.is_array("totpsecret") {
            let texts = request.texts("totpsecret", SECRETS)?.unwrap_or_default();
            if !(1..=MAX_SECRETS).contains(&texts.len()) {
                return Err(request.wrong("totpsecret", SECRETS));
            }
            return Ok(Some(Secrets::Several(texts)));
        }
        let secret = request.text_or_null("totpsecret", &self.nobody, SECRETS)?;
        Ok(secret.map(|(text, is_nobodys)| Secrets::One { text, is_nobodys }))
    }

    fn read_retry_key<'a>(&self, request: &mut Object<'a>) -> Result<Option<Text<'a>>> {
        let Some(key) = request.text("retry_key")? else {
            return Ok(None);
        };
        if !self.guard.repeats() {
            let message = "request.retry_key: without config.guard.retry, no request is repeated";
            return Err(Error::bad_request(message));
        }
        match key.len() {
            1..=MAX_RETRY_KEY_BYTES => Ok(Some(key)),
            _ => Err(request.wrong("retry_key", "1 to 255 bytes long")),
        }
    }
}

impl Authenticating {
    /// What a verdict is answered with; `index` is its place among several.
    fn answer(&self, verdict: Verdict, index: Option<usize>) -> Result<Response> {
        #[derive(Serialize)]
        struct Body {
            accepted: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            step: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            drift: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            index: Option<usize>,
            #[serde(skip_serializing_if = "Option::is_none")]
            counter: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reseal: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            repeated: Option<bool>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let accepted = self.accepted(verdict)?;
        let is_repeated = matches!(verdict, Verdict::Repeated { .. });
        Response::new(&Body {
            accepted: true,
            step: accepted.step(),
            drift: accepted.drift(),
            index,
            counter: accepted.counter(),
            reseal: self.stored.needs_reseal().then_some(true),
            repeated: is_repeated.then_some(true),
            warnings: self.stored.warnings(),
        })
    }
}

impl Secrets<'_> {
    /// How many there are, if they are an array.
    fn count(&self) -> Option<usize> {
        match self {
            Secrets::One { .. } => None,
            Secrets::Several(texts) => Some(texts.len()),
        }
    }
}

impl Numbers {
    /// One for each is taken for an array of `count` secrets.
    fn read(
        request: &mut Object,
        name: &str,
        range: RangeInclusive<i64>,
        usual: i64,
        count: Option<usize>,
    ) -> Result<Self> {
        if !request.is_array(name) {
            let number = request.integer(name, range)?;
            return Ok(Numbers::All(number.unwrap_or(usual)));
        }
        let numbers = request.integers(name, range)?.unwrap_or_default();
        if count == Some(numbers.len()) {
            Ok(Numbers::Each(numbers))
        } else {
            Err(request.wrong(name, "an integer, or as many as there are secrets"))
        }
    }

    fn of(&self, place: usize) -> i64 {
        match self {
            Numbers::All(number) => *number,
            Numbers::Each(numbers) => numbers[place],
        }
    }
}

/// The refusal of what is no code for any of the secrets.
fn malformed(authenticating: &[Authenticating]) -> Error {
    let mut digits: Vec<u8> = authenticating
        .iter()
        .map(|one| one.stored.scheme.digits)
        .collect();
    digits.sort_unstable();
    digits.dedup();
    let digits: Vec<String> = digits.iter().map(u8::to_string).collect();
    let message = format!("request.otp: must be {} digits", digits.join(" or "));
    Error::new(Status::InvalidToken, message)
}

/// The error of one of several secrets, whose place it tells.
fn at_place(error: Error, place: usize) -> Error {
    match error.message.strip_prefix("totpsecret:") {
        Some(what) => Error {
            message: format!("totpsecret.{place}:{what}").into(),
            ..error
        },
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticator::NOBODY;
    use crate::secret::Secret;

    #[test]
    fn nobodys_right_code_is_a_wrong_one() {
        let key =
            r#""seal":{"keys":{"k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},"use":"k"}"#;
        for (store, seal) in [("none", "\"factor_name\":\"f\""), ("memory", key)] {
            let config = format!(r#"{{"issuer":"Test","guard":{{"store":"{store}"}},{seal}}}"#);
            let authenticator = Authenticator::new(&config).unwrap();
            let secret = Secret::from_base32(NOBODY).unwrap();
            assert_eq!(secret.as_bytes().len(), 20);
            let scheme = &authenticator.config.scheme;
            let current = scheme.step_at(authenticator.now().unwrap());
            for step in [current - 1, current, current + 1, current + 2] {
                let otp = scheme.code(&secret, step);
                let request = format!(r#"{{"totpsecret":null,"otp":"{}"}}"#, &*otp);
                let error = authenticator.verify(&request).err().unwrap();
                assert_eq!(error.status, Status::InvalidToken);
                assert_eq!(error.message, "request.otp: wrong code");
            }
        }
    }
}
