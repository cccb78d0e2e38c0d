//! The settings of sealing, and what they change in the answers of operations.

use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_describe, factor2_generate, factor2_inspect,
    factor2_prepare_configuration, factor2_qr, factor2_reprepare_configuration, factor2_reset,
    factor2_seal, factor2_verify,
};
use serde_json::{Value, json};

use super::{DOES_NOT_OPEN, OTHER_KEY, guard, opened, with_keys};
use crate::clock;
use crate::people::{NOW, code_of};
use crate::stored::{seal, ways_in};
use crate::support::{Authenticator, KEY, Operation, SECRET};

/// How the settings with this `seal` are refused.
#[track_caller]
fn refused(seal: &Value) -> String {
    let config = json!({"issuer": "Example", "seal": seal}).to_string();
    let Err(reply) = Authenticator::try_new(config.as_bytes()) else {
        panic!("{config} was taken");
    };
    let message = reply.refused(Status::Configuration);
    assert!(!message.contains(&KEY[..16]), "{message}");
    message
}

#[test]
fn settings_that_are_wrong_are_named() {
    let keys = json!({"k": KEY});
    let number = |n: usize| format!("k{n}");
    let many = |count: u8| -> Value {
        let key = |n: u8| data_encoding::BASE64.encode(&[n + 1; 32]);
        (0..count)
            .map(|n| (number(n.into()), json!(key(n))))
            .collect()
    };
    for (seal, expected) in [
        (json!(1), "config.seal: must be an object"),
        (json!({}), "config.seal.keys: missing"),
        (json!({"keys": keys}), "config.seal.use: missing"),
        (json!({"use": "k"}), "config.seal.keys: missing"),
        (
            json!({"keys": [], "use": "k"}),
            "config.seal.keys: must be an object",
        ),
        (
            json!({"keys": {}, "use": "k"}),
            "config.seal.keys: must be 1 to 16 keys",
        ),
        (
            json!({"keys": many(17), "use": "k0"}),
            "config.seal.keys: must be 1 to 16 keys",
        ),
        (
            json!({"keys": keys, "use": "other"}),
            "config.seal.use: must be the name of one of the keys",
        ),
        (
            json!({"keys": keys, "use": "K"}),
            "config.seal.use: must be the name of one of the keys",
        ),
        (
            json!({"keys": keys, "use": 1}),
            "config.seal.use: must be a string",
        ),
        (
            json!({"keys": keys, "use": "k", "plain": true}),
            "config.seal.plain: must be",
        ),
        (
            json!({"keys": keys, "use": "k", "plain": "no"}),
            "config.seal.plain: must be",
        ),
        (
            json!({"keys": keys, "use": "k", "x": 1}),
            "config.seal: unknown member \"x\"",
        ),
        (
            json!({"keys": {"k": 1}, "use": "k"}),
            "config.seal.keys: must have strings alone",
        ),
        (
            json!({"keys": {"k": null}, "use": "k"}),
            "config.seal.keys: must have strings alone",
        ),
    ] {
        let message = refused(&seal);
        assert!(message.starts_with(expected), "{seal}: {message}");
    }
    let long = "n".repeat(33);
    for name in ["", " ", "a b", "a.b", "é", "a\0", "a/b", &long] {
        let message = refused(&json!({"keys": {name: KEY}, "use": name}));
        assert!(
            message.contains("with names of 1 to 32 letters"),
            "{name:?}: {message}"
        );
    }
    let zeros = data_encoding::BASE64.encode(&[0; 32]);
    let of = |length: usize| data_encoding::BASE64.encode(&vec![7; length]);
    for key in [
        "",
        "key",
        &KEY[..43],
        &format!("{KEY}="),
        &format!("{KEY}\n"),
        &format!(" {KEY}"),
        &KEY.replace('=', ""),
        &OTHER_KEY.replace('+', "-"),
        // Bits behind the last byte.
        &KEY.replace("8=", "9="),
        &data_encoding::HEXLOWER.encode(&[7; 32]),
        &zeros,
        &of(31),
        &of(33),
        &of(64),
    ] {
        let message = refused(&json!({"keys": {"name": key}, "use": "name"}));
        assert!(message.contains("32 random bytes"), "{key:?}: {message}");
    }
    // The same bytes by two names are a slip.
    let message = refused(&json!({"keys": {"a": KEY, "b": KEY}, "use": "a"}));
    assert!(message.ends_with("each another"), "{message}");
    for name in ["a", &"n".repeat(32), "-", "_", "2026-11", "A_b-9"] {
        with_keys(&[(name, KEY)], &guard());
    }
    let seal = json!({"keys": many(16), "use": "k15"});
    let sixteen = Authenticator::new(json!({"issuer": "Example", "seal": seal}));
    assert!(super::seal(&sixteen, SECRET).starts_with("f2s1.k15."));
}

