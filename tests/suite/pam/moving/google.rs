//! From pam_google_authenticator: the files that its program has written and the module itself has changed
//! since, in the users' homes and elsewhere.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::super::enroll::{PROGRAM, call, entries};
use super::super::machine::{Machine, code_at};
use super::{Left, import, oathtool, other_module, stored};
use crate::support::{run, tool};

const FILE: &str = ".google_authenticator";

/// A machine whose service `old` has pam_google_authenticator.
fn with_google() -> Option<Machine> {
    let machine = Machine::new()?;
    let module = other_module(&machine, "pam_google_authenticator.so");
    machine.service("old", &module);
    for (user, id) in [("alice", 54_001), ("bob", 54_002)] {
        make_home(&machine, user, id);
    }
    Some(machine)
}

fn make_home(machine: &Machine, user: &str, id: u32) {
    let home = machine.folder.join("home").join(user);
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
    chown(home, Some(id), Some(id)).unwrap();
}

fn add_user(machine: &Machine, user: &str, id: u32) {
    machine.account(user, id, "*");
    make_home(machine, user, id);
}

fn file_of(machine: &Machine, user: &str) -> PathBuf {
    machine.folder.join("home").join(user).join(FILE)
}

/// Runs google-authenticator as the user; gives the secret.
fn set_up(machine: &Machine, user: &str, options: &[&str]) -> String {
    tool("google-authenticator");
    let path = format!("/home/{user}/{FILE}");
    let mut command = machine.command("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    command.args([
        "google-authenticator",
        "-f",
        "-q",
        "-C",
        "-Q",
        "NONE",
        "-s",
        &path,
    ]);
    run(command.args(options));
    let lines = fs::read_to_string(file_of(machine, user)).unwrap();
    let secret = lines.lines().next().unwrap().to_owned();
    assert!(secret.len() >= 16, "{lines}");
    machine.keep_quiet_about(&secret);
    for line in lines.lines().filter(|line| line.len() == 8) {
        machine.keep_quiet_about(line);
    }
    secret
}

/// A file as that program writes it, with a secret of its own; gives the secret.
fn write_file(machine: &Machine, path: &Path, owner: u32) -> String {
    let secret = super::super::machine::new_secret();
    fs::write(path, format!("{secret}\n\" TOTP_AUTH\n")).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o400)).unwrap();
    chown(path, Some(owner), Some(owner)).unwrap();
    machine.keep_quiet_about(&secret);
    secret
}

#[test]
fn codes_by_time_go_on() {
    let Some(machine) = with_google() else {
        return;
    };
    let usual = ["-t", "-d", "-r", "3", "-R", "30", "-w", "3", "-e", "3"];
    let secret = set_up(&machine, "alice", &usual);
    let slow = set_up(
        &machine,
        "bob",
        &["-t", "-D", "-u", "-W", "-S", "60", "-e", "0"],
    );
    let used = code_at(&secret, "now");
    assert!(machine.login("old", "alice", &used).accepted);
    assert!(!machine.login("old", "alice", &used).accepted, "used");
    let noted = fs::read_to_string(file_of(&machine, "alice")).unwrap();
    assert!(noted.contains("\" DISALLOW_REUSE 5"), "{noted}");
    // It takes note of a phone whose clock may be wrong.
    let early = code_at(&secret, "5 minutes");
    assert!(!machine.login("old", "alice", &early).accepted);
    let noted = fs::read_to_string(file_of(&machine, "alice")).unwrap();
    assert!(noted.contains("\" RESETTING_TIME_SKEW "), "{noted}");
    let scratch = noted.lines().last().unwrap().to_owned();
    let left = Left::new(&file_of(&machine, "alice"));

    let said = import(&machine, &["google-authenticator"], 0);
    left.is_untouched();
    assert!(said.contains("alice: taken over\n    "), "{said}");
    assert!(
        said.contains("\n    scratch codes: not carried over; "),
        "{said}"
    );
    assert!(said.contains("bob: taken over\n"), "{said}");
    assert!(said.contains("2 taken over, 0 left out\n"), "{said}");

    let new = |user: &str, code: &str| machine.login("login", user, code).accepted;
    assert!(!new("alice", &scratch), "they are not taken over");
    // Which codes were used at the old module is not taken over, either: docs/moving.md says so.
    assert!(new("alice", &used));
    assert!(!new("alice", &used));
    assert!(new("alice", &code_at(&secret, "30 seconds")));
    let slow = oathtool(&["--totp", "-s", "60", "-b", &slow]);
    assert!(new("bob", &slow));
    assert!(!new("bob", &slow));
    left.is_untouched();

    // The other commands take what is stored, as ever.
    let said = call(&machine, &["--list"]).said;
    assert!(
        said.contains("alice  20") && said.contains("bob    20"),
        "{said}"
    );
    let end = call(&machine, &["--reset", "alice"]);
    assert_eq!((end.status, end.said.as_str()), (Some(0), "alice: reset\n"));
    let end = call(&machine, &["--recovery-codes", "alice"]);
    assert_eq!(end.status, Some(0), "{}", end.said);
    assert!(stored(&machine, "alice").contains("\nf2r1."));
    let end = call(&machine, &["--remove", "alice"]);
    assert_eq!(end.said, "alice: removed\n");
}

