//! factor2-enroll: what an administrator does in the shell.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use factor2::capi::factor2_verify;
use serde_json::json;

use super::machine::{Machine, code, code_at, wrong};
use crate::c_programs::examples::{picture_of_terminal, scan};
use crate::support::{Authenticator, run, tool};

pub const PROGRAM: &str = "/usr/local/sbin/factor2-enroll";

/// An enrollment that waits for the first code.
pub struct Enrollment {
    child: Child,
    said: String,
    pub secret: String,
}

/// How a program ended, and what it said on both outputs.
pub struct End {
    pub status: Option<i32>,
    pub said: String,
}

impl Enrollment {
    pub fn start(machine: &Machine, mut command: Command) -> Enrollment {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        let out = child.stdout.as_mut().unwrap();
        while !said.ends_with(b"shows now: ") {
            let mut byte = [0];
            if out.read(&mut byte).unwrap() == 0 {
                let output = child.wait_with_output().unwrap();
                panic!("{output:?}");
            }
            said.push(byte[0]);
        }
        let said = String::from_utf8(said).unwrap();
        let secret = said
            .lines()
            .find(|line| line.len() == 32 && line.bytes().all(|b| b.is_ascii_alphanumeric()))
            .unwrap_or_else(|| panic!("no secret in {said}"))
            .to_owned();
        machine.keep_quiet_about(&secret);
        Enrollment {
            child,
            said,
            secret,
        }
    }

    pub fn answer(mut self, typed: &str) -> End {
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.write_all(typed.as_bytes()).unwrap();
        drop(stdin);
        end(self.child)
    }
}

fn end(child: Child) -> End {
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    End {
        status: output.status.code(),
        said: String::from_utf8(said).unwrap(),
    }
}

pub fn enroll(machine: &Machine, arguments: &[&str]) -> Command {
    let mut command = machine.command(PROGRAM);
    command.args(arguments);
    command
}

pub fn call(machine: &Machine, arguments: &[&str]) -> End {
    let child = enroll(machine, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    end(child.unwrap())
}

pub fn entries(machine: &Machine) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(machine.users())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_enrolled_user_logs_in() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let enrollment = Enrollment::start(
        &machine,
        enroll(&machine, &["--issuer", "The \"Shop\"", "alice"]),
    );
    let secret = enrollment.secret.clone();
    assert_eq!(entries(&machine), [""; 0], "not before the code");

    let drawn = machine.folder.join("terminal.pgm");
    fs::write(&drawn, picture_of_terminal(&enrollment.said)).unwrap();
    let uri = format!("otpauth://totp/The%20%22Shop%22:alice?secret={secret}&issuer=");
    assert!(scan(&drawn).starts_with(&uri), "{}", scan(&drawn));

    let first = code(&secret);
    let end = enrollment.answer(&format!("{}\n{first}\n", wrong(&secret)));
    assert_eq!(end.status, Some(0), "{}", end.said);
    assert!(end.said.contains("InvalidToken") && end.said.contains("alice: enrolled\n"));

    let file = machine.users().join("alice");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{secret}\n"));
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(entries(&machine), ["alice"]);

    // The first code is used up, the next one is not.
    assert!(!machine.login("login", "alice", &first).accepted);
    machine.logged("user 'alice' rhost '' service 'login': TokenReused");
    let next = code_at(&secret, "30 seconds");
    assert!(machine.login("login", "alice", &next).accepted);
}

#[test]
fn without_a_right_code_nothing_is_stored() {
    let Some(machine) = Machine::new() else {
        return;
    };
    for codes in ["", "\n\n\n", "000000", "abc\ndef\n123456789\n123456\n"] {
        let end = Enrollment::start(&machine, enroll(&machine, &["alice"])).answer(codes);
        assert_eq!(end.status, Some(1), "{codes:?}: {}", end.said);
        assert!(!end.said.contains("enrolled"), "{}", end.said);
        assert_eq!(entries(&machine), [""; 0]);
    }
    let mut killed = Enrollment::start(&machine, enroll(&machine, &["alice"]));
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert_eq!(entries(&machine), [""; 0]);
}