#[test]
fn a_description_has_the_keys_names_alone() {
    let authenticator = with_keys(&[("old", OTHER_KEY), ("new", KEY)], &guard());
    let reply = authenticator.call(factor2_describe, json!({}));
    let expected = json!({"keys": ["old", "new"], "use": "new", "plain": "accept"});
    let described = reply.ok();
    let mut names: Vec<&str> = described["seal"]["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["new", "old"]);
    assert_eq!(described["seal"]["use"], expected["use"]);
    assert_eq!(described["seal"]["plain"], "accept");
    assert_eq!(described["seal"].as_object().unwrap().len(), 3);
    for key in [KEY, OTHER_KEY] {
        let bytes = data_encoding::BASE64.decode(key.as_bytes()).unwrap();
        let debug = format!("{:?}", &bytes[..8]);
        for part in [
            &key[..12],
            &key[20..32],
            &data_encoding::HEXLOWER.encode(&bytes[..8]),
            &debug,
        ] {
            assert!(!reply.text.contains(part));
        }
    }
    let without = Authenticator::new(json!({"issuer": "Example"}));
    assert_eq!(
        without.call(factor2_describe, json!({})).ok().get("seal"),
        None
    );
}

#[test]
fn a_sealed_secret_needs_settings_with_keys() {
    let text = seal(&with_keys(&[("k", KEY)], &guard()), SECRET);
    let without = Authenticator::new(json!({"issuer": "Example", "factor_name": "totp"}));
    let [others @ .., _seal] = ways_in(&text, "000000");
    for (operation, request) in others {
        let message = without
            .call(operation, request)
            .refused(Status::InvalidSecret);
        assert_eq!(message, "totpsecret: sealed, and the settings have no seal");
    }
    for secret in [SECRET, &text, "no secret"] {
        let request = json!({"totpsecret": secret, "username": "alice"});
        let message = without
            .call(factor2_seal, request)
            .refused(Status::Configuration);
        assert!(message.starts_with("config.seal: missing"), "{message}");
    }
}

#[test]
fn plain_secrets_are_refused_once_the_settings_say_so() {
    clock::stand_at(NOW);
    let seal_of = |plain| json!({"keys": {"k": KEY}, "use": "k", "plain": plain});
    let with = |plain| {
        let factor = "totp";
        Authenticator::new(json!({
            "issuer": "Example", "factor_name": factor, "qr": {"module_px": 1}, "seal": seal_of(plain),
        }))
    };
    let (accepting, refusing) = (with("accept"), with("refuse"));
    let uri = format!("otpauth://totp/a?secret={SECRET}");
    let otp = code_of(SECRET, NOW);
    for secret in [SECRET, &uri] {
        for (operation, request) in ways_in(secret, &otp) {
            let message = refusing
                .call(operation, request.clone())
                .refused(Status::InvalidSecret);
            assert_eq!(
                message,
                "totpsecret: not sealed, and config.seal.plain is \"refuse\""
            );
        }
        let hers = json!({"totpsecret": secret, "username": "alice"});
        accepting.call(factor2_generate, hers).ok();
    }
    for (operation, request) in ways_in(&seal(&accepting, &uri), &otp) {
        refusing.call(operation, request).ok();
    }
    // Neither do they hide among others.
    let several = json!({
        "totpsecret": [seal(&accepting, SECRET), SECRET], "username": "alice", "otp": otp,
    });
    let message = refusing
        .call(factor2_verify, several)
        .refused(Status::InvalidSecret);
    assert!(message.starts_with("totpsecret.1: not sealed"), "{message}");
    // Nobody has no secret at all, and new ones are made as ever.
    let nobody = json!({"totpsecret": null, "otp": otp});
    refusing
        .call(factor2_verify, nobody)
        .refused(Status::InvalidToken);
    let created = refusing
        .call(factor2_create_secret, json!({"username": "alice"}))
        .ok();
    let hers = json!({"totpsecret": created["sealed"], "username": "alice"});
    refusing.call(factor2_generate, hers).ok();
    assert_eq!(
        refusing.call(factor2_describe, json!({})).ok()["seal"]["plain"],
        "refuse"
    );
}

/// Exactly when the key in use has not sealed it, and there is one.
#[test]
fn reseal_is_said_when_there_is_something_to_do() {
    let uri = format!("otpauth://totp/a?secret={SECRET}");
    let old = with_keys(&[("old", OTHER_KEY)], &guard());
    let by_old = seal(&old, SECRET);
    let keyless = Authenticator::new(json!({"issuer": "Example"}));
    let both = with_keys(&[("old", OTHER_KEY), ("new", KEY)], &guard());
    let by_new = seal(&both, &by_old);
    let new = with_keys(&[("new", KEY)], &guard());
    let cases: [(&Authenticator, &[(&str, bool)]); 4] = [
        (&keyless, &[(SECRET, false), (&uri, false)]),
        (&old, &[(&by_old, false), (SECRET, true), (&uri, true)]),
        (
            &both,
            &[
                (&by_old, true),
                (&by_new, false),
                (SECRET, true),
                (&uri, true),
            ],
        ),
        (&new, &[(&by_new, false), (SECRET, true)]),
    ];
    for (authenticator, secrets) in cases {
        for (n, (secret, reseal)) in (0..).zip(secrets) {
            let now = NOW + 30 * n;
            clock::stand_at(now);
            let otp = code_of(SECRET, now);
            let request = json!({"totpsecret": secret, "username": "alice", "otp": otp});
            let answer = authenticator.call(factor2_verify, request).ok();
            assert_eq!(
                answer.get("reseal"),
                reseal.then_some(&json!(true)),
                "{secret}"
            );
        }
    }
    // Of several, it is said of the one whose code it was.
    let other = crate::people::secret(1);
    let others = seal(&both, &other);
    clock::stand_at(NOW + 300);
    for (secret, index, reseal) in [(SECRET, 0, true), (&*other, 1, false)] {
        let request = json!({
            "totpsecret": [by_old, others], "username": "alice", "otp": code_of(secret, NOW + 300),
        });
        let answer = both.call(factor2_verify, request).ok();
        assert_eq!(answer["index"], index);
        assert_eq!(answer.get("reseal"), reseal.then_some(&json!(true)));
    }
}

#[test]
fn bind_has_1_to_255_bytes() {
    let authenticator = with_keys(&[("k", KEY)], &guard());
    for (bind, taken) in [
        (String::new(), false),
        ("1".to_owned(), true),
        (" ".to_owned(), true),
        ("\0".to_owned(), true),
        ("x".repeat(255), true),
        ("x".repeat(256), false),
        ("é".repeat(127), true),
        ("é".repeat(128), false),
        ("x".repeat(60_000), false),
    ] {
        let mut text = json!(SECRET);
        for operation in [
            factor2_seal as Operation,
            factor2_generate,
            factor2_create_secret,
            factor2_qr,
        ] {
            let request = json!({"totpsecret": text, "username": "alice", "bind": bind});
            let reply = authenticator.call(operation, request);
            if taken {
                let answer = reply.ok();
                text = answer.get("sealed").cloned().unwrap_or(text);
            } else {
                let message = reply.refused(Status::BadRequest);
                assert_eq!(message, "request.bind: must be 1 to 255 bytes long");
            }
        }
    }
}

#[test]
fn who_it_is_sealed_for_must_be_told() {
    let authenticator = with_keys(&[("k", KEY)], &guard());
    for whose in [
        json!({}),
        json!({"username": ""}),
        json!({"username": " \t\u{3000}"}),
    ] {
        let mut request = whose.clone();
        request["totpsecret"] = SECRET.into();
        let message = authenticator
            .call(factor2_seal, request)
            .refused(Status::BadRequest);
        assert!(
            message.starts_with("request.username: must not be blank without bind"),
            "{message}"
        );
    }
    // A long name or a strange one is a name.
    for username in ["x".repeat(5000), "a\u{200B}\n".to_owned(), "\0".to_owned()] {
        let request = json!({"totpsecret": SECRET, "username": username});
        let sealed = authenticator.call(factor2_seal, request).ok()["sealed"].clone();
        let request = json!({"totpsecret": sealed, "username": username});
        authenticator.call(factor2_generate, request).ok();
    }
}

#[test]
fn blanks_around_a_username_do_not_matter() {
    let authenticator = with_keys(&[("k", KEY)], &guard());
    let spellings = ["alice", " alice", "alice\n", "\u{3000}alice\t "];
    for sealing in spellings {
        let request = json!({"totpsecret": SECRET, "username": sealing});
        let sealed = authenticator.call(factor2_seal, request).ok()["sealed"].clone();
        let text = sealed.as_str().unwrap();
        assert_eq!(opened(text, ("k", KEY), "alice"), SECRET);
        let created = json!({"username": sealing});
        let created = authenticator.call(factor2_create_secret, created).ok();
        for opening in spellings {
            for sealed in [&sealed, &created["sealed"]] {
                for operation in [
                    factor2_generate as Operation,
                    factor2_qr,
                    factor2_inspect,
                    factor2_reset,
                ] {
                    let request = json!({"totpsecret": sealed, "username": opening});
                    authenticator.call(operation, request).ok();
                }
            }
        }
    }
}

/// What is stored is sealed, what the user sees is not.
#[test]
fn an_enrollment_by_a_session_is_stored_sealed() {
    clock::stand_at(NOW);
    let authenticator = with_keys(&[("k", KEY)], &guard());
    let alice = json!({"user": {"username": " alice ", "email": "x"}});
    let prepared = authenticator
        .call(factor2_prepare_configuration, alice)
        .ok();
    let secret = prepared["userData"]["totpsecret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    let in_session = prepared["sessionData"]["totpsecret"].as_str().unwrap();
    assert!(!prepared["sessionData"].to_string().contains(secret));
    assert_eq!(opened(in_session, ("k", KEY), "alice"), secret);

    let reprepare = |username: &str, data: Value| {
        let request = json!({"username": username, "sessionKey": {"data": data}});
        authenticator.call(factor2_reprepare_configuration, request)
    };
    let session = prepared["sessionData"].clone();
    for data in [
        session.clone(),
        session.to_string().into(),
        json!({"2fa": session.clone()}),
    ] {
        let again = reprepare("alice", data.clone()).ok();
        assert_eq!(again["userData"]["totpsecret"], secret);
        assert_eq!(again["userData"]["uri"], prepared["userData"]["uri"]);
        let to_store = again["secrets"]["totpsecret"].as_str().unwrap();
        assert!(to_store.starts_with("f2s1.k.") && to_store != in_session);
        assert_eq!(opened(to_store, ("k", KEY), "alice"), secret);
        assert_eq!(
            reprepare("bob", data).refused(Status::InvalidSecret),
            DOES_NOT_OPEN
        );
    }
    // A session from before there were keys.
    let plain = reprepare("alice", json!({"totpsecret": secret, "factor2": "totp"})).ok();
    let to_store = plain["secrets"]["totpsecret"].as_str().unwrap();
    assert_eq!(opened(to_store, ("k", KEY), "alice"), secret);
    let request = json!({"totpsecret": to_store, "username": "alice", "otp": code_of(secret, NOW)});
    let verified = authenticator.call(factor2_verify, request).ok();
    assert_eq!(verified.get("reseal"), None);
}

#[test]
fn create_secret_gives_what_to_store() {
    let authenticator = with_keys(&[("k", KEY)], &guard());
    let uri = format!("otpauth://totp/a?secret={SECRET}&digits=8");
    for (given, whose, bound_to, inside) in [
        (None, json!({"username": "alice"}), "alice", None),
        (None, json!({"username": "alice", "bind": "7"}), "7", None),
        (
            Some(SECRET.to_owned()),
            json!({"username": "alice"}),
            "alice",
            Some(SECRET),
        ),
        (
            Some(SECRET.to_lowercase()),
            json!({"username": "alice"}),
            "alice",
            Some(SECRET),
        ),
        (
            Some(uri.clone()),
            json!({"username": "alice", "bind": "7"}),
            "7",
            Some(&uri),
        ),
        (
            Some(seal(&authenticator, &uri)),
            json!({"username": "alice"}),
            "alice",
            Some(&uri),
        ),
    ] {
        let mut request = whose;
        if let Some(given) = given {
            request["totpsecret"] = given.into();
        }
        let created = authenticator.call(factor2_create_secret, request).ok();
        let sealed = created["sealed"].as_str().unwrap();
        let totpsecret = created["totpsecret"].as_str().unwrap();
        assert_eq!(
            opened(sealed, ("k", KEY), bound_to),
            inside.unwrap_or(totpsecret)
        );
    }
    let without = Authenticator::new(json!({"issuer": "Example"}));
    let created = without
        .call(factor2_create_secret, json!({"username": "alice"}))
        .ok();
    assert_eq!(created.get("sealed"), None);
}
