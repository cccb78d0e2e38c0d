//! What is taken over, what is left out, and what is said of both.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use super::super::enroll::{PROGRAM, call, entries};
use super::super::machine::{Machine, code, new_secret};
use super::{Left, import, oathtool, stored};
use crate::support::run;

/// 20 bytes, as both formats write them.
const KEY: &str = "0102030405060708090a0b0c0d0e0f1011121314";
const BASE32: &str = "AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYU";

fn with_file(text: impl AsRef<[u8]>) -> Option<(Machine, PathBuf)> {
    let machine = Machine::new()?;
    let file = machine.folder.join("lib/file");
    fs::write(&file, text).unwrap();
    for secret in [KEY, &KEY.to_uppercase(), BASE32] {
        machine.keep_quiet_about(secret);
    }
    Some((machine, file))
}

#[test]
fn one_bad_user_never_loses_the_others() {
    let long = "u".repeat(300);
    let mut text = format!(
        "HOTP/T30 alice - {KEY}\n\
         HOTP/T30 nobody-here - {KEY}\n\
         HOTP/T30 ../alice - {KEY}\n\
         HOTP/T30 .alice - {KEY}\n\
         HOTP/T30 {long} - {KEY}\n\
         HOTP/T30 alice - {KEY}\n\
         HOTP/T30 short - 0102\n\
         HOTP/T30 enrolled - {KEY}\n"
    )
    .into_bytes();
    text.extend(b"HOTP/T30 M\xfcller - 0102030405060708090a0b0c0d0e0f1011121314\n");
    text.extend(b"HOTP/T30 bob\0by - 0102030405060708090a0b0c0d0e0f1011121314\n");
    text.extend(b"# M\xfcller had one\n");
    text.extend(format!("HOTP/T30/8 bob - {KEY}").bytes());
    let Some((machine, file)) = with_file(text) else {
        return;
    };
    for (user, id) in [("short", 54_010), ("enrolled", 54_011)] {
        machine.account(user, id, "*");
    }
    let secret = machine.enroll("enrolled");
    let left = Left::new(&file);
    let said = import(&machine, &["users-file", "/var/lib/file"], 1);
    left.is_untouched();
    for line in [
        "alice: taken over\n",
        "bob: taken over\n",
        "left out: nobody-here: this machine has no such account; --force",
        "left out: ../alice: this user's name cannot be a file's name\n",
        "left out: .alice: this user's name cannot be a file's name\n",
        "left out: alice: one more secret of this user",
        "left out: enrolled: has a secret already; --replace",
        "left out: line 9: not UTF-8",
        "2 taken over, 9 left out\n",
    ] {
        assert!(said.contains(line), "{line:?}: {said}");
    }
    assert!(
        said.contains("left out: line 7: ") || said.contains("left out: short: "),
        "{said}"
    );
    assert!(said.contains("left out: line 10: "), "{said}");
    assert_eq!(entries(&machine), ["alice", "bob", "enrolled"]);
    assert_eq!(stored(&machine, "enrolled"), format!("{secret}\n"));
    let uri = format!("otpauth://totp/alice?secret={BASE32}\n");
    assert_eq!(stored(&machine, "alice"), uri);
    let bobs = oathtool(&["--totp", "-d", "8", KEY]);
    assert!(machine.login("login", "bob", &bobs).accepted);
}

#[test]
fn force_and_replace() {
    let text = format!("HOTP/T30 alice - {KEY}\nHOTP/T30 nobody-here - {KEY}\n");
    let Some((machine, _)) = with_file(text) else {
        return;
    };
    machine.enroll("alice");
    let end = call(&machine, &["--recovery-codes", "alice"]);
    assert_eq!(end.status, Some(0));
    let before = stored(&machine, "alice");
    let recovery = before.lines().nth(1).unwrap();
    let arguments = ["users-file", "/var/lib/file", "--force", "--replace"];
    let said = import(&machine, &arguments, 0);
    assert!(said.contains("nobody-here: taken over\n"), "{said}");
    assert_eq!(entries(&machine), ["alice", "nobody-here"]);
    let after = format!("otpauth://totp/alice?secret={BASE32}\n{recovery}\n");
    assert_eq!(stored(&machine, "alice"), after);
}

#[test]
fn a_long_secret_and_other_formats() {
    let key = "ab".repeat(512);
    let Some((machine, file)) = with_file(format!("HOTP/T60/8 alice - {key}\n")) else {
        return;
    };
    import(&machine, &["users-file", "/var/lib/file"], 0);
    assert!(stored(&machine, "alice").len() > 850);
    let code_of_60 = oathtool(&["--totp", "-s", "60", "-d", "8", &key]);
    assert!(machine.login("login", "alice", &code_of_60).accepted);
    let said = call(&machine, &["--list"]).said;
    assert!(said.contains("alice  20"), "{said}");

    let secret = new_secret();
    machine.keep_quiet_about(&secret);
    let uri = format!("otpauth://totp/Example:bob?secret={secret}&issuer=Example\n");
    let issuer = "x".repeat(250);
    let long = format!(
        "otpauth://totp/{issuer}:alice?secret={}&issuer={issuer}\n",
        "B".repeat(816)
    );
    fs::write(&file, format!("{uri}nonsense\n{long}")).unwrap();
    let said = import(&machine, &["otpauth", "/var/lib/file", "--replace"], 1);
    for line in [
        "bob: taken over\n",
        "left out: line 2: ",
        "left out: alice: the secret is too long\n",
        "1 taken over, 2 left out\n",
    ] {
        assert!(said.contains(line), "{line:?}: {said}");
    }
    assert_eq!(stored(&machine, "bob"), uri);
    assert!(machine.login("login", "bob", &code(&secret)).accepted);

    let header = "upn,serial number,secret key,time interval,manufacturer,model\n";
    let lines = format!(
        "{header}alice,1,{secret},60,Acme,One\nbob,2,secret1,60,Acme,One\n,,{secret},30,,\n"
    );
    fs::write(&file, lines).unwrap();
    let said = import(&machine, &["entra-csv", "/var/lib/file", "--replace"], 1);
    for line in [
        "alice: taken over\n",
        "left out: no. 3: totpsecret: ",
        "left out: the file: the entry has no user's name\n",
        "1 taken over, 2 left out\n",
    ] {
        assert!(said.contains(line), "{line:?}: {said}");
    }
    fs::write(&file, "{\"realm\":").unwrap();
    let said = import(&machine, &["keycloak", "/var/lib/file"], 1);
    assert!(
        said.contains("left out: the file: request.text: "),
        "{said}"
    );
}

