//! Children by `fork`, with an authenticator that was made before.

use std::io::{Read, Write, pipe};
use std::process::{self, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use factor2::Status;
use serde_json::{Value, json};

use super::{
    NOW, assert_intact, code_at, config, config_with, count, log_in, new_path, open, verify, worker,
};
use crate::clock;
use crate::race::{letter, of_letter};
use crate::support::{Authenticator, announce, tool};

/// Runs `work` in a forked child, which tells a status; gives its process id.
pub fn child(work: impl FnOnce() -> i32) -> libc::pid_t {
    // SAFETY: the child calls the library, which is allowed there, and leaves at once.
    match unsafe { libc::fork() } {
        0 => {
            let letter = letter(work());
            // SAFETY: ends the process without what the parent would do at its end.
            unsafe { libc::_exit(letter.into()) }
        }
        child => {
            assert!(child > 0, "fork failed");
            child
        }
    }
}

/// What the child told. It must be through soon, even on a busy machine.
#[track_caller]
pub fn wait_for(child: libc::pid_t) -> Status {
    let start = Instant::now();
    let mut status = 0;
    // SAFETY: `status` may be written.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        if start.elapsed() > Duration::from_secs(10) {
            // SAFETY: our own child, not yet waited for.
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("the child hangs");
        }
        thread::sleep(Duration::from_micros(200));
    }
    assert!(libc::WIFEXITED(status), "the child crashed: {status}");
    of_letter(libc::WEXITSTATUS(status) as u8)
}

/// What a child is told that logs a user in.
pub fn verdict_of_child(authenticator: &Authenticator, user: usize) -> Status {
    wait_for(child(|| log_in(authenticator, user, NOW).status))
}

/// The tests here fork in a process of their own, where they disturb no others.
#[test]
fn a_thousand_children_of_a_busy_parent_verify() {
    let path = new_path("forks");
    let config = config_with(&path, json!({"synchronous": "NORMAL", "budget_ms": 5000}));
    worker::run("forks", &config, Value::Null);
    assert_intact(&path);
}

