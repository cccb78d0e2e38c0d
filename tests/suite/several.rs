//! One user's several authenticators, with every store.

mod budget;

use factor2::Status;
use factor2::capi::{factor2_inspect, factor2_seal, factor2_verify};
use serde_json::{Value, json};

use crate::clock;
use crate::people::{NOW, code_of, inspect, reset, secret, verify, wrong_code_at};
use crate::stores::{Service, Store};
use crate::support::{Authenticator, Reply};

fn none() -> Authenticator {
    Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}))
}

/// The secrets of some of the people, as if they were one's.
fn secrets(users: &[usize]) -> Vec<String> {
    users.iter().map(|&user| secret(user)).collect()
}

fn try_code(authenticator: &Authenticator, secrets: &[String], code: &str) -> Reply {
    let request = json!({"totpsecret": secrets, "otp": code});
    authenticator.call(factor2_verify, request)
}

fn guess(authenticator: &Authenticator, secrets: &[String]) -> Reply {
    try_code(authenticator, secrets, &wrong_for_all(secrets))
}

/// A code that none of them shows around [`NOW`] and the minutes after.
fn wrong_for_all(secrets: &[String]) -> String {
    let shown = |n: u64| {
        secrets
            .iter()
            .map(move |secret| code_of(secret, NOW - 60 + 30 * n))
    };
    let shown: Vec<String> = (0..9).flat_map(shown).collect();
    let mut codes = (0..).map(|n| format!("{n:06}"));
    codes.find(|code| !shown.contains(code)).unwrap()
}

fn failures(authenticator: &Authenticator, users: &[usize]) -> Vec<u64> {
    let of = |&user| inspect(authenticator, user)["failures"].as_u64().unwrap();
    users.iter().map(of).collect()
}

/// Its status alone: some refusals say when to come back.
#[track_caller]
fn assert_status(reply: &Reply, status: Status) {
    assert_eq!(reply.status, status as i32, "{}", reply.text);
}

#[test]
fn one_to_eight_strings_are_a_users_authenticators() {
    clock::stand_at(NOW);
    for count in 1..=8 {
        let all: Vec<usize> = (1..=count).collect();
        let last = code_of(&secret(count), NOW);
        let accepted = try_code(&none(), &secrets(&all), &last).ok();
        assert_eq!(accepted["index"], count - 1, "also of one");
    }
    for wrong in [
        json!([]),
        json!(secrets(&[1, 2, 3, 4, 5, 6, 7, 8, 9])),
        json!([null]),
        json!([secret(1), null]),
        json!([[secret(1)]]),
        json!([{"totpsecret": secret(1)}]),
        json!([secret(1), 7]),
        json!({"0": secret(1)}),
    ] {
        for authenticator in [none(), Authenticator::new(json!({"issuer": "Test"}))] {
            let request = json!({"totpsecret": wrong, "otp": code_of(&secret(1), NOW)});
            let message = authenticator
                .call(factor2_verify, request)
                .refused(Status::BadRequest);
            assert!(message.starts_with("request.totpsecret"), "{message}");
        }
    }
    let request = json!({"totpsecret": secret(1), "otp": code_of(&secret(1), NOW)});
    assert_eq!(none().call(factor2_verify, request).ok().get("index"), None);
}

