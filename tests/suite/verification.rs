//! Verification: what is taken for a right code, and what is not.

use factor2::Status;
use factor2::capi::factor2_verify;
use serde_json::{Value, json};

use crate::support::{Authenticator, Reply, SECRET};

/// A time and its code, for SECRET, from tests/vectors/codes.json.
const TIME: u64 = 1_111_111_109;
const CODE: &str = "088309";
const STEP: u64 = TIME / 30;

/// With `members` in place of, or beside, those of a good request.
fn verify(members: Value) -> Reply {
    verify_with(json!({}), members)
}

fn verify_with(settings: Value, members: Value) -> Reply {
    let config = json!({"issuer": "Example", "fixed_time": TIME, "guard": {"store": "none"}});
    let request = json!({"totpsecret": SECRET, "otp": CODE});
    Authenticator::new(merged(config, settings)).call(factor2_verify, merged(request, members))
}

fn merged(mut object: Value, members: Value) -> Value {
    let members = members.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(members);
    object
}

#[test]
fn the_right_code_is_accepted() {
    for members in [
        json!({}),
        json!({"username": "alice"}),
        json!({"last_step": 0}),
        json!({"last_step": -1}),
        json!({"last_step": STEP - 1, "username": "bob"}),
        json!({"last_step": -1}),
        json!({"username": ""}),
        json!({"username": "DOM:bob"}),
        json!({"username": "a\u{200B}\n"}),
        json!({"username": "x".repeat(300)}),
        json!({"totpsecret": SECRET.to_lowercase()}),
    ] {
        let reply = verify(members);
        let expected = json!({"accepted": true, "step": STEP, "drift": 0});
        assert_eq!(reply.ok(), expected);
        assert_eq!(reply.data, None);
    }
}

#[test]
fn a_wrong_code_is_refused() {
    for otp in ["088308", "188309", "088319", "000000", "999999", "000-000"] {
        let message = verify(json!({"otp": otp})).refused(Status::InvalidToken);
        assert_eq!(message, "request.otp: wrong code");
    }
}

#[test]
fn what_is_no_code_is_refused() {
    #[rustfmt::skip]
    let texts = [
        "", " ", "-", "08830", "0883090", "88309", "0088309", "8830 9", "08830x", "O88309",
        "+88309", "088309\0", "088_309", "0x8309", "088309.0", "1e5", "null", "{}", "088,309",
        "\u{660}8830", "\u{FF10}\u{FF10}\u{FF18}\u{FF18}\u{FF13}\u{FF10}\u{FF19}",
    ];
    for otp in texts {
        let message = verify(json!({"otp": otp})).refused(Status::InvalidToken);
        assert_eq!(message, "request.otp: must be 6 digits", "{otp:?}");
    }
    let message = verify_with(json!({"digits": 8}), json!({})).refused(Status::InvalidToken);
    assert_eq!(message, "request.otp: must be 8 digits");
}

#[test]
fn a_code_of_other_parameters_is_refused() {
    for settings in [json!({"algorithm": "SHA256"}), json!({"period": 60})] {
        verify_with(settings, json!({})).refused(Status::InvalidToken);
    }
    verify(json!({"totpsecret": "JBSWY3DPEHPK3PXP"})).refused(Status::InvalidToken);
}

#[test]
fn an_accepted_code_is_not_accepted_again() {
    for last_step in [STEP, STEP + 1, i64::MAX.cast_unsigned()] {
        let message = verify(json!({"last_step": last_step})).refused(Status::TokenReused);
        assert!(message.contains("was accepted before"), "{message}");
        // A wrong code stays a wrong code.
        let wrong = json!({"last_step": last_step, "otp": "088308"});
        verify(wrong).refused(Status::InvalidToken);
    }
}

#[test]
fn an_invalid_secret_is_told_from_a_wrong_code() {
    let zeros = "A".repeat(32);
    for secret in ["", " ", "JBSWY3DP", "JBSWY3DPEHPK3PX1", &zeros] {
        for otp in [CODE, "", "x"] {
            verify(json!({"totpsecret": secret, "otp": otp})).refused(Status::InvalidSecret);
        }
    }
}
