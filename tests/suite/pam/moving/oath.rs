//! From pam_oath: what the module itself has made of its users file.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::super::machine::Machine;
use super::{Left, import, oathtool, other_module, stored};

/// A machine whose services `old` and `old-pin` have pam_oath. The second takes the PIN before the code.
fn with_pam_oath(lines: &str) -> Option<(Machine, PathBuf)> {
    let machine = Machine::new()?;
    let module = other_module(&machine, "pam_oath.so");
    let file = machine.folder.join("lib/users.oath");
    fs::write(&file, lines).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let module = format!("{module} usersfile=/var/lib/users.oath window=5");
    machine.service("old", &module);
    machine.service("old-pin", &format!("{module} digits=6"));
    Some((machine, file))
}

/// 20 bytes in hex that no other test has.
fn new_key() -> String {
    let uuid = || fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    let digits: String = [uuid(), uuid()].concat().replace(['-', '\n'], "");
    digits[..40].to_owned()
}

#[test]
fn who_had_a_factor_has_the_same_one() {
    let keys: [String; 6] = std::array::from_fn(|_| new_key());
    let [hal, tom, tess, pina, fay, twice] = &keys;
    let lines = format!(
        "# The VPN's users\n\
         HOTP hal - {hal}\n\
         HOTP/T30 tom - {tom}\n\
         HOTP/T60/8\ttess\t-\t{tess}\n\
         HOTP\tpina\t1234\t{pina}\t7\n\
         HOTP/T30 nohex - xyz\n\
         bad line\n\n\
         HOTP/E/8 fay - {fay} 3\n\
         HOTP twice - {twice}\n\
         HOTP twice - {twice}00\n"
    );
    let Some((machine, file)) = with_pam_oath(&lines) else {
        return;
    };
    for (number, user) in ["hal", "tom", "tess", "pina", "fay", "nohex", "twice"]
        .iter()
        .enumerate()
    {
        machine.account(user, 55_000 + u32::try_from(number).unwrap(), "*");
    }
    for key in &keys {
        machine.keep_quiet_about(key);
        machine.keep_quiet_about(&key.to_uppercase());
    }
    let hotp = |key: &str, counter: &str| oathtool(&["-c", counter, key]);
    let totp = |key: &str, when: &str| oathtool(&["--totp", "--now", when, key]);
    let tess_at = |when: &str| {
        let options = ["--totp", "-s", "60", "-d", "8", "--now", when, tess];
        oathtool(&options)
    };

    // Each has logged in at the old module, which has noted so in the file.
    let old = |user: &str, code: &str| machine.login("old", user, code);
    assert!(old("hal", &hotp(hal, "0")).accepted);
    assert!(old("hal", &hotp(hal, "2")).accepted);
    let used = totp(tom, "now");
    assert!(old("tom", &used).accepted);
    assert!(old("tess", &tess_at("now")).accepted);
    let with_pin = format!("1234{}", hotp(pina, "7"));
    assert!(machine.login("old-pin", "pina", &with_pin).accepted);
    let noted = fs::read_to_string(&file).unwrap();
    assert!(
        noted.contains(&format!("\t2\t{}\t2", hotp(hal, "2"))),
        "{noted}"
    );
    let left = Left::new(&file);

    let said = import(&machine, &["users-file", "/var/lib/users.oath"], 1);
    left.is_untouched();
    for line in [
        "hal: taken over",
        "tom: taken over",
        "tess: taken over",
        "pina: taken over\n    PIN: not carried over; ",
        "fay: taken over\n",
        "twice: taken over\n",
        "factor2-enroll: left out: line 6: ",
        "factor2-enroll: left out: line 7: ",
        "factor2-enroll: left out: twice: one more secret of this user",
        "6 taken over, 3 left out\n",
    ] {
        assert!(said.contains(line), "{line:?}: {said}");
    }
    assert!(!said.contains("1234"), "{said}");
    assert!(
        !said.contains("line 1:") && !said.contains("line 8:"),
        "{said}"
    );

    // By the next code, and never by one that was used.
    let new = |user: &str, code: &str| machine.login("login", user, code).accepted;
    assert!(new("tom", &totp(tom, "30 seconds")));
    assert!(!new("tom", &used), "older than the one before");
    assert!(new("tess", &tess_at("60 seconds")));
    assert!(!new("hal", &hotp(hal, "2")), "used at the old module");
    assert!(!new("hal", &hotp(hal, "1")), "older");
    assert!(new("hal", &hotp(hal, "3")));
    assert!(!new("hal", &hotp(hal, "3")), "used");
    assert!(!new("pina", &hotp(pina, "7")), "used at the old module");
    // There is no PIN any more: the code alone is the factor.
    assert!(!new("pina", &format!("1234{}", hotp(pina, "8"))));
    assert!(new("pina", &hotp(pina, "8")));
    // Who has not logged in yet begins with the counter of the file.
    assert!(new("fay", &oathtool(&["-d", "8", "-c", "3", fay])));
    assert!(new("twice", &hotp(twice, "0")));
}

#[test]
fn a_later_state_of_the_file_takes_the_place_of_an_earlier_one() {
    let key = new_key();
    let lines = format!("HOTP alice - {key}\n");
    let Some((machine, _)) = with_pam_oath(&lines) else {
        return;
    };
    let hotp = |counter: &str| oathtool(&["-c", counter, &key]);
    let file = ["users-file", "/var/lib/users.oath"];
    let said = import(&machine, &file, 0);
    assert_eq!(said, "alice: taken over\n1 taken over, 0 left out\n");
    let said = import(&machine, &file, 0);
    assert!(said.starts_with("alice: had this secret already"), "{said}");
    assert!(
        said.contains("0 taken over, 1 had it already, 0 left out\n"),
        "{said}"
    );

    assert!(machine.login("old", "alice", &hotp("0")).accepted);
    assert!(machine.login("old", "alice", &hotp("3")).accepted);
    let before = stored(&machine, "alice");
    let said = import(&machine, &file, 1);
    assert!(
        said.contains("left out: alice: has a secret already; --replace"),
        "{said}"
    );
    assert_eq!(stored(&machine, "alice"), before);
    import(&machine, &[&file[..], &["--replace"]].concat(), 0);
    assert!(!machine.login("login", "alice", &hotp("3")).accepted);
    assert!(machine.login("login", "alice", &hotp("4")).accepted);
}
