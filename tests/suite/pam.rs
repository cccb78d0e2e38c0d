//! pam_factor2 and factor2-enroll: a login through pamtester and through sshd, inside a mount
//! namespace of its own, so that the machine's own logins stay as they are.

mod enrol;
mod files;
mod logins;
mod machine;
mod sshd;

use crate::support::{run, tool};

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