#[test]
fn any_stored_form_may_stand_beside_any_other() {
    let keys = json!({"keys": {"k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}, "use": "k"});
    for store in Store::all() {
        clock::stand_at(NOW);
        let mut config = store.config(json!({}));
        config["seal"] = keys.clone();
        let authenticator = Authenticator::new(config);
        let uri = |user: usize, more: &str| {
            format!("otpauth://totp/Test:me?secret={}{more}", secret(user))
        };
        let seal = |text: &str| {
            let request = json!({"totpsecret": text, "username": "me"});
            let sealed = authenticator.call(factor2_seal, request).ok();
            sealed["sealed"].as_str().unwrap().to_owned()
        };
        let plain = [
            secret(1),
            uri(2, "&digits=8&algorithm=SHA512"),
            uri(3, "&period=60"),
            uri(4, "&digits=7&period=15&algorithm=SHA256"),
            secret(5),
            uri(6, ""),
        ];
        let mut stored = plain.clone();
        for sealed in [3, 4] {
            stored[sealed] = seal(&stored[sealed]);
        }
        for (place, (text, period)) in plain.iter().zip([30, 30, 60, 15, 30, 30]).enumerate() {
            let code = code_of(text, NOW);
            let request = json!({"totpsecret": stored, "otp": code, "username": "me"});
            let accepted = authenticator.call(factor2_verify, request.clone()).ok();
            assert_eq!(accepted["index"], place);
            assert_eq!(accepted["step"], NOW / period);
            // One that is not sealed although it could be.
            let reseal = (place != 3 && place != 4).then_some(json!(true));
            assert_eq!(accepted.get("reseal"), reseal.as_ref());
            authenticator
                .call(factor2_verify, request)
                .refused(Status::TokenReused);
        }
        // What has too many digits for all of them is no code; what has as many as some, is theirs alone.
        let verify = |otp: &str| {
            let request = json!({"totpsecret": stored, "otp": otp, "username": "me"});
            authenticator
                .call(factor2_verify, request)
                .refused(Status::InvalidToken)
        };
        let message = verify("123456789");
        assert!(message.contains("6 or 7 or 8 digits"), "{message}");
        verify("99999999");
        let failures = stored.iter().map(|text| {
            let request = json!({"totpsecret": text, "username": "me"});
            authenticator.call(factor2_inspect, request).ok()["failures"].clone()
        });
        assert_eq!(failures.collect::<Vec<_>>(), [0, 1, 0, 0, 0, 0]);
    }
}

#[test]
fn a_right_code_of_one_leaves_the_others_alone_and_a_wrong_one_counts_once_on_each() {
    for store in Store::all() {
        clock::stand_at(NOW);
        let authenticator = store.open();
        let two = secrets(&[1, 2]);
        for _ in 0..3 {
            guess(&authenticator, &two).refused(Status::InvalidToken);
        }
        assert_eq!(failures(&authenticator, &[1, 2, 3]), [3, 3, 0]);
        let accepted = try_code(&authenticator, &two, &code_of(&two[1], NOW)).ok();
        assert_eq!(accepted["index"], 1);
        assert_eq!(failures(&authenticator, &[1, 2]), [3, 0]);
        assert_eq!(inspect(&authenticator, 1)["last_step"], Value::Null);
        // The same secret in four forms is one.
        let same = [
            secret(1),
            secret(1).to_lowercase(),
            format!("otpauth://totp/x?secret={}", secret(1)),
            secret(1),
        ];
        guess(&authenticator, &same).refused(Status::InvalidToken);
        assert_eq!(failures(&authenticator, &[1, 2]), [4, 0]);
        let code = code_of(&secret(1), NOW);
        try_code(&authenticator, &same, &code).ok();
        try_code(&authenticator, &same, &code).refused(Status::TokenReused);
        // A replay of one is a guess for none.
        try_code(&authenticator, &secrets(&[2, 1]), &code).refused(Status::TokenReused);
        assert_eq!(failures(&authenticator, &[1, 2]), [0, 0]);
    }
}

#[test]
fn a_stored_code_that_is_sent_much_later_is_a_guess_for_none() {
    for store in Store::all() {
        clock::stand_at(NOW);
        let authenticator = store.open();
        let three = secrets(&[1, 2, 3]);
        let code = code_of(&three[1], NOW);
        try_code(&authenticator, &three, &code).ok();
        for later in [60, 3600, 31_536_000] {
            clock::stand_at(NOW + later);
            try_code(&authenticator, &three, &code).refused(Status::TokenReused);
        }
        assert_eq!(failures(&authenticator, &[1, 2, 3]), [0, 0, 0]);
        let first_only = secrets(&[1, 3]);
        try_code(&authenticator, &first_only, &code).refused(Status::InvalidToken);
        assert_eq!(failures(&authenticator, &[1, 2, 3]), [1, 0, 1]);
    }
}

#[test]
fn while_one_is_locked_the_others_get_in() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({}));
        let authenticator = service.at(NOW);
        let two = secrets(&[1, 2]);
        for _ in 0..5 {
            verify(authenticator, 1, &wrong_code_at(1, NOW));
        }
        let locked = inspect(authenticator, 1);
        assert_eq!(locked["locked_until"], NOW + 30);
        // Whose code it is says so, and nothing is counted for anybody.
        let right = try_code(authenticator, &two, &code_of(&two[0], NOW + 30));
        assert_status(&right, Status::Throttled);
        assert_eq!(crate::people::retry_after(&right), Some(30));
        assert_eq!(failures(authenticator, &[2]), [0]);
        guess(authenticator, &two).refused(Status::InvalidToken);
        assert_eq!(failures(authenticator, &[2]), [1]);
        assert_eq!(inspect(authenticator, 1), locked);
        let accepted = try_code(authenticator, &two, &code_of(&two[1], NOW)).ok();
        assert_eq!(accepted["index"], 1);
        assert_eq!(inspect(authenticator, 1), locked);
        // Both locked, no code is looked at; of a wrong one, the first to come back is told.
        let authenticator = service.at(NOW + 10);
        for _ in 0..5 {
            verify(authenticator, 2, &wrong_for_all(&two));
        }
        for (code, wait) in [
            (code_of(&two[0], NOW), 20),
            (code_of(&two[1], NOW + 30), 30),
            (wrong_for_all(&two), 20),
        ] {
            let reply = try_code(authenticator, &two, &code);
            assert_status(&reply, Status::Throttled);
            assert_eq!(crate::people::retry_after(&reply), Some(wait));
        }
        let authenticator = service.at(NOW + 30);
        assert_eq!(
            try_code(authenticator, &two, &code_of(&two[0], NOW + 30)).ok()["index"],
            0
        );
    }
}

