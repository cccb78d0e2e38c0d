//! The guard with the store "redis": real servers, real processes, and networks that misbehave.

mod cluster;
mod down;
mod network;
mod process;
mod proxy;
mod race;
mod record;
pub mod server;
mod settings;

#[cfg(feature = "redis-tls")]
mod tls;

use std::thread;
use std::time::{Duration, Instant};

use data_encoding::BASE32_NOPAD;
use factor2::Status;
use factor2::capi::{factor2_generate, factor2_inspect, factor2_reset, factor2_verify};
use serde_json::{Value, json};

use crate::clock;
use crate::support::{Authenticator, Reply, count};

const NOW: u64 = 1_800_000_000;

/// The budget of the tests that use it up.
const BUDGET: Duration = Duration::from_millis(300);

fn config_with(url: impl Into<Value>, more: Value) -> Value {
    let mut guard = json!({"store": "redis", "url": url.into()});
    let members = guard.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    json!({"issuer": "Test", "guard": guard})
}

fn open_with(url: impl Into<Value>, more: Value) -> Authenticator {
    Authenticator::new(config_with(url, more))
}

fn open(url: impl Into<Value>) -> Authenticator {
    open_with(url, json!({}))
}

/// With a budget that a test can wait for.
fn open_hasty(url: impl Into<Value>) -> Authenticator {
    open_with(url, json!({"budget_ms": BUDGET.as_millis() as u64}))
}

/// The secret of the `n`-th user.
fn secret(n: usize) -> String {
    let mut bytes = *b"A secret of a test..";
    bytes[12..].copy_from_slice(&(n as u64).to_be_bytes());
    BASE32_NOPAD.encode(&bytes)
}

/// The code that the app of a user shows at `time`.
fn code_at(user: usize, time: u64) -> String {
    let app = json!({"issuer": "Test", "guard": {"store": "none"}, "fixed_time": time});
    let reply = Authenticator::new(app).call(factor2_generate, json!({"totpsecret": secret(user)}));
    reply.ok()["otp"].as_str().unwrap().to_owned()
}

/// A code that the app of a user does not show around `time`.
fn wrong_code_at(user: usize, time: u64) -> String {
    let near = [time - 60, time - 30, time, time + 30, time + 60].map(|time| code_at(user, time));
    let mut codes = (0..).map(|n| format!("{n:06}"));
    codes.find(|code| !near.contains(code)).unwrap()
}

fn verify(authenticator: &Authenticator, user: usize, code: &str) -> Reply {
    let request = json!({"totpsecret": secret(user), "otp": code});
    authenticator.call(factor2_verify, request)
}

/// The right code of a user at `time`, which is the library's time in this thread from now on.
fn log_in_at(authenticator: &Authenticator, user: usize, time: u64) -> Reply {
    clock::stand_at(time);
    verify(authenticator, user, &code_at(user, time))
}

fn log_in(authenticator: &Authenticator, user: usize) -> Reply {
    log_in_at(authenticator, user, NOW)
}

fn guess(authenticator: &Authenticator, user: usize) -> Reply {
    clock::stand_at(NOW);
    verify(authenticator, user, &wrong_code_at(user, NOW))
}

fn inspect(authenticator: &Authenticator, user: usize) -> Value {
    let request = json!({"totpsecret": secret(user)});
    authenticator.call(factor2_inspect, request).ok()
}

fn reset(authenticator: &Authenticator, user: usize) -> Value {
    let request = json!({"totpsecret": secret(user)});
    authenticator.call(factor2_reset, request).ok()
}

fn retry_after(reply: &Reply) -> Option<u64> {
    let json: Value = serde_json::from_str(&reply.text).unwrap();
    json["error"]["retry_after_s"].as_u64()
}

/// A right code of a user that nobody has tried is refused within [`BUDGET`], for this reason.
///
/// A busy machine makes a call late now and then, so one of five must do it.
#[track_caller]
fn refused_in_time(authenticator: &Authenticator, user: usize, reason: &str) {
    let mut tries = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let reply = log_in(authenticator, user);
        let elapsed = start.elapsed();
        let message = reply.refused(Status::StoreUnavailable);
        assert!(!message.to_lowercase().contains("canary"), "{message}");
        if message.contains(reason) && elapsed <= BUDGET + Duration::from_millis(100) {
            return;
        }
        tries.push((elapsed, message));
    }
    panic!("{tries:?}");
}

/// What servers do in the background, they do soon.
#[track_caller]
fn wait_for(condition: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < patience, "this never happens");
        thread::sleep(Duration::from_millis(20));
    }
}
