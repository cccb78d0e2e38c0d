//! The keys of the settings: which open, and which seals.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::json::Object;
use crate::secret::seal::{KEY, Key, Sealed, does_not_open};
use crate::wiped::{Wiped, on_wiped_stack};

const MAX_KEYS: usize = 16;
const MAX_NAME_BYTES: usize = 32;

/// How much of the stack is wiped after sealing and opening, which go deeper than the rest of a call.
const WIPED_STACK: usize = 8 * 1024;

/// All keys of an authenticator. Wiped when they go.
pub(crate) struct Keys {
    keys: Vec<Key>,
    /// The place of the one that seals.
    in_use: usize,
    /// Whether a secret that is not sealed is taken.
    pub(super) takes_plain: bool,
}

/// What a description says of them.
#[derive(Serialize)]
pub(crate) struct KeysDescription<'a> {
    keys: Vec<&'a str>,
    r#use: &'a str,
    plain: &'static str,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.keys.len())
    }
}

impl Keys {
    /// Reads `seal` from the settings.
    pub(crate) fn read(config: &mut Object) -> Result<Option<Self>> {
        let Some(seal) = config.object("seal")? else {
            return Ok(None);
        };
        let mut seal = seal.knowing(&[&["keys", "use", "plain"]]);
        let given = seal.required_object("keys")?;
        let mut keys: Vec<Key> = Vec::new();
        for (name, text) in given.texts_by_name()? {
            if !is_name(&name) {
                let expected = "with names of 1 to 32 letters, digits, \"-\" and \"_\"";
                return Err(seal.wrong("keys", expected));
            }
            let is_new = |bytes: &Wiped| keys.iter().all(|key| *key.bytes != **bytes);
            let bytes = read_key(&text).filter(is_new);
            let Some(bytes) = bytes else {
                let expected = "of 32 random bytes each, in base64, each another";
                return Err(seal.wrong("keys", expected));
            };
            keys.push(Key {
                name: name.to_owned(),
                bytes,
            });
        }
        if !(1..=MAX_KEYS).contains(&keys.len()) {
            return Err(seal.wrong("keys", "1 to 16 keys"));
        }
        let name = seal.required_text("use")?;
        let in_use = keys.iter().position(|key| key.name == *name);
        let in_use = in_use.ok_or_else(|| seal.wrong("use", "the name of one of the keys"))?;
        let plain = [("accept", true), ("refuse", false)];
        let takes_plain = seal.choice("plain", &plain)?.unwrap_or(true);
        seal.finish()?;
        Ok(Some(Keys {
            keys,
            in_use,
            takes_plain,
        }))
    }