#[test]
fn the_folder_is_made_and_nothing_found_is_said() {
    let Some((machine, file)) = with_file("# nobody yet\n\n") else {
        return;
    };
    let said = import(&machine, &["users-file", "/var/lib/file"], 1);
    assert!(said.contains("no secret was found"), "{said}");
    fs::write(&file, format!("HOTP/T30 alice - {KEY}\n")).unwrap();
    let elsewhere = [
        "users-file",
        "/var/lib/file",
        "-s",
        "/var/lib/x/users",
        "-g",
        "/var/lib/x/db",
    ];
    import(&machine, &elsewhere, 0);
    assert!(machine.folder.join("lib/x/users/alice").is_file());
    for (path, why) in [
        ("/var/lib/none", "/var/lib/none: No such file"),
        ("/var/lib", "/var/lib: the file is not a regular file"),
        ("/dev/null", "/dev/null: the file is not a regular file"),
    ] {
        let said = import(&machine, &["users-file", path], 1);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_user_is_found_by_any_name() {
    let text =
        format!("HOTP/T30 CORP\\TUser - {KEY}\nHOTP/T30 tuser - {KEY}\nHOTP/T30 TUSER - {KEY}\n");
    let Some((machine, _)) = with_file(text) else {
        return;
    };
    let directory = "passwd: files fold\n";
    fs::write(machine.folder.join("nsswitch.conf"), directory).unwrap();
    let said = import(&machine, &["users-file", "/var/lib/file"], 1);
    assert!(said.contains("tuser: taken over\n"), "{said}");
    assert!(said.contains("left out: TUSER: one more secret"), "{said}");
    assert!(said.contains("1 taken over, 2 left out\n"), "{said}");
    assert_eq!(entries(&machine), ["tuser"]);
}

/// As docs/daemons.md has it for FreeRADIUS: the daemon's user owns the secrets, and may only read the file.
#[test]
fn a_daemon_s_user_takes_over() {
    let Some((machine, file)) = with_file(format!("HOTP/T30 customer - {KEY}\n")) else {
        return;
    };
    machine.account("freerad", 54_020, "*");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let folder = machine.folder.join("lib/radius");
    fs::create_dir(&folder).unwrap();
    chown(&folder, Some(54_020), Some(54_020)).unwrap();
    let mut command = machine.command("setpriv");
    command.args(["--reuid", "freerad", "--regid", "freerad", "--clear-groups"]);
    command.args([PROGRAM, "--secrets", "/var/lib/radius/users"]);
    command.args(["--guard", "/var/lib/radius/guard.db", "--force"]);
    run(command.args(["--import", "users-file", "/var/lib/file"]));
    assert!(folder.join("users/customer").is_file());
}

#[test]
fn wrong_calls() {
    let Some((machine, _)) = with_file("") else {
        return;
    };
    let calls: &[&[&str]] = &[
        &["--import"],
        &["--import", "users-file"],
        &["--import", "users-file", "/var/lib/file", "alice"],
        &[
            "--import",
            "google-authenticator",
            "/var/lib/file",
            "alice",
            "bob",
        ],
        &[
            "--import",
            "google-authenticator",
            "/var/lib/file",
            "../alice",
        ],
        &["--import", "no-such-format", "/var/lib/file"],
        &["--import", "\"", "/var/lib/file"],
        &["--import", "users-file", "--list", "/var/lib/file"],
        &["--import", "users-file", "--remove", "/var/lib/file"],
        &[
            "--import",
            "users-file",
            "--recovery-codes",
            "/var/lib/file",
        ],
        &["--replace", "--list"],
        &["--replace", "--reset", "alice"],
    ];
    for arguments in calls {
        let end = call(&machine, arguments);
        assert_eq!(end.status, Some(2), "{arguments:?}: {}", end.said);
        assert!(end.said.contains("factor2-enroll --help"), "{}", end.said);
    }
    assert_eq!(entries(&machine), [""; 0]);
}

#[test]
fn it_is_clean_under_valgrind() {
    let text = format!("HOTP/T30 alice 12 {KEY}\nbad\nHOTP/T30 alice - {KEY}\nHOTP x - {KEY}\n");
    let Some((machine, _)) = with_file(text) else {
        return;
    };
    let mut command = machine.command("valgrind");
    command.args([
        "--quiet",
        "--error-exitcode=99",
        "--leak-check=full",
        PROGRAM,
    ]);
    command.args(["--import", "users-file", "/var/lib/file"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
