//! Verification of codes, and their generation for clients and tests.

use std::borrow::Cow;

use serde::Serialize;

use crate::answer::Answer;
use crate::authenticator::{Authenticator, bad_request, read_request};
use crate::error::{Failure, Result, Status};
use crate::guard::{Attempt, Record, Verdict};
use crate::json::{Object, Text};
use crate::secret::Secret;
use crate::totp::Code;

impl Authenticator {
    /// `{"totpsecret","otp","username"?,"last_step"?}` -> `{"accepted":true,"step","drift"}`.
    pub(crate) fn verify(&self, request: &str) -> Result<Answer> {
        #[derive(Serialize)]
        struct Body {
            accepted: bool,
            step: u64,
            drift: i64,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Vec<Cow<'static, str>>,
        }
        let mut request = read_request(request)?;
        let secret = request.text("totpsecret").map_err(bad_request)?;
        let otp = request.text("otp").map_err(bad_request)?;
        // Whatever it is: nobody must be locked out by a name.
        request.text("username").map_err(bad_request)?;
        let last_step = request.integer_or_none("last_step").map_err(bad_request)?;
        let secret = given(&request, "totpsecret", secret)?;
        let otp = given(&request, "otp", otp)?;
        request.finish().map_err(bad_request)?;

        let scheme = &self.config.scheme;
        let window = self.config.window;
        let secret = Secret::from_base32(&secret)?;
        let Some(code) = Code::typed(&otp, scheme.digits) else {
            let digits = scheme.digits;
            return Err(invalid_token(format!(
                "request.otp: must be {digits} digits"
            )));
        };
        let now = self.now()?;
        let case = self.guard.case(&secret);
        let current = scheme.step_at(now);
        let oldest = current.saturating_sub(window.past);
        let newest = current.saturating_add(window.future);
        let matched = scheme.newest_match(&secret, &code, oldest..=newest);
        let attempt = Attempt {
            matched: matched.map(|step| match last_step {
                Some(last) if step <= last => Attempt::OLD_STEP,
                _ => step_number(step),
            }),
            oldest: step_number(oldest),
            now,
            time_is_fixed: self.config.fixed_time.is_some(),
            id: 0,
        };
        let verdict = case.judge(attempt)?;
        let step = accepted_step(verdict, matched)?;
        Answer::new(&Body {
            accepted: true,
            step,
            drift: step.wrapping_sub(current).cast_signed(),
            warnings: secret.warnings(),
        })
    }

    /// `{"totpsecret"}` -> the guard's record of this credential.
    pub(crate) fn inspect(&self, request: &str) -> Result<Answer> {
        let secret = read_secret(request)?;
        let record = self.guard.case(&secret).inspect()?;
        self.describe_record(&record)
    }

    /// `{"totpsecret"}` -> the record that is left when its wrong codes are forgotten.
    pub(crate) fn reset(&self, request: &str) -> Result<Answer> {
        let secret = read_secret(request)?;
        let record = self.guard.case(&secret).reset()?;
        self.describe_record(&record)
    }

    fn describe_record(&self, record: &Record) -> Result<Answer> {
        #[derive(Serialize)]
        struct Body {
            /// null when no code was accepted yet.
            last_step: Option<u64>,
            failures: u32,
            /// 0 when it was never locked.
            locked_until: u64,
            disabled: bool,
        }
        Answer::new(&Body {
            last_step: u64::try_from(record.last_step).ok(),
            failures: record.failures,
            locked_until: record.locked_until,
            disabled: record.disabled,
        })
    }

    /// `{"totpsecret"}` -> `{"otp","valid_for_s"}`.
    pub(crate) fn generate(&self, request: &str) -> Result<Answer> {
        #[derive(Serialize)]
        struct Body<'a> {
            otp: &'a str,
            valid_for_s: u64,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Vec<Cow<'static, str>>,
        }
        let secret = read_secret(request)?;
        let now = self.now()?;
        let scheme = &self.config.scheme;
        let code = scheme.code(&secret, scheme.step_at(now));
        Answer::new(&Body {
            otp: &code,
            valid_for_s: scheme.seconds_left(now),
            warnings: secret.warnings(),
        })
    }
}

/// The secret of a request that has nothing else.
fn read_secret(request: &str) -> Result<Secret> {
    let mut request = read_request(request)?;
    let secret = request.required_text("totpsecret").map_err(bad_request)?;
    request.finish().map_err(bad_request)?;
    Secret::from_base32(&secret)
}

/// The step of an accepted code, or the refusal.
fn accepted_step(verdict: Verdict, matched: Option<u64>) -> Result<u64> {
    let refusal = |status, message: Cow<'static, str>, retry_after_s| {
        Err(Failure {
            status,
            message,
            retry_after_s,
        })
    };
    let wrong_code = Cow::Borrowed("request.otp: wrong code");
    match (verdict, matched) {
        (Verdict::Accepted, Some(step)) => Ok(step),
        (Verdict::Reused, _) => refusal(
            Status::TokenReused,
            "request.otp: this code, or a later one, was accepted before".into(),
            None,
        ),
        (Verdict::Throttled(wait), _) => refusal(
            Status::Throttled,
            format!("too many wrong codes: this one was not looked at, wait {wait} s").into(),
            Some(wait),
        ),
        (Verdict::Disabled, _) => refusal(
            Status::Disabled,
            "too many wrong codes: the credential is disabled until factor2_reset or a new enrolment"
                .into(),
            None,
        ),
        (Verdict::WrongAndLocked(wait), _) => {
            refusal(Status::InvalidToken, wrong_code, Some(wait))
        }
        // An accepted code without a step cannot be, and would be refused.
        (Verdict::Wrong | Verdict::Accepted, _) => {
            refusal(Status::InvalidToken, wrong_code, None)
        }
    }
}

/// A step as records have it. Periods of 15 seconds and more keep every step below 2^61.
fn step_number(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

/// crossauth takes a missing secret or code for a wrong one, so it never means "no second factor".
fn given<'a>(request: &Object, name: &str, text: Option<Text<'a>>) -> Result<Text<'a>> {
    text.ok_or_else(|| invalid_token(request.missing(name).into_message()))
}

fn invalid_token(message: String) -> Failure {
    Failure::new(Status::InvalidToken, message)
}
