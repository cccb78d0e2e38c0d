//! Recovery codes, with every store.

mod crowds;
mod sets;

use std::collections::HashSet;

use factor2::Status;
use factor2::capi::{
    factor2_create_recovery_codes, factor2_inspect, factor2_reset, factor2_verify_recovery_code,
};
use serde_json::{Value, json};

use crate::support::{Authenticator, Reply};

/// A new set, and its codes.
struct Set {
    recovery: String,
    codes: Vec<String>,
}

impl Set {
    fn new(count: u64) -> Set {
        let maker = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
        let made = maker.call(factor2_create_recovery_codes, json!({"count": count}));
        let made = made.ok();
        let codes = made["codes"].as_array().unwrap().iter();
        Set {
            recovery: made["recovery"].as_str().unwrap().to_owned(),
            codes: codes
                .map(|code| code.as_str().unwrap().to_owned())
                .collect(),
        }
    }

    /// The request with the code of this number.
    fn request(&self, number: usize) -> Value {
        json!({"recovery": self.recovery, "code": self.codes[number - 1]})
    }

    /// Uses the code of this number.
    fn try_code(&self, authenticator: &Authenticator, number: usize) -> Reply {
        try_request(authenticator, self.request(number))
    }

    /// Tries a code that is none of the set's.
    fn guess(&self, authenticator: &Authenticator) -> Reply {
        let wrong = "2222-2222-2222-2222-2222-2222";
        let request = json!({"recovery": self.recovery, "code": wrong});
        try_request(authenticator, request)
    }

    fn inspect(&self, authenticator: &Authenticator) -> Value {
        let request = json!({"recovery": self.recovery});
        authenticator.call(factor2_inspect, request).ok()
    }

    fn reset(&self, authenticator: &Authenticator) -> Value {
        let request = json!({"recovery": self.recovery});
        authenticator.call(factor2_reset, request).ok()
    }
}

fn try_request(authenticator: &Authenticator, request: Value) -> Reply {
    authenticator.call(factor2_verify_recovery_code, request)
}

/// A record that says this and no more.
fn record(used: &[usize], remaining: usize, failures: u64, locked_until: u64) -> Value {
    json!({"used": used, "remaining": remaining, "failures": failures, "locked_until": locked_until,
           "disabled": false})
}

#[test]
fn a_set_has_as_many_codes_as_were_asked_for() {
    let maker = Authenticator::new(json!({"issuer": "Test"}));
    let usual = maker.call(factor2_create_recovery_codes, json!({})).ok();
    assert_eq!(usual["codes"].as_array().unwrap().len(), 10);
    assert_eq!(usual.as_object().unwrap().len(), 2, "{usual}");
    let alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ-";
    let mut all = HashSet::new();
    for count in 1..=32 {
        let set = Set::new(count);
        assert_eq!(set.codes.len() as u64, count);
        for code in &set.codes {
            assert!(code.chars().all(|c| alphabet.contains(c)), "{code}");
            let groups: Vec<usize> = code.split('-').map(str::len).collect();
            assert_eq!(groups, [4; 6]);
        }
        // What is stored holds no code, in no case and without its hyphens.
        let stored = set.recovery.to_uppercase();
        assert!(
            set.codes
                .iter()
                .all(|code| !stored.contains(&code.replace('-', "")))
        );
        all.extend(set.codes);
        all.insert(set.recovery);
    }
    assert_eq!(all.len(), 32 * 33 / 2 + 32);
    for wrong in [
        json!(0),
        json!(33),
        json!(-1),
        json!(1.5),
        json!("10"),
        json!(null),
        json!([]),
    ] {
        let reply = maker.call(factor2_create_recovery_codes, json!({"count": wrong}));
        let message = reply.refused(Status::BadRequest);
        assert!(message.starts_with("request.count"), "{message}");
    }
}

