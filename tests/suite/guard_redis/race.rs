//! One code, or wrong codes, by many at once.

use std::sync::Barrier;
use std::thread;

use factor2::Status;
use serde_json::Value;

use super::process;
use super::server::Server;
use super::{NOW, config_with, inspect, open, retry_after, verify, wrong_code_at};
use crate::clock;
use crate::race::{THREADS, race_of_processes, race_of_threads};
use crate::support::Authenticator;

#[test]
fn of_64_threads_with_one_handle_one_is_accepted() {
    let server = Server::start(&[]);
    race_of_threads(&[open(server.url())]);
}

#[test]
fn of_64_threads_with_64_handles_one_is_accepted_while_scripts_are_flushed() {
    let server = Server::start(&[]);
    let handles: Vec<Authenticator> = (0..THREADS).map(|_| open(server.url())).collect();
    thread::scope(|scope| {
        let race = scope.spawn(|| race_of_threads(&handles));
        let mut flushes = 0;
        while !race.is_finished() {
            server.set(&["SCRIPT", "FLUSH"]);
            flushes += 1;
        }
        race.join().unwrap();
        assert!(flushes > 10, "{flushes}");
    });
}

#[test]
fn of_32_processes_one_is_accepted() {
    let server = Server::start(&[]);
    let config = config_with(server.url(), Value::Object(Default::default()));
    race_of_processes(|| process::command("race", &config));
}

#[test]
fn of_64_wrong_codes_at_once_five_are_answered() {
    let server = Server::start(&[]);
    for user in 0..20 {
        let handles: Vec<Authenticator> = (0..4).map(|_| open(server.url())).collect();
        let wrong = &wrong_code_at(user, NOW);
        let start = &Barrier::new(THREADS);
        let replies = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|n| {
                    let handle = &handles[n % handles.len()];
                    scope.spawn(move || {
                        clock::stand_at(NOW);
                        start.wait();
                        verify(handle, user, wrong)
                    })
                })
                .collect();
            let replies = threads.into_iter().map(|thread| thread.join().unwrap());
            replies.collect::<Vec<_>>()
        });
        let of = |status: Status, has_wait: bool| {
            let is = |reply: &&_| {
                let reply: &crate::support::Reply = reply;
                reply.status == status as i32 && retry_after(reply).is_some() == has_wait
            };
            replies.iter().filter(is).count()
        };
        assert_eq!(of(Status::InvalidToken, false), 4);
        assert_eq!(of(Status::InvalidToken, true), 1);
        assert_eq!(of(Status::Throttled, true), THREADS - 5);
        assert_eq!(inspect(&handles[0], user)["failures"], 5);
    }
}
