//! Many processes that call at once: this test program once more, each with its own list of calls.

use std::io::{BufRead, BufReader, Read, Write, pipe, stdin};
use std::process::{Child, Command, Stdio};

use factor2::capi::{factor2_verify, factor2_verify_recovery_code};
use serde_json::{Value, json};

use crate::clock;
use crate::race::tell;
use crate::stores::until_available;
use crate::support::{Authenticator, Operation};

const CALLS: &str = "FACTOR2_TEST_CALLS";

/// One call: a request with a code, or a recovery code, and the library's time.
pub fn call(request: Value, time: u64) -> Value {
    json!({"request": request, "time": time})
}

/// A process that makes these calls, each when a byte arrives on its standard input, and tells the answers on
/// standard error, a line for each.
pub fn caller(config: &Value, calls: &[Value]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let calls = json!({"config": config, "calls": calls});
    command
        .args(["--exact", "crowd::job", "--ignored", "--nocapture"])
        .env(CALLS, calls.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    command
}

#[test]
#[ignore = "the part of other tests that runs in a process of its own"]
fn job() {
    let Ok(job) = std::env::var(CALLS) else {
        return;
    };
    let job: Value = serde_json::from_str(&job).unwrap();
    let authenticator = Authenticator::new(job["config"].clone());
    tell(b"ready\n");
    for call in job["calls"].as_array().unwrap() {
        clock::stand_at(call["time"].as_u64().unwrap());
        let operation: Operation = match call["request"].get("recovery") {
            Some(_) => factor2_verify_recovery_code,
            None => factor2_verify,
        };
        if stdin().read_exact(&mut [0]).is_err() {
            break;
        }
        let reply = until_available(|| authenticator.call(operation, call["request"].clone()));
        // One write, which a pipe never tears.
        tell(format!("{}\n", reply.text).as_bytes());
    }
    // Not the test runner's way, which would print.
    std::process::exit(0);
}

/// Processes that share a store.
pub struct Crowd {
    processes: Vec<Child>,
    told: BufReader<std::io::PipeReader>,
}

impl Crowd {
    /// One process for each list of calls, all of them ready.
    pub fn start(config: &Value, lists: &[Vec<Value>]) -> Crowd {
        let (told, tell) = pipe().unwrap();
        let start = |calls: &Vec<Value>| {
            let tell = tell.try_clone().unwrap();
            caller(config, calls).stderr(tell).spawn().unwrap()
        };
        let processes = lists.iter().map(start).collect();
        drop(tell);
        let mut crowd = Crowd {
            processes,
            told: BufReader::new(told),
        };
        for _ in lists {
            assert_eq!(crowd.line(), "ready");
        }
        crowd
    }

    /// All make their next call at once; gives the answers, in the order of their arrival.
    pub fn call_at_once(&mut self) -> Vec<Value> {
        for process in &mut self.processes {
            process.stdin.as_mut().unwrap().write_all(b"!").unwrap();
        }
        let count = self.processes.len();
        let read = |_| serde_json::from_str(&self.line()).unwrap();
        (0..count).map(read).collect()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }
}

/// The word for an answer's verdict: "Ok", "repeated", or the error's code.
pub fn verdict(answer: &Value) -> &str {
    match answer["error"]["code"].as_str() {
        Some(code) => code,
        None if answer["repeated"] == true => "repeated",
        None => {
            assert_eq!(answer["accepted"], true, "{answer}");
            "Ok"
        }
    }
}

/// How many of the answers have this verdict.
pub fn count(answers: &[Value], expected: &str) -> usize {
    let verdicts = answers.iter().map(verdict);
    verdicts.filter(|verdict| *verdict == expected).count()
}