#[test]
fn a_secret_is_replaced_only_when_asked() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let old = machine.enroll("alice");
    let end = call(&machine, &["alice"]);
    assert_eq!(end.status, Some(1));
    assert!(end.said.contains("has a secret; --replace"), "{}", end.said);
    assert!(!end.said.contains("\u{1b}["), "{}", end.said);

    let enrollment = Enrollment::start(&machine, enroll(&machine, &["--replace", "alice"]));
    let new = enrollment.secret.clone();
    assert_eq!(enrollment.answer("").status, Some(1));
    assert!(
        machine.login("login", "alice", &code(&old)).accepted,
        "until then the old one"
    );

    let enrollment = Enrollment::start(&machine, enroll(&machine, &["-f", "alice"]));
    assert_ne!(new, enrollment.secret);
    let new = enrollment.secret.clone();
    assert_eq!(enrollment.answer(&code(&new)).status, Some(0));
    assert_eq!(entries(&machine), ["alice"]);
    assert!(
        !machine
            .login("login", "alice", &code_at(&old, "30 seconds"))
            .accepted
    );
    assert!(
        machine
            .login("login", "alice", &code_at(&new, "30 seconds"))
            .accepted
    );

    // A symbolic link is replaced, and not followed.
    let target = machine.folder.join("lib/target");
    fs::write(&target, "stays").unwrap();
    fs::remove_file(machine.users().join("alice")).unwrap();
    symlink(&target, machine.users().join("alice")).unwrap();
    assert_eq!(call(&machine, &["alice"]).status, Some(1));
    let enrollment = Enrollment::start(&machine, enroll(&machine, &["-f", "alice"]));
    let new = enrollment.secret.clone();
    assert_eq!(enrollment.answer(&code(&new)).status, Some(0));
    assert_eq!(fs::read_to_string(target).unwrap(), "stays");
    assert!(
        machine
            .login("login", "alice", &code_at(&new, "30 seconds"))
            .accepted
    );
}

#[test]
fn of_two_enrollments_at_once_one_wins() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let start = || Enrollment::start(&machine, enroll(&machine, &["alice"]));
    let (first, second) = (start(), start());
    let secret = second.secret.clone();
    assert_eq!(second.answer(&code(&secret)).status, Some(0));
    let code = code(&first.secret);
    let end = first.answer(&code);
    assert_eq!(end.status, Some(1));
    assert!(end.said.contains("alice: File exists"), "{}", end.said);
    assert_eq!(entries(&machine), ["alice"]);
    let stored = fs::read_to_string(machine.users().join("alice")).unwrap();
    assert_eq!(stored, format!("{secret}\n"));
}

#[test]
fn reset_ends_a_lock_and_remove_ends_it_all() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    for _ in 0..5 {
        assert!(!machine.login("login", "alice", &wrong(&secret)).accepted);
    }
    assert!(!machine.login("login", "alice", &code(&secret)).accepted);
    machine.logged("Throttled");
    let end = call(&machine, &["--reset", "alice"]);
    assert_eq!((end.status, end.said.as_str()), (Some(0), "alice: reset\n"));
    assert!(machine.login("login", "alice", &code(&secret)).accepted);

    let end = call(&machine, &["--remove", "alice"]);
    assert_eq!(
        (end.status, end.said.as_str()),
        (Some(0), "alice: removed\n")
    );
    assert!(
        !machine
            .login("login", "alice", &code_at(&secret, "30 seconds"))
            .accepted
    );
    for action in ["--reset", "--remove"] {
        let end = call(&machine, &[action, "alice"]);
        assert_eq!(end.status, Some(1), "{}", end.said);
        assert_eq!(end.said, "factor2-enroll: alice: has no second factor\n");
    }
}

#[test]
fn an_account_that_does_not_exist_is_enrolled_only_by_force() {
    let Some(machine) = Machine::new() else {
        return;
    };
    for arguments in [&["alcie"] as &[&str], &["--replace", "alcie"]] {
        let end = call(&machine, arguments);
        assert_eq!(end.status, Some(1), "{}", end.said);
        let warning = "factor2-enroll: alcie: warning: this machine has no such account; --force ";
        assert!(end.said.starts_with(warning), "{}", end.said);
    }
    let enrollment = Enrollment::start(&machine, enroll(&machine, &["--force", "alcie"]));
    let first = code(&enrollment.secret);
    assert_eq!(enrollment.answer(&first).status, Some(0));
    assert_eq!(entries(&machine), ["alcie"]);
    // What is left of an account is removed without it.
    let end = call(&machine, &["--remove", "alcie"]);
    assert_eq!(end.said, "alcie: removed\n");
}

