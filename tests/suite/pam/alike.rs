//! What a refusal tells: nothing about who has a secret, in result, text and time.

use std::fs;
use std::time::Duration;

use factor2::capi::factor2_verify;
use serde_json::json;

use super::machine::{Attempt, Attempts, Machine, REFUSAL, code, wrong};
use super::recovery::{self, NO_CODE};
use crate::support::Authenticator;

/// PAM_AUTH_ERR of libpam.
const REFUSED: i32 = 7;

/// No refusal comes sooner.
const LEAST: Duration = Duration::from_millis(50);

fn is_a_refusal_like_any_other(attempt: &Attempt) {
    assert_eq!(attempt.result, REFUSED, "{attempt:?}");
    assert_eq!(attempt.told, REFUSAL, "{attempt:?}");
    assert!(attempt.took >= LEAST, "{attempt:?}");
}

#[test]
fn all_refusals_are_alike() {
    let Some(machine) = Machine::new() else {
        return;
    };
    machine.account("broken", 54_003, "*");
    machine.account("locked", 54_004, "*");
    machine.account("disabled", 54_005, "*");
    let secret = machine.enroll("alice");
    fs::write(machine.users().join("broken"), "not base32\n").unwrap();
    for (user, hard) in [("locked", 2), ("disabled", 1)] {
        let secret = machine.enroll(user);
        let guard = json!({"store": "sqlite", "path": machine.guard(), "create": true, "soft": 1, "hard": hard});
        let request = json!({"totpsecret": secret, "otp": wrong(&secret)});
        Authenticator::new(json!({"issuer": "Example", "guard": guard}))
            .call(factor2_verify, request);
    }
    machine.service(
        "refuses",
        "pam_factor2.so guard=/var/lib/factor2/users/none/guard.db",
    );
    let mut attempts = Attempts::start(machine.command("attempts"));
    machine.account("prudent", 54_006, "*");
    machine.enroll("prudent");
    recovery::make(&machine, "prudent");
    let users = [
        "alice",
        "prudent",
        "bob",
        "broken",
        "locked",
        "disabled",
        "nobody-here",
        "../alice",
        ".x",
    ];
    let malformed = "1".repeat(2000);
    let right = code(&secret);
    for (service, code) in [
        ("login", wrong(&secret).as_str()),
        ("login", "x"),
        ("login", NO_CODE),
        ("login", "\u{ff}"),
        ("login", &malformed),
        ("refuses", &right),
    ] {
        for user in users {
            let attempt = attempts.attempt([service, user, "", code]);
            is_a_refusal_like_any_other(&attempt);
        }
    }
    // And a right code does not wait.
    assert_eq!(attempts.attempt(["login", "alice", "", &right]).result, 0);
    is_a_refusal_like_any_other(&attempts.attempt(["login", "alice", "", &right]));
}

/// The store is asked for everybody: who locks it for longer than a call may take, holds all of them up.
#[cfg(feature = "sqlite")]
#[test]
fn the_guard_is_asked_for_everybody() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    machine.account("broken", 54_003, "*");
    fs::write(machine.users().join("broken"), "not base32\n").unwrap();
    for (user, id) in [("prudent", 54_004), ("torn", 54_005)] {
        machine.account(user, id, "*");
        machine.enroll(user);
        recovery::make(&machine, user);
    }
    let torn = machine.users().join("torn");
    let stored = fs::read_to_string(&torn).unwrap();
    fs::write(torn, &stored[..stored.len() - 9]).unwrap();
    let mut attempts = Attempts::start(machine.command("attempts"));
    attempts.attempt(["login", "alice", "", &wrong(&secret)]);
    let other = rusqlite::Connection::open(machine.guard()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for code in [wrong(&secret).as_str(), "x", NO_CODE] {
        for user in ["alice", "bob", "nobody-here", "broken", "prudent", "torn"] {
            let attempt = attempts.attempt(["login", user, "", code]);
            is_a_refusal_like_any_other(&attempt);
            assert!(
                attempt.took >= Duration::from_millis(900),
                "{user}: {attempt:?}"
            );
        }
    }
}
