//! What a set's record knows: which codes are used, and how often somebody guessed.

use factor2::Status;
use factor2::capi::factor2_verify;
use serde_json::json;

use super::{Set, record, try_request};
use crate::clock;
use crate::people::{NOW, code_at, inspect, log_in_at, retry_after, secret, verify, wrong_code_at};
use crate::stores::{Service, Store};
use crate::support::Authenticator;

#[test]
fn each_code_is_good_once_in_any_order_and_stays_used() {
    for store in Store::all() {
        clock::stand_at(NOW);
        let set = Set::new(32);
        let authenticator = store.open();
        for (tried, number) in [32, 1, 17, 31, 2].into_iter().enumerate() {
            let accepted = set.try_code(&authenticator, number).ok();
            let remaining = 31 - tried;
            let expected = json!({"accepted": true, "number": number, "remaining": remaining});
            assert_eq!(accepted, expected);
            set.try_code(&authenticator, number)
                .refused(Status::TokenReused);
        }
        set.guess(&authenticator).refused(Status::InvalidToken);
        assert_eq!(
            set.inspect(&authenticator),
            record(&[1, 2, 17, 31, 32], 27, 1, 0)
        );
        // Used ones are no guesses, however often they come.
        for _ in 0..40 {
            set.try_code(&authenticator, 17)
                .refused(Status::TokenReused);
        }
        assert_eq!(
            set.inspect(&authenticator),
            record(&[1, 2, 17, 31, 32], 27, 1, 0)
        );
        // A reset forgets the guesses alone, and so does a good code.
        assert_eq!(
            set.reset(&authenticator),
            record(&[1, 2, 17, 31, 32], 27, 0, 0)
        );
        set.try_code(&authenticator, 17)
            .refused(Status::TokenReused);
        set.guess(&authenticator).refused(Status::InvalidToken);
        set.try_code(&authenticator, 3).ok();
        assert_eq!(
            set.inspect(&authenticator),
            record(&[1, 2, 3, 17, 31, 32], 26, 0, 0)
        );
    }
}

#[test]
fn a_demanded_number_is_the_only_one_that_is_taken() {
    for store in Store::all() {
        let set = Set::new(3);
        let authenticator = store.open();
        let demanding = |number: usize, demanded: usize| {
            let mut request = set.request(number);
            request["number"] = json!(demanded);
            try_request(&authenticator, request)
        };
        demanding(1, 2).refused(Status::InvalidToken);
        demanding(1, 32).refused(Status::InvalidToken);
        assert_eq!(
            set.inspect(&authenticator)["failures"],
            2,
            "those are guesses"
        );
        assert_eq!(demanding(2, 2).ok()["number"], 2);
        demanding(2, 2).refused(Status::TokenReused);
        // Nor does it tell that a used code is one.
        demanding(2, 1).refused(Status::InvalidToken);
        assert_eq!(set.inspect(&authenticator), record(&[2], 2, 1, 0));
    }
}

#[test]
fn what_cannot_be_a_code_is_not_counted() {
    for store in Store::all() {
        let set = Set::new(2);
        let authenticator = store.open();
        let code = &set.codes[0];
        for malformed in [
            "",
            " ",
            "-",
            "123456",
            "x",
            "\u{0}",
            &code[1..],
            &format!("{code}2"),
            &code.replacen(&code[..1], "0", 1),
            &format!("{code}.{code}"),
            &"2".repeat(1000),
        ] {
            let request = json!({"recovery": set.recovery, "code": malformed});
            let message = try_request(&authenticator, request).refused(Status::InvalidToken);
            assert!(message.contains("must be a recovery code"), "{message}");
        }
        assert_eq!(set.inspect(&authenticator), record(&[], 2, 0, 0));
        let spelled = format!(
            "\u{200B} {}\n",
            code.to_lowercase().replace('-', " \u{2013} ")
        );
        let request = json!({"recovery": set.recovery, "code": spelled});
        assert_eq!(try_request(&authenticator, request).ok()["number"], 1);
    }
}

