//! Verification of codes, and their generation for clients and tests.

use std::borrow::Cow;

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::guard::{Attempt, Match, Subject, Verdict};
use crate::json::Object;
use crate::otp::Code;
use crate::request::{self, Warnings, read_secret};
use crate::response::Response;
use crate::secret::Secret;
use crate::status::Status;

/// The secret that stands for a user who has none, as long as most. It is read and computed like any
/// other, and no code of it is ever accepted.
const NOBODY: &str = "WOI5LFUYSLVZUCDGLJKIOFHWM7PDGNGQ";

impl Authenticator {
    /// `{"totpsecret","otp","username"?,"last_step"?}` -> `{"accepted":true,"step","drift"}`.
    pub(crate) fn verify(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body {
            accepted: bool,
            step: u64,
            drift: i64,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let names = &[&["totpsecret", "otp", "username", "last_step"] as &[_]];
        let mut request = request::read(request, names)?;
        let secret = request.text_or_null("totpsecret", NOBODY)?;
        let otp = request.text("otp")?;
        // Whatever it is: nobody must be locked out by a name.
        request.text("username")?;
        let last_step = request.integer("last_step", -1..=i64::MAX)?.unwrap_or(-1);
        let (secret, nobody) = given(&request, "totpsecret", secret)?;
        let otp = given(&request, "otp", otp)?;
        request.finish()?;

        let scheme = &self.config.scheme;
        let window = self.config.window;
        let secret = Secret::from_base32(&secret)?;
        let code = Code::typed(&otp, scheme.digits);
        // Nobody's code and what is no code change nothing, and do all that a wrong one does: time
        // must not tell who has a secret.
        let is_malformed = code.is_none();
        let counts = !is_malformed && !nobody;
        let code = code.unwrap_or_else(Code::none);
        let now = self.now()?;
        let guarded = self.guard.guarded(&Subject::Totp(&secret, scheme.period))?;
        let current = scheme.step_at(now);
        // There is no step before the first.
        let oldest = current.saturating_sub(window.past);
        let newest = current + window.future;
        let matched = scheme.newest_match(&secret, &code, oldest..=newest)?;
        let attempt = Attempt {
            code: code.value(),
            matched: match matched.map(step_number) {
                _ if !counts => Match::Old,
                None => Match::Nothing,
                Some(step) if step <= last_step => Match::Old,
                Some(step) => Match::Step(step),
            },
            retry_key: None,
            oldest: step_number(oldest),
            now,
            time_is_fixed: self.config.fixed_time.is_some(),
            id: 0,
        };
        let verdict = match guarded.judge(attempt)? {
            _ if is_malformed => {
                let digits = scheme.digits;
                let message = format!("request.otp: must be {digits} digits");
                return Err(Error::new(Status::InvalidToken, message));
            }
            _ if nobody => Verdict::Wrong,
            Verdict::Reused { last_step: kept } => Verdict::Reused {
                last_step: kept.max(last_step),
            },
            verdict => verdict,
        };
        let step = accepted_step(verdict, matched, step_number(newest))?;
        Response::new(&Body {
            accepted: true,
            step,
            drift: step_number(step) - step_number(current),
            warnings: secret.warnings(),
        })
    }

    /// `{"totpsecret"}` -> `{"otp","valid_for_s"}`.
    pub(crate) fn generate(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            otp: &'a str,
            valid_for_s: u64,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let secret = read_secret(request)?;
        let now = self.now()?;
        let scheme = &self.config.scheme;
        let code = scheme.code(&secret, scheme.step_at(now));
        Response::new(&Body {
            otp: &code,
            valid_for_s: scheme.seconds_left(now),
            warnings: secret.warnings(),
        })
    }
}

/// The step of an accepted code, or the refusal. `newest` is the newest step that could be accepted.
fn accepted_step(verdict: Verdict, matched: Option<u64>, newest: i64) -> Result<u64> {
    let refusal = |status, message: Cow<'static, str>, retry_after_s| {
        Err(Error {
            status,
            message,
            retry_after_s,
        })
    };
    let wrong_code = Cow::Borrowed("request.otp: wrong code");
    match (verdict, matched) {
        (Verdict::Accepted { .. }, Some(step)) => Ok(step),
        (Verdict::Reused { last_step }, _) if last_step > newest => refusal(
            Status::TokenReused,
            "request.otp: a code of a later time was accepted before: the clock was ahead then, or was \
             set back since"
                .into(),
            None,
        ),
        (Verdict::Reused { .. }, _) => refusal(
            Status::TokenReused,
            "request.otp: this code, or a later one, was accepted before".into(),
            None,
        ),
        (Verdict::Throttled(wait), _) => refusal(
            Status::Throttled,
            "too many wrong codes: this one was not looked at, wait retry_after_s seconds".into(),
            Some(wait),
        ),
        (Verdict::Disabled, _) => refusal(
            Status::Disabled,
            "too many wrong codes: the credential is disabled until factor2_reset or a new enrollment"
                .into(),
            None,
        ),
        (Verdict::WrongAndLocked(wait), _) => {
            refusal(Status::InvalidToken, wrong_code, Some(wait))
        }
        // An accepted code without a step cannot be, and would be refused.
        (Verdict::Wrong | Verdict::Accepted { .. } | Verdict::Repeated { .. }, _) => {
            refusal(Status::InvalidToken, wrong_code, None)
        }
    }
}

/// A step as records have it. Periods of 15 seconds and more keep every step below 2^61.
fn step_number(step: u64) -> i64 {
    step.cast_signed()
}

/// crossauth takes a missing secret or code for a wrong one, so it never means "no second factor".
fn given<T>(request: &Object, name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error {
        status: Status::InvalidToken,
        ..request.missing(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_right_code_is_a_wrong_one() {
        for store in ["none", "memory"] {
            let config = format!(r#"{{"issuer":"Test","guard":{{"store":"{store}"}}}}"#);
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
