//! The forms in which a secret is stored: base32, an otpauth URI, or either of them sealed. The one place
//! that opens any of them.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::otp::Scheme;
use crate::otpauth::{is_uri, read_uri};
use crate::secret::keys::Keys;
use crate::secret::seal::{begins_sealed, does_not_open};
use crate::secret::{Secret, invalid};

/// A secret that was stored, or is to be.
pub(crate) struct Stored {
    pub(crate) secret: Secret,
    /// As it was, if it was one.
    uri: Option<Zeroizing<String>>,
    /// For hotp, its period means nothing.
    pub(crate) scheme: Scheme,
    /// Of type hotp, whose codes belong to counters: the first one that may be used.
    pub(crate) counter: Option<u64>,
    /// About how its URI is written.
    warnings: Vec<Cow<'static, str>>,
    needs_reseal: bool,
}

/// How a text is stored, or was before it was damaged: nothing but what is sealed has a dot and is no URI.
#[derive(PartialEq, Eq)]
enum Form {
    Base32,
    Uri,
    Sealed,
}

impl Form {
    fn of(text: &str) -> Self {
        // All bytes are looked at together: most texts are base32, which has neither mark.
        let has = |mark: u8| text.bytes().fold(false, |any, byte| any | (byte == mark));
        if has(b':') && is_uri(text) {
            Form::Uri
        } else if has(b'.') || begins_sealed(text) {
            Form::Sealed
        } else {
            Form::Base32
        }
    }
}