#[test]
fn wrong_ones_lock_the_set_and_not_the_codes_nor_the_other_way_round() {
    for store in Store::all() {
        let (set, other) = (Set::new(2), Set::new(2));
        let mut service = Service::new(&store, json!({}));
        let authenticator = service.at(NOW);
        for guess in 1..=5 {
            let reply = set.guess(authenticator);
            reply.refused_alike(Status::InvalidToken);
            assert_eq!(retry_after(&reply), (guess == 5).then_some(30));
        }
        // Locked, a right code is not looked at, nor a used one, nor what is no code.
        let locked = record(&[], 2, 5, NOW + 30);
        for code in [&set.codes[0], "2222-2222-2222-2222-2222-2222"] {
            let request = json!({"recovery": set.recovery, "code": code});
            let reply = try_request(authenticator, request);
            reply.refused_alike(Status::Throttled);
            assert_eq!(retry_after(&reply), Some(30));
        }
        assert_eq!(set.inspect(authenticator), locked);
        log_in_at(authenticator, 1, NOW).ok();
        other.try_code(authenticator, 1).ok();
        for _ in 0..5 {
            let reply = verify(authenticator, 1, &wrong_code_at(1, NOW));
            reply.refused_alike(Status::InvalidToken);
        }
        verify(authenticator, 1, &code_at(1, NOW + 30)).refused_alike(Status::Throttled);
        other.try_code(authenticator, 2).ok();
        assert_eq!(set.inspect(authenticator), locked);
        assert_eq!(inspect(authenticator, 1)["failures"], 5);
        let authenticator = service.at(NOW + 30);
        assert_eq!(set.try_code(authenticator, 1).ok()["remaining"], 1);
        assert_eq!(set.inspect(authenticator), record(&[1], 1, 0, 0));
    }
}

#[test]
fn a_set_is_disabled_until_a_reset_and_its_used_codes_stay_used() {
    for store in Store::all() {
        clock::stand_at(NOW);
        let set = Set::new(3);
        let authenticator = store.open_with(json!({"soft": 2, "hard": 2}));
        set.try_code(&authenticator, 1).ok();
        set.guess(&authenticator).refused(Status::InvalidToken);
        let message = set.guess(&authenticator).refused(Status::Disabled);
        assert!(message.contains("recovery codes are disabled"), "{message}");
        clock::stand_at(NOW + 86_400);
        for number in [1, 2] {
            set.try_code(&authenticator, number)
                .refused(Status::Disabled);
        }
        assert_eq!(set.inspect(&authenticator)["disabled"], true);
        assert_eq!(set.reset(&authenticator), record(&[1], 2, 0, 0));
        set.try_code(&authenticator, 1).refused(Status::TokenReused);
        assert_eq!(set.try_code(&authenticator, 2).ok()["remaining"], 1);
    }
}

#[test]
fn a_new_set_ends_the_old_one() {
    for store in Store::all() {
        let (old, new) = (Set::new(3), Set::new(3));
        let authenticator = store.open();
        old.try_code(&authenticator, 1).ok();
        for number in 1..=3 {
            let request = json!({"recovery": new.recovery, "code": old.codes[number - 1]});
            try_request(&authenticator, request).refused(Status::InvalidToken);
        }
        assert_eq!(new.inspect(&authenticator), record(&[], 3, 3, 0));
        assert_eq!(new.try_code(&authenticator, 1).ok()["remaining"], 2);
    }
}