pub fn busy_worker(config: &Value, _: &Value) {
    let authenticator = Authenticator::new(config.clone());
    let done = AtomicBool::new(false);
    let unavailable = Status::StoreUnavailable as i32;
    thread::scope(|scope| {
        for thread in (1..=8).map(|thread| thread * 1_000_000) {
            let (authenticator, done) = (&authenticator, &done);
            scope.spawn(move || {
                for turn in 0.. {
                    let reply = log_in(authenticator, thread + turn, NOW);
                    assert_eq!(reply.status, 0, "{}", reply.text);
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let _done = SetAtEnd(&done);
        for n in 0..count("FACTOR2_FORKS", 1000) {
            let user = 1000 + n;
            let code = code_at(user, NOW);
            clock::stand_at(NOW);
            let child = child(|| match verify(&authenticator, user, &code).status {
                // It must also know what it did.
                0 => verify(&authenticator, user, &code).status,
                _ => unavailable,
            });
            assert_eq!(wait_for(child), Status::TokenReused);
            // And so must its parent.
            verify(&authenticator, user, &code).refused(Status::TokenReused);
        }
    });
}

/// Ends the threads, even when a child has failed.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_a_child_accepts_outlives_its_parents_connection() {
    worker::run("outlive", &config(&new_path("outlive")), Value::Null);
}

pub fn outlive_worker(config: &Value, _: &Value) {
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 1, NOW).ok();
    let (mut childs_news, mut tell_parent) = pipe().unwrap();
    let (mut parents_news, mut tell_child) = pipe().unwrap();
    let code = code_at(2, NOW);
    let child = child(|| {
        let first = log_in(&authenticator, 3, NOW).status;
        tell_parent.write_all(b"opened").unwrap();
        parents_news.read_exact(&mut [0; 6]).unwrap();
        // Had the parent's end removed the write-ahead log, this would be written into nothing.
        first.max(verify(&authenticator, 2, &code).status)
    });
    childs_news.read_exact(&mut [0; 6]).unwrap();
    drop(authenticator);
    tell_child.write_all(b"closed").unwrap();
    assert_eq!(wait_for(child), Status::Ok);
    let successor = Authenticator::new(config.clone());
    for user in [1, 2, 3] {
        log_in(&successor, user, NOW).refused(Status::TokenReused);
    }
}

#[test]
fn children_of_children_and_of_an_idle_parent_verify() {
    worker::run(
        "generations",
        &config(&new_path("generations")),
        Value::Null,
    );
}

pub fn generations_worker(config: &Value, _: &Value) {
    let authenticator = Authenticator::new(config.clone());
    let first = child(|| {
        let second = child(|| log_in(&authenticator, 2, NOW).status);
        assert_eq!(wait_for(second), Status::Ok);
        let third = child(|| log_in(&authenticator, 2, NOW).status);
        assert_eq!(wait_for(third), Status::TokenReused);
        // Freeing what was inherited is allowed too.
        drop(authenticator);
        log_in(&Authenticator::new(config.clone()), 1, NOW).status
    });
    assert_eq!(wait_for(first), Status::Ok);
    log_in(&Authenticator::new(config.clone()), 1, NOW).refused(Status::TokenReused);
}

#[test]
fn a_child_that_did_not_come_by_fork_is_refused() {
    worker::run("cloned", &config(&new_path("cloned")), Value::Null);
}

pub fn cloned_worker(config: &Value, _: &Value) {
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 1, NOW).ok();
    // SAFETY: the system call behind fork, without the C library's part; the child leaves at once.
    let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if child == 0 {
        let with_inherited = log_in(&authenticator, 2, NOW).status;
        let with_own = Authenticator::try_new(config.to_string().as_bytes()).err();
        let refused = with_own.is_some_and(|reply| reply.status == with_inherited);
        drop(authenticator);
        let letter = letter(if refused { with_inherited } else { 0 });
        // SAFETY: as in `child`.
        unsafe { libc::_exit(letter.into()) };
    }
    assert_eq!(wait_for(child as libc::pid_t), Status::StoreUnavailable);
    log_in(&authenticator, 2, NOW).ok();
}

/// The program of a container has the number 1, and so has a child in a namespace of its own.
#[test]
fn a_child_with_the_number_of_its_parent_is_refused() {
    // SAFETY: it only returns a number.
    if unsafe { libc::geteuid() } != 0 {
        announce("SKIPPED: a child with the number of its parent: only root can make a namespace");
        return;
    }
    let config = config(&new_path("namespace"));
    let command = worker::command("namespace", &config, Value::Null);
    let mut first = tool("unshare");
    first.args(["--pid", "--fork"]).arg(command.get_program());
    first.args(command.get_args());
    for (name, value) in command.get_envs() {
        first.env(name, value.unwrap());
    }
    worker::succeeds(first.stdin(Stdio::null()));
}

pub fn namespace_worker(config: &Value, _: &Value) {
    assert_eq!(process::id(), 1);
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 0, NOW).ok();
    let flags = libc::CLONE_NEWPID | libc::SIGCHLD;
    // SAFETY: as in `cloned_worker`.
    let child = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if child == 0 {
        let mut status = Status::StoreUnavailable as i32;
        if process::id() != 1 {
            status = Status::UnknownError as i32;
        }
        for user in 1..=20 {
            if log_in(&authenticator, user, NOW).status != Status::StoreUnavailable as i32 {
                status = 0;
            }
        }
        // SAFETY: as in `child`.
        unsafe { libc::_exit(letter(status).into()) };
    }
    assert_eq!(wait_for(child as libc::pid_t), Status::StoreUnavailable);
    for user in 1..=20 {
        log_in(&authenticator, user, NOW).ok();
    }
}

/// Such a child has its parent's memory, and descriptors of its own.
#[test]
fn what_a_vfork_child_accepts_is_known_to_its_parent() {
    worker::run("vfork", &config(&new_path("vfork")), Value::Null);
}

