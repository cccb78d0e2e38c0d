//! The files that docs/daemons.md gives for each daemon, copied out of it and tried: a password and a code let
//! in, and neither of them alone does.

use std::fs;

use super::enroll::Enrollment;
use super::machine::{Attempts, Machine, code, code_at, wrong};
use crate::support::{root, run, tool};

pub const PASSWORD: &str = "correct horse battery";

/// docs/daemons.md's blocks that begin with a file's name: the name, and the lines.
fn files() -> Vec<(String, String)> {
    let readme = fs::read_to_string(root().join("docs/daemons.md")).unwrap();
    let blocks = readme.split("```\n# ").skip(1);
    blocks
        .map(|block| {
            let (name, lines) = block.split_once('\n').unwrap();
            let lines = lines.split("```").next().unwrap();
            (name.to_owned(), lines.to_owned())
        })
        .collect()
}

/// docs/daemons.md's file of that name.
pub fn file(name: &str) -> String {
    let files = files();
    let mut found = files.iter().filter(|(file, _)| file == name);
    let lines = found
        .next()
        .unwrap_or_else(|| panic!("{name} is not in docs/daemons.md"));
    assert!(found.next().is_none(), "{name} is twice in docs/daemons.md");
    lines.1.clone()
}

/// The services that docs/daemons.md has a file for.
fn services() -> Vec<(String, String)> {
    let files = files().into_iter();
    files
        .filter_map(|(name, lines)| Some((name.strip_prefix("/etc/pam.d/")?.to_owned(), lines)))
        .collect()
}

pub fn password_hash() -> String {
    let hash = run(tool("openssl").args(["passwd", "-6", PASSWORD]));
    String::from_utf8(hash.stdout).unwrap().trim().to_owned()
}

#[test]
fn each_daemon_has_a_whole_file() {
    let services = services();
    let names: Vec<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["sshd", "openvpn", "radiusd"]);
    for (name, lines) in &services {
        for word in ["pam_factor2.so", "auth ", "account"] {
            assert!(lines.contains(word), "{name}: no {word}");
        }
    }
}

#[test]
fn password_and_code_let_in_and_neither_does_alone() {
    let Some(machine) = Machine::new() else {
        return;
    };
    machine.account("carol", 54_003, &password_hash());
    for (service, lines) in services() {
        if service == "radiusd" {
            continue; // it knows no password: below
        }
        fs::write(machine.folder.join("pam.d").join(&service), lines).unwrap();
        let secret = machine.enroll("carol");
        let mut attempts = Attempts::start(machine.command("attempts"));
        let mut result = |password, code: &str| {
            let what = [service.as_str(), "carol", password, code];
            attempts.attempt(what).result
        };
        let right = code(&secret);
        for (password, code) in [
            ("wrong", right.as_str()),
            ("", &right),
            (&right, &right),
            (PASSWORD, &wrong(&secret)),
            (PASSWORD, ""),
            (PASSWORD, PASSWORD),
        ] {
            assert_ne!(
                result(password, code),
                0,
                "{service}: {password:?} {code:?}"
            );
        }
        // A right code is used up, even if the password was wrong.
        let next = code_at(&secret, "30 seconds");
        assert_eq!(result(PASSWORD, &next), 0, "{service}");
    }
}

/// docs/daemons.md's commands for FreeRADIUS, and its one password, which answers all questions.
#[test]
fn the_code_is_the_password_of_radius() {
    let Some(machine) = Machine::new() else {
        return;
    };
    machine.account("freerad", 54_003, "*");
    let service = file("/etc/pam.d/radiusd");
    fs::write(machine.folder.join("pam.d/radiusd"), service).unwrap();
    let readme = fs::read_to_string(root().join("docs/daemons.md")).unwrap();
    let commands = readme
        .split("```sh\n")
        .find(|block| block.contains("-u freerad"));
    let commands = commands.unwrap().split("```").next().unwrap();
    let sudo = "sudo() {\n\
        [ \"$1\" = -u ] || { \"$@\"; return; }\n\
        user=$2; shift 2; setpriv --reuid \"$user\" --regid \"$user\" --clear-groups \"$@\"\n}\n";
    let mut shell = machine.command("sh");
    shell.args(["-euc", &format!("{sudo}{commands}")]);
    shell.env("PATH", "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin");
    let enrollment = Enrollment::start(&machine, shell);
    let (secret, first) = (enrollment.secret.clone(), code(&enrollment.secret));
    let end = enrollment.answer(&first);
    assert_eq!(end.status, Some(0), "{}", end.said);

    let mut daemon = machine.command("setpriv");
    daemon.args(["--reuid", "freerad", "--clear-groups", "attempts"]);
    let mut daemon = Attempts::start(daemon);
    let mut result = |user, sent: &str| daemon.attempt(["radiusd", user, sent, sent]).result;
    let next = code_at(&secret, "30 seconds");
    assert_ne!(result("alice", &wrong(&secret)), 0);
    assert_ne!(result("alice", PASSWORD), 0);
    assert_ne!(result("bob", &next), 0);
    assert_eq!(result("alice", &next), 0);
    assert_ne!(result("alice", &next), 0, "used");
}
