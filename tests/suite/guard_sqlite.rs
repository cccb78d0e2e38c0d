//! The guard with the store "sqlite": real files, real processes.

pub mod crash;
mod damage;
mod descriptors;
mod file;
mod file_size;
mod fork;
mod limits;
mod mounts;
mod power;
mod race;
mod rights;
mod worker;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use factor2::Status;
use factor2::capi::{factor2_generate, factor2_verify};
use serde_json::{Value, json};

use crate::clock;
use crate::people::{
    NOW, code_at, inspect, log_in_at as log_in, reset, secret, verify, wrong_code_at,
};
use crate::support::{Authenticator, Reply, count, scratch};

/// A name for a database in a new folder that only we can write.
fn new_path(name: &str) -> PathBuf {
    let folder = scratch(name);
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    folder.join("guard.db")
}

fn config_with(path: &Path, more: Value) -> Value {
    let mut guard = json!({"store": "sqlite", "path": path.to_str().unwrap(), "create": true});
    guard
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({"issuer": "Test", "guard": guard})
}

fn config(path: &Path) -> Value {
    config_with(path, json!({}))
}

fn open(path: &Path) -> Authenticator {
    Authenticator::new(config(path))
}

/// How `factor2_authenticator_new` refuses this config.
#[track_caller]
fn refusal(config: &Value) -> String {
    let Err(reply) = Authenticator::try_new(config.to_string().as_bytes()) else {
        panic!("{config} was taken");
    };
    reply.refused(Status::StoreUnavailable)
}

/// The database as SQLite itself sees it.
fn sqlite(path: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}

