//! Keycloak's exports: a realm, an array of realms, or a file of `users` alone. A user's `credentials` of type `otp` have
//! two JSON texts, `secretData` and `credentialData`; before version 8 their type is `totp` or `hotp`, and all stands in
//! the credential itself. The secret is base32 if that is said, else its UTF-8 is the key. The counter is the next
//! one. Facts from OTPCredentialData.java, OTPCredentialModel.java and the import of old credentials of
//! <https://github.com/keycloak/keycloak>.

use totp_rs::Algorithm;

use crate::error::{Error, Result};
use crate::json::{Text, each_part, shown};
use crate::otp::Scheme;
use crate::status::Status;
use crate::transfer::fields::{algorithm, base32, counter, decimal, digits, period, raw};
use crate::transfer::{BYTE_ORDER_MARK, Entry, Found, Why};

/// Numbers the credentials.
pub(super) fn read(text: &str, found: &mut Found) -> Result<()> {
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    let mut number = 0;
    let mut realm = |text| {
        parts(text, &mut |name, users| match name {
            "users" | "federatedUsers" => parts(users, &mut |_, one| user(one, &mut number, found)),
            _ => Ok(()),
        })
    };
    let is_array = text.trim_start().starts_with('[');
    let read = match is_array {
        true => each_part(text, &mut |_, one| realm(one)),
        // What is not read as a whole is told below.
        false => each_part(text, &mut |_, _| Ok(())).map(|_| realm(text)),
    };
    read.unwrap_or_else(|what| {
        let message = format!("request.text: {what}");
        Err(Error::new(Status::DataFormat, message))
    })
}

/// The parts of what is valid JSON already; a value that has none is ignored.
fn parts<'t>(text: &'t str, part: &mut dyn FnMut(&str, &'t str) -> Result<()>) -> Result<()> {
    each_part(text, part).unwrap_or(Ok(()))
}

fn user(text: &str, number: &mut usize, found: &mut Found) -> Result<()> {
    let (mut username, mut credentials) = (None, "[]");
    parts(text, &mut |name, value| {
        match name {
            "username" => username = shown(value).filter(|_| value.starts_with('"')),
            "credentials" => credentials = value,
            _ => {}
        }
        Ok(())
    })?;
    let username = username.as_deref().unwrap_or_default();
    parts(credentials, &mut |_, one| {
        let credential = Credential::read(one)?;
        let kind = credential.kind.and_then(shown);
        match kind.as_deref() {
            Some("otp") => found(next(number), credential.entry(username)),
            Some(old @ ("totp" | "hotp")) => {
                found(next(number), credential.old_entry(username, old))
            }
            _ => Ok(()),
        }
    })
}

fn next(number: &mut usize) -> usize {
    *number += 1;
    *number
}

/// The members of a credential, and of the two texts in it, as they are written.
#[derive(Default)]
struct Credential<'t> {
    kind: Option<&'t str>,
    secret_data: Option<&'t str>,
    credential_data: Option<&'t str>,
    sub_type: Option<&'t str>,
    value: Option<&'t str>,
    hashed_salted_value: Option<&'t str>,
    secret_encoding: Option<&'t str>,
    algorithm: Option<&'t str>,
    digits: Option<&'t str>,
    period: Option<&'t str>,
    counter: Option<&'t str>,
}

impl<'t> Credential<'t> {
    fn read(text: &'t str) -> Result<Self> {
        let mut read = Credential::default();
        parts(text, &mut |name, value| {
            read.take(name, value);
            Ok(())
        })?;
        Ok(read)
    }

    fn take(&mut self, name: &str, value: &'t str) {
        let place = match name {
            "type" => &mut self.kind,
            "secretData" => &mut self.secret_data,
            "credentialData" => &mut self.credential_data,
            "subType" => &mut self.sub_type,
            "value" => &mut self.value,
            "hashedSaltedValue" => &mut self.hashed_salted_value,
            "secretEncoding" => &mut self.secret_encoding,
            "algorithm" => &mut self.algorithm,
            "digits" => &mut self.digits,
            "period" => &mut self.period,
            "counter" => &mut self.counter,
            _ => return,
        };
        *place = Some(value).filter(|value| *value != "null");
    }

    fn entry<'u>(&self, username: &'u str) -> std::result::Result<Entry<'u>, Why> {
        let text =
            |raw: Option<&'t str>, missing| raw.and_then(shown).ok_or(Why::Borrowed(missing));
        let secret_data = text(self.secret_data, "secretData: missing")?;
        let credential_data = text(self.credential_data, "credentialData: missing")?;
        let secret = inner(&secret_data, "secretData: not a JSON object")?;
        let data = inner(&credential_data, "credentialData: not a JSON object")?;
        let kind = text_of(data.sub_type, "totp");
        data.with_secret(secret.value, &kind, username)
    }

    fn old_entry<'u>(&self, username: &'u str, kind: &str) -> std::result::Result<Entry<'u>, Why> {
        self.with_secret(self.hashed_salted_value.or(self.value), kind, username)
    }

    fn with_secret<'u>(
        &self,
        secret: Option<&str>,
        kind: &str,
        username: &'u str,
    ) -> std::result::Result<Entry<'u>, Why> {
        let secret = secret
            .filter(|secret| secret.starts_with('"'))
            .and_then(shown);
        let secret = secret.ok_or("totpsecret: missing")?;
        let secret = match &*text_of(self.secret_encoding, "") {
            "" => raw(secret.as_bytes())?,
            "BASE32" => base32(&secret)?,
            _ => return Err("secretEncoding: must be BASE32, or missing".into()),
        };
        let (period, counter) = match kind {
            "totp" => (period(&text_of(self.period, "30"))?, None),
            "hotp" => (30, Some(counter(decimal(&text_of(self.counter, "0")))?)),
            _ => return Err("subType: must be totp or hotp".into()),
        };
        let algorithm = match self.algorithm {
            None => Algorithm::SHA1,
            name => algorithm(&text_of(name, ""))?,
        };
        Ok(Entry {
            username: username.into(),
            issuer: "".into(),
            secret,
            scheme: Scheme {
                algorithm,
                digits: digits(&text_of(self.digits, "6"))?,
                period,
            },
            counter,
            warnings: Vec::new(),
        })
    }
}

/// The members of a JSON text that stands in another.
fn inner<'t>(text: &'t str, wrong: &'static str) -> std::result::Result<Credential<'t>, Why> {
    let mut read = Credential::default();
    let outcome = each_part(text, &mut |name, value| {
        read.take(name, value);
        Ok(())
    });
    match outcome {
        Ok(Ok(())) if text.trim_start().starts_with('{') => Ok(read),
        _ => Err(wrong.into()),
    }
}

/// What a member says, or what it is without it. A text that is none says nothing that is known.
fn text_of<'t>(raw: Option<&'t str>, usual: &'t str) -> Text<'t> {
    let lone_surrogate = Text::Borrowed("\"");
    match raw {
        None => Text::Borrowed(usual),
        Some(raw) => shown(raw).unwrap_or(lone_surrogate),
    }
}
