//! How many connections a process has.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use factor2::Status;
use serde_json::{Value, json};

use super::server::Server;
use super::{BUDGET, NOW, code_at, log_in, open_with, verify};
use crate::clock;
use crate::support::Authenticator;

/// How many connections the server has seen in all, this question's among them.
fn connections_seen(server: &Server) -> usize {
    let information = server.cli(&["INFO", "stats"]);
    let line = information
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    line.unwrap().trim().parse().unwrap()
}

/// Threads of one process log in at once, each several users.
fn crowd(authenticator: &Authenticator, threads: usize, users: usize) {
    let start = &Barrier::new(threads);
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                clock::stand_at(NOW);
                start.wait();
                for user in 0..users {
                    let user = 1000 * thread + user;
                    verify(authenticator, user, &code_at(user, NOW)).ok();
                }
            });
        }
    });
}

fn patient(server: &Server, more: Value) -> Authenticator {
    let mut settings = json!({"budget_ms": 5000});
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    open_with(server.url(), settings)
}

#[test]
fn there_are_no_more_than_may_be() {
    let server = Server::start(&[]);
    let before = connections_seen(&server);
    crowd(&patient(&server, json!({"max_connections": 3})), 16, 20);
    // Beside this question's own.
    let seen = connections_seen(&server) - before - 1;
    assert!((1..=3).contains(&seen), "{seen}");
}

#[test]
fn no_thread_waits_for_anothers_answer() {
    let server = Server::start(&[]);
    let authenticator = &patient(&server, json!({}));
    let before = connections_seen(&server);
    // While the server stands still, each thread asks on a connection of its own.
    server.signal(libc::SIGSTOP);
    thread::scope(|scope| {
        for user in 0..40 {
            scope.spawn(move || log_in(authenticator, user).ok());
        }
        thread::sleep(BUDGET);
        server.signal(libc::SIGCONT);
    });
    let seen = connections_seen(&server) - before - 1;
    assert_eq!(seen, 40);
}

/// Who finds all connections in use waits for no longer than the budget.
#[test]
fn a_server_that_stops_costs_one_budget_each() {
    let server = Server::start(&[]);
    let settings = json!({"max_connections": 2, "budget_ms": BUDGET.as_millis() as u64});
    let authenticator = &open_with(server.url(), settings);
    log_in(authenticator, 0).ok();
    server.signal(libc::SIGSTOP);
    let start = Instant::now();
    thread::scope(|scope| {
        for user in 1..=12 {
            scope.spawn(move || {
                log_in(authenticator, user).refused(Status::StoreUnavailable);
            });
        }
    });
    let elapsed = start.elapsed();
    server.signal(libc::SIGCONT);
    assert!(elapsed < 3 * BUDGET, "{elapsed:?}");
    log_in(authenticator, 20).ok();
}

#[test]
fn wrong_numbers_are_refused() {
    for wrong in [json!(0), json!(1025), json!("64"), json!(null)] {
        let guard = json!({"store": "redis", "url": "redis://host", "max_connections": wrong});
        let config = json!({"issuer": "Test", "guard": guard}).to_string();
        let Err(reply) = Authenticator::try_new(config.as_bytes()) else {
            panic!("{config} was taken");
        };
        let message = reply.refused(Status::Configuration);
        assert!(
            message.starts_with("config.guard.max_connections"),
            "{message}"
        );
    }
}
