//! What an otpauth URI says.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::otpauth::read_uri;
use crate::request::{self, Warnings};
use crate::response::Response;
use crate::status::Status;

/// How Google Authenticator's exports begin.
const MIGRATION: &str = "otpauth-migration:";

impl Authenticator {
    /// `{"uri"}` -> `{"type","issuer","label_issuer"?,"account","totpsecret","algorithm","digits","period" or
    /// "counter","warnings"}`.
    pub(crate) fn read_uri(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: &'static str,
            issuer: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            label_issuer: Option<&'a str>,
            account: &'a str,
            totpsecret: &'a str,
            algorithm: &'a str,
            digits: u8,
            #[serde(skip_serializing_if = "Option::is_none")]
            period: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            counter: Option<u64>,
            warnings: Warnings,
        }
        let mut request = request::read(request, &[&["uri"]])?;
        let uri = request.required_text("uri")?;
        request.finish()?;
        if uri
            .trim_start()
            .get(..MIGRATION.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(MIGRATION))
        {
            let message = "request.uri: an export of several secrets, which is for factor2_import";
            return Err(Error::new(Status::InvalidSecret, message));
        }
        let read = read_uri(&uri).map_err(|error| Error {
            message: about_uri(&error.message, "request.uri").into(),
            ..error
        })?;
        let warnings = read.all_warnings();
        let (scheme, counter) = (&read.scheme, read.counter);
        Response::new(&Body {
            r#type: if counter.is_some() { "hotp" } else { "totp" },
            issuer: &read.names.issuer,
            label_issuer: read
                .names
                .label_issuer
                .as_ref()
                .map(|issuer| issuer.as_str()),
            account: &read.names.account,
            totpsecret: &read.secret.to_base32(),
            algorithm: scheme.algorithm.as_str(),
            digits: scheme.digits,
            period: counter.is_none().then_some(scheme.period),
            counter,
            warnings: warnings
                .iter()
                .map(|text| about_uri(text, "uri").into())
                .collect(),
        })
    }
}

/// A text about a stored secret, which says here that the URI was given as such.
fn about_uri(text: &str, name: &str) -> String {
    let what = text.strip_prefix("totpsecret").unwrap_or(text);
    format!("{name}{what}")
}
