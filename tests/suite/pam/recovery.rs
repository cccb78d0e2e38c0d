//! Recovery codes: made by factor2-enroll, typed at the prompt for the code.

use std::fs::{self, File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::enroll::{End, Enrollment, call, enroll};
use super::machine::{Machine, REFUSAL, code, code_at, wrong};

/// A recovery code of nobody.
pub const NO_CODE: &str = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF";

/// The codes that the program has shown.
#[track_caller]
pub fn shown(machine: &Machine, end: &End) -> Vec<String> {
    assert_eq!(end.status, Some(0), "{}", end.said);
    let lines = end
        .said
        .lines()
        .filter_map(|line| line.strip_prefix("    "));
    let codes: Vec<String> = lines.map(String::from).collect();
    assert!(codes.iter().all(|code| code.len() == 29), "{codes:?}");
    assert!(
        end.said.contains(&format!("\n{} codes. ", codes.len())),
        "{}",
        end.said
    );
    for code in &codes {
        machine.keep_quiet_about(code);
    }
    codes
}

/// Makes recovery codes for a user who has a secret.
#[track_caller]
pub fn make(machine: &Machine, user: &str) -> Vec<String> {
    let end = call(machine, &["--recovery-codes", user]);
    let codes = shown(machine, &end);
    assert_eq!(codes.len(), 10);
    let last = format!("\n{user}: new recovery codes\n");
    assert!(end.said.ends_with(&last), "{}", end.said);
    codes
}

/// What the list says of alice.
fn listed(machine: &Machine) -> String {
    let said = call(machine, &["--list"]).said;
    let row = said.lines().find(|line| line.starts_with("alice "));
    row.unwrap().to_owned()
}

#[test]
fn a_recovery_code_lets_in_once_in_the_place_of_a_code() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    assert!(listed(&machine).contains("  none      ready"));
    let codes = make(&machine, "alice");
    let file = machine.users().join("alice");
    let stored = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = stored.lines().collect();
    assert!(stored.ends_with('\n') && lines.len() == 2, "{lines:?}");
    assert!(lines[0] == secret && lines[1].starts_with("f2r1."));
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    machine.keep_quiet_about(lines[1]);

    let first = machine.login("login", "alice", &codes[6]);
    assert!(first.accepted, "{first:?}");
    assert!(
        first
            .said
            .contains("This recovery code is used up. 9 are left."),
        "{first:?}"
    );
    machine.logged("user 'alice' rhost '' service 'login': accepted by a recovery code (9 left)");
    let again = machine.login("login", "alice", &codes[6]);
    assert!(!again.accepted && again.said.contains(REFUSAL), "{again:?}");
    assert!(!again.said.contains("left"), "{again:?}");
    machine.logged("user 'alice' rhost '' service 'login': TokenReused");

    // As people type it.
    let typed = codes[0].to_lowercase().replace('-', " ");
    let second = machine.login("login", "alice", &typed);
    assert!(
        second.accepted && second.said.contains("8 are left"),
        "{second:?}"
    );
    assert!(listed(&machine).contains("  8         ready"));
    // The phone, once found, is as good as before.
    let found = machine.login("login", "alice", &code(&secret));
    assert!(found.accepted && !found.said.contains("left"), "{found:?}");

    let renewed = make(&machine, "alice");
    assert!(listed(&machine).contains("  10        ready"));
    assert!(!machine.login("login", "alice", &codes[1]).accepted);
    machine.logged("user 'alice' rhost '' service 'login': InvalidToken");
    assert!(machine.login("login", "alice", &renewed[1]).accepted);
    assert!(
        machine
            .login("login", "alice", &code_at(&secret, "30 seconds"))
            .accepted
    );
}

#[test]
fn they_have_a_lock_of_their_own() {
    let Some(machine) = Machine::new() else {
        return;
    };
    machine.service("talkative", "pam_factor2.so verbose");
    let secret = machine.enroll("alice");
    let codes = make(&machine, "alice");
    for _ in 0..5 {
        assert!(!machine.login("login", "alice", NO_CODE).accepted);
    }
    let locked = machine.login("talkative", "alice", &codes[0]);
    let told = "Too many wrong codes. Try again in ";
    assert!(!locked.accepted && locked.said.contains(told), "{locked:?}");
    machine.logged("user 'alice' rhost '' service 'talkative': Throttled");
    assert!(listed(&machine).contains("  10 locked  ready"));
    assert!(machine.login("login", "alice", &code(&secret)).accepted);
    assert_eq!(call(&machine, &["--reset", "alice"]).said, "alice: reset\n");
    assert!(machine.login("login", "alice", &codes[0]).accepted);

    // And the other way round.
    for _ in 0..5 {
        assert!(!machine.login("login", "alice", &wrong(&secret)).accepted);
    }
    let next = code_at(&secret, "30 seconds");
    assert!(!machine.login("login", "alice", &next).accepted);
    assert!(machine.login("login", "alice", &codes[1]).accepted);
}

#[test]
fn who_has_none_is_refused_as_ever() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    for _ in 0..6 {
        let login = machine.login("login", "alice", NO_CODE);
        assert!(!login.accepted && login.said.contains(REFUSAL), "{login:?}");
    }
    let log = machine.logged("user 'alice' rhost '' service 'login': InvalidToken");
    assert!(!log.contains("Throttled"), "{log}");
    assert!(machine.login("login", "alice", &code(&secret)).accepted);
    // Somebody else's codes are no codes.
    machine.enroll("bob");
    let codes = make(&machine, "bob");
    assert!(!machine.login("login", "alice", &codes[0]).accepted);
    assert!(machine.login("login", "bob", &codes[0]).accepted);
}

