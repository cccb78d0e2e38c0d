//! Sealed secrets: what opens, and that nothing else does.

mod rotation;
mod second;
mod settings;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_generate, factor2_inspect, factor2_seal, factor2_verify,
};
use serde_json::{Value, json};

use crate::clock;
use crate::oracles::second_seal;
use crate::people::{NOW, code_of};
use crate::stored::{seal, ways_in, with_each_guard};
use crate::support::{Authenticator, KEY, SECRET, root};

/// The only thing that is said of a sealed text that does not open.
const DOES_NOT_OPEN: &str = "totpsecret: sealed, and does not open: it was changed, is another user's, or its \
                             key is not in config.seal.keys";

/// Another key than KEY.
const OTHER_KEY: &str = "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM=";

fn vectors() -> Value {
    let text = std::fs::read_to_string(root().join("tests/vectors/sealed.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// With these keys, the last of which seals.
fn with_keys(keys: &[(&str, &str)], guard: &Value) -> Authenticator {
    let by_name: Value = keys
        .iter()
        .map(|(name, key)| ((*name).to_owned(), json!(key)))
        .collect();
    Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "guard": guard, "qr": {"module_px": 1},
        "seal": {"keys": by_name, "use": keys.last().unwrap().0},
    }))
}

fn guard() -> Value {
    json!({"store": "memory"})
}

/// What the second implementation reads in a sealed text: its key's name and base64, whom it is bound to.
fn opened(sealed: &str, key: (&str, &str), bound_to: &str) -> String {
    let bound_to = data_encoding::HEXLOWER.encode(bound_to.as_bytes());
    let (name, key) = key;
    second_seal(&[format!("open {name} {key} {bound_to} {sealed}")]).remove(0)
}

/// A request for a secret of whom a row of the vectors names.
fn asking(row: &Value) -> Value {
    let mut request = row.clone();
    request["totpsecret"] = row["sealed"].clone();
    request.as_object_mut().unwrap().remove("sealed");
    request
}

#[test]
fn sealed_texts_of_another_implementation_open() {
    clock::stand_at(NOW);
    let vectors = vectors();
    for in_use in ["k1", "2026-11"] {
        let seal = json!({"keys": vectors["keys"], "use": in_use});
        for row in vectors["opens"].as_array().unwrap() {
            let settings = json!({"issuer": "Example", "seal": seal});
            let authenticator = Authenticator::new(settings);
            let request = asking(row);
            // Sealed anew, it holds the same text.
            let resealed = authenticator.call(factor2_seal, request.clone()).ok();
            assert_eq!(resealed["key"], in_use);
            let whose = row["username"].as_str().or(row["bind"].as_str()).unwrap();
            let key = (in_use, vectors["keys"][in_use].as_str().unwrap());
            let sealed = resealed["sealed"].as_str().unwrap();
            assert_eq!(opened(sealed, key, whose), row["totpsecret"], "{row}");

            let text = row["totpsecret"].as_str().unwrap();
            if text.contains("hotp") {
                continue;
            }
            let mut create = request.clone();
            create["username"] = row.get("username").cloned().unwrap_or("anybody".into());
            let created = authenticator.call(factor2_create_secret, create).ok();
            assert_eq!(created["totpsecret"], SECRET);
            let plain = authenticator
                .call(factor2_generate, json!({"totpsecret": text}))
                .ok();
            assert_eq!(
                authenticator.call(factor2_generate, request.clone()).ok(),
                plain
            );
            let by_another_key = !row["sealed"]
                .as_str()
                .unwrap()
                .contains(&format!(".{in_use}."));
            let mut verify = request;
            verify["otp"] = plain["otp"].clone();
            let accepted = authenticator.call(factor2_verify, verify.clone()).ok();
            assert_eq!(
                accepted.get("reseal"),
                by_another_key.then_some(&json!(true))
            );
            verify["totpsecret"] = sealed.into();
            authenticator
                .call(factor2_verify, verify)
                .refused(Status::TokenReused);
        }
    }
}

#[test]
fn what_another_implementation_refuses_does_not_open() {
    let vectors = vectors();
    let seal = json!({"keys": vectors["keys"], "use": "k1"});
    let settings = json!({"issuer": "Example", "factor_name": "totp", "seal": seal});
    let authenticator = Authenticator::new(settings);
    let rows = vectors["refused"].as_array().unwrap();
    assert_eq!(rows.len(), 17);
    for row in rows {
        let whose = row["username"].as_str().unwrap();
        for (operation, mut request) in ways_in(row["sealed"].as_str().unwrap(), "000000") {
            request["username"] = whose.into();
            let message = authenticator
                .call(operation, request)
                .refused(Status::InvalidSecret);
            assert_eq!(message, DOES_NOT_OPEN, "{row}");
        }
    }
}

