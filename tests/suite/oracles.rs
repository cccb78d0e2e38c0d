//! Where the tests' cases and their expected results come from: published rows, random numbers, and a
//! second implementation.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::test_runner::{Config, RngSeed, TestRng, TestRunner};
use serde_json::Value;

use crate::support::{root, run, scratch, tool};

/// Random numbers that can be had again: a failed test shows its seed, and FACTOR2_SEED sets it.
#[allow(clippy::print_stdout)] // which the test runner shows when the test fails
pub fn random() -> TestRng {
    let seed = match std::env::var("FACTOR2_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .subsec_nanos()
            .into(),
    };
    println!("FACTOR2_SEED={seed}");
    let config = Config {
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    TestRunner::new(config).new_rng()
}

/// What tests/second_implementation.py says to each of these lines.
pub fn second_implementation(task: &str, lines: &[String]) -> Vec<String> {
    let file = scratch("second_implementation").join("lines");
    fs::write(&file, lines.join("\n")).unwrap();
    let script = root().join("tests/second_implementation.py");
    let output = run(tool("python3").arg(script).arg(task).arg(file));
    let answers: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(answers.len(), lines.len());
    answers
}

/// What tests/second_seal.c says to each of these lines.
pub fn second_seal(lines: &[String]) -> Vec<String> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let program = scratch("second_seal").join("second_seal");
        let source = root().join("tests/second_seal.c");
        let flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1"];
        run(tool("cc")
            .args(flags)
            .arg(source)
            .args(["-lsodium", "-o"])
            .arg(&program));
        program
    });
    let file = scratch("second_seal").join("lines");
    fs::write(&file, lines.join("\n")).unwrap();
    let output = run(Command::new(program).arg(file));
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<String> = answers.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), lines.len());
    answers
}

/// The rows of a file in tests/vectors.
pub fn vectors(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("tests/vectors").join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}