pub fn vfork_worker(config: &Value, _: &Value) {
    struct Job<'a> {
        authenticator: &'a Authenticator,
        user: usize,
        status: i32,
    }
    extern "C" fn log_in_and_leave(job: *mut libc::c_void) -> libc::c_int {
        // SAFETY: the parent waits until we are gone.
        let job = unsafe { &mut *job.cast::<Job>() };
        job.status = log_in(job.authenticator, job.user, NOW).status;
        0
    }
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 0, NOW).ok();
    let mut stack = vec![0_u128; 65_536];
    for user in 1..=20 {
        // With the parent's connection, and with one that the child opens.
        if user > 10 {
            let path = config["guard"]["path"].as_str().unwrap();
            super::descriptors::close_all(std::path::Path::new(path));
        }
        let mut job = Job {
            authenticator: &authenticator,
            user,
            status: -1,
        };
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the stack is the child's alone, and the job ours again when it is gone.
        let child = unsafe {
            let top = stack.as_mut_ptr_range().end;
            libc::clone(log_in_and_leave, top.cast(), flags, (&raw mut job).cast())
        };
        assert!(child > 0);
        let mut how = 0;
        // SAFETY: `how` may be written.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut how, 0) }, child);
        let accepted = [job.status, log_in(&authenticator, user, NOW).status];
        let times = accepted.iter().filter(|&&status| status == 0).count();
        assert_eq!(times, 1, "{accepted:?}");
        log_in(&authenticator, user, NOW).refused(Status::TokenReused);
    }
}

/// To write the log back into the database would take as long as the disk does.
#[test]
fn a_fork_leaves_the_files_and_the_parents_connection_as_they_are() {
    worker::run("untouched", &config(&new_path("untouched")), Value::Null);
}

pub fn untouched_worker(config: &Value, _: &Value) {
    let path = std::path::Path::new(config["guard"]["path"].as_str().unwrap());
    let authenticator = Authenticator::new(config.clone());
    let content = || ["", "-wal"].map(|suffix| std::fs::read(super::beside(path, suffix)).unwrap());
    for user in 0..20 {
        log_in(&authenticator, user, NOW).ok();
        let before = (content(), super::descriptors::of(path));
        assert_eq!(before.1.len(), 3);
        assert_eq!(wait_for(child(|| 0)), Status::Ok);
        assert!(before == (content(), super::descriptors::of(path)));
    }
}

/// Whoever comes second while the first thread gets the store ready.
#[test]
fn a_fork_during_the_first_use_spoils_no_child() {
    let config = config_with(&new_path("first-use"), json!({"budget_ms": 5000}));
    // So that what is raced for is the first use in the process, not the file.
    drop(Authenticator::new(config.clone()));
    worker::run("first use", &config, Value::Null);
}

pub fn first_use_worker(config: &Value, _: &Value) {
    for round in 0..count("FACTOR2_FIRST_USES", 100) {
        let first_user = child(|| {
            let verdicts: Vec<i32> = thread::scope(|scope| {
                let use_it =
                    |user| move || log_in(&Authenticator::new(config.clone()), user, NOW).status;
                let users = [0, 1].map(|n| scope.spawn(use_it(10 * round + n)));
                let children = (2..6).map(|n| child(use_it(10 * round + n)));
                let children: Vec<libc::pid_t> = children.collect();
                let children = children.into_iter().map(|child| wait_for(child) as i32);
                let users = users.into_iter().map(|user| user.join().unwrap());
                children
                    .collect::<Vec<_>>()
                    .into_iter()
                    .chain(users)
                    .collect()
            });
            verdicts.into_iter().max().unwrap()
        });
        assert_eq!(wait_for(first_user), Status::Ok, "round {round}");
    }
}

#[test]
fn a_command_is_started_without_the_connection() {
    let path = new_path("exec");
    let authenticator = open(&path);
    log_in(&authenticator, 1, NOW).ok();
    let output = process::Command::new("ls")
        .args(["-l", "/proc/self/fd"])
        .output()
        .unwrap();
    let open_there = String::from_utf8(output.stdout).unwrap();
    assert!(open_there.contains("/proc/"), "{open_there}");
    assert!(!open_there.contains("guard.db"), "{open_there}");
}
