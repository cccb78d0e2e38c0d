//! One code, or one wrong code, by many at once.

use std::io::{Read, Write, pipe, stdin};
use std::path::Path;
use std::process::Stdio;
use std::sync::Barrier;
use std::thread;

use factor2::Status;
use serde_json::{Value, json};

use super::{NOW, code_at, config_with, inspect, new_path, secret, verify, worker, wrong_code_at};
use crate::clock;
use crate::race::{PROCESSES, THREADS, assert_one_accepted, letter, race_of_threads, rounds};
use crate::support::Authenticator;

fn handles(number: usize, path: &Path, synchronous: &str) -> Vec<Authenticator> {
    let config = config_with(path, json!({"synchronous": synchronous}));
    (0..number)
        .map(|_| Authenticator::new(config.clone()))
        .collect()
}

#[test]
fn of_64_threads_with_one_handle_one_is_accepted() {
    race_of_threads(&handles(1, &new_path("threads"), "FULL"));
    race_of_threads(&handles(1, &new_path("threads"), "NORMAL"));
}

#[test]
fn of_64_threads_with_64_handles_one_is_accepted() {
    race_of_threads(&handles(THREADS, &new_path("handles"), "FULL"));
    race_of_threads(&handles(THREADS, &new_path("handles"), "NORMAL"));
}

#[test]
fn of_32_processes_one_is_accepted() {
    race_of_processes("FULL");
    race_of_processes("NORMAL");
}

fn race_of_processes(synchronous: &str) {
    let path = new_path("processes");
    let config = config_with(&path, json!({"synchronous": synchronous}));
    let (mut results, result) = pipe().unwrap();
    let mut workers: Vec<_> = (0..PROCESSES)
        .map(|_| {
            worker::command("race", &config, Value::Null)
                .stdin(Stdio::piped())
                .stderr(Stdio::from(result.try_clone().unwrap()))
                .spawn()
                .unwrap()
        })
        .collect();
    drop(result);
    let mut letters = [0; PROCESSES];
    results.read_exact(&mut letters).unwrap();
    assert_eq!(letters, [b'+'; PROCESSES], "a worker could not start");
    for round in 0..rounds() {
        for worker in &mut workers {
            worker.stdin.as_mut().unwrap().write_all(b"!").unwrap();
        }
        results.read_exact(&mut letters).unwrap();
        assert_one_accepted(round, &letters);
    }
    for worker in &mut workers {
        drop(worker.stdin.take());
        assert!(worker.wait().unwrap().success());
    }
}

/// One of the processes.
pub fn worker(config: &Value, _: &Value) {
    let authenticator = Authenticator::new(config.clone());
    worker::tell(b"+");
    let mut gate = stdin();
    for round in 0.. {
        let time = NOW + 30 * round;
        clock::stand_at(time);
        let code = code_at(1, time);
        if gate.read_exact(&mut [0]).is_err() {
            return;
        }
        worker::tell(&[letter(verify(&authenticator, 1, &code).status)]);
    }
}

#[test]
fn of_64_wrong_codes_at_once_five_are_answered() {
    let path = new_path("wrong");
    let authenticators = handles(4, &path, "NORMAL");
    let wrong = &wrong_code_at(1, NOW);
    let start = &Barrier::new(THREADS);
    let statuses: Vec<i32> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let handle = &authenticators[n % authenticators.len()];
                scope.spawn(move || {
                    clock::stand_at(NOW);
                    start.wait();
                    verify(handle, 1, wrong).status
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let of = |status: Status| {
        statuses
            .iter()
            .filter(|&&other| other == status as i32)
            .count()
    };
    assert_eq!(
        (of(Status::InvalidToken), of(Status::Throttled)),
        (5, THREADS - 5),
        "{statuses:?}"
    );
    assert_eq!(inspect(&authenticators[0], 1)["failures"], 5);
}

#[test]
fn many_who_create_the_file_at_once_share_it() {
    for _ in 0..20 {
        let path = new_path("create");
        let start = &Barrier::new(8);
        let handles: Vec<Authenticator> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        handles(1, &path, "FULL").remove(0)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for (user, handle) in handles.iter().enumerate() {
            clock::stand_at(NOW);
            verify(handle, user, &code_at(user, NOW)).ok();
        }
        for user in 0..handles.len() {
            assert_eq!(
                inspect(&handles[0], user)["last_step"],
                NOW / 30,
                "{}",
                secret(user)
            );
        }
    }
}