impl Stored {
    /// One that is not stored yet.
    pub(crate) fn new(secret: Secret, scheme: Scheme) -> Self {
        Stored {
            secret,
            uri: None,
            scheme,
            counter: None,
            warnings: Vec::new(),
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
        let form = Form::of(text);
        if form == Form::Sealed {
            let no_keys = "sealed, and the settings have no seal";
            let nobodys = "sealed, and the request has neither username nor bind";
            let keys = keys.ok_or_else(|| invalid(no_keys))?;
            let bound_to = bound_to.ok_or_else(|| invalid(nobodys))?;
            let (opened, by_key_in_use) = keys.open(text, bound_to)?;
            let opened = str::from_utf8(&opened).map_err(|_| does_not_open())?;
            let opened =
                Stored::open_plain(opened, Form::of(opened), usual).map_err(|_| does_not_open())?;
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
                ..Stored::open_plain(text, form, usual)?
            }),
        }
    }

    fn open_plain(text: &str, form: Form, usual: &Scheme) -> Result<Self> {
        if form != Form::Uri {
            return Ok(Stored::new(Secret::from_base32(text)?, *usual));
        }
        let read = read_uri(text)?;
        Ok(Stored {
            secret: read.secret,
            uri: Some(text.to_owned().into()),
            scheme: read.scheme,
            counter: read.counter,
            warnings: read.warnings,
            needs_reseal: false,
        })
    }

    /// The same secret with a URI of its own.
    pub(crate) fn rewritten(self, uri: &str) -> Result<Self> {
        Ok(Stored {
            needs_reseal: self.needs_reseal,
            ..Stored::open_plain(uri, Form::Uri, &self.scheme)?
        })
    }

    pub(crate) fn is_uri(&self) -> bool {
        self.uri.is_some()
    }

    /// What is sealed, or stored where there are no keys: the URI as it was, or base32 in its one form.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        self.uri.clone().unwrap_or_else(|| self.secret.to_base32())
    }

    /// Whether it should be sealed by the key in use, and is not.
    pub(crate) fn needs_reseal(&self) -> bool {
        self.needs_reseal
    }

    /// What a response should warn about, if anything. Label and issuer do not matter for verifying.
    pub(crate) fn warnings(&self) -> Vec<Cow<'static, str>> {
        let mut warnings = self.warnings.clone();
        warnings.extend(self.secret.warnings());
        warnings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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
        keys_of(json!({"keys": keys, "use": in_use}))
    }

    fn keys_of(seal: Value) -> Keys {
        let config = json!({"seal": seal}).to_string();
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

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

    /// What each text that cannot be opened is taken for, by its message.
    #[test]
    fn a_refusal_tells_what_the_text_was_taken_for() {
        let accepting = keys(&json!({"k": KEY}), "k");
        let refusing = keys_of(json!({"keys": {"k": KEY}, "use": "k", "plain": "refuse"}));
        let sealed = accepting.seal(SECRET, "alice").unwrap();
        let uri = format!("otpauth://totp/a.b?secret={SECRET}");
        let plain = "totpsecret: not sealed, and config.seal.plain is \"refuse\"";
        let damaged = does_not_open().message;
        let cases: [(&str, _, _, &str); 9] = [
            (
                &*sealed,
                Some("alice"),
                None,
                "totpsecret: sealed, and the settings have no seal",
            ),
            (
                &*sealed,
                None,
                Some(&accepting),
                "totpsecret: sealed, and the request has neither username nor bind",
            ),
            (SECRET, Some("alice"), Some(&refusing), plain),
            (&uri, Some("alice"), Some(&refusing), plain),
            ("no secret", Some("alice"), Some(&refusing), plain),
            // Sealed text is strict: no blank around it.
            (
                &format!(" {}", &*sealed),
                Some("alice"),
                Some(&accepting),
                &damaged,
            ),
            (
                &format!("{}\n", &*sealed),
                Some("alice"),
                Some(&accepting),
                &damaged,
            ),
            (
                "OTPAUTH:totp/a.b",
                Some("alice"),
                Some(&accepting),
                "totpsecret: the URI must begin with otpauth://",
            ),
            (
                "https://example.com/a.b",
                Some("alice"),
                None,
                "totpsecret: the URI must begin with otpauth://",
            ),
        ];
        for (text, bound_to, keys, message) in cases {
            let error = Stored::open(text, bound_to, keys, &USUAL).err().unwrap();
            assert_eq!(error.status, Status::InvalidSecret);
            assert_eq!(error.message, message);
        }
        let opened = Stored::open(&sealed, Some("alice"), Some(&refusing), &USUAL).unwrap();
        assert!(!opened.needs_reseal());
    }

    /// Where there are keys, what is not sealed by the one in use is to be sealed anew.
    #[test]
    fn what_is_to_be_sealed_anew_is_told() {
        let both = json!({"old": KEY, "new": KEY.replace("AAEC", "AAED")});
        let (old, new) = (keys(&both, "old"), keys(&both, "new"));
        let sealed = old.seal(SECRET, "alice").unwrap();
        for (text, keys, needs_reseal) in [
            (SECRET, None, false),
            (SECRET, Some(&new), true),
            (&*sealed, Some(&new), true),
            (&*sealed, Some(&old), false),
        ] {
            let stored = Stored::open(text, Some("alice"), keys, &USUAL).unwrap();
            assert_eq!(stored.needs_reseal(), needs_reseal);
        }
    }

    /// A URI's own scheme holds, and what is odd about it is told; but not what its names are like.
    #[test]
    fn a_uri_brings_its_scheme_and_warnings() {
        let uri =
            format!("otpauth://totp/A:b?issuer=B&algorithm=SHA-256&period=60&secret={SECRET}");
        let stored = Stored::open(&uri, None, None, &Scheme { digits: 8, ..USUAL }).unwrap();
        let scheme = &stored.scheme;
        assert_eq!(stored.counter, None);
        assert_eq!(scheme.algorithm, Algorithm::SHA256);
        assert_eq!((scheme.digits, scheme.period), (6, 60));
        let odd = "totpsecret: the URI's algorithm is written in a way that some apps do not read";
        assert_eq!(stored.warnings(), [odd]);
        assert_eq!(*stored.text(), uri);

        let uri = format!(
            "otpauth://hotp/b?counter=0&secret={}",
            SECRET.get(16..).unwrap()
        );
        let stored = Stored::open(&uri, None, None, &USUAL).unwrap();
        assert_eq!(stored.counter, Some(0));
        assert_eq!(stored.warnings(), stored.secret.warnings());
        assert_eq!(stored.warnings().len(), 1);
    }

    proptest! {
        /// Sealing what was opened gives a text that opens alike, for the same alone, and is another each time.
        #[test]
        fn what_is_sealed_opens_for_the_same_alone(
            bytes in 10..=512usize, is_uri: bool, bound_to in ".{1,20}", other in ".{1,20}",
            key: [u8; 32], name in "[A-Za-z0-9_-]{1,32}",
        ) {
            prop_assume!(key != [0; 32] && bound_to != other);
            let key = data_encoding::BASE64.encode(&key);
            let keys = keys(&json!({name.as_str(): key}), &name);
            let secret = Secret::generate(bytes).unwrap();
            let text = match is_uri {
                true => format!("otpauth://totp/a?secret={}&digits=8", &*secret.to_base32()),
                false => secret.to_base32().to_lowercase(),
            };
            let stored = Stored::open(&text, None, Some(&keys), &USUAL).unwrap();
            let sealed = keys.seal(&stored.text(), &bound_to).unwrap();
            prop_assert_ne!(&sealed, &keys.seal(&stored.text(), &bound_to).unwrap());
            let opened = open(&sealed, &bound_to, &keys).unwrap();
            prop_assert_eq!(opened.secret.as_bytes(), secret.as_bytes());
            prop_assert_eq!(opened.text(), stored.text());
            prop_assert_eq!(opened.scheme.digits, if is_uri { 8 } else { 6 });
            refused(&sealed, &other, &keys);
        }
    }
}
