//! A second implementation (tests/second_seal.c, by libsodium) opens what the library seals, and the other way
//! round.

use std::collections::HashSet;

use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER};
use factor2::Status;
use factor2::capi::{factor2_create_secret, factor2_seal};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

use super::{DOES_NOT_OPEN, guard, with_keys};
use crate::oracles::{random, second_seal};
use crate::support::Authenticator;

/// What is sealed, by which key, for whom.
struct Sealing {
    authenticator: Authenticator,
    name: String,
    key: String,
    whose: Value,
    bound_to: String,
    text: String,
}

impl Sealing {
    fn any(random: &mut TestRng) -> Sealing {
        let letters = b"abcXYZ019-_";
        let length = random.random_range(1..=32);
        let mut letter = |_| char::from(letters[random.random_range(0..letters.len())]);
        let name: String = (0..length).map(&mut letter).collect();
        let mut key = [0; 32];
        random.fill_bytes(&mut key);
        let key = BASE64.encode(&key);
        let length = random.random_range(1..=60);
        let mut letter =
            |_| ["a", "@", "é", "日", " ", "\"", "\u{1F510}"][random.random_range(0..7)];
        let bound_to: String = (0..length).map(&mut letter).collect();
        let by_bind = random.random_range(0..2) == 0;
        // Blanks around a username do not count.
        let (whose, bound_to) = match (by_bind, bound_to.trim().is_empty()) {
            (false, false) => (json!({"username": bound_to}), bound_to.trim().to_owned()),
            _ => (json!({"bind": bound_to}), bound_to),
        };
        let mut secret = vec![0; random.random_range(10..=64)];
        random.fill_bytes(&mut secret);
        let secret = BASE32_NOPAD.encode(&secret);
        let text = match random.random_range(0..3) {
            0 => secret,
            1 => format!("otpauth://totp/a%20b:c?secret={secret}&issuer=a+b&digits=8&image=x"),
            _ => format!(
                "otpauth://hotp/c?secret={secret}&counter={}",
                random.next_u32()
            ),
        };
        let authenticator = with_keys(&[(&name, &key)], &guard());
        Sealing {
            authenticator,
            name,
            key,
            whose,
            bound_to,
            text,
        }
    }

    fn seal(&self, text: &str) -> String {
        let mut request = self.whose.clone();
        request["totpsecret"] = text.into();
        let answer = self.authenticator.call(factor2_seal, request).ok();
        answer["sealed"].as_str().unwrap().to_owned()
    }

    fn line(&self, task: &str, bound_to: &str, text: &str) -> String {
        let (name, key) = (&self.name, &self.key);
        format!(
            "{task} {name} {key} {} {text}",
            HEXLOWER.encode(bound_to.as_bytes())
        )
    }
}

#[test]
fn both_open_what_the_other_sealed() {
    let mut random = random();
    let all: Vec<Sealing> = (0..200).map(|_| Sealing::any(&mut random)).collect();
    let ours: Vec<String> = all.iter().map(|one| one.seal(&one.text)).collect();
    let lines = |bound_to: fn(&Sealing) -> String| -> Vec<String> {
        let pairs = all.iter().zip(&ours);
        pairs
            .map(|(one, sealed)| one.line("open", &bound_to(one), sealed))
            .collect()
    };
    let texts: Vec<String> = all.iter().map(|one| one.text.clone()).collect();
    assert_eq!(second_seal(&lines(|one| one.bound_to.clone())), texts);
    let others = second_seal(&lines(|one| format!("{}x", one.bound_to)));
    assert!(others.iter().all(|text| text == "-"));

    let asked = all
        .iter()
        .map(|one| one.line("seal", &one.bound_to, &one.text));
    let theirs = second_seal(&asked.collect::<Vec<_>>());
    let resealed = all
        .iter()
        .zip(&theirs)
        .map(|(one, sealed)| one.line("open", &one.bound_to, &one.seal(sealed)));
    assert_eq!(second_seal(&resealed.collect::<Vec<_>>()), texts);
    for (one, sealed) in all.iter().zip(&theirs) {
        let mut request = one.whose.clone();
        request["totpsecret"] = sealed.as_str().into();
        // Also when who it was sealed for is the username.
        request["bind"] = format!("x{}", one.bound_to).into();
        let reply = one.authenticator.call(factor2_seal, request);
        assert_eq!(reply.refused(Status::InvalidSecret), DOES_NOT_OPEN);
    }
    // The same was never sealed the same.
    let nonces: HashSet<&str> = ours
        .iter()
        .chain(&theirs)
        .map(|sealed| &sealed.rsplit('.').next().unwrap()[..32])
        .collect();
    assert_eq!(nonces.len(), 400);
}

/// `sealed` of create_secret is what factor2_seal gives.
#[test]
fn the_other_opens_what_create_secret_seals() {
    let mut random = random();
    let mut lines = Vec::new();
    let mut secrets = Vec::new();
    for _ in 0..20 {
        let one = Sealing::any(&mut random);
        let request = json!({"username": "alice", "bind": one.bound_to});
        let created = one.authenticator.call(factor2_create_secret, request).ok();
        lines.push(one.line("open", &one.bound_to, created["sealed"].as_str().unwrap()));
        secrets.push(created["totpsecret"].as_str().unwrap().to_owned());
    }
    assert_eq!(second_seal(&lines), secrets);
}