#[test]
fn a_user_is_enrolled_under_the_one_name() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let directory = "passwd: files fold\n";
    fs::write(machine.folder.join("nsswitch.conf"), directory).unwrap();
    let enrollment = Enrollment::start(&machine, enroll(&machine, &["CORP\\TUser"]));
    let other = "CORP\\x5cTUser is another name of tuser.\n";
    assert!(enrollment.said.starts_with(other), "{}", enrollment.said);
    let first = code(&enrollment.secret);
    let end = enrollment.answer(&first);
    assert!(end.said.contains("tuser: enrolled\n"), "{}", end.said);
    assert_eq!(entries(&machine), ["tuser"]);
    let end = call(&machine, &["tuser@corp"]);
    assert_eq!(end.status, Some(1), "{}", end.said);
    let end = call(&machine, &["--remove", "TUSER"]);
    assert_eq!(end.status, Some(0), "{}", end.said);
    assert_eq!(entries(&machine), [""; 0]);
}

#[test]
fn the_list_says_who_has_a_secret_and_how_it_stands() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let list = || {
        let mut command = enroll(&machine, &["--list"]);
        command.env("TZ", "XYZ-5:30");
        let output = run(&mut command);
        assert_eq!(output.stderr, b"");
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().map(String::from).collect::<Vec<_>>()
    };
    let head = "USER  LAST CODE            RECOVERY  NOW";
    assert_eq!(list(), [head]);

    let in_use = machine.enroll("bob");
    let used_now = code(&in_use);
    assert!(machine.login("login", "bob", &used_now).accepted);
    let locked = machine.enroll("carol");
    let disabled = machine.enroll("dave");
    machine.enroll("alice");
    fs::write(machine.users().join("eve"), "no secret: 0189\n").unwrap();
    fs::set_permissions(machine.users().join("eve"), Permissions::from_mode(0o600)).unwrap();
    fs::write(machine.users().join("frank"), "").unwrap();
    fs::write(machine.users().join(".new.1"), "").unwrap();
    let strict = |secret: &str, hard: u32| {
        let guard = json!({"store": "sqlite", "path": machine.guard(), "soft": 1, "hard": hard});
        let strict = Authenticator::new(json!({"issuer": "Example", "guard": guard}));
        let request = json!({"totpsecret": secret, "otp": wrong(secret)});
        strict.call(factor2_verify, request);
    };
    strict(&locked, 2);
    strict(&disabled, 1);

    let rows = list();
    assert_eq!(rows.len(), 7, "{rows:#?}");
    assert_eq!(rows[1], "alice  never                none      ready");
    // The step of the code, in local time; it was the present one or the one before.
    let when = &rows[2]["bob    ".len()..];
    let when = when
        .strip_suffix("  none      ready")
        .unwrap_or_else(|| panic!("{rows:#?}"));
    let seconds = run(tool("date").args(["+%s", "-u", "-d"]).arg(when)).stdout;
    let seconds: u64 = String::from_utf8(seconds).unwrap().trim().parse().unwrap();
    let seconds = seconds - 19_800;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert_eq!(seconds % 30, 0);
    assert!((0..=90).contains(&(now.as_secs() - seconds)), "{rows:#?}");
    let until = "carol  never                none      locked until 20";
    assert!(rows[3].starts_with(until), "{rows:#?}");
    assert_eq!(
        rows[4],
        "dave   never                none      disabled by wrong codes"
    );
    assert!(
        rows[5].starts_with("eve    ?                    none      "),
        "{rows:#?}"
    );
    assert!(rows[5].contains("base32"), "{rows:#?}");
    assert!(
        rows[6].starts_with("frank  ?                    ?         the file "),
        "{rows:#?}"
    );

    // A list makes nothing.
    let end = call(&machine, &["--list", "--secrets", "/var/lib/none"]);
    assert_eq!(end.status, Some(1));
    assert!(
        end.said.contains("/var/lib/none: No such file"),
        "{}",
        end.said
    );
}

