//! One code, or one wrong code, by many at once.

use std::path::Path;
use std::sync::Barrier;
use std::thread;

use factor2::Status;
use serde_json::{Value, json};

use super::{NOW, code_at, config_with, inspect, new_path, secret, verify, worker, wrong_code_at};
use crate::clock;
use crate::race::{THREADS, race_of_processes, race_of_threads};
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
    for synchronous in ["FULL", "NORMAL"] {
        let path = new_path("processes");
        let config = config_with(&path, json!({"synchronous": synchronous}));
        race_of_processes(|| worker::command("race", &config, Value::Null));
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
