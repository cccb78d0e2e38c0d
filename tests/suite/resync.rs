//! Authenticators that have run away from the server, and come back.

use factor2::Status;
use factor2::capi::{factor2_inspect, factor2_resync, factor2_verify};
use serde_json::{Value, json};

use crate::hotp::{self, assert_accepted, code_of, press, token, wrong_code_of};
use crate::people::{NOW, code_at, secret, wrong_code_at};
use crate::stores::{Service, Store};
use crate::support::{Authenticator, Reply};

const STEP: i64 = NOW.cast_signed() / 30;

/// The code of a user's app, so many steps after [`NOW`].
fn shown(user: usize, steps: i64) -> String {
    code_at(user, NOW.saturating_add_signed(30 * steps))
}

fn resync(authenticator: &Authenticator, secret: &str, otp: &str, next_otp: &str) -> Reply {
    let request = json!({"totpsecret": secret, "otp": otp, "next_otp": next_otp});
    authenticator.call(factor2_resync, request)
}

/// With the code that a user's token shows, whose clock is so many steps ahead, and the one before.
fn resync_at(authenticator: &Authenticator, user: usize, steps: i64) -> Reply {
    let (otp, next_otp) = (shown(user, steps - 1), shown(user, steps));
    resync(authenticator, &secret(user), &otp, &next_otp)
}

fn verify_with(authenticator: &Authenticator, user: usize, otp: &str, drift: i64) -> Reply {
    let request = json!({"totpsecret": secret(user), "otp": otp, "drift": drift});
    authenticator.call(factor2_verify, request)
}

fn failures(authenticator: &Authenticator, secret: &str) -> Value {
    let request = json!({"totpsecret": secret});
    authenticator.call(factor2_inspect, request).ok()["failures"].clone()
}

#[test]
fn a_token_that_drifted_logs_in_again() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({}));
        for (user, drift) in [8, -8, 1000, -1000, 1, 0].into_iter().enumerate() {
            let authenticator = service.at(NOW);
            let answer = resync_at(authenticator, user, drift).ok();
            let expected = json!({"accepted": true, "step": STEP + drift, "drift": drift});
            assert_eq!(answer, expected);
            for used in [drift - 1, drift] {
                let reply = verify_with(authenticator, user, &shown(user, used), drift);
                reply.refused(Status::TokenReused);
            }
            resync_at(authenticator, user, drift).refused(Status::TokenReused);
            assert_eq!(failures(authenticator, &secret(user)), 0);
            // A minute later, by the token's clock.
            let authenticator = service.at(NOW + 60);
            let otp = shown(user, drift + 2);
            let accepted = verify_with(authenticator, user, &otp, drift).ok();
            let expected = json!({"accepted": true, "step": STEP + drift + 2, "drift": drift});
            assert_eq!(accepted, expected);
        }
    }
}

/// With a drift, other codes are accepted than without, and no more of them.
#[test]
fn the_window_moves_and_gets_no_wider() {
    for (window, count) in [(None, 3), (Some((0, 0)), 1), (Some((2, 1)), 4)] {
        for drift in [0, 1, -1, 8, -300, 1000, -1000] {
            let mut config =
                json!({"issuer": "Test", "guard": {"store": "none"}, "fixed_time": NOW});
            let (past, future) = window.unwrap_or((1, 1));
            if window.is_some() {
                config["window"] = json!({"past": past, "future": future});
            }
            let authenticator = Authenticator::new(config);
            let accepted: Vec<i64> = (-1010..=1010)
                .filter(|&steps| {
                    verify_with(&authenticator, 1, &shown(1, steps), drift).status == 0
                })
                .collect();
            let expected: Vec<i64> = (drift - past..=drift + future).collect();
            assert_eq!(accepted, expected);
            assert_eq!(accepted.len(), count);
        }
    }
}

#[test]
fn a_wrong_pair_counts_as_one_wrong_code() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({}));
        let authenticator = service.at(NOW);
        let wrong = |user| wrong_code_at(user, NOW);
        let pairs = |user| {
            [
                (shown(user, 8), shown(user, 10)),
                (shown(user, 8), shown(user, 7)),
                (shown(user, 8), shown(user, 8)),
                (shown(user, 8), wrong(user)),
                (wrong(user), shown(user, 8)),
                (shown(user, 1000), shown(user, 1001)),
                (shown(user, -1002), shown(user, -1001)),
                (shown(user + 100, 8), shown(user + 100, 9)),
            ]
        };
        for user in 0..8 {
            let (otp, next_otp) = &pairs(user)[user];
            for count in 1..=4 {
                let reply = resync(authenticator, &secret(user), otp, next_otp);
                reply.refused(Status::InvalidToken);
                assert_eq!(failures(authenticator, &secret(user)), count);
            }
        }
        let mine = secret(0);
        // What is no code is not counted.
        for (otp, next_otp) in [("", "123456"), ("123456", "12345"), ("1234567", "123456")] {
            let message = resync(authenticator, &mine, otp, next_otp).refused(Status::InvalidToken);
            assert!(message.contains("must be 6 digits"), "{message}");
        }
        assert_eq!(failures(authenticator, &mine), 4);
        resync(authenticator, &mine, &wrong(0), &wrong(0)).refused(Status::InvalidToken);
        resync_at(authenticator, 0, 8).refused(Status::Throttled);
        // A right one forgives, as a right code does.
        let authenticator = service.at(NOW + 30);
        resync_at(authenticator, 0, 8).ok();
        assert_eq!(failures(authenticator, &mine), 0);
    }
}