/// Made by another implementation.
#[test]
fn the_vectors_hold() {
    let vectors = include_str!("../vectors/recovery.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let recovery = &vectors["recovery"];
    let none = || Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
    let memory = || Authenticator::new(json!({"issuer": "Test"}));
    let rows = |list: &str| vectors[list].as_array().unwrap().clone();
    for list in ["codes", "also_accepted"] {
        let authenticators = [none(), memory()];
        for (row, tried) in rows(list).iter().zip(1..) {
            let request = json!({"recovery": recovery, "code": row["code"]});
            for (authenticator, remaining) in authenticators.iter().zip([9, 10 - tried]) {
                let accepted = try_request(authenticator, request.clone()).ok();
                let number = &row["number"];
                let expected = json!({"accepted": true, "number": number, "remaining": remaining});
                assert_eq!(accepted, expected);
            }
        }
    }
    let authenticator = memory();
    for code in rows("refused") {
        let request = json!({"recovery": recovery, "code": code});
        for authenticator in [&none(), &authenticator] {
            try_request(authenticator, request.clone()).refused(Status::InvalidToken);
        }
    }
    // Of those, one could have been a code.
    let set = json!({"recovery": recovery});
    assert_eq!(authenticator.call(factor2_inspect, set).ok()["failures"], 1);
    for bad in rows("bad_records") {
        let code = &rows("codes")[0]["code"];
        let request = json!({"recovery": bad, "code": code});
        let message = try_request(&authenticator, request).refused(Status::DataFormat);
        assert!(message.starts_with("request.recovery"), "{message}");
        for operation in [factor2_inspect, factor2_reset] {
            let reply = authenticator.call(operation, json!({"recovery": bad}));
            reply.refused(Status::DataFormat);
        }
    }
}

#[test]
fn both_texts_are_needed_and_a_number_must_be_one() {
    let authenticator = Authenticator::new(json!({"issuer": "Test"}));
    let set = Set::new(10);
    for missing in ["recovery", "code"] {
        let mut request = set.request(1);
        request.as_object_mut().unwrap().remove(missing);
        let message = try_request(&authenticator, request).refused(Status::InvalidToken);
        assert!(message.contains(missing), "{message}");
    }
    for (name, wrong) in [
        ("number", json!(0)),
        ("number", json!(33)),
        ("number", json!("1")),
        ("number", json!([1])),
        ("used", json!([0])),
        ("used", json!([33])),
        ("used", json!(["1"])),
        ("used", json!([[1]])),
        ("code", json!(null)),
        ("code", json!(1)),
        ("recovery", json!(["x"])),
        ("totpsecret", json!("x")),
    ] {
        let mut request = set.request(1);
        request[name] = wrong;
        let message = try_request(&authenticator, request).refused(Status::BadRequest);
        assert!(message.contains(name), "{message}");
    }
    assert_eq!(set.inspect(&authenticator), record(&[], 10, 0, 0));
    for (request, status) in [
        (
            json!({"recovery": set.recovery, "totpsecret": crate::support::SECRET}),
            Status::BadRequest,
        ),
        (json!({"recovery": null}), Status::BadRequest),
        (json!({"recovery": "x"}), Status::DataFormat),
    ] {
        for operation in [factor2_inspect, factor2_reset] {
            authenticator
                .call(operation, request.clone())
                .refused(status);
        }
    }
}

/// The caller's list, with the store "none" and beside a record.
#[test]
fn what_the_caller_knows_to_be_used_is_used() {
    let set = Set::new(4);
    let with = |number: usize, used: Value| {
        let mut request = set.request(number);
        request["used"] = used;
        request
    };
    let none = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
    for used in [json!([1]), json!(1), json!([3, 1, 1, 32])] {
        try_request(&none, with(1, used)).refused(Status::TokenReused);
    }
    // Numbers that the set has not take nothing away.
    for (used, remaining) in [
        (json!([]), 3),
        (json!([1, 3, 1, 32]), 1),
        (json!([1, 3, 4]), 0),
    ] {
        let accepted = try_request(&none, with(2, used)).ok();
        assert_eq!(accepted["remaining"], remaining);
    }
    try_request(&none, with(2, json!([]))).ok();
    let memory = Authenticator::new(json!({"issuer": "Test"}));
    try_request(&memory, with(1, json!([1]))).refused(Status::TokenReused);
    assert_eq!(set.inspect(&memory), record(&[], 4, 0, 0));
    // Both lists count.
    set.try_code(&memory, 1).ok();
    assert_eq!(
        try_request(&memory, with(2, json!([3]))).ok()["remaining"],
        1
    );
    assert_eq!(set.inspect(&memory), record(&[1, 2], 2, 0, 0));
    for operation in [factor2_inspect, factor2_reset] {
        let reply = none.call(operation, json!({"recovery": set.recovery}));
        reply.refused(Status::Configuration);
    }
}