#[test]
fn codes_by_a_counter_go_on() {
    let Some(machine) = with_google() else {
        return;
    };
    let secret = set_up(&machine, "alice", &["-c", "-u", "-w", "5", "-e", "1"]);
    let hotp = |counter: &str| oathtool(&["-b", "-c", counter, &secret]);
    for counter in ["1", "3"] {
        assert!(machine.login("old", "alice", &hotp(counter)).accepted);
    }
    let noted = fs::read_to_string(file_of(&machine, "alice")).unwrap();
    assert!(noted.contains("\" HOTP_COUNTER 4\n"), "{noted}");
    let left = Left::new(&file_of(&machine, "alice"));

    import(&machine, &["google-authenticator"], 0);
    left.is_untouched();
    let new = |counter: &str| machine.login("login", "alice", &hotp(counter)).accepted;
    assert!(!new("3"), "used at the old module");
    assert!(!new("2"), "older");
    assert!(new("4"));
    assert!(!new("4"), "used");
    // A few presses on the way do no harm.
    assert!(new("9"));
    let said = call(&machine, &["--list"]).said;
    assert!(said.contains("alice  counter 9  "), "{said}");
}

#[test]
fn only_a_file_of_the_user_s_own_is_read() {
    let Some(machine) = with_google() else {
        return;
    };
    let alices = file_of(&machine, "alice");
    write_file(&machine, &alices, 54_001);
    let bobs = file_of(&machine, "bob");
    type Spoil = fn(alices: &Path, bobs: &Path);
    let cases: [(&str, Spoil); 8] = [
        ("the file is a symbolic link", |alices, bobs| {
            symlink(alices, bobs).unwrap();
        }),
        ("the file is a symbolic link", |_, bobs| {
            symlink("/etc/shadow", bobs).unwrap();
        }),
        ("the file belongs to another user", |alices, bobs| {
            fs::hard_link(alices, bobs).unwrap();
            fs::set_permissions(bobs, Permissions::from_mode(0o444)).unwrap();
        }),
        ("Permission denied", |alices, bobs| {
            fs::hard_link(alices, bobs).unwrap();
        }),
        ("the file is not a regular file", |_, bobs| {
            fs::create_dir(bobs).unwrap();
            fs::set_permissions(bobs, Permissions::from_mode(0o755)).unwrap();
        }),
        ("the file is not a regular file", |_, bobs| {
            run(tool("mkfifo").args(["-m", "444"]).arg(bobs));
        }),
        ("the file may be written by others", |_, bobs| {
            fs::write(bobs, "ABCDEFGHIJKLMNOPQRSTUVWXYZ\n\" TOTP_AUTH\n").unwrap();
            fs::set_permissions(bobs, Permissions::from_mode(0o666)).unwrap();
            chown(bobs, Some(54_002), None).unwrap();
        }),
        ("the file is too long", |_, bobs| {
            fs::write(bobs, "1234567\n".repeat(10_000)).unwrap();
            chown(bobs, Some(54_002), None).unwrap();
        }),
    ];
    for (why, spoil) in cases {
        spoil(&alices, &bobs);
        let said = import(&machine, &["google-authenticator"], 1);
        assert!(said.contains("alice: taken over\n"), "{why}: {said}");
        let line = format!("factor2-enroll: left out: bob: {why}\n");
        assert!(said.contains(&line), "{why}: {said}");
        assert!(said.contains("1 taken over, 1 left out\n"), "{said}");
        assert_eq!(entries(&machine), ["alice"], "{why}");
        let _ = fs::remove_file(&bobs).or_else(|_| fs::remove_dir(&bobs));
        fs::set_permissions(&alices, Permissions::from_mode(0o400)).unwrap();
        fs::remove_file(machine.users().join("alice")).unwrap();
    }
    // And nothing else is in the way.
    write_file(&machine, &bobs, 54_002);
    let said = import(&machine, &["google-authenticator"], 0);
    assert!(said.contains("2 taken over, 0 left out\n"), "{said}");
}

