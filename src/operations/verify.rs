//! Verification of codes, and their generation for clients and tests.

use std::ops::RangeInclusive;
use std::slice;

use serde::Serialize;

use crate::authenticator::{Authenticator, NOBODYS};
use crate::error::{Error, Result};
use crate::guard::{Attempt, Candidate, Match, Subject, Verdict, judge_several};
use crate::json::{Object, Text};
use crate::operations::refused::{Texts, given, refused};
use crate::otp::{Code, Scheme};
use crate::request::{self, WHOSE, Warnings, Whose};
use crate::response::Response;
use crate::secret::Stored;
use crate::status::Status;

/// No user has more authenticators than this.
const MAX_SECRETS: usize = 8;
const SECRETS: &str = "a string, null, or an array of 1 to 8 strings";

const MAX_RETRY_KEY_BYTES: usize = 255;

const TEXTS: Texts = Texts {
    wrong: "request.otp: wrong code",
    reused: "request.otp: this code, or a later one, was accepted before",
    disabled: "too many wrong codes: the credential is disabled until factor2_reset or a new enrollment",
};

const TEXTS_AFTER_A_LATER_TIME: Texts = Texts {
    reused: "request.otp: a code of a later time was accepted before: the clock was ahead then, or was \
             set back since",
    ..TEXTS
};

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

/// What is the same for all of a user's authenticators.
struct Typed<'a> {
    otp: Text<'a>,
    retry_key: Option<Text<'a>>,
    now: u64,
}

/// The steps of the last accepted codes, as the caller keeps them: one for all secrets, or one for each.
enum LastSteps {
    All(i64),
    Each(Vec<i64>),
}

/// One of a user's authenticators, with the steps whose codes it accepts.
struct Authenticating {
    stored: Stored,
    scheme: Scheme,
    /// The caller's, or -1.
    last_step: i64,
    /// The newest step that has the typed code, if one has.
    matched: Option<u64>,
    current: u64,
    newest: u64,
}

