//! A short run of every fuzz target: FACTOR2_FUZZ_SECONDS each, 20 by default. Longer by `make fuzz`.

use std::env;
use std::process::Command;

use crate::support::{root, run};

fn fuzz(target: &str) {
    let seconds = env::var("FACTOR2_FUZZ_SECONDS").unwrap_or_else(|_| "20".to_owned());
    let script = root().join("tests/fuzz/run.sh");
    let output = run(Command::new("sh").arg(script).args([&seconds, target]));
    print!("{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn configs() {
    fuzz("config");
}

#[test]
fn verifications() {
    fuzz("verify");
}

#[test]
fn enrollments() {
    fuzz("create");
}

#[test]
fn re_enrollments() {
    fuzz("reprepare");
}

#[test]
fn stored_forms() {
    fuzz("stored");
}

#[test]
fn sealed_texts() {
    fuzz("sealed");
}

#[test]
fn imports() {
    fuzz("import");
}

#[test]
fn recovery_codes() {
    fuzz("recovery");
}
