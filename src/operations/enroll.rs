//! Enrollment: a secret, its provisioning URI and its QR code.

use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::authenticator::Authenticator;
use crate::data_uri;
use crate::error::{Error, Result};
use crate::json::Object;
use crate::name;
use crate::otpauth::{apps, provisioning_uri};
use crate::qr::{Picture, Symbol, draw_svg, draw_text};
use crate::request::{self, WHOSE, Warnings, bound_to, read_account, read_bind};
use crate::response::Response;
use crate::secret::{Secret, Stored};
use crate::wiped::Wiped;

/// Everything that an enrollment shows to the user.
pub(super) struct Enrollment {
    pub(super) totpsecret: Zeroizing<String>,
    pub(super) uri: Zeroizing<String>,
    /// The PNG as `data:image/png;base64,...`, a JSON string in its quotes.
    qr: Wiped,
    png: Wiped,
    pub(super) warnings: Warnings,
}

/// How a QR code is drawn.
#[derive(Clone, Copy)]
enum Format {
    Png,
    Svg,
    Text,
}

impl Authenticator {
    /// `{"username","totpsecret"?,"type"?,"bind"?}` -> `{"username","totpsecret","uri","qr","sealed"?}` and the PNG.
    pub(crate) fn create_secret(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            username: &'a str,
            totpsecret: &'a str,
            uri: &'a str,
            qr: &'a RawValue,
            #[serde(skip_serializing_if = "Option::is_none")]
            sealed: Option<&'a str>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: &'a Warnings,
        }
        let mut request = request::read(request, &[&["totpsecret", "type"], WHOSE])?;
        let given = request.text("totpsecret")?;
        let username = read_account(&mut request, given.is_none())?;
        let bind = read_bind(&mut request)?;
        let is_hotp = read_is_hotp(&mut request)?;
        request.finish()?;
        let bound_to = bound_to(Some(&username), bind.as_deref());
        let stored = match given {
            Some(text) => self.open_secret(&text, bound_to)?,
            None => self.new_secret()?,
        };
        let stored = self.of_type(stored, is_hotp, &username)?;
        let enrollment = self.enroll(&username, &stored)?;
        let sealed = self.sealed(&stored, bound_to)?;
        let body = Body {
            username: &username,
            totpsecret: &enrollment.totpsecret,
            uri: &enrollment.uri,
            qr: enrollment.qr()?,
            sealed: sealed.as_ref().map(|sealed| sealed.as_str()),
            warnings: &enrollment.warnings,
        };
        let response = Response::with_room(&body, enrollment.room())?;
        Ok(response.with_data(enrollment.png))
    }

    /// `{"username","totpsecret","format"?,"type"?,"bind"?}` -> `{"uri","format","media_type","width","height","bytes"}` and
    /// the picture.
    pub(crate) fn qr(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            uri: &'a str,
            format: &'a str,
            media_type: &'a str,
            width: usize,
            height: usize,
            bytes: usize,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: &'a Warnings,
        }
        let mut request = request::read(request, &[&["totpsecret", "format", "type"], WHOSE])?;
        let username = read_account(&mut request, false)?;
        let bind = read_bind(&mut request)?;
        let secret = request.required_text("totpsecret")?;
        let formats = [
            ("png", Format::Png),
            ("svg", Format::Svg),
            ("text", Format::Text),
        ];
        let format = request.choice("format", &formats)?.unwrap_or(Format::Png);
        let is_hotp = read_is_hotp(&mut request)?;
        request.finish()?;
        let stored = self.open_secret(&secret, bound_to(Some(&username), bind.as_deref()))?;
        let stored = self.of_type(stored, is_hotp, &username)?;
        let totpsecret = stored.secret.to_base32();
        let uri = self.uri(&username, &totpsecret, &stored)?;
        let symbol = self.symbol(&uri, &totpsecret)?;
        let (name, media_type, width, height, picture) = match format {
            Format::Png => {
                let picture = Picture::draw(&symbol, &self.config.qr)?;
                let side = picture.side as usize;
                ("png", "image/png", side, side, picture.png)
            }
            Format::Svg => {
                let (side, svg) = draw_svg(&symbol, &self.config.qr)?;
                ("svg", "image/svg+xml", side, side, svg)
            }
            Format::Text => {
                let text = draw_text(&symbol, &self.config.qr);
                let width = text.lines().next().map_or(0, |line| line.chars().count());
                let mut bytes = Wiped::with_capacity(text.len());
                bytes.extend_from_slice(text.as_bytes());
                let height = text.lines().count();
                ("text", "text/plain; charset=utf-8", width, height, bytes)
            }
        };
        let body = Body {
            uri: &uri,
            format: name,
            media_type,
            width,
            height,
            bytes: picture.len(),
            warnings: &self.warnings(&username, &stored)?,
        };
        Ok(Response::new(&body)?.with_data(picture))
    }

    pub(super) fn new_secret(&self) -> Result<Stored> {
        let secret = Secret::generate(self.config.secret_bytes)?;
        Ok(Stored::new(secret, self.config.scheme))
    }

    /// What is to be stored in the place of the secret, if there are keys.
    pub(super) fn sealed(
        &self,
        stored: &Stored,
        bound_to: Option<&str>,
    ) -> Result<Option<Zeroizing<String>>> {
        let Some(keys) = &self.config.seal else {
            return Ok(None);
        };
        let bound_to = bound_to.ok_or_else(request::bound_to_nobody)?;
        keys.seal(&stored.text(), bound_to).map(Some)
    }

    pub(super) fn enroll(&self, username: &str, stored: &Stored) -> Result<Enrollment> {
        let totpsecret = stored.secret.to_base32();
        let uri = self.uri(username, &totpsecret, stored)?;
        let symbol = self.symbol(&uri, &totpsecret)?;
        let picture = Picture::draw(&symbol, &self.config.qr)?;
        Ok(Enrollment {
            totpsecret,
            uri,
            qr: data_uri::quoted(&picture.png)?,
            png: picture.png,
            warnings: self.warnings(username, stored)?,
        })
    }

    /// A secret of the type that was asked for. One that is stored in base32 has any; a URI has its own.
    fn of_type(&self, stored: Stored, is_hotp: Option<bool>, username: &str) -> Result<Stored> {
        match is_hotp {
            Some(is_hotp) if stored.is_uri() && is_hotp != stored.counter.is_some() => {
                let message = "request.type: the URI in totpsecret is of the other type";
                Err(Error::bad_request(message))
            }
            Some(true) if !stored.is_uri() => {
                let (issuer, scheme) = (&self.config.issuer, &stored.scheme);
                let totpsecret = stored.secret.to_base32();
                let uri = provisioning_uri(issuer, username, &totpsecret, scheme, Some(0));
                stored.rewritten(&uri)
            }
            _ => Ok(stored),
        }
    }

    /// For type hotp, with the counter that the guard expects next: the user may have got another phone.
    fn uri(&self, username: &str, totpsecret: &str, stored: &Stored) -> Result<Zeroizing<String>> {
        let issuer = &self.config.issuer;
        let counter = self.next_counter(stored)?;
        let uri = provisioning_uri(issuer, username, totpsecret, &stored.scheme, counter);
        Ok(uri)
    }

    fn warnings(&self, username: &str, stored: &Stored) -> Result<Warnings> {
        let mut warnings = stored.warnings();
        warnings.extend(name::warnings(username));
        let issuer = &self.config.issuer;
        warnings.extend(apps::account_warnings(&stored.scheme, issuer, username));
        Ok(warnings)
    }

    fn symbol(&self, uri: &str, totpsecret: &str) -> Result<Symbol> {
        let settings = &self.config.qr;
        Symbol::with(uri, settings).ok_or_else(|| {
            let level = settings.error_correction;
            let mostly_secret = totpsecret.len() > uri.len() / 2;
            let cause = if mostly_secret {
                "totpsecret"
            } else {
                "request.username"
            };
            Error::bad_request(format!(
                "{cause}: with it the URI has {} bytes, more than a QR code holds at error \
                 correction {level:?}",
                uri.len()
            ))
        })
    }
}

fn read_is_hotp(request: &mut Object) -> Result<Option<bool>> {
    request.choice("type", &[("totp", false), ("hotp", true)])
}

impl Enrollment {
    /// The picture as it stands in a response.
    pub(super) fn qr(&self) -> Result<&RawValue> {
        serde_json::from_slice(&self.qr)
            .map_err(|_| Error::internal("the picture is not a JSON string"))
    }

    /// What a response with all of it takes, in bytes.
    pub(super) fn room(&self) -> usize {
        self.qr.len() + 2 * self.uri.len() + 512
    }
}