#[test]
fn the_folders_that_it_needs_are_made() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let mode = |path: &str| {
        let path = machine.folder.join("lib").join(path);
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    };
    let enroll = |secrets: &str, guard: &str| {
        let mut command = machine.command("sh");
        let umask = "umask 0; exec \"$@\"";
        command.args(["-c", umask, "sh", PROGRAM]);
        command.args(["--secrets", secrets, "--guard", guard, "alice"]);
        let enrollment = Enrollment::start(&machine, command);
        let first = code(&enrollment.secret);
        let end = enrollment.answer(&first);
        assert_eq!(end.status, Some(0), "{}", end.said);
    };
    enroll("/var/lib/radius/users", "/var/lib/radius/guard.db");
    for path in ["radius", "radius/users"] {
        assert_eq!(mode(path), 0o700, "{path}");
    }
    enroll("/var/lib/one/users/", "/var/lib/two/guard//guard.db");
    for path in ["one", "one/users", "two", "two/guard"] {
        assert_eq!(mode(path), 0o700, "{path}");
    }
    // What is there stays as it is.
    let wide = machine.folder.join("lib/wide");
    fs::create_dir(&wide).unwrap();
    fs::set_permissions(&wide, Permissions::from_mode(0o755)).unwrap();
    enroll("/var/lib/wide/users", "/var/lib/wide/guard.db");
    assert_eq!((mode("wide"), mode("wide/users")), (0o755, 0o700));
}

#[test]
fn wrong_calls_and_wrong_places() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let long = "a".repeat(256);
    let calls: &[&[&str]] = &[
        &[],
        &["alice", "bob"],
        &["--reset", "--remove", "alice"],
        &["--list", "--remove"],
        &["--list", "alice"],
        &["--no-such-option", "alice"],
        &["--issuer"],
        &[""],
        &["../alice"],
        &["a/b"],
        &[".alice"],
        &["a\nb"],
        &[&long],
    ];
    for arguments in calls {
        let end = call(&machine, arguments);
        assert_eq!(end.status, Some(2), "{arguments:?}: {}", end.said);
        assert!(end.said.contains("factor2-enroll --help"), "{}", end.said);
    }
    let help = call(&machine, &["--help"]);
    assert_eq!(help.status, Some(0));
    for place in ["/var/lib/factor2/users", "/var/lib/factor2/guard.db"] {
        assert!(help.said.contains(place), "{}", help.said);
    }

    let refused: &[(&[&str], &str)] = &[
        (&["-i", "a:b", "alice"], "Configuration: "),
        (&["--force", "a\u{200B}b"], "BadRequest: "),
        (
            &["-s", "/no/such/folder", "alice"],
            "/no/such/folder: No such file",
        ),
        (&["-g", "/no/such/folder/db", "alice"], "StoreUnavailable: "),
    ];
    for (arguments, why) in refused {
        let end = call(&machine, arguments);
        assert_eq!(end.status, Some(1), "{arguments:?}: {}", end.said);
        assert!(end.said.contains(why), "{arguments:?}: {}", end.said);
    }
    fs::set_permissions(machine.users(), Permissions::from_mode(0o777)).unwrap();
    let end = call(&machine, &["alice"]);
    assert_eq!(end.status, Some(1), "{}", end.said);
    assert!(
        end.said.contains("the folder may be written by others"),
        "{}",
        end.said
    );
    assert_eq!(entries(&machine), [""; 0]);
}

#[test]
fn it_is_clean_under_valgrind() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let under_valgrind = |arguments: &[&str]| {
        let mut command = machine.command("valgrind");
        command.args([
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            PROGRAM,
        ]);
        command.args(arguments);
        command
    };
    let enrollment = Enrollment::start(&machine, under_valgrind(&["alice"]));
    let first = code(&enrollment.secret);
    let end = enrollment.answer(&first);
    assert_eq!(end.status, Some(0), "{}", end.said);
    run(&mut under_valgrind(&["--reset", "alice"]));
    run(&mut under_valgrind(&["--list"]));
    run(&mut under_valgrind(&["--remove", "alice"]));
}
