//! What forks, signals, closed descriptors and small stacks do: each in a process of its own, which
//! is this test program once more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use factor2::Status;
use serde_json::{Value, json};

use super::server::Server;
use super::{NOW, config_with, guess, inspect, log_in, log_in_at, open, password};
use crate::race::{contestant, tell};
use crate::support::{Authenticator, run, tool};

const JOB: &str = "FACTOR2_REDIS_JOB";

/// A process that will do this job. It tells what it found on standard error: standard output is
/// the test runner's.
pub fn command(job: &str, config: &Value) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "guard_redis::process::job";
    command
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(JOB, json!({"job": job, "config": config}).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

#[test]
#[ignore = "the part of other tests that runs in a process of its own"]
fn job() {
    let Ok(job) = std::env::var(JOB) else {
        return;
    };
    let job: Value = serde_json::from_str(&job).unwrap();
    let config = &job["config"];
    match job["job"].as_str().unwrap() {
        "log in" => tell(
            log_in(&Authenticator::new(config.clone()), 0)
                .text
                .as_bytes(),
        ),
        "look for the password" => password::look(config),
        "race" => contestant(config),
        "fork" => forks(config),
        "fork while others call" => forks_while_others_call(config),
        "signals" => signals(config),
        "broken pipe" => broken_pipe(config),
        "closed descriptors" => closed_descriptors(config),
        other => panic!("{other}"),
    }
    // Not the test runner's way, which would print.
    std::process::exit(0);
}

/// What a command of redis-cli prints, to a process that knows the server by its settings.
fn cli(config: &Value, arguments: &[&str]) -> String {
    let url = config["guard"]["url"].as_str().unwrap();
    let socket = url.strip_prefix("redis+unix://").unwrap();
    let output = run(tool("redis-cli").arg("-s").arg(socket).args(arguments));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn do_job(job: &str, server: &Server) {
    let config = config_with(server.url(), json!({}));
    let output = command(job, &config).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
}

/// Does `work` in a forked child, and waits at most two seconds for it to succeed.
#[track_caller]
fn in_child(work: impl FnOnce()) {
    // SAFETY: the child calls the library, and ends without the test runner's knowledge.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_well = catch_unwind(AssertUnwindSafe(work)).is_ok();
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(i32::from(!is_well)) };
    }
    let patience = Instant::now() + Duration::from_secs(2);
    let mut status = 0;
    // SAFETY: our own child, and a place for its status.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > patience {
            // SAFETY: our own child, not waited for yet.
            unsafe { libc::kill(child, libc::SIGKILL) };
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(status, 0, "the child hangs, or found something wrong");
}

#[test]
fn a_forked_child_has_its_own_connection() {
    do_job("fork", &Server::start(&[]));
}

fn forks(config: &Value) {
    let authenticator = Authenticator::new(config.clone());
    // And redis-cli's own.
    let connections = || cli(config, &["CLIENT", "LIST"]).lines().count() - 1;
    log_in(&authenticator, 0).ok();
    assert_eq!(connections(), 1);
    in_child(|| {
        log_in(&authenticator, 0).refused(Status::TokenReused);
        assert_eq!(connections(), 2);
    });
    for user in 1..100 {
        in_child(|| {
            log_in(&authenticator, user).ok();
            in_child(|| {
                log_in(&authenticator, user).refused(Status::TokenReused);
                guess(&authenticator, 100 + user).refused(Status::InvalidToken);
            });
        });
        log_in(&authenticator, user).refused(Status::TokenReused);
        assert_eq!(inspect(&authenticator, 100 + user)["failures"], 1);
    }
}

#[test]
fn a_fork_while_other_threads_call_leaves_no_lock_behind() {
    do_job("fork while others call", &Server::start(&[]));
}

fn forks_while_others_call(config: &Value) {
    // It is used until the process ends.
    let authenticator: &Authenticator = Box::leak(Box::new(Authenticator::new(config.clone())));
    for thread in 0..8 {
        thread::spawn(move || {
            for round in 0.. {
                log_in_at(authenticator, 1000 + thread, NOW + 30 * round).ok();
            }
        });
    }
    for user in 0..200 {
        in_child(|| drop(log_in(authenticator, user).ok()));
    }
}

#[test]
fn signals_that_interrupt_every_wait_change_no_answer() {
    do_job("signals", &Server::start(&[]));
}

extern "C" fn ignore(_: libc::c_int) {}

fn signals(config: &Value) {
    // SAFETY: a handler that does nothing, without SA_RESTART, and a timer for it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        assert_eq!(
            libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()),
            0
        );
        let often = libc::timeval {
            tv_sec: 0,
            tv_usec: 200,
        };
        let timer = libc::itimerval {
            it_interval: often,
            it_value: often,
        };
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
    for user in 0..300 {
        let authenticator = Authenticator::new(config.clone());
        log_in(&authenticator, user).ok();
        log_in(&authenticator, user).refused(Status::TokenReused);
        guess(&authenticator, user).refused(Status::InvalidToken);
    }
}

#[test]
fn a_connection_that_the_server_closed_raises_no_sigpipe() {
    do_job("broken pipe", &Server::start(&[]));
}

fn broken_pipe(config: &Value) {
    // SAFETY: as in a C program, which Rust's start changed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let authenticator = Authenticator::new(config.clone());
    for user in 0..20 {
        log_in(&authenticator, user).ok();
        assert_eq!(cli(config, &["CLIENT", "KILL", "TYPE", "normal"]), "1\n");
        log_in(&authenticator, user).refused(Status::TokenReused);
    }
}

#[test]
fn a_connection_never_takes_the_place_of_a_standard_stream() {
    let server = Server::start(&[]);
    do_job("closed descriptors", &server);
    assert_eq!(server.cli(&["EXISTS", "printed"]), "0");
}

fn closed_descriptors(config: &Value) {
    let authenticator = Authenticator::new(config.clone());
    // SAFETY: the standard streams, which nobody uses in what follows.
    unsafe {
        libc::dup2(2, 100);
        for descriptor in 0..3 {
            libc::close(descriptor);
        }
    }
    for user in 0..3 {
        log_in(&authenticator, user).ok();
        let print = b"SET printed 1\r\n";
        for descriptor in 0..3 {
            // SAFETY: a text and its length.
            unsafe { libc::write(descriptor, print.as_ptr().cast(), print.len()) };
        }
    }
    // SAFETY: back to where panics print.
    unsafe { libc::dup2(100, 2) };
}

#[test]
fn a_small_stack_is_enough() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    thread::scope(|scope| {
        let small = thread::Builder::new().stack_size(64 << 10);
        let call = || {
            log_in(&authenticator, 1).ok();
            guess(&authenticator, 1).refused(Status::InvalidToken);
        };
        small.spawn_scoped(scope, call).unwrap().join().unwrap();
    });
}
