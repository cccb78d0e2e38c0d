//! Logins through pamtester.

use std::fs;
use std::thread;

use factor2::Status;
use factor2::capi::factor2_verify;
use serde_json::json;

use super::machine::{Attempts, Machine, REFUSAL, code, wrong};
use super::recovery;
use crate::support::{Authenticator, count};

const REFUSED: &str = "pamtester: Authentication failure";

#[test]
fn a_code_lets_in_once() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    let code = code(&secret);

    let first = machine.login("login", "alice", &code);
    assert!(first.accepted, "{first:?}");
    assert!(first.said.contains("Verification code: "), "{first:?}");
    machine.logged("pam_factor2(login:auth): user 'alice' rhost '' service 'login': accepted");

    let second = machine.login("login", "alice", &code);
    assert!(
        !second.accepted && second.said.contains(REFUSED),
        "{second:?}"
    );
    machine.logged("user 'alice' rhost '' service 'login': TokenReused: ");
    assert_eq!(
        fs::read_dir(machine.folder.join("home")).unwrap().count(),
        0
    );
}

/// As other systems have left it: long, in small letters, in groups of four.
#[test]
fn a_secret_of_512_bytes_lets_in() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice").repeat(26)[..820].to_lowercase();
    let groups: Vec<&str> = (0..205).map(|at| &secret[at * 4..at * 4 + 4]).collect();
    fs::write(
        machine.users().join("alice"),
        format!("{}\n", groups.join(" ")),
    )
    .unwrap();
    let login = machine.login("login", "alice", &code(&secret));
    assert!(login.accepted, "{login:?}");
}

#[test]
fn wrong_codes_are_throttled() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    for _ in 0..4 {
        let login = machine.login("login", "alice", &wrong(&secret));
        assert!(!login.accepted && login.said.contains(REFUSED), "{login:?}");
        assert!(login.said.contains(REFUSAL), "{login:?}");
    }
    machine.logged("user 'alice' rhost '' service 'login': InvalidToken: ");
    // The fifth one locks; then not even the right one is looked at. Who asks for it is told.
    machine.service("verbose", "pam_factor2.so verbose");
    for code in [wrong(&secret), code(&secret)] {
        let login = machine.login("verbose", "alice", &code);
        assert!(!login.accepted && login.said.contains(REFUSED), "{login:?}");
        let wait = "Too many wrong codes. Try again in ";
        let (_, seconds) = login.said.split_once(wait).expect(&login.said);
        let (seconds, _) = seconds.split_once(" seconds.").expect(seconds);
        assert!((1..=30).contains(&seconds.parse().unwrap()), "{login:?}");
    }
    let login = machine.login("login", "alice", &code(&secret));
    assert!(!login.accepted && login.said.contains(REFUSAL), "{login:?}");
    let log = machine.logged("user 'alice' rhost '' service 'login': Throttled: ");
    assert!(
        log.contains("retry_after_s=30") && !log.contains("accepted"),
        "{log}"
    );
    // Another user is not concerned.
    let other = machine.enroll("bob");
    assert!(machine.login("login", "bob", &code(&other)).accepted);
}

#[test]
fn a_disabled_user_is_sent_to_the_administrator() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    // One wrong code for an authenticator that takes no more.
    let guard =
        json!({"store": "sqlite", "path": machine.guard(), "create": true, "soft": 1, "hard": 1});
    let strict = Authenticator::new(json!({"issuer": "Example", "guard": guard}));
    let request = json!({"totpsecret": secret, "otp": wrong(&secret)});
    strict
        .call(factor2_verify, request)
        .refused(Status::Disabled);
    machine.service("verbose", "pam_factor2.so verbose");
    for (service, text) in [("login", REFUSAL), ("verbose", "Ask your administrator.")] {
        let login = machine.login(service, "alice", &code(&secret));
        assert!(!login.accepted && login.said.contains(text), "{login:?}");
    }
    machine.logged("user 'alice' rhost '' service 'login': Disabled: ");
}

#[test]
fn what_is_no_code_is_refused() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
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
        let code = code(&machine.enroll(&user));
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
    let none = machine.login("login", "bob", "123456");
    assert!(!none.accepted && none.said.contains(REFUSED), "{none:?}");
    machine.logged("user 'bob' rhost '' service 'login': no secret in /var/lib/factor2/users");
    let secret = machine.enroll("alice");

    // PAM_IGNORE: another module has to let the user in.
    let stack = "auth required pam_factor2.so nullok\nauth required pam_permit.so\n";
    machine.service_lines("lenient", stack);
    machine.service("alone", "pam_factor2.so nullok");
    let passed = machine.login("lenient", "bob", "");
    assert!(passed.accepted, "{passed:?}");
    assert!(!passed.said.contains("Verification code"), "{passed:?}");
    assert!(!machine.login("alone", "bob", "").accepted);
    // Whom the machine does not know has no file to be without.
    let unknown = machine.login("lenient", "nobody-here", "123456");
    assert!(
        !unknown.accepted && unknown.said.contains(REFUSAL),
        "{unknown:?}"
    );
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
    let typed = code(&machine.enroll("alice"));
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
    let secret = machine.enroll("alice");
    let right = code(&secret);
    let recovery = &recovery::make(&machine, "alice")[0];
    for (user, code, accepted) in [
        ("alice", wrong(&secret), false),
        ("alice", right.clone(), true),
        ("alice", right, false),
        ("alice", recovery.clone(), true),
        ("alice", recovery.clone(), false),
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
    machine.logged("user 'bob' rhost '' service 'login': no secret");
}

#[test]
fn a_log_line_cannot_be_taken_for_another() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let mut command = machine.command("attempts");
    command.arg("192.0.2.7' service 'x");
    let mut attempts = Attempts::start(command);
    let mut logged = |user: &str, as_what: &str| {
        attempts.attempt(["login", user, "", "123456"]);
        machine.logged(&format!(
            "pam_factor2(login:auth): user '{as_what}' \
             rhost '192.0.2.7\\x27 service \\x27x' service 'login': "
        ));
    };
    logged("alice': accepted", "alice\\x27: accepted");
    logged("a\\x27\"", "a\\x5cx27\\x22");
    logged("\u{9b}2J\u{2028}\u{7f}", "\\xc2\\x9b2J\\xe2\\x80\\xa8\\x7f");
    logged("100%s%n", "100%s%n");
    logged(&"a".repeat(256), &"a".repeat(256));
    logged(&"a".repeat(257), &format!("{}\\...", "a".repeat(256)));
    logged(
        &"\u{ff}".repeat(4000),
        &format!("{}\\...", "\\xc3\\xbf".repeat(128)),
    );

    machine.service("wrong", "pam_factor2.so no'such\u{9b}option");
    machine.login("wrong", "alice", "");
    machine.logged("wrong option 'no\\x27such\\xc2\\x9boption': everybody is refused");
}
