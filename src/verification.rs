//! Verification of codes, and their generation for clients and tests.

use serde::Serialize;

use crate::answer::Answer;
use crate::authenticator::{Authenticator, bad_request, read_request};
use crate::config::check_name;
use crate::error::{Failure, Result, Status};
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
            #[serde(skip_serializing_if = "Option::is_none")]
            warnings: Option<[&'static str; 1]>,
        }
        let mut request = read_request(request)?;
        let secret = request.text("totpsecret").map_err(bad_request)?;
        let otp = request.text("otp").map_err(bad_request)?;
        let username = request.text("username").map_err(bad_request)?;
        let last_step = request
            .integer("last_step", 0..=u64::MAX)
            .map_err(bad_request)?;
        if let Some(username) = username {
            check_name(&username)
                .map_err(|expected| bad_request(request.wrong("username", expected)))?;
        }
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
        let current = scheme.step_at(self.now()?);
        let oldest = current.saturating_sub(window.past);
        let newest = current.saturating_add(window.future);
        let Some(step) = scheme.newest_match(&secret, &code, oldest..=newest) else {
            return Err(invalid_token("request.otp: wrong code".to_owned()));
        };
        if last_step.is_some_and(|last| step <= last) {
            return Err(Failure::new(
                Status::TokenReused,
                "request.otp: this code, or a later one, was accepted before",
            ));
        }
        Answer::new(&Body {
            accepted: true,
            step,
            drift: step.wrapping_sub(current).cast_signed(),
            warnings: secret.warning().map(|warning| [warning]),
        })
    }

    /// `{"totpsecret"}` -> `{"otp","valid_for_s"}`.
    pub(crate) fn generate(&self, request: &str) -> Result<Answer> {
        #[derive(Serialize)]
        struct Body<'a> {
            otp: &'a str,
            valid_for_s: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            warnings: Option<[&'static str; 1]>,
        }
        let mut request = read_request(request)?;
        let secret = request.required_text("totpsecret").map_err(bad_request)?;
        request.finish().map_err(bad_request)?;
        let secret = Secret::from_base32(&secret)?;
        let now = self.now()?;
        let scheme = &self.config.scheme;
        let code = scheme.code(&secret, scheme.step_at(now));
        Answer::new(&Body {
            otp: &code.to_text(),
            valid_for_s: scheme.seconds_left(now),
            warnings: secret.warning().map(|warning| [warning]),
        })
    }
}

/// crossauth takes a missing secret or code for a wrong one, so it never means "no second factor".
fn given<'a>(request: &Object, name: &str, text: Option<Text<'a>>) -> Result<Text<'a>> {
    text.ok_or_else(|| invalid_token(request.missing(name).into_message()))
}

fn invalid_token(message: String) -> Failure {
    Failure::new(Status::InvalidToken, message)
}