#[track_caller]
fn assert_intact(path: &Path) {
    let found: String = sqlite(path)
        .query_one("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found, "ok");
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

/// With settings of its own beside those of the guard.
fn service(path: &Path, guard: Value, settings: Value) -> Authenticator {
    let mut config = config_with(path, guard);
    let members = config.as_object_mut().unwrap();
    members.extend(settings.as_object().unwrap().clone());
    Authenticator::new(config)
}

#[test]
fn another_period_is_another_credential() {
    let path = new_path("period");
    clock::stand_at(NOW);
    let half_a_minute = open(&path);
    log_in(&half_a_minute, 1, NOW).ok();
    for period in [15, 60, 120] {
        let service = service(&path, json!({}), json!({"period": period}));
        assert_eq!(inspect(&service, 1)["last_step"], Value::Null);
        let request = json!({"totpsecret": secret(1)});
        let otp = service.call(factor2_generate, request).ok()["otp"].clone();
        let otp = otp.as_str().unwrap();
        assert_eq!(verify(&service, 1, otp).ok()["step"], NOW / period);
        verify(&service, 1, otp).refused(Status::TokenReused);
        reset(&service, 1);
        assert_eq!(inspect(&service, 1)["last_step"], NOW / period);
    }
    // Back again, no code works a second time.
    log_in(&half_a_minute, 1, NOW).refused(Status::TokenReused);
    assert_eq!(inspect(&half_a_minute, 1)["last_step"], NOW / 30);
}

#[test]
fn a_lock_is_as_long_as_it_was_set_whoever_asks() {
    let path = new_path("policies");
    clock::stand_at(NOW);
    let strict = service(&path, json!({"soft": 1, "base_delay_s": 3600}), json!({}));
    let lax = service(&path, json!({"soft": 1, "max_delay_s": 1}), json!({}));
    let wrong = wrong_code_at(1, NOW);
    verify(&strict, 1, &wrong).refused(Status::InvalidToken);
    verify(&lax, 2, &wrong_code_at(2, NOW)).refused(Status::InvalidToken);
    let locked_until = |user| inspect(&strict, user)["locked_until"].as_u64().unwrap();
    log_in(&lax, 1, NOW).refused(Status::Throttled);
    log_in(&strict, 2, NOW).refused(Status::Throttled);
    assert_eq!([1, 2].map(locked_until), [NOW + 3600, NOW + 1]);
    // A clock that is set back makes neither longer than it was set for.
    log_in(&lax, 1, NOW - 86_400).refused(Status::Throttled);
    log_in(&strict, 2, NOW - 86_400).refused(Status::Throttled);
    assert_eq!([1, 2].map(locked_until), [NOW - 82_800, NOW - 86_399]);
    log_in(&lax, 1, NOW - 82_801).refused(Status::Throttled);
    log_in(&lax, 1, NOW - 82_800).ok();
    log_in(&strict, 2, NOW - 86_399).ok();
}

#[test]
fn the_code_that_was_accepted_last_is_no_guess_however_late() {
    let path = new_path("late");
    log_in(&open(&path), 1, NOW).ok();
    clock::stand_at(NOW + 86_400);
    for authenticator in [open(&path), open(&path)] {
        verify(&authenticator, 1, &code_at(1, NOW)).refused(Status::TokenReused);
        assert_eq!(inspect(&authenticator, 1)["failures"], 0);
    }
}

#[test]
fn a_clock_that_was_ahead_is_named() {
    let path = new_path("ahead");
    log_in(&open(&path), 1, NOW + 86_400).ok();
    let message = log_in(&open(&path), 1, NOW).refused(Status::TokenReused);
    assert!(message.contains("the clock was ahead"), "{message}");
}

/// Time must not tell who has a secret, nor who is locked: each of these costs a transaction that writes.
#[test]
fn what_changes_no_record_is_written_all_the_same() {
    let path = new_path("written");
    let authenticator = open(&path);
    log_in(&authenticator, 1, NOW).ok();
    log_in(&authenticator, 2, NOW).ok();
    let wrong = wrong_code_at(1, NOW);
    for _ in 0..5 {
        verify(&authenticator, 1, &wrong).refused(Status::InvalidToken);
    }
    let disabling = Authenticator::new(config_with(&path, json!({"hard": 1})));
    verify(&disabling, 3, &wrong_code_at(3, NOW)).refused(Status::Disabled);
    let others = sqlite(&path);
    let count = |what| -> i64 { others.query_one(what, [], |row| row.get(0)).unwrap() };
    let nobody = |otp: &str| {
        let request = json!({"totpsecret": null, "otp": otp});
        authenticator.call(factor2_verify, request)
    };
    let shown = || [1, 2, 3, 4].map(|user| inspect(&authenticator, user));
    let (before, rows) = (shown(), count("SELECT count(*) FROM credential_2"));
    let calls: [(&dyn Fn() -> Reply, Status); 7] = [
        (&|| nobody(&wrong), Status::InvalidToken),
        (&|| nobody("x"), Status::InvalidToken),
        (&|| verify(&authenticator, 2, "x"), Status::InvalidToken),
        (&|| verify(&authenticator, 4, "x"), Status::InvalidToken),
        (&|| verify(&authenticator, 1, &wrong), Status::Throttled),
        (&|| log_in(&authenticator, 2, NOW), Status::TokenReused),
        (&|| verify(&authenticator, 3, &wrong), Status::Disabled),
    ];
    for (number, (call, status)) in calls.iter().enumerate() {
        for _ in 0..3 {
            let version = count("PRAGMA data_version");
            call().refused(*status);
            assert_ne!(count("PRAGMA data_version"), version, "call {number}");
        }
    }
    assert_eq!(shown(), before);
    assert_eq!(count("SELECT count(*) FROM credential_2"), rows);
    assert_intact(&path);
    // Nor does a store in trouble tell.
    others.execute_batch("BEGIN IMMEDIATE").unwrap();
    let hasty = Authenticator::new(config_with(&path, json!({"budget_ms": 10})));
    for (secret, otp) in [
        (json!(secret(2)), "x"),
        (json!(null), "x"),
        (json!(null), "000000"),
    ] {
        let request = json!({"totpsecret": secret, "otp": otp});
        let reply = hasty.call(factor2_verify, request);
        reply.refused(Status::StoreUnavailable);
    }
}

#[test]
fn a_code_is_accepted_once_by_all_handles_and_processes_and_after_a_restart() {
    let path = new_path("once");
    let first = open(&path);
    let second = open(&path);
    let code = code_at(1, NOW);
    clock::stand_at(NOW);
    assert_eq!(verify(&first, 1, &code).ok()["step"], NOW / 30);
    verify(&first, 1, &code).refused(Status::TokenReused);
    verify(&second, 1, &code).refused(Status::TokenReused);
    assert_eq!(worker::verdict(&path, 1, NOW), Status::TokenReused);
    drop((first, second));
    let after_restart = open(&path);
    let before = inspect(&after_restart, 1);
    verify(&after_restart, 1, &code).refused(Status::TokenReused);
    clock::stand_at(NOW + 30);
    verify(&after_restart, 1, &code).refused(Status::TokenReused);
    assert_eq!(
        inspect(&after_restart, 1),
        before,
        "a replay changes nothing"
    );
    assert_eq!(before["last_step"], NOW / 30);
    assert_eq!(worker::verdict(&path, 1, NOW + 30), Status::Ok);
    log_in(&after_restart, 1, NOW + 30).refused(Status::TokenReused);
    log_in(&after_restart, 2, NOW).ok();
}

#[test]
fn wrong_codes_count_across_handles_and_processes() {
    let path = new_path("count");
    let authenticator = open(&path);
    let wrong = wrong_code_at(1, NOW);
    clock::stand_at(NOW);
    for _ in 0..4 {
        verify(&open(&path), 1, &wrong).refused(Status::InvalidToken);
    }
    assert_eq!(inspect(&authenticator, 1)["failures"], 4);
    let fifth = verify(&authenticator, 1, &wrong);
    assert!(
        fifth.text.contains("\"retry_after_s\":30"),
        "{}",
        fifth.text
    );
    assert_eq!(worker::verdict(&path, 1, NOW), Status::Throttled);
    let locked =
        json!({"last_step": null, "failures": 5, "locked_until": NOW + 30, "disabled": false});
    assert_eq!(inspect(&authenticator, 1), locked);
    let fresh = json!({"last_step": null, "failures": 0, "locked_until": 0, "disabled": false});
    assert_eq!(inspect(&authenticator, 2), fresh);
    assert_eq!(reset(&authenticator, 1), fresh);
    assert_eq!(worker::verdict(&path, 1, NOW), Status::Ok);
}

#[test]
fn a_month_of_guessing_ends_after_33_guesses() {
    let path = new_path("month");
    let authenticator = open(&path);
    let mut now = NOW;
    let mut guesses = 0;
    while now < NOW + 30 * 86_400 {
        clock::stand_at(now);
        let reply = verify(&authenticator, 1, &wrong_code_at(1, now));
        let json: Value = serde_json::from_str(&reply.text).unwrap();
        if reply.status == Status::Disabled as i32 {
            now += 3600;
            continue;
        }
        reply.refused_with_retry(Status::InvalidToken);
        guesses += 1;
        now += json["error"]["retry_after_s"].as_u64().unwrap_or(0);
    }
    // The 33rd is the one that was answered by "Disabled" first.
    assert_eq!(guesses, 32);
    let disabled = inspect(&authenticator, 1);
    assert_eq!(
        (&disabled["failures"], &disabled["disabled"]),
        (&json!(33), &json!(true))
    );
    log_in(&authenticator, 1, now).refused(Status::Disabled);
    assert_eq!(worker::verdict(&path, 1, now), Status::Disabled);
    reset(&authenticator, 1);
    log_in(&authenticator, 1, now).ok();
}

#[test]
fn a_clock_that_steps_opens_nothing_and_locks_nobody_for_longer_than_an_hour() {
    const HOUR: u64 = 3600;
    const YEAR: u64 = 365 * 86_400;
    let path = new_path("clock");
    let authenticator = open(&path);
    for (user, step) in [1, HOUR, YEAR].into_iter().enumerate() {
        let there = NOW + step;
        log_in(&authenticator, user, there).ok();
        // Back, where the step may be the same, and forth again.
        log_in(&authenticator, user, NOW).refused(Status::TokenReused);
        log_in(&authenticator, user, there).refused(Status::TokenReused);
        log_in(&authenticator, user, there + 30).ok();
    }
    for (user, step) in [1, HOUR, YEAR].into_iter().enumerate() {
        let user = user + 10;
        let there = NOW + step;
        clock::stand_at(there);
        let wrong = wrong_code_at(user, there);
        for _ in 0..5 {
            verify(&authenticator, user, &wrong).refused_with_retry(Status::InvalidToken);
        }
        // Set back, a lock lasts an hour at most; after that it is over by any clock.
        let wait = log_in(&authenticator, user, NOW).refused_with_retry(Status::Throttled);
        assert!((1..=HOUR).contains(&wait), "{wait}");
        log_in(&authenticator, user, NOW + wait - 1).refused_with_retry(Status::Throttled);
        log_in(&authenticator, user, NOW + wait).ok();
    }
}

impl Reply {
    /// As [`Reply::refused`], for refusals that may say when to come back; gives the seconds, or 0.
    #[track_caller]
    fn refused_with_retry(&self, status: Status) -> u64 {
        assert_eq!(self.status, status as i32, "{}", self.text);
        let json: Value = serde_json::from_str(&self.text).unwrap();
        json["error"]["retry_after_s"].as_u64().unwrap_or(0)
    }
}
