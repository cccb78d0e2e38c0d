//! Which files of secrets the module takes, and from whom.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::thread;

use super::machine::{Login, Machine, code};
use crate::support::{run, tool};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A service that lets in whomever the module does not refuse.
fn lenient() -> Option<Machine> {
    let machine = Machine::new()?;
    let stack = "auth required pam_factor2.so nullok\nauth required pam_permit.so\n";
    machine.service_lines("lenient", stack);
    Some(machine)
}

/// Logs in with the right code, under nullok.
fn try_alice(machine: &Machine, secret: &str) -> Login {
    machine.login("lenient", "alice", &code(secret))
}

#[test]
fn a_file_that_others_could_have_read_or_written_is_refused() {
    let Some(machine) = lenient() else { return };
    let file = machine.users().join("alice");
    let elsewhere = machine.folder.join("lib/elsewhere");
    type Spoil = fn(file: &Path, elsewhere: &Path);
    let cases: &[(&str, Spoil)] = &[
        ("Too many levels of symbolic links", |file, elsewhere| {
            fs::rename(file, elsewhere).unwrap();
            symlink("../../elsewhere", file).unwrap();
        }),
        ("Too many levels of symbolic links", |file, _| {
            fs::remove_file(file).unwrap();
            symlink("no-such-file", file).unwrap();
        }),
        (
            "the file has another name, a hard link",
            |file, elsewhere| {
                fs::hard_link(file, elsewhere).unwrap();
            },
        ),
        ("the file may be used by others", |file, _| {
            chmod(file, 0o604)
        }),
        ("the file may be used by others", |file, _| {
            chmod(file, 0o640)
        }),
        ("the file may be used by others", |file, _| {
            chmod(file, 0o602)
        }),
        ("the file belongs to another user", |file, _| {
            chown(file, Some(12345), None).unwrap()
        }),
        ("the file is not a regular file", |file, _| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
        ("the file is not a regular file", |file, _| {
            fs::remove_file(file).unwrap();
            run(tool("mkfifo").arg(file));
        }),
        ("the file does not hold a secret", |file, _| {
            fs::write(file, "").unwrap()
        }),
        ("the file does not hold a secret", |file, _| {
            fs::write(file, "A".repeat(1280)).unwrap()
        }),
        ("the file does not hold a secret", |file, _| {
            let secret = fs::read_to_string(file).unwrap();
            fs::write(file, format!("{secret}{secret}")).unwrap();
        }),
        ("the file does not hold a secret", |file, _| {
            let secret = fs::read_to_string(file).unwrap();
            fs::write(file, format!("{}\0\n", secret.trim())).unwrap();
        }),
        ("InvalidSecret: ", |file, _| {
            fs::write(file, "not base32\n").unwrap()
        }),
    ];
    for (why, spoil) in cases {
        let secret = machine.enroll("alice");
        spoil(&file, &elsewhere);
        let login = try_alice(&machine, &secret);
        assert!(!login.accepted, "{why}: {login:?}");
        machine.logged(&format!("user 'alice' rhost '' service 'lenient': {why}"));
        let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir(&file));
        let _ = fs::remove_file(&elsewhere);
        machine.forget_log();
    }
    // And nothing else is in the way.
    let secret = machine.enroll("alice");
    assert!(try_alice(&machine, &secret).accepted);
}

#[test]
fn a_folder_that_others_could_change_is_refused() {
    let Some(machine) = lenient() else { return };
    let users = machine.users();
    let secret = machine.enroll("alice");
    let refused = |why: &str| {
        // Nobody passes for having no secret there, either.
        for user in ["alice", "bob"] {
            let login = machine.login("lenient", user, &code(&secret));
            assert!(!login.accepted, "{why}: {login:?}");
            machine.logged(&format!("user '{user}' rhost '' service 'lenient': {why}"));
        }
        machine.forget_log();
    };
    for mode in [0o702, 0o720, 0o1777] {
        chmod(&users, mode);
        refused("the folder may be written by others");
    }
    chmod(&users, 0o700);
    chown(&users, Some(12345), None).unwrap();
    refused("the folder belongs to another user");
    chown(&users, Some(0), None).unwrap();
    let moved = machine.folder.join("lib/moved");
    fs::rename(&users, &moved).unwrap();
    refused("No such file or directory");
    symlink(&moved, &users).unwrap();
    refused("Not a directory");
    fs::remove_file(&users).unwrap();
    fs::rename(&moved, &users).unwrap();
    assert!(try_alice(&machine, &secret).accepted);
}

