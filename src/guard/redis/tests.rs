//! The script against the state machine that it mirrors, on a real server.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Parser, Value};

use super::nodes;
use super::script::{self, MAX_NUMBER, SCRIPT, judge_words, read_verdict};
use super::settings::RedisSettings;
use crate::guard::state::RetryLimits;
use crate::guard::{Attempt, Match, Policy, Record, Verdict};
use crate::json::{Object, Statuses};
use crate::status::Status;

/// A server of one's own on a unix socket, which ends with the test.
struct Server {
    process: Child,
    folder: PathBuf,
}

impl Server {
    fn start() -> (Server, UnixStream) {
        let name = format!("factor2-script-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        // As in the test suite, whose server.rs says why.
        let mut command = match std::env::var_os("FACTOR2_REDIS_SERVER") {
            Some(program) => Command::new(program),
            None => Command::new("redis-check-rdb"),
        };
        let process = command
            .arg0("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket", "socket"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}: run `make tools`"));
        let server = Server { process, folder };
        let patience = Instant::now() + Duration::from_secs(10);
        loop {
            match UnixStream::connect(server.folder.join("socket")) {
                Ok(stream) => return (server, stream),
                Err(error) => assert!(Instant::now() < patience, "redis-server: {error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Random numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    /// SplitMix64.
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).unwrap()]
    }
}

/// Policies as settings allow them, gentle and harsh, under which locks come soon.
fn policy(dice: &mut Dice) -> Policy {
    let hard = dice.pick(&[1, 3, 33, 100]);
    let max_delay_s = dice.pick(&[1, 100, 3600, 86_400]);
    Policy {
        soft: u32::try_from(dice.below(hard)).unwrap() + 1,
        hard: u32::try_from(hard).unwrap(),
        base_delay_s: dice.below(max_delay_s) + 1,
        max_delay_s,
        retry: (dice.below(2) == 0).then(|| RetryLimits {
            ttl_s: dice.pick(&[1, 30, 3600]),
            limit: dice.pick(&[1, 2, 100]),
        }),
    }
}

/// Clocks go on, stand still, and are set.
fn time_after(now: u64, dice: &mut Dice) -> u64 {
    let step = dice.pick(&[0, 0, 0, 1, 1, 1, 30, 60, 3600, 31_536_000]);
    let later = now + step;
    let now = match dice.below(8) {
        0 => now.saturating_sub(step),
        _ => later,
    };
    match dice.below(5000) {
        0 => MAX_NUMBER - 1 - dice.below(100),
        1 => dice.below(100),
        2 => 1_800_000_000,
        _ => now.min(MAX_NUMBER - 1),
    }
}

enum Step {
    Judge(Attempt, Policy),
    Reset,
}

fn step(record: &Record, policy: Policy, now: u64, dice: &mut Dice) -> Step {
    let resets_one_in = if record.disabled { 4 } else { 50 };
    if dice.below(resets_one_in) == 0 {
        return Step::Reset;
    }
    let matched = match dice.below(12) {
        0 => Match::Old,
        1 => Match::Step(record.last_step.max(0)),
        2 => Match::Step(record.last_step.saturating_add(1)),
        3 => Match::Step((now / 30).cast_signed()),
        4 => Match::Number(u8::try_from(dice.below(32)).unwrap() + 1),
        5 => Match::Pair(
            record
                .last_step
                .max(1)
                .saturating_add(dice.below(3).cast_signed()),
        ),
        // Lua's numbers are exact up to the first of these.
        6 if dice.below(2000) == 0 => {
            Match::Step(dice.pick(&[1 << 53, (1 << 53) + 1, i64::MAX - 1]))
        }
        _ => Match::Nothing,
    };
    let code = match (dice.below(4), record.last_code) {
        (0 | 2, Some(code)) => u64::from(code),
        (1, _) => dice.pick(&[0, 7, 99_999_999, u64::from(u32::MAX)]),
        _ => dice.below(100_000_000),
    };
    let attempt = Attempt {
        code: u32::try_from(code).unwrap(),
        matched,
        retry_key: match (dice.below(3), record.retry) {
            (0, Some(retry)) => Some(retry.key),
            (1, _) => Some([dice.pick(b"ab"); 16]),
            _ => None,
        },
        past: 1,
        period: 30,
        now,
        time_is_fixed: true,
        id: match dice.below(10) {
            0 => record.attempt,
            1 => 0,
            _ => dice.roll(),
        },
    };
    Step::Judge(attempt, policy)
}

/// An attempt of nobody's, or with what is no code.
fn nobody(mut step: Step) -> Step {
    if let Step::Judge(attempt, _) = &mut step {
        attempt.matched = Match::Old;
    }
    step
}

#[test]
fn the_script_gives_the_states_and_verdicts_of_the_state_machine() {
    const BATCHES: usize = 240;
    const STEPS: usize = 500;
    let seed = getrandom::u64().unwrap();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let (_server, mut stream) = Server::start();
    let mut parser = Parser::new();
    let mut records: HashMap<String, Record> = HashMap::new();
    let mut verdicts: HashMap<String, usize> = HashMap::new();
    let policies: Vec<Policy> = (0..100).map(|_| policy(&mut dice)).collect();
    let mut now = 1_800_000_000;
    let hash = script::hash();
    let load = redis::cmd("SCRIPT")
        .arg("LOAD")
        .arg(SCRIPT)
        .get_packed_command();
    stream.write_all(&load).unwrap();
    let loaded = parser.parse_value(&mut stream).unwrap();
    assert_eq!(loaded, Value::BulkString(hash.clone().into_bytes()));

    for _ in 0..BATCHES {
        let mut requests = Vec::new();
        let mut expected: Vec<(Option<Verdict>, Record)> = Vec::new();
        for _ in 0..STEPS {
            let number = usize::try_from(dice.below(100)).unwrap();
            let policy = match dice.below(20) {
                0 => dice.pick(&policies),
                _ => policies[number],
            };
            let key = format!("credential {number}");
            let is_nobodys = number == 0;
            let record = records.entry(key.clone()).or_insert(Record::NEW);
            now = time_after(now, &mut dice);
            let step = step(record, policy, now, &mut dice);
            let step = if is_nobodys { nobody(step) } else { step };
            let (id, words, verdict) = match step {
                Step::Reset => {
                    record.reset();
                    (7, vec!["reset".to_owned()], None)
                }
                Step::Judge(attempt, policy) => {
                    let words = judge_words(&attempt, &policy).unwrap();
                    (attempt.id, words, Some(record.judge(&attempt, &policy)))
                }
            };
            let mut ask = |id: u64, words: &[String]| {
                let mut command = redis::cmd("EVALSHA");
                command.arg(&hash).arg(1).arg(&key).arg(id).arg(words);
                command.write_packed_command(&mut requests);
            };
            ask(id, &words);
            ask(8, &["inspect".to_owned()]);
            expected.push((verdict, *record));
        }
        stream.write_all(&requests).unwrap();
        let mut answer = || match parser.parse_value(&mut stream).unwrap() {
            Value::BulkString(reply) => {
                let reply = String::from_utf8(reply).unwrap();
                reply.split_once(' ').unwrap().1.to_owned()
            }
            other => panic!("{other:?}"),
        };
        for (verdict, record) in expected {
            let first = answer();
            match verdict {
                None => assert_eq!(Record::from_text(&first), Some(record), "{first}"),
                Some(_) => assert_eq!(read_verdict(&first), verdict, "{first}"),
            }
            let name = first.split(' ').next().unwrap();
            *verdicts.entry(name.to_owned()).or_default() += 1;
            let second = answer();
            assert_eq!(Record::from_text(&second), Some(record), "{second}");
        }
    }
    println!("{verdicts:?}");
    assert_eq!(records["credential 0"], Record::NEW);
    assert_eq!(
        verdicts.len(),
        9,
        "seven verdicts, and records of either format after resets"
    );
    assert!(verdicts.values().all(|&count| count > 20));
}

#[test]
fn numbers_that_the_script_would_round_are_refused() {
    let policy = Policy::default();
    let attempt = |matched, now| Attempt {
        code: 0,
        matched,
        retry_key: None,
        past: 1,
        period: 30,
        now,
        time_is_fixed: true,
        id: 1,
    };
    let most = MAX_NUMBER - 1;
    assert!(judge_words(&attempt(Match::Step(i64::MAX), most), &policy).is_some());
    assert!(judge_words(&attempt(Match::Nothing, MAX_NUMBER), &policy).is_none());
}

#[test]
fn a_slot_is_the_checksum_that_clusters_use() {
    // The check value of CRC-16/XMODEM is 0x31C3.
    assert_eq!(nodes::slot(b"123456789"), 0x31C3);
    assert_eq!(nodes::slot(b"foo"), 12182);
}

#[test]
fn settings_do_not_show_the_password() {
    let config = r#"{"url":"redis://user:canary@localhost/3"}"#;
    let mut object = Object::read(config, "guard", Statuses::all(Status::Configuration)).unwrap();
    let Ok(settings) = RedisSettings::read(&mut object) else {
        panic!("{config}");
    };
    assert_eq!(settings.login.password.as_ref().unwrap().as_str(), "canary");
    let shown = format!("{settings:?}");
    assert!(
        shown.contains("localhost") && !shown.contains("canary"),
        "{shown}"
    );
}
