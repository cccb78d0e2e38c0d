//! Mounts that stay with one command, in a namespace of its own.

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{fs, thread};

use crate::support::{announce, run, scratch, tool};

/// `unshare`, which wants the program that may mount. None, and a word about it, when only root may
/// mount, or when what is mounted would be seen outside.
pub fn unshare() -> Option<Command> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let why = if !is_root {
        "only root may mount"
    } else if let Some(how) = propagation() {
        return Some(unshare_with(how));
    } else {
        "this root is no mount point, and what is mounted here is seen outside; \
         `mount --bind FOLDER FOLDER` before `chroot FOLDER` helps"
    };
    let test = thread::current().name().unwrap_or_default().to_owned();
    announce(&format!("SKIPPED: {test}: {why}"));
    None
}

fn unshare_with(propagation: &str) -> Command {
    let mut command = tool("unshare");
    command.args(["--mount", "--propagation", propagation]);
    command
}

/// What unshare is to do so that mounts stay with the command. In a chroot whose root is no mount point it
/// cannot make them private; there they may stay by themselves. None if they don't.
fn propagation() -> Option<&'static str> {
    static PROPAGATION: OnceLock<Option<&str>> = OnceLock::new();
    *PROPAGATION.get_or_init(|| {
        let mut private = unshare_with("private");
        let status = private.arg("true").stderr(Stdio::null()).status();
        if status.unwrap().success() {
            return Some("private");
        }
        let probe = scratch("mounts");
        let mut mount = unshare_with("unchanged");
        mount.args(["mount", "-t", "tmpfs", "tmpfs"]).arg(&probe);
        if !mount.stderr(Stdio::null()).status().unwrap().success() {
            return None;
        }
        let seen =
            run(Command::new("stat").args(["-f", "-c", "%T"]).arg(&probe)).stdout == b"tmpfs\n";
        if seen {
            run(Command::new("umount").arg(&probe));
        }
        (!seen).then_some("unchanged")
    })
}