#[test]
fn a_disabled_one_lets_nobody_in_and_the_others_do() {
    for store in Store::all() {
        clock::stand_at(NOW);
        let authenticator = store.open_with(json!({"soft": 3, "hard": 3}));
        let two = secrets(&[1, 2]);
        for _ in 0..3 {
            verify(&authenticator, 1, &wrong_code_at(1, NOW));
        }
        try_code(&authenticator, &two, &code_of(&two[0], NOW)).refused(Status::Disabled);
        guess(&authenticator, &two).refused(Status::InvalidToken);
        assert_eq!(failures(&authenticator, &[1, 2]), [3, 1]);
        assert_eq!(
            try_code(&authenticator, &two, &code_of(&two[1], NOW)).ok()["index"],
            1
        );
        for _ in 0..3 {
            guess(&authenticator, &two);
        }
        guess(&authenticator, &two).refused(Status::Disabled);
        for code in [code_of(&two[0], NOW), code_of(&two[1], NOW + 30)] {
            try_code(&authenticator, &two, &code).refused(Status::Disabled);
        }
        reset(&authenticator, 1);
        assert_eq!(
            try_code(&authenticator, &two, &code_of(&two[0], NOW)).ok()["index"],
            0
        );
    }
}

/// Two secrets whose codes are the same at [`NOW`], and differ in the step after.
fn colliding() -> (usize, usize) {
    let mut seen = std::collections::HashMap::new();
    (1000..)
        .find_map(|user| {
            let code = code_of(&secret(user), NOW);
            seen.insert(code, user).map(|other| (other, user))
        })
        .unwrap()
}

