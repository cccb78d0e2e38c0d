//! Writers that are killed at any instant.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use factor2::Status;
use serde_json::{Value, json};

use super::{
    NOW, assert_intact, beside, code_at, config_with, count, inspect, log_in, new_path, open,
    verify, worker, wrong_code_at,
};
use crate::clock;
use crate::support::Authenticator;

const WRITERS: usize = 6;

/// Of each writer: so they are killed while one answers for the others.
const THREADS: usize = 5;

/// All writers log these in, again and again.
const USERS: usize = 4;

/// Each thread guesses wrong codes of a few, which nobody logs in.
const FIRST_VICTIM: usize = 1000;

#[test]
fn no_kill_makes_a_code_good_again_or_forgets_a_wrong_one() {
    let kills = count("FACTOR2_KILLS", 500);
    let path = new_path("kill");
    let log = path.with_file_name("log");
    let config = config_with(&path, json!({"soft": 100, "hard": 100, "budget_ms": 5000}));
    let mut started = 0;
    let mut start = || {
        started += 1;
        let more = json!({"log": log, "victim": FIRST_VICTIM + THREADS * started});
        let mut writer = worker::command("write", &config, more);
        writer.stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut writers: Vec<Child> = (0..WRITERS).map(|_| start()).collect();
    let mut random = Random(20_260_101);
    let mut killed = 0;
    while killed < kills {
        thread::sleep(Duration::from_micros(random.below(16_000)));
        // Now and then all at once, so that the next one has to recover the log.
        let together = if random.below(20) == 0 { WRITERS } else { 1 };
        for _ in 0..together {
            writers[0].kill().unwrap();
            kill_was_the_end_of(writers.remove(0));
            killed += 1;
        }
        if together > 1 {
            assert_intact(&path);
        }
        writers.extend((0..together).map(|_| start()));
    }
    for mut writer in writers {
        writer.kill().unwrap();
        kill_was_the_end_of(writer);
    }
    assert_intact(&path);
    check(&path, &fs::read_to_string(log).unwrap(), kills);
}

/// SQLite makes the -wal file first and deletes it last, so no kill leaves a -shm file without it: that
/// is what a deleted log is told by, and nobody may be refused for it.
#[test]
fn no_kill_while_opening_or_closing_looks_like_a_deleted_log() {
    let path = new_path("open-close");
    let config = config_with(&path, json!({"synchronous": "NORMAL", "budget_ms": 5000}));
    let start = || {
        let mut opener = worker::command("open and close", &config, Value::Null);
        opener.stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut openers: Vec<Child> = (0..3).map(|_| start()).collect();
    let mut random = Random(20_261_126);
    for _ in 0..count("FACTOR2_KILLS", 500) / 5 {
        thread::sleep(Duration::from_micros(random.below(30_000)));
        // Now and then all at once: the next one finds what they have left.
        let together = if random.below(3) == 0 {
            openers.len()
        } else {
            1
        };
        for _ in 0..together {
            openers[0].kill().unwrap();
            kill_was_the_end_of(openers.remove(0));
        }
        if together > 1 {
            assert!(!beside(&path, "-shm").exists() || beside(&path, "-wal").exists());
            drop(Authenticator::new(config.clone()));
        }
        openers.extend((0..together).map(|_| start()));
    }
    for mut opener in openers {
        opener.kill().unwrap();
        kill_was_the_end_of(opener);
    }
}

/// Opens and closes the file until it is killed.
pub fn opening_worker(config: &Value, _: &Value) {
    loop {
        log_in(&Authenticator::new(config.clone()), 1, NOW);
    }
}

/// It told of no failure before.
#[track_caller]
fn kill_was_the_end_of(writer: Child) {
    let told = writer.wait_with_output().unwrap().stderr;
    assert!(told.is_empty(), "{}", String::from_utf8_lossy(&told));
}

/// What writers wrote down after they had the answer must still be in the database.
fn check(path: &Path, log: &str, kills: usize) {
    let mut accepted: HashMap<(usize, u64), usize> = HashMap::new();
    let mut latest: HashMap<usize, u64> = HashMap::new();
    let mut wrong: HashMap<usize, u64> = HashMap::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let user: usize = words[1].parse().unwrap();
        match words[0] {
            "accepted" => {
                let step = words[2].parse().unwrap();
                *accepted.entry((user, step)).or_default() += 1;
                let latest = latest.entry(user).or_default();
                *latest = step.max(*latest);
            }
            _ => *wrong.entry(user).or_default() += 1,
        }
    }
    let twice: Vec<_> = accepted.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "accepted twice: {twice:?}");
    let authenticator = open(path);
    for (&user, &step) in &latest {
        let last_step = inspect(&authenticator, user)["last_step"].as_u64().unwrap();
        assert!(last_step >= step, "user {user}: {last_step} after {step}");
    }
    for (&user, &times) in &wrong {
        let failures = inspect(&authenticator, user)["failures"].as_u64().unwrap();
        assert!(
            failures >= times,
            "user {user}: {failures} of {times} wrong codes"
        );
    }
    // It would prove nothing if writers had hardly begun when they were killed.
    assert!(
        accepted.len() > kills / 2,
        "only {} codes were accepted",
        accepted.len()
    );
    assert!(
        wrong.values().sum::<u64>() > kills as u64 / 2,
        "only {wrong:?}"
    );
}

/// Writes until it is killed.
pub fn worker(config: &Value, more: &Value) {
    let log = more["log"].as_str().unwrap();
    let victim = more["victim"].as_u64().unwrap() as usize;
    let authenticator = &Authenticator::new(config.clone());
    // Whoever comes later goes on where the others are.
    let last_step = inspect(authenticator, 0)["last_step"].as_u64();
    let first = last_step.map_or(NOW, |step| step * 30);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || write(authenticator, log, victim + thread, first));
        }
    });
}

fn write(authenticator: &Authenticator, log: &str, victim: usize, first: u64) {
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(log)
        .unwrap();
    for turn in 0.. {
        let time = first + 30 * turn;
        clock::stand_at(time);
        for user in 0..USERS {
            let status = verify(authenticator, user, &code_at(user, time)).status;
            if status == Status::Ok as i32 {
                // One write, which is whole or not there.
                let line = format!("accepted {user} {}\n", time / 30);
                log.write_all(line.as_bytes()).unwrap();
            } else {
                assert_eq!(status, Status::TokenReused as i32);
            }
        }
        let victim = victim + (turn as usize / 90) * 1_000_000;
        let status = verify(authenticator, victim, &wrong_code_at(victim, time)).status;
        assert_eq!(status, Status::InvalidToken as i32);
        log.write_all(format!("wrong {victim}\n").as_bytes())
            .unwrap();
    }
}

/// Xorshift: the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