/// Neither a right code of its set, nor a wrong one, nor what is none.
#[test]
fn nobody_has_no_recovery_codes_and_leaves_no_trace() {
    for store in Store::all() {
        let authenticator = store.open();
        let set = Set::new(1);
        for code in [&set.codes[0], "2222-2222-2222-2222-2222-2222", "x", ""] {
            for more in [json!({}), json!({"number": 1}), json!({"used": [1]})] {
                let mut request = json!({"recovery": null, "code": code});
                request
                    .as_object_mut()
                    .unwrap()
                    .extend(more.as_object().unwrap().clone());
                for _ in 0..20 {
                    try_request(&authenticator, request.clone()).refused(Status::InvalidToken);
                }
            }
        }
        wait_for_records(&store, 0);
        let none = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
        let request = json!({"recovery": null, "code": set.codes[0]});
        try_request(&none, request).refused(Status::InvalidToken);
    }
}

#[test]
fn nobody_has_no_authenticator_and_leaves_no_trace() {
    let keys = json!({"keys": {"k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}, "use": "k"});
    for store in Store::all() {
        for seal in [None, Some(json!("accept")), Some(json!("refuse"))] {
            clock::stand_at(NOW);
            let mut config = store.config(json!({"retry": {}}));
            if let Some(plain) = seal {
                config["seal"] = keys.clone();
                config["seal"]["plain"] = plain;
            }
            let authenticator = Authenticator::new(config);
            for otp in ["000000", "123456", "x", ""] {
                for more in [
                    json!({}),
                    json!({"retry_key": "k"}),
                    json!({"last_step": 7}),
                ] {
                    let mut request = json!({"totpsecret": null, "otp": otp});
                    request
                        .as_object_mut()
                        .unwrap()
                        .extend(more.as_object().unwrap().clone());
                    for _ in 0..10 {
                        authenticator
                            .call(factor2_verify, request.clone())
                            .refused(Status::InvalidToken);
                    }
                }
            }
            wait_for_records(&store, 0);
        }
        log_in_at(&store.open(), 1, NOW).ok();
        wait_for_records(&store, 1);
    }
}

/// A record that says nothing may stay for a moment.
#[track_caller]
fn wait_for_records(store: &Store, expected: usize) {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while let Some(records) = store.records()
        && records != expected
    {
        assert!(std::time::Instant::now() < patience, "{records} records");
    }
}

/// Neither logins nor other sets push out what was used, and a full store keeps nobody from the way back.
#[test]
fn a_full_memory_forgets_no_used_code_and_takes_new_sets() {
    let store = Store::Memory;
    let authenticator = store.open_with(json!({"max_records": 4}));
    let used = [Set::new(2), Set::new(2)];
    clock::stand_at(NOW);
    for set in &used {
        set.guess(&authenticator).refused(Status::InvalidToken);
        set.try_code(&authenticator, 1).ok();
    }
    for user in 0..50 {
        log_in_at(&authenticator, user, NOW + 600 * user as u64).ok();
    }
    for set in &used {
        set.try_code(&authenticator, 1).refused(Status::TokenReused);
    }
    // In the place of a login that nobody can repeat any more.
    clock::stand_at(NOW + 600 * 60);
    Set::new(2).try_code(&authenticator, 1).ok();
    Set::new(2).try_code(&authenticator, 1).ok();
    let message = Set::new(2)
        .try_code(&authenticator, 1)
        .refused(Status::StoreUnavailable);
    assert!(message.contains("used recovery codes"), "{message}");
    for set in &used {
        set.try_code(&authenticator, 1).refused(Status::TokenReused);
        set.try_code(&authenticator, 2).ok();
    }
    let request = json!({"totpsecret": secret(1), "otp": wrong_code_at(1, NOW)});
    authenticator
        .call(factor2_verify, request)
        .refused(Status::StoreUnavailable);
}

impl crate::support::Reply {
    /// As [`crate::support::Reply::refused`], for refusals that may say when to come back.
    #[track_caller]
    pub fn refused_alike(&self, status: Status) {
        assert_eq!(self.status, status as i32, "{}", self.text);
        assert!(self.text.contains(status.name()), "{}", self.text);
    }
}
