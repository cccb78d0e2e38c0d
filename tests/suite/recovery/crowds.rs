//! One code by many, many codes at once, and processes that are killed.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Set, record};
use crate::crowd::{Crowd, call, caller, count};
use crate::guard_sqlite::crash::Random;
use crate::people::NOW;
use crate::stores::{Store, until_available};
use crate::support;

const MANY: usize = 64;

/// `FACTOR2_RACE_ROUNDS` asks for more.
fn rounds() -> usize {
    support::count("FACTOR2_RACE_ROUNDS", 200) / 20
}

#[test]
fn of_64_processes_with_one_code_one_gets_in() {
    for store in Store::shared() {
        let sets: Vec<Set> = (0..rounds()).map(|_| Set::new(3)).collect();
        let calls: Vec<Value> = sets.iter().map(|set| call(set.request(2), NOW)).collect();
        let config = store.config(json!({"budget_ms": 5000}));
        let mut crowd = Crowd::start(&config, &vec![calls; MANY]);
        for set in &sets {
            let answers = crowd.call_at_once();
            let counts = (count(&answers, "Ok"), count(&answers, "TokenReused"));
            assert_eq!(counts, (1, MANY - 1), "{answers:?}");
            assert_eq!(set.inspect(&store.open()), record(&[2], 2, 0, 0));
        }
    }
}

#[test]
fn of_64_threads_with_one_code_one_gets_in() {
    for store in Store::all() {
        let authenticator = &store.open();
        for _ in 0..rounds() {
            let (set, start) = (&Set::new(3), &Barrier::new(MANY));
            let contestant = || {
                start.wait();
                serde_json::from_str(&until_available(|| set.try_code(authenticator, 2)).text)
                    .unwrap()
            };
            let answers: Vec<Value> = thread::scope(|scope| {
                let threads: Vec<_> = (0..MANY).map(|_| scope.spawn(contestant)).collect();
                threads.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let counts = (count(&answers, "Ok"), count(&answers, "TokenReused"));
            assert_eq!(counts, (1, MANY - 1), "{answers:?}");
        }
    }
}

#[test]
fn ten_processes_with_ten_codes_all_get_in() {
    for store in Store::shared() {
        let sets: Vec<Set> = (0..rounds()).map(|_| Set::new(10)).collect();
        let calls_of = |number| {
            sets.iter()
                .map(|set| call(set.request(number), NOW))
                .collect()
        };
        let lists: Vec<Vec<Value>> = (1..=10).map(calls_of).collect();
        let mut crowd = Crowd::start(&store.config(json!({"budget_ms": 5000})), &lists);
        for set in &sets {
            let answers = crowd.call_at_once();
            assert_eq!(count(&answers, "Ok"), 10, "{answers:?}");
            // Each saw another number of codes left.
            let remaining: HashSet<u64> = answers
                .iter()
                .map(|answer| answer["remaining"].as_u64().unwrap())
                .collect();
            assert_eq!(remaining, (0..10).collect());
            let all: Vec<usize> = (1..=10).collect();
            assert_eq!(set.inspect(&store.open()), record(&all, 0, 0, 0));
        }
    }
}

/// A process is killed at any instant; what it had the answer to stays used.
#[test]
fn no_kill_makes_a_code_good_again() {
    let mut random = Random(20_261_127);
    for store in Store::shared() {
        let mut told_all = 0;
        for _ in 0..support::count("FACTOR2_KILLS", 500) / 10 {
            let set = Set::new(32);
            let calls: Vec<Value> = (1..=32)
                .map(|number| call(set.request(number), NOW))
                .collect();
            let mut process = caller(&store.config(json!({})), &calls)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut told = BufReader::new(process.stderr.take().unwrap()).lines();
            assert_eq!(told.next().unwrap().unwrap(), "ready");
            process
                .stdin
                .as_mut()
                .unwrap()
                .write_all(&[b'!'; 32])
                .unwrap();
            thread::sleep(Duration::from_micros(random.below(8_000)));
            process.kill().unwrap();
            process.wait().unwrap();
            let accepted = told
                .map_while(Result::ok)
                .filter(|line| line.ends_with('}'));
            let accepted: Vec<Value> = accepted
                .map(|line| serde_json::from_str(&line).unwrap())
                .collect();
            assert_eq!(count(&accepted, "Ok"), accepted.len());
            let authenticator = store.open();
            let kept = set.inspect(&authenticator)["used"].clone();
            // The killed call is done or not.
            let used = kept.as_array().unwrap().len();
            assert!(
                (accepted.len()..=accepted.len() + 1).contains(&used),
                "{kept}: {accepted:?}"
            );
            for number in 1..=accepted.len() {
                set.try_code(&authenticator, number)
                    .refused(factor2::Status::TokenReused);
            }
            told_all += accepted.len() % 32;
        }
        // It would prove nothing if the calls were over, or had not begun.
        assert!(told_all > 0);
    }
}
