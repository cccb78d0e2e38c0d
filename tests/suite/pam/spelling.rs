//! One user under several names: a directory that takes TUSER and tuser@corp for tuser.

use std::fs;

use super::machine::{Machine, code, code_at};

const SPELLINGS: [&str; 6] = [
    "TUSER",
    "tuser@corp",
    "CORP\\tuser",
    "tuser ",
    "Corp\\TUser",
    " tuser",
];

fn machine() -> Option<Machine> {
    let machine = Machine::new()?;
    fs::write(machine.folder.join("nsswitch.conf"), "passwd: files fold\n").unwrap();
    let stack = "auth required pam_factor2.so nullok\nauth required pam_permit.so\n";
    machine.service_lines("lenient", stack);
    Some(machine)
}

#[test]
fn no_spelling_is_a_way_round_the_factor() {
    let Some(machine) = machine() else { return };
    for name in SPELLINGS {
        let login = machine.login("lenient", name, "");
        assert!(
            login.accepted,
            "nobody has a secret yet: {name:?}: {login:?}"
        );
    }
    let secret = machine.enroll("tuser");
    for name in SPELLINGS {
        let login = machine.login("lenient", name, "");
        assert!(!login.accepted, "{name:?}: {login:?}");
    }
    // What is no spelling of any user is nobody's, who is not "without a file".
    for name in ["tuser2", "tusers@corp", "tuser/corp", "TUSE", "corp\\"] {
        let login = machine.login("lenient", name, &code(&secret));
        assert!(!login.accepted, "{name:?}: {login:?}");
    }
}

#[test]
fn the_code_counts_for_all_spellings() {
    let Some(machine) = machine() else { return };
    let secret = machine.enroll("tuser");
    let typed = code(&secret);
    assert!(machine.login("login", "CORP\\tuser", &typed).accepted);
    assert!(!machine.login("login", "TUSER", &typed).accepted, "used");
    let next = code_at(&secret, "30 seconds");
    assert!(machine.login("lenient", "tuser@corp", &next).accepted);
    // A file of another spelling is nobody's.
    let other = machine.enroll("TUSER");
    assert!(!machine.login("login", "TUSER", &code(&other)).accepted);
}