#[test]
fn one_recovery_code_typed_twice_at_once_lets_in_once() {
    let Some(machine) = Machine::new() else {
        return;
    };
    machine.enroll("alice");
    for (code, left) in make(&machine, "alice")[..5].iter().zip((5..10).rev()) {
        let logins = thread::scope(|scope| {
            let login = || machine.login("login", "alice", code);
            let threads = [scope.spawn(login), scope.spawn(login)];
            threads.map(|thread| thread.join().unwrap())
        });
        let accepted = logins.iter().filter(|login| login.accepted).count();
        assert_eq!(accepted, 1, "{logins:?}");
        machine.logged(&format!("accepted by a recovery code ({left} left)"));
    }
}

#[test]
fn a_new_secret_keeps_them_unless_new_ones_are_asked_for() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let enrolled = |arguments: &[&str]| {
        let enrollment = Enrollment::start(&machine, enroll(&machine, arguments));
        let first = code(&enrollment.secret);
        let end = enrollment.answer(&first);
        assert!(end.said.ends_with("alice: enrolled\n"), "{}", end.said);
        end
    };
    let codes = shown(&machine, &enrolled(&["--recovery-codes", "alice"]));
    assert_eq!(codes.len(), 10);
    assert!(machine.login("login", "alice", &codes[0]).accepted);

    let end = enrolled(&["--replace", "alice"]);
    assert!(!end.said.contains("ecovery"), "{}", end.said);
    assert!(!machine.login("login", "alice", &codes[0]).accepted, "used");
    assert!(machine.login("login", "alice", &codes[1]).accepted);

    let renewed = shown(
        &machine,
        &enrolled(&["--replace", "--recovery-codes", "alice"]),
    );
    assert!(!machine.login("login", "alice", &codes[2]).accepted);
    assert!(machine.login("login", "alice", &renewed[2]).accepted);

    // Without a right code, nothing new is stored or shown.
    let before = fs::read(machine.users().join("alice")).unwrap();
    let enrollment = Enrollment::start(
        &machine,
        enroll(&machine, &["-f", "--recovery-codes", "alice"]),
    );
    let end = enrollment.answer("");
    assert_eq!(end.status, Some(1));
    assert!(!end.said.contains("Recovery"), "{}", end.said);
    assert_eq!(fs::read(machine.users().join("alice")).unwrap(), before);

    for other in ["--reset", "--remove", "--list"] {
        let end = call(&machine, &["--recovery-codes", other, "alice"]);
        assert_eq!(end.status, Some(2), "{other}: {}", end.said);
    }
    assert_eq!(fs::read(machine.users().join("alice")).unwrap(), before);
}

#[test]
fn codes_that_nobody_has_seen_are_not_called_done() {
    let Some(machine) = Machine::new() else {
        return;
    };
    machine.enroll("alice");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = enroll(&machine, &["--recovery-codes", "alice"]);
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("could not be shown"), "{said}");
}

/// Who reads a file to write it again does not bring back what somebody else removes meanwhile.
#[test]
fn a_removed_user_does_not_come_back() {
    let Some(machine) = Machine::new() else {
        return;
    };
    machine.enroll("alice");
    let folder = File::open(machine.users()).unwrap();
    // SAFETY: the descriptor is open.
    assert_eq!(unsafe { libc::flock(folder.as_raw_fd(), libc::LOCK_EX) }, 0);
    let mut child = enroll(&machine, &["--recovery-codes", "alice"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None, "it waits");
    fs::remove_file(machine.users().join("alice")).unwrap();
    drop(folder);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "factor2-enroll: alice: has no second factor\n"
    );
    assert!(!machine.users().join("alice").exists());
}

#[test]
fn a_second_line_that_is_none_takes_nothing_but_the_recovery_codes() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    let file = machine.users().join("alice");
    let write = |text: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    };
    write(&format!("{secret}\nf2r1.AAAA\n"));
    assert!(!machine.login("login", "alice", NO_CODE).accepted);
    machine.logged("user 'alice' rhost '' service 'login': DataFormat");
    assert!(listed(&machine).contains("  ?         ready"));
    assert!(machine.login("login", "alice", &code(&secret)).accepted);
    let next = code_at(&secret, "30 seconds");
    for lines in [
        "\n\n",
        "\nf2r1\n",
        "\nf2r1.AAAA\n\n",
        "\nf2r1.AAAA\nf2r1.AAAA\n",
    ] {
        write(&format!("{secret}{lines}"));
        assert!(
            !machine.login("login", "alice", &next).accepted,
            "{lines:?}"
        );
        machine.logged("user 'alice' rhost '' service 'login': the file does not hold a secret");
        machine.forget_log();
    }
    let long = "A".repeat(720);
    write(&format!("{secret}\nf2r1.{long}\n"));
    assert!(!machine.login("login", "alice", &next).accepted);
    machine.logged("the file does not hold a secret");
    // A line's end at the end of the file may be missing.
    let codes = {
        write(&secret);
        make(&machine, "alice")
    };
    let stored = fs::read_to_string(&file).unwrap();
    write(stored.trim_end());
    assert!(machine.login("login", "alice", &codes[0]).accepted);
    assert!(machine.login("login", "alice", &next).accepted);
}