impl Authenticator {
    /// `{"totpsecret","otp","username"?,"bind"?,"last_step"?,"retry_key"?}` ->
    /// `{"accepted":true,"step","drift","index"?,"reseal"?,"repeated"?}`.
    pub(crate) fn verify(&self, request: &str) -> Result<Response> {
        let names = &[&["totpsecret", "otp", "last_step", "retry_key"], WHOSE];
        let mut request = request::read(request, names)?;
        let secrets = self.read_secrets(&mut request)?;
        let otp = request.text("otp")?;
        let whose = Whose::read(&mut request)?;
        let last_steps = LastSteps::read(&mut request, secrets.as_ref())?;
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
        match secrets {
            Secrets::One { text, is_nobodys } => {
                let bound_to = if is_nobodys { Some(NOBODYS) } else { bound_to };
                let (one, mut candidate) =
                    self.try_code(&text, bound_to, &typed, last_steps.of(0))?;
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
                    let tried = self.try_code(text, bound_to, &typed, last_steps.of(place));
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

    /// `{"totpsecret","username"?,"bind"?}` -> `{"otp","valid_for_s"}`.
    pub(crate) fn generate(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            otp: &'a str,
            valid_for_s: u64,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let (text, whose) = request::read_secret(request)?;
        let stored = self.open_secret(&text, whose.bound_to())?;
        let now = self.now()?;
        let scheme = stored.totp()?;
        let code = scheme.code(&stored.secret, scheme.step_at(now));
        Response::new(&Body {
            otp: &code,
            valid_for_s: scheme.seconds_left(now),
            warnings: stored.warnings(),
        })
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

    /// Finds out what the typed text is to one secret.
    fn try_code(
        &self,
        text: &str,
        bound_to: Option<&str>,
        typed: &Typed,
        last_step: i64,
    ) -> Result<(Authenticating, Candidate<'_>)> {
        let stored = self.open_secret(text, bound_to)?;
        let scheme = stored.totp()?;
        let now = typed.now;
        let code = Code::typed(&typed.otp, scheme.digits);
        let is_code = code.is_some();
        let code = code.unwrap_or_else(Code::none);
        let subject = Subject::Totp(&stored.secret, scheme.period);
        let guarded = self.guard.guarded(&subject)?;
        let retry_key = typed.retry_key.as_deref();
        let retry_key = retry_key.map(|key| subject.retry_key(key)).transpose()?;
        let current = scheme.step_at(now);
        // There is no step before the first.
        let oldest = current.saturating_sub(self.config.window.past);
        let newest = current + self.config.window.future;
        let matched = scheme.newest_match(&stored.secret, &code, oldest..=newest)?;
        let attempt = Attempt {
            code: code.value(),
            matched: match matched.map(step_number) {
                // It changes nothing, and does all that a wrong one does: time must not tell who has a secret.
                _ if !is_code => Match::Old,
                None => Match::Nothing,
                Some(step) if step <= last_step => Match::Old,
                Some(step) => Match::Step(step),
            },
            retry_key,
            past: self.config.window.past,
            period: scheme.period,
            now,
            time_is_fixed: self.config.fixed_time.is_some(),
            id: 0,
        };
        let authenticating = Authenticating {
            stored,
            scheme,
            last_step,
            matched,
            current,
            newest,
        };
        let candidate = Candidate {
            guarded,
            attempt,
            is_code,
        };
        Ok((authenticating, candidate))
    }
}

impl Authenticating {
    /// What a verdict is answered with; `index` is its place among several.
    fn answer(&self, verdict: Verdict, index: Option<usize>) -> Result<Response> {
        #[derive(Serialize)]
        struct Body {
            accepted: bool,
            step: u64,
            drift: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            index: Option<usize>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reseal: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            repeated: Option<bool>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let (step, drift) = self.accepted(verdict)?;
        let is_repeated = matches!(verdict, Verdict::Repeated { .. });
        Response::new(&Body {
            accepted: true,
            step,
            drift,
            index,
            reseal: self.stored.needs_reseal().then_some(true),
            repeated: is_repeated.then_some(true),
            warnings: self.stored.warnings(),
        })
    }

    /// The step of an accepted code and its drift, or the refusal.
    fn accepted(&self, verdict: Verdict) -> Result<(u64, i64)> {
        match (verdict, self.matched) {
            (Verdict::Accepted { .. }, Some(step)) => Ok((step, drift(step, self.current))),
            (
                Verdict::Repeated {
                    last_step,
                    accepted_at,
                },
                _,
            ) => {
                let step = last_step.cast_unsigned();
                Ok((step, drift(step, self.scheme.step_at(accepted_at))))
            }
            (Verdict::Reused { last_step }, _)
                if last_step.max(self.last_step) > step_number(self.newest) =>
            {
                Err(refused(verdict, &TEXTS_AFTER_A_LATER_TIME))
            }
            _ => Err(refused(verdict, &TEXTS)),
        }
    }
}

/// Steps that a code is after, or below 0 before, the current one.
fn drift(step: u64, current: u64) -> i64 {
    step_number(step) - step_number(current)
}

/// A step as records have it. Periods of 15 seconds and more keep every step below 2^61.
fn step_number(step: u64) -> i64 {
    step.cast_signed()
}

impl LastSteps {
    fn read(request: &mut Object, secrets: Option<&Secrets>) -> Result<Self> {
        const ANY: RangeInclusive<i64> = -1..=i64::MAX;
        if !request.is_array("last_step") {
            let step = request.integer("last_step", ANY)?;
            return Ok(LastSteps::All(step.unwrap_or(-1)));
        }
        let steps = request.integers("last_step", ANY)?.unwrap_or_default();
        match secrets {
            Some(Secrets::Several(texts)) if texts.len() == steps.len() => {
                Ok(LastSteps::Each(steps))
            }
            _ => Err(request.wrong("last_step", "an integer, or as many as there are secrets")),
        }
    }

    fn of(&self, place: usize) -> i64 {
        match self {
            LastSteps::All(step) => *step,
            LastSteps::Each(steps) => steps[place],
        }
    }
}

/// The refusal of what is no code for any of the secrets.
fn malformed(authenticating: &[Authenticating]) -> Error {
    let mut digits: Vec<u8> = authenticating.iter().map(|one| one.scheme.digits).collect();
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