/// All that can become of a sealed text, but itself.
fn damaged(sealed: &str) -> Vec<String> {
    let (begin, text) = sealed.rsplit_once('.').unwrap();
    let bytes = BASE64.decode(text).unwrap();
    let mut damaged = Vec::new();
    let mut push_bytes = |bytes: &[u8]| damaged.push(format!("{begin}.{}", BASE64.encode(bytes)));
    for (place, bit) in (0..bytes.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << bit;
        push_bytes(&bytes);
    }
    for end in 0..bytes.len() {
        push_bytes(&bytes[..end]);
        push_bytes(&bytes[bytes.len() - end..]);
    }
    push_bytes(&[&bytes[..], b"\0"].concat());
    for place in 0..sealed.len() {
        for bit in 0..7 {
            let mut changed = sealed.as_bytes().to_vec();
            changed[place] ^= 1 << bit;
            damaged.push(String::from_utf8(changed).unwrap());
        }
        for inserted in ["A", ".", "=", " ", "-", "\n", "\u{200B}"] {
            let (front, back) = sealed.split_at(place);
            damaged.push(format!("{front}{inserted}{back}"));
        }
    }
    damaged.extend((1..sealed.len()).map(|end| sealed[..end].to_owned()));
    for end in ["A", "=", ".", " ", "\n", "\0", "é"] {
        damaged.push(format!("{sealed}{end}"));
    }
    damaged.push(sealed.replacen("f2s1", "F2S1", 1));
    damaged.push(sealed.replacen("f2s1", "f2s2", 1));
    damaged
}

/// Whatever is wrong, the answer is the same, and nothing is counted for it.
#[test]
fn nothing_but_the_sealed_text_opens_and_nothing_is_counted() {
    with_each_guard(|guard| {
        clock::stand_at(NOW);
        let authenticator = with_keys(&[("k", KEY)], &guard);
        let sealed = seal(&authenticator, SECRET);
        let inspect = || {
            let request = json!({"totpsecret": SECRET});
            authenticator.call(factor2_inspect, request).ok()
        };
        let before = inspect();
        for text in damaged(&sealed) {
            let request = json!({"totpsecret": text, "otp": "000000", "username": "alice"});
            let message = authenticator
                .call(factor2_verify, request)
                .refused(Status::InvalidSecret);
            assert_eq!(message, DOES_NOT_OPEN, "{text:?}");
        }
        // The eighth bit makes it no UTF-8.
        let request =
            json!({"totpsecret": sealed, "otp": "000000", "username": "alice"}).to_string();
        let begin = request.find(&sealed).unwrap();
        for place in begin..begin + sealed.len() {
            let mut changed = request.clone().into_bytes();
            changed[place] ^= 0x80;
            authenticator
                .call_raw(factor2_verify, &changed)
                .refused(Status::BadRequest);
        }
        assert_eq!(inspect(), before);
        let otp = code_of(SECRET, NOW);
        let request = json!({"totpsecret": sealed, "otp": otp, "username": "alice"});
        authenticator.call(factor2_verify, request).ok();
    });
}

