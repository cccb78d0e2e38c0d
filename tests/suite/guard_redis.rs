//! The guard with the store "redis": real servers, real processes, and networks that misbehave.

mod cluster;
mod connections;
mod down;
mod network;
mod password;
mod process;
pub mod proxy;
mod race;
mod record;
mod sentinel;
pub mod server;
mod settings;

#[cfg(feature = "redis-tls")]
mod tls;

use std::thread;
use std::time::{Duration, Instant};

use factor2::Status;
use serde_json::{Value, json};

use crate::clock;
use crate::people::{
    NOW, code_at, inspect, log_in_at, reset, retry_after, secret, verify, wrong_code_at,
};
use crate::support::{Authenticator, Reply};

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

fn log_in(authenticator: &Authenticator, user: usize) -> Reply {
    log_in_at(authenticator, user, NOW)
}

fn guess(authenticator: &Authenticator, user: usize) -> Reply {
    clock::stand_at(NOW);
    verify(authenticator, user, &wrong_code_at(user, NOW))
}

/// A right code of a user that nobody has tried is refused within [`BUDGET`], however often, for this
/// reason, or one of these with `|` between them. On a busy machine the budget may be over first: then
/// that is the reason, but not each time.
#[track_caller]
fn refused_in_time(authenticator: &Authenticator, user: usize, reason: &str) {
    /// What a busy machine may take before a call begins and after it ends.
    const MARGIN: Duration = Duration::from_millis(400);
    let refuse = |_| {
        let start = Instant::now();
        let reply = log_in(authenticator, user);
        let elapsed = start.elapsed();
        let message = reply.refused(Status::StoreUnavailable);
        assert!(!message.to_lowercase().contains("canary"), "{message}");
        assert!(elapsed <= BUDGET + MARGIN, "{elapsed:?}: {message}");
        let is_told = reason.split('|').any(|reason| message.contains(reason));
        let is_over = elapsed >= BUDGET && message.contains("in time");
        assert!(is_told || is_over, "not for {reason:?}: {message}");
        is_told
    };
    let told: Vec<bool> = (0..4).map(refuse).collect();
    assert!(told.contains(&true), "never for {reason:?}");
}

/// What servers do in the background, they do soon.
#[track_caller]
fn wait_for(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "this never happens");
        thread::sleep(Duration::from_millis(20));
    }
}
