//! A limit of the file size whose signal, SIGXFSZ, ends a process that does not care for it.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use factor2::Status;
use factor2::capi::{factor2_inspect, factor2_reset};
use serde_json::{Value, json};

use super::fork::{child, wait_for};
use super::limits::{first_refused, goes_on_after, set_limit};
use super::{
    NOW, assert_intact, code_at, config, config_with, log_in, new_path, refusal, secret, verify,
    worker,
};
use crate::support::Authenticator;

#[test]
fn a_process_that_does_not_care_for_the_signal_lives() {
    let path = new_path("fsize");
    worker::run("file size signal", &config(&path), Value::Null);
    assert_intact(&path);
}

pub fn careless_worker(config: &Value, _: &Value) {
    let no_dump = set_limit(libc::RLIMIT_CORE, 0);
    let authenticator = Authenticator::new(config.clone());
    let other_path = new_path("fsize-other");
    let other = Authenticator::new(config_with(&other_path, json!({"synchronous": "NORMAL"})));
    log_in(&other, 0, NOW).ok();
    let before = set_limit(libc::RLIMIT_FSIZE, 50_000);
    let refused = first_refused(&authenticator, "SQLITE_");
    let available = |status: i32| {
        assert!(
            [0, Status::StoreUnavailable as i32].contains(&status),
            "{status}"
        );
    };
    // Nothing can be written from here on.
    set_limit(libc::RLIMIT_FSIZE, 10);
    for operation in [factor2_inspect, factor2_reset] {
        let request = json!({"totpsecret": secret(0)});
        available(authenticator.call(operation, request).status);
    }
    log_in(&authenticator, refused, NOW).refused(Status::StoreUnavailable);
    refusal(&super::config(&new_path("fsize-new")));
    // A fork, and its child.
    let code = code_at(refused, NOW);
    let child = child(|| verify(&authenticator, refused, &code).status);
    assert_eq!(wait_for(child), Status::StoreUnavailable);
    drop(other);
    set_limit(libc::RLIMIT_FSIZE, before);
    set_limit(libc::RLIMIT_CORE, no_dump);
    goes_on_after(&authenticator, refused);
    let after = Authenticator::new(super::config(&other_path));
    log_in(&after, 0, NOW).refused(Status::TokenReused);
}

#[test]
fn the_signal_stays_the_programs() {
    worker::run(
        "program's signal",
        &config(&new_path("signal")),
        Value::Null,
    );
}

static CAUGHT: AtomicUsize = AtomicUsize::new(0);

extern "C" fn catch(_: libc::c_int) {
    CAUGHT.fetch_add(1, Ordering::SeqCst);
}

fn set_of_the_signal() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: it may be written, and is a set then.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGXFSZ);
        set.assume_init()
    }
}

/// Whether the signal waits for this thread, and whether the thread has it blocked.
fn waits_and_is_blocked() -> [bool; 2] {
    let mut sets = [set_of_the_signal(), set_of_the_signal()];
    let [waiting, blocked] = &mut sets;
    // SAFETY: two sets that may be written.
    unsafe {
        assert_eq!(libc::sigpending(waiting), 0);
        assert_eq!(
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), blocked),
            0
        );
        sets.map(|set| libc::sigismember(&raw const set, libc::SIGXFSZ) == 1)
    }
}

pub fn programs_signal_worker(config: &Value, _: &Value) {
    // SAFETY: a handler that only counts.
    unsafe { libc::signal(libc::SIGXFSZ, catch as extern "C" fn(libc::c_int) as usize) };
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 1, NOW).ok();
    let unavailable = || {
        let before = set_limit(libc::RLIMIT_FSIZE, 10);
        log_in(&authenticator, 2, NOW).refused(Status::StoreUnavailable);
        set_limit(libc::RLIMIT_FSIZE, before);
    };
    unavailable();
    // Ours went to nobody; the program's own comes, and its handler is still there.
    assert_eq!(CAUGHT.load(Ordering::SeqCst), 0);
    assert_eq!(waits_and_is_blocked(), [false, false]);
    // SAFETY: a signal to this thread.
    unsafe { libc::raise(libc::SIGXFSZ) };
    assert_eq!(CAUGHT.load(Ordering::SeqCst), 1);
    // One that waits for the program goes on waiting.
    let set = set_of_the_signal();
    // SAFETY: a set, and a signal to this thread.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
        libc::raise(libc::SIGXFSZ);
    }
    unavailable();
    log_in(&authenticator, 1, NOW).refused(Status::TokenReused);
    assert_eq!(waits_and_is_blocked(), [true, true]);
    // SAFETY: as above.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut()) };
    assert_eq!(CAUGHT.load(Ordering::SeqCst), 2);
    log_in(&authenticator, 2, NOW).ok();
}