/// A right code does not help: with another user's text, an old one, or one by a key that is gone.
#[test]
fn a_text_opens_for_its_user_alone_and_by_its_key_alone() {
    with_each_guard(|guard| {
        clock::stand_at(NOW);
        let authenticator = with_keys(&[("k", KEY)], &guard);
        let of = |authenticator: &Authenticator, secret: &str, whose: Value| {
            let mut request = whose;
            request["totpsecret"] = secret.into();
            let answer = authenticator.call(factor2_seal, request).ok();
            answer["sealed"].as_str().unwrap().to_owned()
        };
        let bobs_secret = crate::people::secret(7);
        let alices = of(&authenticator, SECRET, json!({"username": "alice"}));
        let bobs = of(&authenticator, &bobs_secret, json!({"username": "bob"}));
        let by_bind = of(&authenticator, SECRET, json!({"bind": "alice's row"}));
        let verify = |authenticator: &Authenticator, text: &str, otp: &str, whose: Value| {
            let mut request = whose;
            request["totpsecret"] = text.into();
            request["otp"] = otp.into();
            authenticator.call(factor2_verify, request)
        };
        let (hers, his) = (code_of(SECRET, NOW), code_of(&bobs_secret, NOW));
        for (text, otp, whose) in [
            (&alices, &hers, json!({"username": "bob"})),
            (&bobs, &his, json!({"username": "alice"})),
            (&alices, &hers, json!({"username": "Alice"})),
            (&alices, &hers, json!({"username": "alic"})),
            (&alices, &hers, json!({"username": "alice\0"})),
            (&alices, &hers, json!({"bind": "alice's row"})),
            (
                &alices,
                &hers,
                json!({"username": "alice", "bind": "alice's row"}),
            ),
            (&by_bind, &hers, json!({"username": "alice"})),
            (
                &by_bind,
                &hers,
                json!({"username": "alice", "bind": "alice's  row"}),
            ),
            (
                &by_bind,
                &hers,
                json!({"username": "alice", "bind": " alice's row"}),
            ),
        ] {
            let reply = verify(&authenticator, text, otp, whose.clone());
            assert_eq!(
                reply.refused(Status::InvalidSecret),
                DOES_NOT_OPEN,
                "{whose}"
            );
            // One among several refuses all, and its place is told.
            let several = json!({"totpsecret": [SECRET, text], "otp": otp});
            let mut request = whose;
            request
                .as_object_mut()
                .unwrap()
                .extend(several.as_object().unwrap().clone());
            let message = authenticator
                .call(factor2_verify, request)
                .refused(Status::InvalidSecret);
            assert_eq!(
                message,
                DOES_NOT_OPEN.replacen("totpsecret", "totpsecret.1", 1)
            );
        }
        // Without either, the caller is told.
        let message =
            verify(&authenticator, &alices, &hers, json!({})).refused(Status::InvalidSecret);
        assert!(message.contains("neither username nor bind"), "{message}");
        let blank = verify(
            &authenticator,
            &alices,
            &hers,
            json!({"username": " \u{2003}"}),
        );
        assert_eq!(blank.refused(Status::InvalidSecret), message);

        // The key is another one under the same name, or gone; then she enrolled anew.
        let re_enrolled = with_keys(&[("k", OTHER_KEY)], &json!({"store": "memory"}));
        let gone = with_keys(&[("k2", KEY)], &json!({"store": "memory"}));
        for other in [&re_enrolled, &gone] {
            let reply = verify(other, &alices, &hers, json!({"username": "alice"}));
            assert_eq!(reply.refused(Status::InvalidSecret), DOES_NOT_OPEN);
            let new = of(other, &bobs_secret, json!({"username": "alice"}));
            verify(other, &new, &his, json!({"username": "alice"})).ok();
            let reply = verify(&authenticator, &new, &his, json!({"username": "alice"}));
            assert_eq!(reply.refused(Status::InvalidSecret), DOES_NOT_OPEN);
        }

        for secret in [SECRET, &bobs_secret] {
            let request = json!({"totpsecret": secret});
            let record = authenticator.call(factor2_inspect, request).ok();
            assert_eq!(
                (&record["last_step"], &record["failures"]),
                (&Value::Null, &json!(0))
            );
        }
        verify(
            &authenticator,
            &by_bind,
            &hers,
            json!({"username": "x", "bind": "alice's row"}),
        )
        .ok();
        verify(&authenticator, &bobs, &his, json!({"username": "bob"})).ok();
        verify(&authenticator, &alices, &hers, json!({"username": "alice"}))
            .refused(Status::TokenReused);
    });
}

/// What was sealed by hand, and is no secret.
#[test]
fn what_is_inside_must_be_a_secret() {
    clock::stand_at(NOW);
    let authenticator = with_keys(&[("k", KEY)], &guard());
    let sealed = seal(&authenticator, SECRET);
    for (inside, opens) in [
        (SECRET, true),
        (&*format!("otpauth://totp/a?secret={SECRET}"), true),
        (
            &*format!("otpauth://hotp/a?secret={SECRET}&counter=1"),
            true,
        ),
        ("no secret", false),
        ("JBSWY3DPEHPK3PX", false),
        ("otpauth://totp/a", false),
        ("https://example.com/?secret=JBSWY3DPEHPK3PXP", false),
        (&sealed, false),
    ] {
        let line = format!(
            "seal k {KEY} {} {inside}",
            data_encoding::HEXLOWER.encode(b"alice")
        );
        let text = second_seal(&[line]).remove(0);
        let request = json!({"totpsecret": text, "username": "alice"});
        let reply = authenticator.call(factor2_generate, request);
        if opens {
            reply.ok();
        } else {
            assert_eq!(
                reply.refused(Status::InvalidSecret),
                DOES_NOT_OPEN,
                "{inside}"
            );
        }
    }
}
