//! Other processes: this test program once more, as a worker.

use std::path::Path;
use std::process::{Command, Stdio};

use factor2::Status;
use serde_json::{Value, json};

use super::{config, crash, descriptors, file, file_size, fork, limits, log_in, mounts, rights};
use crate::race::{contestant, letter, of_letter, tell};
use crate::support::Authenticator;

const JOB: &str = "FACTOR2_TEST_JOB";

/// A process that will do this job, with what it reads on standard input, and will tell what it
/// found on standard error: standard output is the test runner's.
pub fn command(job: &str, config: &Value, more: Value) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "guard_sqlite::worker::job",
            "--ignored",
            "--nocapture",
        ])
        .env(
            JOB,
            json!({"job": job, "config": config, "more": more}).to_string(),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

#[test]
#[ignore = "the part of other tests that runs in a process of its own"]
fn job() {
    let Ok(job) = std::env::var(JOB) else {
        return;
    };
    let job: Value = serde_json::from_str(&job).unwrap();
    let (config, more) = (&job["config"], &job["more"]);
    match job["job"].as_str().unwrap() {
        "verdict" => tell(&[one_verdict(config, more)]),
        "race" => contestant(config),
        "write" => crash::worker(config, more),
        "open and close" => crash::opening_worker(config, more),
        "umask" => file::umask_worker(config, more),
        "replaced" => file::replaced_worker(config, more),
        "forks" => fork::busy_worker(config, more),
        "outlive" => fork::outlive_worker(config, more),
        "generations" => fork::generations_worker(config, more),
        "cloned" => fork::cloned_worker(config, more),
        "first use" => fork::first_use_worker(config, more),
        "namespace" => fork::namespace_worker(config, more),
        "vfork" => fork::vfork_worker(config, more),
        "untouched" => fork::untouched_worker(config, more),
        "stolen" => descriptors::stolen_worker(config, more),
        "freed" => descriptors::freed_worker(config, more),
        "hold" => limits::holding_worker(config, more),
        "file size" => limits::file_size_worker(config, more),
        "unwritable" => limits::unwritable_worker(config, more),
        "signals" => limits::signals_worker(config, more),
        "descriptors" => limits::descriptors_worker(config, more),
        "no descriptors" => limits::no_descriptors_worker(config, more),
        "refusal" => mounts::refusal_worker(config, more),
        "log in as" => rights::log_in_worker(config, more),
        "refused as" => rights::refused_worker(config, more),
        "give up" => rights::giving_up_worker(config, more),
        "file size signal" => file_size::careless_worker(config, more),
        "program's signal" => file_size::programs_signal_worker(config, more),
        other => panic!("{other}"),
    }
    tell(b"done");
    // Not the test runner's way, which would print.
    std::process::exit(0);
}

/// Has a job done that checks by itself what it sees.
#[track_caller]
pub fn run(job: &str, config: &Value, more: Value) {
    succeeds(&mut command(job, config, more));
}

/// Lets a job be done by a command around `command`.
#[track_caller]
pub fn succeeds(command: &mut Command) {
    told(command);
}

/// What a job told before it was done.
#[track_caller]
fn told(command: &mut Command) -> Vec<u8> {
    let mut told = command.output().unwrap().stderr;
    assert!(
        told.ends_with(b"done"),
        "{}",
        String::from_utf8_lossy(&told)
    );
    told.truncate(told.len() - 4);
    told
}

/// What `factor2_verify` says, in a process of its own, to the right code at `time`.
#[track_caller]
pub fn verdict(path: &Path, user: usize, time: u64) -> Status {
    let job = json!({"user": user, "time": time});
    verdict_of(&mut command("verdict", &config(path), job))
}

#[track_caller]
pub fn verdict_of(command: &mut Command) -> Status {
    let told = told(command);
    assert_eq!(told.len(), 1, "{}", String::from_utf8_lossy(&told));
    of_letter(told[0])
}

fn one_verdict(config: &Value, more: &Value) -> u8 {
    let user = more["user"].as_u64().unwrap() as usize;
    match Authenticator::try_new(config.to_string().as_bytes()) {
        Ok(authenticator) => {
            letter(log_in(&authenticator, user, more["time"].as_u64().unwrap()).status)
        }
        Err(reply) => letter(reply.status),
    }
}
