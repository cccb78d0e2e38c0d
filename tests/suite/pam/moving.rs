//! `factor2-enroll --import`: a machine moves to pam_factor2 from another module.

mod google;
mod lines;
mod oath;

use std::fs::{self, FileTimes};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::enroll::{End, call};
use super::machine::Machine;
use crate::support::{root, run, tool};

/// Takes over, which must end with this status; no secret is shown.
#[track_caller]
fn import(machine: &Machine, arguments: &[&str], status: i32) -> String {
    let End {
        status: ended,
        said,
    } = call(machine, &[&["--import"], arguments].concat());
    assert_eq!(ended, Some(status), "{said}");
    machine.keeps_quiet(&said);
    said
}

/// docs/moving.md shows a command and what it says.
#[test]
fn the_page_shows_what_is_said() {
    let Some(machine) = Machine::new() else {
        return;
    };
    let key = "3132333435363738393031323334353637383930";
    let lines = format!(
        "HOTP/T30 alice - {key}\nHOTP bob 1234 {key}\nHOTP/T30 carol - key\nHOTP/T30 dave - {key}\n"
    );
    fs::write(machine.folder.join("lib/users.oath"), lines).unwrap();
    let page = fs::read_to_string(root().join("docs/moving.md")).unwrap();
    let mut blocks = page.split("```");
    let commands = blocks.find(|block| block.contains("--list")).unwrap();
    let shown = blocks.nth(1).unwrap();
    let command = commands.lines().nth(1).unwrap();
    assert!(
        command.starts_with("sudo factor2-enroll --import "),
        "{command}"
    );
    let command = command.replace("/etc/users.oath", "/var/lib/users.oath");
    let script = format!("sudo() {{ \"$@\"; }}\nexec 2>&1\n{command}\n");
    let mut shell = machine.command("sh");
    shell.args(["-euc", &script]);
    shell.env("PATH", "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin");
    let output = shell.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(format!("\n{said}"), shown);
}

/// What is stored of a user.
#[track_caller]
fn stored(machine: &Machine, user: &str) -> String {
    fs::read_to_string(machine.users().join(user)).unwrap()
}

/// Makes another system's module usable on a machine, and gives its path there.
fn other_module(machine: &Machine, name: &str) -> String {
    let find = "ls /lib/*/security/\"$1\" /lib/security/\"$1\" /lib64/security/\"$1\" 2>/dev/null | head -n 1";
    let found = run(Command::new("sh").args(["-c", find, "sh", name]));
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(
        !found.is_empty(),
        "{name} is not installed: run `make tools`, which installs or names what the tests need"
    );
    let copy = machine.folder.join(name);
    fs::copy(found.trim(), &copy).unwrap();
    copy.to_str().unwrap().to_owned()
}

/// What oathtool says.
fn oathtool(arguments: &[&str]) -> String {
    let output = run(tool("oathtool").args(arguments));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A file of another system, as it was.
struct Left {
    path: PathBuf,
    bytes: Vec<u8>,
    attributes: [i64; 12],
}

impl Left {
    /// One that nobody has read for days, so that reading it would be seen.
    fn new(path: &Path) -> Left {
        let days_ago = SystemTime::now() - Duration::from_secs(300_000);
        let times = FileTimes::new()
            .set_accessed(days_ago)
            .set_modified(days_ago);
        fs::File::open(path).unwrap().set_times(times).unwrap();
        Left {
            path: path.to_owned(),
            bytes: read_unseen(path),
            attributes: attributes(path),
        }
    }

    /// Checks that it is as it was.
    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(attributes(&self.path), self.attributes, "{:?}", self.path);
        assert!(read_unseen(&self.path) == self.bytes);
    }
}

/// Reads a file, and leaves no trace.
fn read_unseen(path: &Path) -> Vec<u8> {
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .read(true)
        .custom_flags(libc::O_NOATIME)
        .open(path)
        .unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

fn attributes(path: &Path) -> [i64; 12] {
    let file = fs::symlink_metadata(path).unwrap();
    [
        file.ino().cast_signed(),
        file.nlink().cast_signed(),
        file.size().cast_signed(),
        file.mode().into(),
        file.uid().into(),
        file.gid().into(),
        file.atime(),
        file.atime_nsec(),
        file.mtime(),
        file.mtime_nsec(),
        file.ctime(),
        file.ctime_nsec(),
    ]
}
