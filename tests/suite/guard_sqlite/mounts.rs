//! Files and folders that are mounted, and file systems that machines share. Each test mounts in a
//! namespace of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use factor2::Status;
use serde_json::{Value, json};

use super::{NOW, config, config_with, log_in, new_path, open, refusal, worker};
use crate::private_mounts::unshare;
use crate::support::{announce, tool};

/// A job that is done after the mounts of `script`, which may use `$0` and `$1`. None where nothing may be
/// mounted.
fn mounted(script: &str, places: [&Path; 2], job: &Command) -> Option<Command> {
    let script = format!("set -e; {script}; shift; \"$@\"");
    let mut command = unshare()?;
    command
        .args(["sh", "-c", &script])
        .args(places)
        .arg(job.get_program())
        .args(job.get_args());
    for (name, value) in job.get_envs() {
        command.env(name, value.unwrap());
    }
    Some(command)
}

/// What `factor2_authenticator_new` says there.
fn refused(config: &Value, why: &str) -> Command {
    worker::command("refusal", config, json!(why))
}

pub fn refusal_worker(config: &Value, why: &Value) {
    let message = refusal(config);
    assert!(message.contains(why.as_str().unwrap()), "{message}");
}

fn verdict(config: &Value, user: usize) -> Command {
    worker::command("verdict", config, json!({"user": user, "time": NOW}))
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap().to_owned()
}

#[test]
fn a_file_that_is_mounted_by_itself_is_refused() {
    let file = new_path("mounted");
    log_in(&open(&file), 1, NOW).ok();
    let place = new_path("place");
    fs::write(&place, "").unwrap();
    let mount = "mount --bind \"$0\" \"$1\"";
    let why = "the file is mounted by itself, so the files beside it are not those of others who use \
        it: mount its folder instead";
    for (from, to) in [(&file, &place), (&file, &file), (&place, &file)] {
        if let Some(mut job) = mounted(mount, [from, to], &refused(&config(to), why)) {
            worker::succeeds(&mut job);
        }
    }
    // Its folder may be mounted, and is the same folder.
    let places = [&*folder(&file), &*folder(&place)];
    for (user, status) in [(1, Status::TokenReused), (2, Status::Ok)] {
        if let Some(mut job) = mounted(mount, places, &verdict(&config(&place), user)) {
            assert_eq!(worker::verdict_of(&mut job), status);
        }
    }
    log_in(&open(&file), 2, NOW).refused(Status::TokenReused);
}

#[test]
fn a_file_system_that_machines_share_is_refused_unless_it_is_trusted() {
    let behind = new_path("behind");
    let path = new_path("fuse");
    let places = [&*folder(&behind), &*folder(&path)];
    // It goes with its mount.
    let mount = "bindfs -o nonempty \"$0\" \"$1\"; trap 'umount -l \"$mounted\"' EXIT; mounted=$1";
    tool("bindfs");
    if !Path::new("/dev/fuse").exists() {
        announce("SKIPPED: FUSE: there is no /dev/fuse");
        return;
    }
    let why = "its folder is on FUSE or virtiofs, where locks may not hold for all who mount it";
    for config in [
        config(&path),
        config_with(&path, json!({"filesystem": "refuse"})),
    ] {
        if let Some(mut job) = mounted(mount, places, &refused(&config, why)) {
            worker::succeeds(&mut job);
        }
    }
    assert!(!behind.exists(), "it was made all the same");
    let trusting = config_with(&path, json!({"filesystem": "trust"}));
    for status in [Status::Ok, Status::TokenReused] {
        if let Some(mut job) = mounted(mount, places, &verdict(&trusting, 1)) {
            assert_eq!(worker::verdict_of(&mut job), status);
        }
    }
    // One that was local and no longer is.
    if let Some(mut job) = mounted(mount, places, &refused(&config(&path), why)) {
        worker::succeeds(&mut job);
    }
    announce(
        "SKIPPED: NFS, SMB, 9p and their kin cannot be mounted here: the table of their numbers is tested",
    );
}

#[test]
fn file_systems_of_one_machine_are_taken() {
    let lower = new_path("lower");
    let path = new_path("local");
    let places = [&*folder(&lower), &*folder(&path)];
    for mount in [
        "mount -t tmpfs -o mode=700 tmpfs \"$1\"",
        "mount -t tmpfs -o mode=700 tmpfs \"$0\"; mkdir -m 700 \"$0/u\" \"$0/w\" \"$0/l\"; \
         mount -t overlay -o \"lowerdir=$0/l,upperdir=$0/u,workdir=$0/w\" overlay \"$1\"",
    ] {
        if let Some(mut job) = mounted(mount, places, &verdict(&config(&path), 1)) {
            assert_eq!(worker::verdict_of(&mut job), Status::Ok, "{mount}");
        }
    }
}
