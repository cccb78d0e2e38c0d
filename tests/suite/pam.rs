//! pam_factor2 and factor2-enroll: a login through pamtester and through sshd, inside a mount
//! namespace of its own, so that the machine's own logins stay as they are.

mod alike;
mod daemons;
mod enroll;
mod files;
mod logins;
mod machine;
mod moving;
mod recovery;
mod spelling;
mod sshd;
mod stopped;

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::support::{root, run, scratch, tool};

/// The PAM module's only names for others are libpam's, and it stays mapped.
#[test]
fn the_module_exports_its_two_functions() {
    let module = machine::installed().join("security/pam_factor2.so");
    let symbols = run(tool("nm").args(["-D", "--defined-only", "-P"]).arg(&module));
    let symbols = String::from_utf8(symbols.stdout).unwrap();
    let names: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(names, ["pam_sm_authenticate", "pam_sm_setcred"]);
    let dynamic = run(tool("readelf").arg("-d").arg(&module));
    let dynamic = String::from_utf8(dynamic.stdout).unwrap();
    for entry in ["[libfactor2.so.0]", "[libpam.so.0]", "NODELETE"] {
        assert!(dynamic.contains(entry), "{dynamic}");
    }
}

/// `make uninstall-pam` takes what `make install-pam` gave, leaves the secrets, and says who still needs
/// the module.
#[test]
fn the_module_is_uninstalled() {
    machine::installed();
    let folder = scratch("uninstall_pam").join("with a space");
    let make = |target: &str| -> Output {
        run(tool("make")
            .arg(target)
            .arg(format!("DESTDIR={}", folder.display()))
            .arg("PAMDIR=/security")
            .current_dir(root()))
    };
    let files = || {
        let list = run(tool("find").arg(&folder).args(["!", "-type", "d"])).stdout;
        String::from_utf8(list).unwrap()
    };
    let state = folder.join("var/lib/factor2");
    make("install-pam");
    assert_eq!(files().lines().count(), 4, "{}", files());
    assert_eq!(make("uninstall-pam").stderr, b"");
    assert_eq!(files(), "");
    assert!(!state.exists());

    make("install-pam");
    fs::write(state.join("users/alice"), "").unwrap();
    let services = folder.join("etc/pam.d");
    write_services(&services);
    let output = make("uninstall-pam");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("still named. Take the line out of:\n"),
        "{said}"
    );
    names_the_services(&said, &services);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("The users' secrets stay in "), "{said}");
    fs::remove_dir_all(folder.join("etc")).unwrap();
    assert_eq!(
        files(),
        format!("{}\n", state.join("users/alice").display())
    );
}

/// Files of /etc/pam.d, of which two name the module.
pub fn write_services(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (name, line) in [
        ("sshd", "auth required pam_factor2.so"),
        (
            "su",
            "auth\t[success=ok default=die] /lib/security/pam_factor2.so nullok",
        ),
        ("login", "#auth required pam_factor2.so"),
        ("other", "auth required pam_unix.so # not pam_factor2.so"),
    ] {
        fs::write(folder.join(name), format!("# {name}\n{line}\n")).unwrap();
    }
}

/// Whether a text has the names of just those two.
pub fn names_the_services(said: &str, folder: &Path) {
    for (name, named) in [
        ("sshd", true),
        ("su", true),
        ("login", false),
        ("other", false),
    ] {
        let line = format!("{}\n", folder.join(name).display());
        assert_eq!(said.contains(&line), named, "{name}: {said}");
    }
}
