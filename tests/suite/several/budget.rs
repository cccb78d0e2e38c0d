//! Two budgets: an attacker's guesses, and the time of a call.

use std::time::{Duration, Instant};

use factor2::Status;
use serde_json::{Value, json};

use super::{assert_status, code_of, failures, guess, secrets, try_code};
use crate::clock;
use crate::people::{NOW, inspect, retry_after, verify, wrong_code_at};
use crate::stores::Store;
use crate::support::Authenticator;

/// Guesses as soon as one is looked at, until all are disabled; gives how many were, and how often each of the
/// devices was asked.
fn guess_until_the_end(authenticator: &Authenticator, users: &[usize]) -> (u64, Vec<u64>) {
    let before = failures(authenticator, users);
    let devices = secrets(users);
    let (mut now, mut looked_at) = (NOW, 0);
    loop {
        clock::stand_at(now);
        let wrong = super::wrong_for_all(&devices);
        let wrong = match users {
            [user] => verify(authenticator, *user, &wrong_code_at(*user, now)),
            // For the minutes around NOW alone, and later ones show it once in a long while.
            _ => try_code(authenticator, &devices, &not_shown_at(&devices, now, wrong)),
        };
        looked_at += u64::from(wrong.status == Status::InvalidToken as i32);
        let is_over = wrong.status == Status::Disabled as i32;
        if is_over {
            break;
        }
        now += retry_after(&wrong).unwrap_or(0);
    }
    let after = failures(authenticator, users);
    let asked = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before);
    // The guess that was answered "Disabled" was the last that was looked at.
    (looked_at + 1, asked.collect())
}

fn not_shown_at(devices: &[String], now: u64, first: String) -> String {
    let times = [now - 30, now, now + 30];
    let shown: Vec<String> = devices
        .iter()
        .flat_map(|one| times.map(|time| code_of(one, time)))
        .collect();
    let others = (0..).map(|n| format!("{n:06}"));
    std::iter::once(first)
        .chain(others)
        .find(|code| !shown.contains(code))
        .unwrap()
}

#[test]
fn more_devices_give_an_attacker_no_more_guesses() {
    for policy in [
        json!({}),
        json!({"soft": 2, "hard": 7, "base_delay_s": 1}),
        json!({"soft": 1}),
    ] {
        let budget =
            |users: &[usize]| guess_until_the_end(&Store::Memory.open_with(policy.clone()), users);
        let (alone, asked) = budget(&[1]);
        assert_eq!(asked, [alone]);
        let hard = policy["hard"].as_u64().unwrap_or(33);
        assert_eq!(alone, hard);
        assert_eq!(budget(&[1, 2]), (alone, vec![alone; 2]));
        let eight: Vec<usize> = (1..=8).collect();
        assert_eq!(budget(&eight), (alone, vec![alone; 8]));
    }
}

/// Whatever was guessed before against one of them, no device is asked more often than it would be alone.
#[test]
fn guesses_that_one_has_behind_it_give_the_other_no_more() {
    for behind in [1, 3, 4, 5, 6, 12, 32] {
        let authenticator = Store::Memory.open();
        let mut now = NOW - 86_400;
        for _ in 0..behind {
            clock::stand_at(now);
            now += retry_after(&verify(&authenticator, 1, &wrong_code_at(1, now))).unwrap_or(0);
        }
        let (looked_at, asked) = guess_until_the_end(&authenticator, &[1, 2]);
        assert_eq!(asked, [33 - behind, 33], "{behind}");
        assert!(
            (33..=33 + 33 - behind).contains(&looked_at),
            "{behind}: {looked_at}"
        );
    }
}

/// The time of a call is one budget, however many authenticators there are.
#[test]
fn eight_authenticators_wait_no_longer_than_one() {
    const BUDGET: u64 = 300;
    for store in Store::shared() {
        let eight = secrets(&[1, 2, 3, 4, 5, 6, 7, 8]);
        clock::stand_at(NOW);
        let authenticator = store.open_with(json!({"budget_ms": BUDGET}));
        guess(&authenticator, &eight).refused(Status::InvalidToken);
        let held = Held::hold(&store);
        for code in [super::wrong_for_all(&eight), code_of(&eight[7], NOW)] {
            let shortest = (0..3).map(|_| {
                let start = Instant::now();
                let reply = try_code(&authenticator, &eight, &code);
                assert_status(&reply, Status::StoreUnavailable);
                start.elapsed()
            });
            let shortest = shortest.min().unwrap();
            let budget = Duration::from_millis(BUDGET);
            assert!((budget..budget * 2).contains(&shortest), "{shortest:?}");
        }
        drop(held);
        let step = || inspect(&authenticator, 8)["last_step"].clone();
        assert!(step() == Value::Null || step() == NOW / 30);
        assert_eq!(
            failures(&authenticator, &[1, 2, 3, 4, 5, 6, 7])
                .iter()
                .max(),
            Some(&1)
        );
    }
}

/// A store that does not answer, as long as this lives.
enum Held<'a> {
    Nothing,
    #[cfg(feature = "sqlite")]
    Locked(#[expect(dead_code, reason = "it holds the lock")] rusqlite::Connection),
    #[cfg(feature = "redis")]
    Stopped(&'a crate::guard_redis::server::Server),
}

impl<'a> Held<'a> {
    fn hold(store: &'a Store) -> Held<'a> {
        match store {
            Store::Memory => Held::Nothing,
            #[cfg(feature = "sqlite")]
            Store::Sqlite(path) => {
                let other = rusqlite::Connection::open(path).unwrap();
                other.execute_batch("BEGIN IMMEDIATE").unwrap();
                Held::Locked(other)
            }
            #[cfg(feature = "redis")]
            Store::Redis(server) => {
                server.signal(libc::SIGSTOP);
                Held::Stopped(server)
            }
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "redis")]
        if let Held::Stopped(server) = self {
            server.signal(libc::SIGCONT);
        }
    }
}
