//! Sealing of secrets that are stored, and sealing anew by another key.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::request::{self, Warnings};
use crate::response::Response;

impl Authenticator {
    /// `{"totpsecret","username"}` or `{"totpsecret","bind"}` -> `{"sealed","key"}`.
    pub(crate) fn seal(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            sealed: &'a str,
            key: &'a str,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let (text, whose) = request::read_secret(request)?;
        let bound_to = whose.bound_to().ok_or_else(request::bound_to_nobody)?;
        let Some(keys) = &self.config.seal else {
            let message = "config.seal: missing, and factor2_seal needs its keys";
            return Err(Error::configuration(message));
        };
        let stored = self.open_secret(&text, Some(bound_to))?;
        Response::new(&Body {
            sealed: &keys.seal(&stored.text(), bound_to)?,
            key: keys.name_in_use(),
            warnings: stored.warnings(),
        })
    }
}