#[test]
fn a_code_that_two_devices_show_is_accepted_once() {
    let (one, other) = colliding();
    let two = secrets(&[one, other]);
    let code = code_of(&two[0], NOW);
    assert_eq!(code, code_of(&two[1], NOW));
    for store in Store::all() {
        clock::stand_at(NOW);
        let authenticator = store.open();
        assert_eq!(try_code(&authenticator, &two, &code).ok()["index"], 0);
        let swapped = secrets(&[other, one]);
        for order in [&two, &swapped] {
            try_code(&authenticator, order, &code).refused(Status::TokenReused);
        }
        // The other's was not used up by itself.
        assert_eq!(inspect(&authenticator, other)["last_step"], Value::Null);
        verify(&authenticator, other, &code).ok();
        for order in [&two, &swapped] {
            try_code(&authenticator, order, &code).refused(Status::TokenReused);
        }
        assert_eq!(failures(&authenticator, &[one, other]), [0, 0]);
    }
    // Locked out of one of them, the code is the other's.
    for store in Store::all() {
        let mut service = Service::new(&store, json!({}));
        let authenticator = service.at(NOW);
        for _ in 0..5 {
            verify(authenticator, one, &wrong_for_all(&two));
        }
        assert_eq!(try_code(authenticator, &two, &code).ok()["index"], 1);
        let authenticator = service.at(NOW + 30);
        try_code(authenticator, &two, &code).refused(Status::TokenReused);
    }
}

#[test]
fn the_callers_last_steps_are_one_for_all_or_one_for_each() {
    clock::stand_at(NOW);
    let two = secrets(&[1, 2]);
    let step = NOW / 30;
    let try_with = |last_step: Value, place: usize| {
        let code = code_of(&two[place], NOW);
        let request = json!({"totpsecret": two, "otp": code, "last_step": last_step});
        none().call(factor2_verify, request)
    };
    for place in [0, 1] {
        try_with(json!(step), place).refused(Status::TokenReused);
        assert_eq!(try_with(json!(step - 1), place).ok()["index"], place);
        assert_eq!(try_with(json!([-1, -1]), place).ok()["index"], place);
    }
    for steps in [json!([step, step - 1]), json!([step, -1])] {
        try_with(steps.clone(), 0).refused(Status::TokenReused);
        assert_eq!(try_with(steps, 1).ok()["index"], 1);
    }
    for wrong in [
        json!([]),
        json!([1]),
        json!([1, 2, 3]),
        json!([-2, 1]),
        json!([[1], 2]),
        json!("1"),
    ] {
        let message = try_with(wrong, 0).refused(Status::BadRequest);
        assert!(message.contains("last_step"), "{message}");
    }
    // A list is for a list.
    let request =
        json!({"totpsecret": secret(1), "otp": code_of(&two[0], NOW), "last_step": [1, 2]});
    none()
        .call(factor2_verify, request)
        .refused(Status::BadRequest);
}

#[test]
fn one_that_does_not_open_is_named_and_nothing_is_counted() {
    for store in Store::all() {
        clock::stand_at(NOW);
        let authenticator = store.open();
        for broken in [
            "not base32!",
            "f2s1.k.AAAA",
            "otpauth://totp/x",
            "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            "",
        ] {
            for place in 0..3 {
                let mut stored = secrets(&[1, 2]);
                stored.insert(place, broken.to_owned());
                for otp in [code_of(&secret(1), NOW), wrong_for_all(&secrets(&[1, 2]))] {
                    let message =
                        try_code(&authenticator, &stored, &otp).refused(Status::InvalidSecret);
                    let named = format!("totpsecret.{place}:");
                    assert!(message.starts_with(&named), "{broken}: {message}");
                }
            }
        }
        assert_eq!(failures(&authenticator, &[1, 2]), [0, 0]);
        assert_eq!(inspect(&authenticator, 1)["last_step"], Value::Null);
    }
}
