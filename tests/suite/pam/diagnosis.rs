//! factor2-enroll --diagnose: what an administrator is told of a user who cannot log in.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use super::enroll::enroll;
use super::machine::{Machine, code, code_at, wrong};
use crate::support::{run, tool};

/// What the program says of these codes, the second of which may be left out.
fn diagnose(machine: &Machine, user: &str, codes: &[&str]) -> String {
    let mut child = enroll(machine, &["--diagnose", user])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = format!("{}\n{}\n", codes[0], codes.get(1).unwrap_or(&""));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A code of a secret whose settings are others, by oathtool.
fn other_code(secret: &str, arguments: &[&str]) -> String {
    let output = run(tool("oathtool").args(arguments).args(["--base32", secret]));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[track_caller]
fn assert_says(said: &str, expected: &str) {
    assert!(said.contains(expected), "{said}");
}

#[test]
fn what_is_wrong_is_said_in_plain_words() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    let state = || fs::read(machine.guard()).ok();

    assert_says(
        &diagnose(&machine, "alice", &[&code(&secret)]),
        "The code is right, and was not used.",
    );
    let said = diagnose(&machine, "alice", &[&code_at(&secret, "7 minutes ago")]);
    assert_says(&said, "clock is 7 minutes behind this machine's");
    assert_says(&said, "once in 17");
    let two = [
        code_at(&secret, "1 hour 30 seconds"),
        code_at(&secret, "1 hour 60 seconds"),
    ];
    let said = diagnose(&machine, "alice", &[&two[0], &two[1]]);
    assert_says(
        &said,
        "clock is 1 hour and 1 minute ahead of this machine's",
    );
    assert!(!said.contains("once in"), "{said}");
    let said = diagnose(
        &machine,
        "alice",
        &[&other_code(&secret, &["--totp=sha256"])],
    );
    assert_says(
        &said,
        "The authenticator computes with SHA256, which is not what the secret says.",
    );
    let said = diagnose(
        &machine,
        "alice",
        &[&other_code(&secret, &["--totp", "--digits=8"])],
    );
    assert_says(
        &said,
        "The authenticator shows codes of 8 digits, which is not what the secret says.",
    );
    assert_says(
        &diagnose(&machine, "alice", &[&wrong(&secret)]),
        "This is no code of this secret",
    );

    let first = code(&secret);
    assert!(machine.login("login", "alice", &first).accepted);
    assert_says(
        &diagnose(&machine, "alice", &[&first]),
        "The code was used already",
    );
    for _ in 0..5 {
        assert!(!machine.login("login", "alice", &wrong(&secret)).accepted);
    }
    let before = state();
    assert_says(
        &diagnose(&machine, "alice", &[&first]),
        "no code is looked at for 2",
    );
    assert_eq!(state(), before);
}

#[test]
fn tokens_are_diagnosed_as_well() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    fs::write(
        machine.users().join("alice"),
        format!("otpauth://hotp/alice?secret={secret}&counter=3\n"),
    )
    .unwrap();
    let code = |counter: &str| other_code(&secret, &["--hotp", "--counter", counter]);
    assert_says(
        &diagnose(&machine, "alice", &[&code("3")]),
        "The code is right",
    );
    assert_says(
        &diagnose(&machine, "alice", &[&code("2")]),
        "The code was used already",
    );
    let said = diagnose(&machine, "alice", &[&code("40")]);
    assert_says(&said, "37 codes ahead of this machine");
}