#[test]
fn one_file_of_one_user() {
    let Some(machine) = with_google() else {
        return;
    };
    let path = machine.folder.join("lib/state");
    let secret = write_file(&machine, &path, 0);
    let left = Left::new(&path);
    let one = |user: &str, status| {
        let arguments = ["google-authenticator", "/var/lib/state", user];
        import(&machine, &arguments, status)
    };
    assert_eq!(
        one("alice", 0),
        "alice: taken over\n1 taken over, 0 left out\n"
    );
    left.is_untouched();
    assert!(
        machine
            .login("login", "alice", &code_at(&secret, "now"))
            .accepted
    );
    let said = one("nobody-at-all", 1);
    assert!(said.contains("this machine has no such account"), "{said}");
    chown(&path, Some(54_001), None).unwrap();
    let said = one("bob", 1);
    assert!(
        said.contains("left out: bob: the file belongs to another user"),
        "{said}"
    );
    assert_eq!(entries(&machine), ["alice"]);
    let end = call(
        &machine,
        &[
            "--force",
            "--import",
            "google-authenticator",
            "/var/lib/none",
            "x",
        ],
    );
    assert_eq!(end.status, Some(1));
    assert!(
        end.said.contains("left out: x: No such file"),
        "{}",
        end.said
    );
    // Without a user's name nobody knows whose it is.
    let said = import(&machine, &["google-authenticator", "/var/lib/state"], 1);
    assert!(said.contains("whose secret is it?"), "{said}");
}

/// What the module's options secret=/var/lib/google/${USER} and secret=/var/lib/google/${USER}/.google_authenticator
/// lead to; the second looks like a folder of homes.
#[test]
fn a_folder_with_all_users_files() {
    let Some(machine) = with_google() else {
        return;
    };
    add_user(&machine, "carol", 54_003);
    add_user(&machine, "dave", 54_004);
    let folder = machine.folder.join("lib/google");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    write_file(&machine, &folder.join("alice"), 0);
    write_file(&machine, &folder.join("bob"), 54_002);
    write_file(&machine, &folder.join("carol"), 54_001);
    write_file(&machine, &folder.join("erin"), 0);
    write_file(&machine, &folder.join(".hidden"), 0);
    fs::create_dir(folder.join("dave")).unwrap();
    fs::create_dir(folder.join("empty")).unwrap();
    write_file(&machine, &folder.join("dave").join(FILE), 54_004);
    symlink("alice", folder.join("frank")).unwrap();
    let said = import(&machine, &["google-authenticator", "/var/lib/google"], 1);
    for line in [
        "left out: carol: the file belongs to another user",
        "left out: erin: this machine has no such account",
        "left out: frank: the file is a symbolic link",
        "3 taken over, 3 left out\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(entries(&machine), ["alice", "bob", "dave"]);
}

#[test]
fn it_is_clean_under_valgrind() {
    let Some(machine) = with_google() else {
        return;
    };
    write_file(&machine, &file_of(&machine, "alice"), 54_001);
    let mut command = machine.command("valgrind");
    command.args([
        "--quiet",
        "--error-exitcode=99",
        "--leak-check=full",
        PROGRAM,
    ]);
    run(command.args(["--import", "google-authenticator"]));
}
