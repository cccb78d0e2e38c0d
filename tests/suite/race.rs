//! One code, tried by many at once: what all shared stores are put through.

use std::io::{self, Read, Write, pipe, stdin};
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;

use factor2::Status;
use serde_json::Value;

use crate::clock;
use crate::people::{NOW, code_at, verify};
use crate::support::{Authenticator, count};

pub const THREADS: usize = 64;
pub const PROCESSES: usize = 32;

/// How many rounds; `FACTOR2_RACE_ROUNDS` asks for more.
pub fn rounds() -> usize {
    count("FACTOR2_RACE_ROUNDS", 200)
}

/// Round after round, all threads try the round's code at once, the n-th with the n-th handle.
pub fn race_of_threads(handles: &[Authenticator]) {
    let rounds = rounds();
    let start = Barrier::new(THREADS);
    let statuses: Vec<Vec<u8>> = thread::scope(|scope| {
        let contestant = |n: usize| {
            let (start, handle) = (&start, &handles[n % handles.len()]);
            move || {
                let round = |round| {
                    let time = NOW + 30 * round as u64;
                    clock::stand_at(time);
                    let code = code_at(1, time);
                    start.wait();
                    letter(verify(handle, 1, &code).status)
                };
                (0..rounds).map(round).collect()
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(contestant(n))).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results.collect()
    });
    for round in 0..rounds {
        let letters: Vec<u8> = statuses.iter().map(|of_thread| of_thread[round]).collect();
        assert_one_accepted(round, &letters);
    }
}

/// Round after round, all processes that `command` starts try the round's code at once. Each is a
/// [`contestant`].
pub fn race_of_processes(command: impl Fn() -> Command) {
    let (mut results, result) = pipe().unwrap();
    let start = |_| {
        command()
            .stdin(Stdio::piped())
            .stderr(Stdio::from(result.try_clone().unwrap()))
            .spawn()
            .unwrap()
    };
    let mut contestants: Vec<_> = (0..PROCESSES).map(start).collect();
    drop(result);
    let mut letters = [0; PROCESSES];
    results.read_exact(&mut letters).unwrap();
    assert_eq!(letters, [b'+'; PROCESSES], "a process could not start");
    for round in 0..rounds() {
        for contestant in &mut contestants {
            contestant.stdin.as_mut().unwrap().write_all(b"!").unwrap();
        }
        results.read_exact(&mut letters).unwrap();
        assert_one_accepted(round, &letters);
    }
    for contestant in &mut contestants {
        drop(contestant.stdin.take());
        assert!(contestant.wait().unwrap().success());
    }
}

/// One of the processes.
pub fn contestant(config: &Value) {
    let authenticator = Authenticator::new(config.clone());
    tell(b"+");
    let mut gate = stdin();
    for round in 0.. {
        let time = NOW + 30 * round;
        clock::stand_at(time);
        let code = code_at(1, time);
        if gate.read_exact(&mut [0]).is_err() {
            return;
        }
        tell(&[letter(verify(&authenticator, 1, &code).status)]);
    }
}

/// That one of the statuses is Ok, and all others TokenReused.
#[track_caller]
pub fn assert_one_accepted(round: usize, letters: &[u8]) {
    let all: Vec<Status> = letters.iter().map(|&letter| of_letter(letter)).collect();
    let of = |status: Status| all.iter().filter(|&&other| other == status).count();
    let counts = (of(Status::Ok), of(Status::TokenReused));
    assert_eq!(counts, (1, all.len() - 1), "round {round}: {all:?}");
}

/// A status as one byte, which a pipe never tears.
pub fn letter(status: i32) -> u8 {
    let index = Status::ALL.iter().position(|&known| known as i32 == status);
    b'a' + index.unwrap() as u8
}

pub fn of_letter(letter: u8) -> Status {
    let index = letter.wrapping_sub(b'a');
    let status = Status::ALL.get(usize::from(index));
    *status.unwrap_or_else(|| panic!("not a status: {:?}", char::from(letter)))
}

/// Says it to the test that started this process.
pub fn tell(what: &[u8]) {
    io::stderr().write_all(what).unwrap();
}
