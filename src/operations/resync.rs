//! Resynchronisation of an authenticator whose counter or clock has run away from the server's, by two codes in a row. RFC
//! 4226 section 7.4; RFC 6238 section 6.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::guard::{Match, Subject, Verdict};
use crate::operations::authenticating::{Accepted, LAST_STEPS, MAX_DRIFT, TEXTS, expected_counter};
use crate::operations::refused::{Texts, given, refused};
use crate::operations::shown::Shown;
use crate::otp::Code;
use crate::otpauth::MAX_COUNTER;
use crate::request::{self, WHOSE, Warnings, Whose};
use crate::response::Response;
use crate::secret::Stored;
use crate::status::Status;

/// The members of its request beside those of every secret.
const OWN: &[&str] = &["totpsecret", "otp", "next_otp", "last_step"];

/// How many counters are searched, from the expected one on.
const COUNTERS: u64 = 1000;

const PAIR_TEXTS: Texts = Texts {
    wrong: "request: otp and next_otp are not two codes in a row, or too far away",
    reused: "request: one of the codes, or a later one, was accepted before",
    ..TEXTS
};

impl Authenticator {
    /// `{"totpsecret","otp","next_otp","username"?,"bind"?,"last_step"?}` -> `{"accepted":true,"step","drift"}` or
    /// `{"accepted":true,"counter"}`, of the second code.
    pub(crate) fn resync(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body {
            accepted: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            step: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            drift: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            counter: Option<i64>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let mut request = request::read(request, &[OWN, WHOSE])?;
        let secret = request.text("totpsecret")?;
        let otp = request.text("otp")?;
        let next_otp = request.text("next_otp")?;
        let whose = Whose::read(&mut request)?;
        let last_step = request.integer("last_step", LAST_STEPS)?.unwrap_or(-1);
        let secret = given(&request, "totpsecret", secret)?;
        let otp = given(&request, "otp", otp)?;
        let next_otp = given(&request, "next_otp", next_otp)?;
        request.finish()?;

        let stored = self.open_secret(&secret, whose.bound_to())?;
        let shown = Shown {
            before: Some(typed(&otp, "otp", &stored)?),
            code: typed(&next_otp, "next_otp", &stored)?,
        };
        let now = self.now()?;
        let guarded = self.guard.guarded(&Subject::of(&stored))?;
        let (scheme, secret) = (&stored.scheme, &stored.secret);
        let found = if stored.counter.is_some() {
            let last = last_step.max(guarded.record()?.last_step);
            let second = expected_counter(&stored, last).saturating_add(1);
            let latest = second.saturating_add(COUNTERS - 1).min(MAX_COUNTER);
            shown.find(scheme, secret, second..=latest)?
        } else {
            // As the second code is the one that the authenticator shows, its step tells how wrong its clock is.
            let current = scheme.step_at(now).cast_signed();
            let oldest = (current - MAX_DRIFT).max(0).cast_unsigned();
            let newest = (current + MAX_DRIFT).cast_unsigned();
            shown.find(scheme, secret, (oldest..=newest).rev())?
        };
        let second = found.first().map(|&second| second.cast_signed());
        let matched = match second {
            None => Match::Nothing,
            Some(second) if second - 1 <= last_step => Match::Old,
            Some(second) => Match::Pair(second),
        };
        let verdict = guarded.judge(self.attempt(&stored, shown.code.value(), matched, now))?;
        let (Verdict::Accepted { .. }, Some(second)) = (verdict, second) else {
            return Err(refused(verdict, &PAIR_TEXTS));
        };
        let accepted = Accepted::of(&stored, second, now);
        Response::new(&Body {
            accepted: true,
            step: accepted.step(),
            drift: accepted.drift(),
            counter: accepted.counter(),
            warnings: stored.warnings(),
        })
    }
}

fn typed(text: &str, name: &str, stored: &Stored) -> Result<Code> {
    let digits = stored.scheme.digits;
    Code::typed(text, digits).ok_or_else(|| {
        let message = format!("request.{name}: must be {digits} digits");
        Error::new(Status::InvalidToken, message)
    })
}