#[test]
fn a_name_leads_to_no_other_file() {
    let Some(machine) = lenient() else { return };
    let secret = machine.enroll("alice");
    let users = machine.users();
    fs::create_dir(users.join("team")).unwrap();
    fs::copy(users.join("alice"), users.join("../outside")).unwrap();
    fs::copy(users.join("alice"), users.join("team/alice")).unwrap();
    fs::copy(users.join("alice"), users.join(".hidden")).unwrap();
    let long = "a".repeat(256);
    let names = [
        "../outside",
        "../users/alice",
        "./alice",
        "/var/lib/factor2/users/alice",
        "team/alice",
        "alice/",
        "..",
        ".",
        ".hidden",
        "ali\nce",
        "alice\u{7f}",
        "\u{1b}[2J",
        &long,
        "",
    ];
    let typed = code(&secret);
    // At once, for each refusal takes a second.
    thread::scope(|scope| {
        for name in names {
            let (machine, typed) = (&machine, &typed);
            scope.spawn(move || {
                let login = machine.login("lenient", name, typed);
                assert!(!login.accepted, "{name:?}: {login:?}");
            });
        }
    });
    assert!(machine.login("lenient", "alice", &typed).accepted);
    let log = machine.logged("user 'alice' rhost '' service 'lenient': accepted");
    let refusals = log.matches("the user's name cannot be a file's name");
    assert_eq!(refusals.count(), names.len(), "{log}");
    // An unusual name is still a name.
    for (name, as_logged) in [
        ("%s%n", "%s%n"),
        ("bob@example.com", "bob@example.com"),
        ("Zoë", "Zo\\xc3\\xab"),
        ("a b", "a b"),
        ("-rf", "-rf"),
        ("a\\b", "a\\x5cb"),
    ] {
        let secret = machine.enroll(name);
        let mut command = machine.command("pamtester");
        command.args(["--", "lenient", name, "authenticate"]);
        let login = machine.answer(command, &code(&secret));
        assert!(login.accepted, "{name:?}: {login:?}");
        machine.logged(&format!(
            "user '{as_logged}' rhost '' service 'lenient': accepted"
        ));
    }
}

#[test]
fn other_places_by_option() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let secret = machine.enroll("alice");
    let moved = machine.folder.join("lib/moved");
    fs::rename(machine.users(), &moved).unwrap();
    machine.service(
        "moved",
        "pam_factor2.so secrets=/var/lib/moved guard=/var/lib/factor2/other.db echo",
    );
    let login = machine.login("moved", "alice", &code(&secret));
    assert!(login.accepted, "{login:?}");
    assert!(machine.folder.join("lib/factor2/other.db").is_file());
    assert!(!machine.guard().exists());
}

#[test]
fn a_guard_that_cannot_answer_lets_nobody_in() {
    let Some(machine) = lenient() else { return };
    let secret = machine.enroll("alice");
    assert!(try_alice(&machine, &secret).accepted);
    let guard = machine.guard();
    let good = fs::read(&guard).unwrap();
    let refused = || {
        let secret = machine.enroll("alice");
        let login = try_alice(&machine, &secret);
        assert!(!login.accepted, "{login:?}");
        machine.logged("user 'alice' rhost '' service 'lenient': StoreUnavailable: ");
        machine.forget_log();
    };
    fs::write(
        &guard,
        "this is no database, however long one reads in it".repeat(200),
    )
    .unwrap();
    refused();
    fs::write(&guard, &good[..good.len() / 2]).unwrap();
    refused();
    fs::write(&guard, &good).unwrap();
    chmod(&guard, 0o602);
    refused();
    for name in ["guard.db", "guard.db-wal", "guard.db-shm"] {
        let _ = fs::remove_file(guard.with_file_name(name));
    }
    symlink("elsewhere.db", &guard).unwrap();
    refused();
    fs::remove_file(&guard).unwrap();
    let folder = machine.folder.join("lib/factor2");
    chmod(&folder, 0o777);
    refused();
    chmod(&folder, 0o700);
    let secret = machine.enroll("alice");
    assert!(try_alice(&machine, &secret).accepted);
}

#[test]
fn who_may_not_read_the_secrets_is_told_so_in_the_log() {
    let Some(machine) = lenient() else { return };
    let secret = machine.enroll("alice");
    let mut command = machine.command("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.args(["pamtester", "lenient", "alice", "authenticate"]);
    let login = machine.answer(command, &code(&secret));
    assert!(!login.accepted, "{login:?}");
    machine.logged(
        "user 'alice' rhost '' service 'lenient': Permission denied in /var/lib/factor2/users",
    );
}
