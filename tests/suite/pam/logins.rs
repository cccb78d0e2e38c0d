//! Logins through pamtester.

use std::fs;
use std::thread;

use factor2::Status;
use factor2::capi::factor2_verify;
use serde_json::json;

use super::machine::{Machine, code, wrong};
use crate::support::{Authenticator, count};

const REFUSED: &str = "pamtester: Authentication failure";
const NO_MORE: &str = "pamtester: Have exhausted maximum number of retries for service";

#[test]
fn a_code_lets_in_once() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enrol("alice");
    let code = code(&secret);

    let first = machine.login("login", "alice", &code);
    assert!(first.accepted, "{first:?}");
    assert!(first.said.contains("Verification code: "), "{first:?}");
    machine.logged("pam_factor2(login:auth): user 'alice': accepted");

    let second = machine.login("login", "alice", &code);
    assert!(
        !second.accepted && second.said.contains(REFUSED),
        "{second:?}"
    );
    machine.logged("user 'alice': TokenReused: ");
    assert_eq!(
        fs::read_dir(machine.folder.join("home")).unwrap().count(),
        0
    );
}

#[test]
fn wrong_codes_are_throttled() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enrol("alice");
    for _ in 0..4 {
        let login = machine.login("login", "alice", &wrong(&secret));
        assert!(!login.accepted && login.said.contains(REFUSED), "{login:?}");
        assert!(!login.said.contains("Too many"), "{login:?}");
    }
    machine.logged("user 'alice': InvalidToken: ");
    // The fifth one locks; then not even the right one is looked at.
    for code in [wrong(&secret), code(&secret)] {
        let login = machine.login("login", "alice", &code);
        assert!(!login.accepted && login.said.contains(NO_MORE), "{login:?}");
        let wait = "Too many wrong codes. Try again in ";
        let (_, seconds) = login.said.split_once(wait).expect(&login.said);
        let (seconds, _) = seconds.split_once(" seconds.").expect(seconds);
        assert!((1..=30).contains(&seconds.parse().unwrap()), "{login:?}");
    }
    let log = machine.logged("user 'alice': Throttled: ");
    assert!(
        log.contains("retry_after_s=30") && !log.contains("accepted"),
        "{log}"
    );
    // Another user is not concerned.
    let other = machine.enrol("bob");
    assert!(machine.login("login", "bob", &code(&other)).accepted);
}

#[test]
fn a_disabled_user_is_sent_to_the_administrator() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enrol("alice");
    // One wrong code for an authenticator that takes no more.
    let guard =
        json!({"store": "sqlite", "path": machine.guard(), "create": true, "soft": 1, "hard": 1});
    let strict = Authenticator::new(json!({"issuer": "Example", "guard": guard}));
    let request = json!({"totpsecret": secret, "otp": wrong(&secret)});
    strict
        .call(factor2_verify, request)
        .refused(Status::Disabled);
    let login = machine.login("login", "alice", &code(&secret));
    assert!(!login.accepted && login.said.contains(NO_MORE), "{login:?}");
    assert!(login.said.contains("Ask your administrator."), "{login:?}");
    machine.logged("user 'alice': Disabled: ");
}

#[test]
fn what_is_no_code_is_refused() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enrol("alice");
    let injected = format!("000000\",\"totpsecret\":\"{secret}");
    let long = "1".repeat(400);
    for typed in [
        "",
        "12345",
        "abcdef",
        "\\",
        "\u{1}",
        injected.as_str(),
        &long,
    ] {
        let login = machine.login("login", "alice", typed);
        assert!(!login.accepted && login.said.contains(REFUSED), "{login:?}");
    }
    // None of them counted as a wrong code, and spaces don't matter.
    let code = code(&secret);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    assert!(machine.login("login", "alice", &spaced).accepted);
}

#[test]
fn two_logins_at_once_and_one_gets_in() {
    let Some(machine) = Machine::new() else {
        return;
    };
    for round in 0..count("FACTOR2_RACE_ROUNDS", 8).min(50) {
        let user = format!("user{round}");
        let code = code(&machine.enrol(&user));
        let logins = thread::scope(|scope| {
            let login = || machine.login("login", &user, &code);
            let threads = [scope.spawn(login), scope.spawn(login)];
            threads.map(|thread| thread.join().unwrap())
        });
        let accepted = logins.iter().filter(|login| login.accepted).count();
        assert_eq!(accepted, 1, "{logins:?}");
    }
    machine.logged("TokenReused");
}

#[test]
fn a_user_without_a_secret_passes_with_nullok_only() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let unknown = machine.login("login", "nobody-here", "123456");
    assert!(
        !unknown.accepted && unknown.said.contains(REFUSED),
        "{unknown:?}"
    );
    machine.logged("user 'nobody-here': no secret in /var/lib/factor2/users");

    // It looks like a wrong code.
    let secret = machine.enrol("alice");
    let mistyped = machine.login("login", "alice", &wrong(&secret));
    assert_eq!(unknown.said, mistyped.said);

    // PAM_IGNORE: another module has to let the user in.
    let stack = "auth required pam_factor2.so nullok\nauth required pam_permit.so\n";
    machine.service_lines("lenient", stack);
    machine.service("alone", "pam_factor2.so nullok");
    let passed = machine.login("lenient", "nobody-here", "");
    assert!(passed.accepted, "{passed:?}");
    assert!(!passed.said.contains("Verification code"), "{passed:?}");
    assert!(!machine.login("alone", "nobody-here", "").accepted);
    // Who has a secret is asked all the same.
    assert!(!machine.login("lenient", "alice", &wrong(&secret)).accepted);
    assert!(machine.login("lenient", "alice", &code(&secret)).accepted);
}

#[test]
fn a_wrong_option_refuses_everybody() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let options = [
        "nulok",
        "nullok=1",
        "secrets",
        "secrets=",
        "secrets=users",
        "guard=db",
        "NULLOK",
        "echo=off",
    ];
    let typed = code(&machine.enrol("alice"));
    // At once, for each refusal takes a second.
    thread::scope(|scope| {
        for (number, option) in options.into_iter().enumerate() {
            let (machine, typed) = (&machine, &typed);
            scope.spawn(move || {
                let service = format!("wrong{number}");
                let module = format!("auth required pam_factor2.so nullok {option}\n");
                let stack = format!("{module}auth required pam_permit.so\n");
                machine.service_lines(&service, &stack);
                for user in ["alice", "bob"] {
                    let login = machine.login(&service, user, typed);
                    assert!(!login.accepted, "{option}: {login:?}");
                }
                machine.logged(&format!("wrong option '{option}': everybody is refused"));
            });
        }
    });
}

#[test]
fn the_log_and_the_memory_are_clean_under_valgrind() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enrol("alice");
    let right = code(&secret);
    for (user, code, accepted) in [
        ("alice", wrong(&secret), false),
        ("alice", right.clone(), true),
        ("alice", right, false),
        ("bob", "123456".to_owned(), false),
    ] {
        let mut command = machine.command("valgrind");
        command.args(["--quiet", "--error-exitcode=99", "--leak-check=full"]);
        command.arg("--errors-for-leak-kinds=definite,indirect");
        command.args(["pamtester", "login", user, "authenticate"]);
        let login = machine.answer(command, &code);
        assert_eq!(login.accepted, accepted, "{login:?}");
        assert!(!login.said.contains("=="), "{login:?}");
    }
    machine.logged("user 'bob': no secret");
}