/// Two codes of which one is used are none that are new.
#[test]
fn both_codes_must_be_new() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({}));
        let authenticator = service.at(NOW);
        verify_with(authenticator, 1, &shown(1, 0), 0).ok();
        resync_at(authenticator, 1, 0).refused(Status::TokenReused);
        resync_at(authenticator, 1, 1).refused(Status::TokenReused);
        resync_at(authenticator, 1, 2).ok();

        let uri = token(1, 0);
        assert_accepted(&press(authenticator, &uri, 4), 4);
        let pair = |first| {
            let (otp, next_otp) = (code_of(&uri, first), code_of(&uri, first + 1));
            resync(authenticator, &uri, &otp, &next_otp)
        };
        pair(4).refused(Status::InvalidToken);
        pair(3).refused(Status::TokenReused);
        assert_accepted(&pair(5), 6);
    }
}

#[test]
fn a_token_whose_button_was_pressed_in_vain() {
    for store in Store::all() {
        let authenticator = store.open();
        let uri = token(1, 0);
        let pair = |first| {
            let (otp, next_otp) = (code_of(&uri, first), code_of(&uri, first + 1));
            resync(&authenticator, &uri, &otp, &next_otp)
        };
        press(&authenticator, &uri, 37).refused(Status::InvalidToken);
        assert_accepted(&pair(37), 38);
        assert_eq!(hotp::inspect(&authenticator, &uri)["last_step"], 38);
        assert_eq!(hotp::inspect(&authenticator, &uri)["failures"], 0);
        press(&authenticator, &uri, 38).refused(Status::TokenReused);
        assert_accepted(&press(&authenticator, &uri, 39), 39);
        // 1000 counters from the expected one on.
        pair(40 + 1000).refused(Status::InvalidToken);
        assert_accepted(&pair(40 + 999), 1040);
        let wrong = wrong_code_of(&uri, 1041);
        resync(&authenticator, &uri, &wrong, &wrong).refused(Status::InvalidToken);
        assert_eq!(hotp::inspect(&authenticator, &uri)["failures"], 1);
    }
}

#[test]
fn with_the_store_none_the_caller_remembers() {
    let authenticator = Authenticator::new(json!({
        "issuer": "Test", "guard": {"store": "none"}, "fixed_time": NOW,
    }));
    let ask = |secret: &str, otp: &str, next_otp: &str, last_step: i64| {
        let request = json!({
            "totpsecret": secret, "otp": otp, "next_otp": next_otp, "last_step": last_step,
        });
        authenticator.call(factor2_resync, request)
    };
    let totp = |last_step| ask(&secret(1), &shown(1, 8), &shown(1, 9), last_step);
    totp(-1).ok();
    assert_eq!(totp(STEP + 7).ok()["step"], STEP + 9);
    totp(STEP + 8).refused(Status::TokenReused);
    totp(STEP + 9).refused(Status::TokenReused);
    let uri = token(1, 0);
    let hotp = |last_step| ask(&uri, &code_of(&uri, 8), &code_of(&uri, 9), last_step);
    assert_accepted(&hotp(-1), 9);
    assert_accepted(&hotp(7), 9);
    hotp(8).refused(Status::InvalidToken);
    hotp(i64::MAX).refused(Status::InvalidToken);
}

#[test]
fn a_drift_has_limits() {
    let authenticator = Authenticator::new(json!({"issuer": "Test", "fixed_time": NOW}));
    for wrong in [
        json!(1001),
        json!(-1001),
        json!("8"),
        json!(1.0),
        json!([8]),
    ] {
        let request = json!({"totpsecret": secret(1), "otp": shown(1, 8), "drift": wrong});
        let message = authenticator
            .call(factor2_verify, request)
            .refused(Status::BadRequest);
        assert!(message.starts_with("request.drift"), "{message}");
    }
    // One for each of several; of a counter it says nothing.
    let both = json!([secret(1), token(1, 0)]);
    let ask = |otp: &str, drift: Value| {
        let request = json!({"totpsecret": both, "otp": otp, "drift": drift});
        authenticator.call(factor2_verify, request)
    };
    ask(&shown(1, 8), json!([0, 8])).refused(Status::InvalidToken);
    assert_eq!(ask(&shown(1, 8), json!([8, 0])).ok()["drift"], 8);
    assert_eq!(ask(&shown(1, 9), json!(8)).ok()["drift"], 9);
    assert_eq!(ask(&code_of(&token(1, 0), 3), json!(8)).ok()["counter"], 3);
    // There is no step before the first.
    let begin = Authenticator::new(json!({"issuer": "Test", "fixed_time": 59}));
    let request = json!({"totpsecret": secret(1), "otp": code_at(1, 59), "drift": -1000});
    begin
        .call(factor2_verify, request)
        .refused(Status::InvalidToken);
}
