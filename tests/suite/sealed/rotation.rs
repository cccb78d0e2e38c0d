//! To another key, while users log in: nobody is refused.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;

use factor2::capi::{factor2_seal, factor2_verify};
use serde_json::{Value, json};

use super::{OTHER_KEY, with_keys};
use crate::clock;
use crate::people::{NOW, code_at, secret};
use crate::stored::with_each_guard;
use crate::support::{Authenticator, KEY};

const USERS: usize = 8;
const OLD: (&str, &str) = ("old", OTHER_KEY);
const NEW: (&str, &str) = ("new", KEY);

/// A server: its authenticator, which is another one after each change of the settings, and a column of its
/// database.
struct Host {
    authenticator: RwLock<Arc<Authenticator>>,
    column: Vec<Mutex<String>>,
    accepted: Vec<AtomicUsize>,
}

impl Host {
    fn authenticator(&self) -> Arc<Authenticator> {
        self.authenticator.read().unwrap().clone()
    }

    /// With other settings, from the next call on; those that are under way end first.
    fn change(&self, authenticator: Authenticator) {
        let new = Arc::new(authenticator);
        let old = std::mem::replace(&mut *self.authenticator.write().unwrap(), new);
        while Arc::strong_count(&old) > 1 {
            thread::yield_now();
        }
    }

    fn stored(&self, user: usize) -> String {
        self.column[user].lock().unwrap().clone()
    }

    fn reseal(&self, authenticator: &Authenticator, user: usize) {
        let mut text = self.column[user].lock().unwrap();
        let request = json!({"totpsecret": *text, "username": name(user)});
        let answer = authenticator.call(factor2_seal, request).ok();
        *text = answer["sealed"].as_str().unwrap().to_owned();
    }

    /// Each login at the next step, until `done`.
    fn log_in_again_and_again(&self, user: usize, done: &AtomicBool) {
        let mut time = NOW;
        while !done.load(Ordering::Relaxed) {
            time += 30;
            clock::stand_at(time);
            let code = code_at(user, time);
            let authenticator = self.authenticator();
            let text = self.stored(user);
            let request = json!({"totpsecret": text, "username": name(user), "otp": code});
            let answer = authenticator.call(factor2_verify, request).ok();
            if answer.get("reseal").is_some() && user.is_multiple_of(2) {
                self.reseal(&authenticator, user);
            }
            self.accepted[user].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Until each user was accepted this many times more, or `is_over`.
    fn wait_for_logins(&self, more: usize, is_over: &dyn Fn() -> bool) {
        let counts = || {
            self.accepted
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
        };
        let before: Vec<usize> = counts().collect();
        while !is_over()
            && counts()
                .zip(&before)
                .any(|(now, before)| *before + more > now)
        {
            thread::yield_now();
        }
    }

    fn all_by(&self, key: &str) -> bool {
        let beginning = format!("f2s1.{key}.");
        (0..USERS).all(|user| self.stored(user).starts_with(&beginning))
    }
}

fn name(user: usize) -> String {
    format!("user {user}")
}

fn rotate(guard: &Value) {
    clock::stand_at(NOW);
    let by = |keys: &[(&str, &str)]| with_keys(keys, guard);
    let first = by(&[OLD]);
    let sealed = |user| {
        let request = json!({"totpsecret": secret(user), "username": name(user)});
        let answer = first.call(factor2_seal, request).ok();
        Mutex::new(answer["sealed"].as_str().unwrap().to_owned())
    };
    let column = (0..USERS).map(sealed).collect();
    let host = Host {
        authenticator: RwLock::new(Arc::new(first)),
        column,
        accepted: (0..USERS).map(|_| AtomicUsize::new(0)).collect(),
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (host, done) = (&host, &done);
        let users: Vec<_> = (0..USERS)
            .map(|user| scope.spawn(move || host.log_in_again_and_again(user, done)))
            .collect();
        // A user who was refused ends early, and with that the test.
        let is_over = || users.iter().any(|user| user.is_finished());
        host.wait_for_logins(5, &is_over);
        host.change(by(&[OLD, NEW]));
        host.wait_for_logins(5, &is_over);
        // Half of them by the answer to a login, the others at once.
        let authenticator = host.authenticator();
        (1..USERS)
            .step_by(2)
            .for_each(|user| host.reseal(&authenticator, user));
        drop(authenticator);
        host.wait_for_logins(2, &is_over);
        host.change(by(&[NEW]));
        host.wait_for_logins(5, &is_over);
        done.store(true, Ordering::Relaxed);
    });
    assert!(host.all_by("new"));
}

#[test]
fn a_key_is_replaced_while_users_log_in() {
    with_each_guard(|guard| rotate(&guard));
}
