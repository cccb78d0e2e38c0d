//! People with a second factor, and what they do. All stores are tested with them.

use data_encoding::BASE32_NOPAD;
use factor2::capi::{factor2_generate, factor2_inspect, factor2_reset, factor2_verify};
use serde_json::{Value, json};

use crate::clock;
use crate::support::{Authenticator, Reply};

pub const NOW: u64 = 1_800_000_000;

/// The secret of the `n`-th user.
pub fn secret(n: usize) -> String {
    let mut bytes = *b"A secret of a test..";
    bytes[12..].copy_from_slice(&(n as u64).to_be_bytes());
    BASE32_NOPAD.encode(&bytes)
}

/// The code that an app with this secret shows at `time`.
pub fn code_of(secret: &str, time: u64) -> String {
    let app = json!({"issuer": "Test", "guard": {"store": "none"}, "fixed_time": time});
    let reply = Authenticator::new(app).call(factor2_generate, json!({"totpsecret": secret}));
    reply.ok()["otp"].as_str().unwrap().to_owned()
}

/// The code that the app of a user shows at `time`.
pub fn code_at(user: usize, time: u64) -> String {
    code_of(&secret(user), time)
}

/// A code that an app with this secret does not show around `time`.
pub fn wrong_code_of(secret: &str, time: u64) -> String {
    let times = (-3..=3).map(|n| time.saturating_add_signed(n * 30));
    let near: Vec<String> = times.map(|time| code_of(secret, time)).collect();
    let mut codes = (0..).map(|n| format!("{n:06}"));
    codes.find(|code| !near.contains(code)).unwrap()
}

/// A code that the app of a user does not show around `time`.
pub fn wrong_code_at(user: usize, time: u64) -> String {
    wrong_code_of(&secret(user), time)
}

pub fn verify(authenticator: &Authenticator, user: usize, code: &str) -> Reply {
    let request = json!({"totpsecret": secret(user), "otp": code});
    authenticator.call(factor2_verify, request)
}

/// The right code of a user at `time`, which is the library's time in this thread from now on.
pub fn log_in_at(authenticator: &Authenticator, user: usize, time: u64) -> Reply {
    clock::stand_at(time);
    verify(authenticator, user, &code_at(user, time))
}

pub fn inspect(authenticator: &Authenticator, user: usize) -> Value {
    let request = json!({"totpsecret": secret(user)});
    authenticator.call(factor2_inspect, request).ok()
}

pub fn reset(authenticator: &Authenticator, user: usize) -> Value {
    let request = json!({"totpsecret": secret(user)});
    authenticator.call(factor2_reset, request).ok()
}

/// How long a refusal asks to wait.
pub fn retry_after(reply: &Reply) -> Option<u64> {
    let json: Value = serde_json::from_str(&reply.text).unwrap();
    json["error"]["retry_after_s"].as_u64()
}