    pub(crate) fn describe(&self) -> KeysDescription<'_> {
        KeysDescription {
            keys: self.keys.iter().map(|key| key.name.as_str()).collect(),
            r#use: self.name_in_use(),
            plain: if self.takes_plain { "accept" } else { "refuse" },
        }
    }

    pub(crate) fn name_in_use(&self) -> &str {
        &self.keys[self.in_use].name
    }

    /// Seals the text of a secret, by the key in use.
    pub(crate) fn seal(&self, text: &str, bound_to: &str) -> Result<Zeroizing<String>> {
        on_wiped_stack::<WIPED_STACK, _>(|| self.keys[self.in_use].seal(text, bound_to))
    }

    /// How long a text of so many bytes is when it is sealed.
    pub(crate) fn sealed_length(&self, bytes: usize) -> usize {
        self.keys[self.in_use].sealed_length(bytes)
    }

    /// Opens a sealed text, and tells whether the key in use has sealed it.
    pub(super) fn open(&self, text: &str, bound_to: &str) -> Result<(Wiped, bool)> {
        let sealed = Sealed::read(text).ok_or_else(does_not_open)?;
        let place = self.keys.iter().position(|key| key.name == sealed.key);
        let place = place.ok_or_else(does_not_open)?;
        let opened = on_wiped_stack::<WIPED_STACK, _>(|| self.keys[place].open(&sealed, bound_to));
        Ok((opened?.ok_or_else(does_not_open)?, place == self.in_use))
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Canonical base64 of 32 bytes that somebody did not forget to fill.
fn read_key(text: &str) -> Option<Wiped> {
    let mut key = Wiped::zeroed(text.len());
    let length = BASE64.decode_slice(text, &mut key).ok()?;
    key.truncate(length);
    (length == KEY && key.iter().any(|byte| *byte != 0)).then_some(key)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::Statuses;
    use crate::status::Status;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn read_text(config: &str) -> Result<Option<Keys>> {
        let statuses = Statuses::all(Status::Configuration);
        Keys::read(&mut Object::read(config, "config", statuses)?)
    }

    fn read(seal: &Value) -> Result<Option<Keys>> {
        read_text(&json!({"seal": seal}).to_string())
    }

    /// Keys that differ, and the name of the last one.
    fn many(count: u8) -> Value {
        let name = |n: u8| format!("k{n}");
        let key = |n: u8| BASE64.encode([n; 32]);
        let keys: Value = (1..=count).map(|n| (name(n), json!(key(n)))).collect();
        json!({"keys": keys, "use": name(count)})
    }

    #[test]
    fn keys_are_described_in_order_and_without_their_bytes() {
        let other = BASE64.encode([7; 32]);
        let config = format!(
            r#"{{"seal":{{"keys":{{"z":"{KEY}","2026-11_a":"{other}"}},"use":"z","plain":"refuse"}}}}"#
        );
        let keys = read_text(&config).unwrap().unwrap();
        let described = serde_json::to_string(&keys.describe()).unwrap();
        assert_eq!(
            described,
            r#"{"keys":["z","2026-11_a"],"use":"z","plain":"refuse"}"#
        );
        assert_eq!(format!("{keys:?}"), "Keys(2)");
    }

    #[test]
    fn there_are_1_to_16_keys_or_none() {
        assert!(read_text("{}").unwrap().is_none());
        for count in [1, 16] {
            let keys = read(&many(count)).unwrap().unwrap();
            assert_eq!(keys.name_in_use(), format!("k{count}"));
            assert!(keys.takes_plain);
        }
    }

    /// A refusal names the member, and neither a key nor what stands in the place of its name.
    #[test]
    fn wrong_keys_are_refused() {
        let not_a_key =
            "config.seal.keys: must be of 32 random bytes each, in base64, each another";
        let names =
            "config.seal.keys: must be with names of 1 to 32 letters, digits, \"-\" and \"_\"";
        let count = "config.seal.keys: must be 1 to 16 keys";
        let with_key = |key: &str| json!({"keys": {"k": key}, "use": "k"});
        for (seal, message) in [
            (json!([]), "config.seal: must be an object"),
            (json!({"use": "k"}), "config.seal.keys: missing"),
            (
                json!({"keys": [KEY], "use": "k"}),
                "config.seal.keys: must be an object",
            ),
            (
                json!({"keys": {"k": 1}, "use": "k"}),
                "config.seal.keys: must have strings alone",
            ),
            (json!({"keys": {}, "use": "k"}), count),
            (many(17), count),
            (json!({"keys": {"k": KEY}}), "config.seal.use: missing"),
            (
                json!({"keys": {"k": KEY}, "use": "K"}),
                "config.seal.use: must be the name of one of the keys",
            ),
            (
                json!({"keys": {"k": KEY}, "use": "k", "plain": "no"}),
                "config.seal.plain: must be one of accept, refuse",
            ),
            (
                json!({"keys": {"k": KEY}, "use": "k", "key": KEY}),
                "config.seal: unknown member \"key\"",
            ),
            (json!({"keys": {"": KEY}, "use": ""}), names),
            (json!({"keys": {"a".repeat(33): KEY}, "use": "k"}), names),
            (json!({"keys": {"k.1": KEY}, "use": "k.1"}), names),
            (json!({"keys": {"ä": KEY}, "use": "ä"}), names),
            // The key in the place of its name.
            (json!({"keys": {KEY: "k"}, "use": "k"}), names),
            (json!({"keys": {"j": KEY, "k": KEY}, "use": "k"}), not_a_key),
            (with_key(""), not_a_key),
            (with_key(&BASE64.encode([0; 32])), not_a_key),
            (with_key(&BASE64.encode([1; 31])), not_a_key),
            (with_key(&BASE64.encode([1; 33])), not_a_key),
            (with_key(KEY.trim_end_matches('=')), not_a_key),
            (with_key(&KEY.replace("8=", "9=")), not_a_key),
            (with_key(&format!("{KEY}\n")), not_a_key),
            (
                with_key(&BASE64.encode([255; 32]).replace('/', "_")),
                not_a_key,
            ),
        ] {
            let error = read(&seal).err().unwrap();
            assert_eq!(error.status, Status::Configuration);
            assert_eq!(error.message, message, "{seal}");
        }
    }
}
