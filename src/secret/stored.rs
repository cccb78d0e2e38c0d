//! The forms in which a secret is stored: base32, an otpauth URI, or either of them sealed. The one place
//! that opens any of them.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::otp::Scheme;
use crate::otpauth::{is_uri, read_uri};
use crate::secret::keys::Keys;
use crate::secret::seal::{does_not_open, is_sealed};
use crate::secret::{Secret, invalid};

/// A secret that was stored, or is to be.
pub(crate) struct Stored {
    pub(crate) secret: Secret,
    /// As it was, if it was one.
    uri: Option<Zeroizing<String>>,
    scheme: Scheme,
    /// The next counter, of type hotp.
    counter: Option<u64>,
    needs_reseal: bool,
}

impl Stored {
    /// One that is not stored yet.
    pub(crate) fn new(secret: Secret, scheme: Scheme) -> Self {
        Stored {
            secret,
            uri: None,
            scheme,
            counter: None,
            needs_reseal: false,
        }
    }

    /// Opens what was stored. A sealed text must be bound to whom `bound_to` names. `usual` is the scheme of
    /// base32, which has none of its own.
    pub(crate) fn open(
        text: &str,
        bound_to: Option<&str>,
        keys: Option<&Keys>,
        usual: &Scheme,
    ) -> Result<Self> {
        if !is_uri(text) && is_sealed(text) {
            let no_keys = "sealed, and the settings have no seal";
            let nobodys = "sealed, and the request has neither username nor bind";
            let keys = keys.ok_or_else(|| invalid(no_keys))?;
            let bound_to = bound_to.ok_or_else(|| invalid(nobodys))?;
            let (opened, by_key_in_use) = keys.open(text, bound_to)?;
            let opened = str::from_utf8(&opened).map_err(|_| does_not_open())?;
            let opened = Stored::open_plain(opened, usual).map_err(|_| does_not_open())?;
            return Ok(Stored {
                needs_reseal: !by_key_in_use,
                ..opened
            });
        }
        match keys {
            Some(keys) if !keys.takes_plain => {
                Err(invalid("not sealed, and config.seal.plain is \"refuse\""))
            }
            keys => Ok(Stored {
                needs_reseal: keys.is_some(),
                ..Stored::open_plain(text, usual)?
            }),
        }
    }

    fn open_plain(text: &str, usual: &Scheme) -> Result<Self> {
        if !is_uri(text) {
            return Ok(Stored::new(Secret::from_base32(text)?, *usual));
        }
        let read = read_uri(text)?;
        Ok(Stored {
            secret: read.secret,
            uri: Some(text.to_owned().into()),
            scheme: read.scheme,
            counter: read.counter,
            needs_reseal: false,
        })
    }

    /// What is sealed, or stored where there are no keys: the URI as it was, or base32 in its one form.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        self.uri.clone().unwrap_or_else(|| self.secret.to_base32())
    }

    /// Its scheme, if its codes are of time steps.
    pub(crate) fn totp(&self) -> Result<Scheme> {
        match self.counter {
            None => Ok(self.scheme),
            Some(_) => Err(invalid("a URI of type hotp, and only totp is verified")),
        }
    }

    /// Whether it should be sealed by the key in use, and is not.
    pub(crate) fn needs_reseal(&self) -> bool {
        self.needs_reseal
    }

    /// What a response should warn about, if anything.
    pub(crate) fn warnings(&self) -> Vec<Cow<'static, str>> {
        self.secret.warnings()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use totp_rs::Algorithm;

    use super::*;
    use crate::json::{Object, Statuses};
    use crate::status::Status;

    const USUAL: Scheme = Scheme {
        algorithm: Algorithm::SHA1,
        digits: 6,
        period: 30,
    };

    fn keys(keys: &Value, in_use: &str) -> Keys {
        let config = json!({"seal": {"keys": keys, "use": in_use}}).to_string();
        let statuses = Statuses::all(Status::Configuration);
        let mut config = Object::read(&config, "config", statuses).unwrap();
        Keys::read(&mut config).unwrap().unwrap()
    }

    fn open(text: &str, bound_to: &str, keys: &Keys) -> Result<Stored> {
        Stored::open(text, Some(bound_to), Some(keys), &USUAL)
    }

    fn refused(text: &str, bound_to: &str, keys: &Keys) {
        let error = open(text, bound_to, keys).err().unwrap();
        let expected = does_not_open();
        assert_eq!(
            (error.status, error.message),
            (expected.status, expected.message),
            "{text}"
        );
    }

    /// Made by another implementation.
    #[test]
    fn sealed_texts_of_another_implementation_open_or_do_not() {
        let vectors = include_str!("../../tests/vectors/sealed.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let keys = keys(&vectors["keys"], "k1");
        for row in vectors["opens"].as_array().unwrap() {
            let sealed = row["sealed"].as_str().unwrap();
            let bound_to = row["username"].as_str().or(row["bind"].as_str()).unwrap();
            let stored = open(sealed, bound_to, &keys).unwrap();
            assert_eq!(*stored.text(), row["totpsecret"]);
            assert_eq!(stored.needs_reseal(), !sealed.contains(".k1."));
        }
        for row in vectors["refused"].as_array().unwrap() {
            refused(
                row["sealed"].as_str().unwrap(),
                row["username"].as_str().unwrap(),
                &keys,
            );
        }
    }

    #[test]
    fn nothing_but_the_sealed_text_opens() {
        let keys = keys(
            &json!({"k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}),
            "k",
        );
        let secret = Secret::generate(20).unwrap().to_base32();
        let sealed = keys.seal(&secret, "alice").unwrap();
        assert_eq!(open(&sealed, "alice", &keys).unwrap().text(), secret);
        refused(&sealed, "bob", &keys);
        refused(&format!("{}A", &*sealed), "alice", &keys);
        for end in 1..sealed.len() {
            refused(sealed.get(..end).unwrap(), "alice", &keys);
        }
        for place in 0..sealed.len() {
            for bit in 0..7 {
                let mut changed = sealed.as_bytes().to_vec();
                changed[place] ^= 1 << bit;
                refused(str::from_utf8(&changed).unwrap(), "alice", &keys);
            }
        }
        // What is inside must be a secret, and is never sealed itself.
        for inside in ["", "no secret", &*sealed] {
            refused(&keys.seal(inside, "alice").unwrap(), "alice", &keys);
        }
    }
}
