//! Codes for clients and tests.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::Result;
use crate::request::{self, Warnings};
use crate::response::Response;

impl Authenticator {
    /// `{"totpsecret","username"?,"bind"?}` -> `{"otp","valid_for_s"}` or `{"otp","counter"}`.
    pub(crate) fn generate(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            otp: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            valid_for_s: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            counter: Option<u64>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let (text, whose) = request::read_secret(request)?;
        let stored = self.open_secret(&text, whose.bound_to())?;
        let (scheme, counter) = (&stored.scheme, stored.counter);
        let now = self.now()?;
        Response::new(&Body {
            otp: &scheme.code(&stored.secret, counter.unwrap_or(scheme.step_at(now))),
            valid_for_s: counter.is_none().then(|| scheme.seconds_left(now)),
            counter,
            warnings: stored.warnings(),
        })
    }
}
