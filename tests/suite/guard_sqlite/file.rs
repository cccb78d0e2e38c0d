//! Which files are taken, and what is made of them.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use factor2::Status;
use factor2::capi::factor2_describe;
use serde_json::{Value, json};

use super::{
    NOW, assert_intact, beside, code_at, config, config_with, inspect, log_in, new_path, open,
    refusal, verify, worker,
};
use crate::support::{Authenticator, announce};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What stands in a folder.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A path whose file was made by an authenticator that is gone.
fn used_path(name: &str) -> PathBuf {
    let path = new_path(name);
    log_in(&open(&path), 1, NOW).ok();
    path
}

#[track_caller]
fn refused_as(config: &Value, why: &str) {
    let message = refusal(config);
    assert!(message.contains(why), "{message}");
}

#[test]
fn a_file_is_made_only_on_request() {
    let path = new_path("missing");
    refused_as(
        &config_with(&path, json!({"create": false})),
        "no such file",
    );
    assert_eq!(names(&path), [""; 0]);
    log_in(&open(&path), 1, NOW).ok();
    let existing = Authenticator::new(config_with(&path, json!({"create": false})));
    log_in(&existing, 1, NOW).refused(Status::TokenReused);
    drop(existing);
    assert_eq!(names(&path), ["guard.db"]);
}

#[test]
fn it_describes_itself() {
    let authenticator = open(&new_path("describe"));
    let description = authenticator.call(factor2_describe, json!({})).ok();
    let guard = json!({"store": "sqlite", "scope": "machine", "soft": 5, "hard": 33,
        "base_delay_s": 30, "max_delay_s": 3600});
    assert_eq!(description["guard"], guard);
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let path = new_path("settings");
    let long = format!("/{}", "x".repeat(504));
    for (more, why) in [
        (
            json!({"path": ""}),
            "config.guard.path: must be 1 to 504 bytes",
        ),
        (
            json!({"path": long}),
            "config.guard.path: must be 1 to 504 bytes",
        ),
        (
            json!({"path": "a\u{0}b"}),
            "config.guard.path: must be 1 to 504 bytes",
        ),
        (
            json!({"path": "a\nb"}),
            "config.guard.path: must be 1 to 504 bytes",
        ),
        (json!({"path": 1}), "config.guard.path: must be a string"),
        (
            json!({"create": "true"}),
            "config.guard.create: must be true or false",
        ),
        (
            json!({"synchronous": "OFF"}),
            "config.guard.synchronous: must be one of FULL, NORMAL",
        ),
        (
            json!({"synchronous": "full"}),
            "config.guard.synchronous: must be one of FULL, NORMAL",
        ),
        (
            json!({"group": true}),
            "config.guard.group: must be a string",
        ),
        (
            json!({"group": "yes"}),
            "config.guard.group: must be one of refuse, trust",
        ),
        (
            json!({"filesystem": "any"}),
            "config.guard.filesystem: must be one of refuse, trust",
        ),
        (
            json!({"budget_ms": 9}),
            "config.guard.budget_ms: must be an integer from 10 to 5000",
        ),
        (
            json!({"budget_ms": 5001}),
            "config.guard.budget_ms: must be an integer from 10 to 5000",
        ),
        (
            json!({"url": "redis://"}),
            "config.guard: unknown member \"url\"",
        ),
    ] {
        let config = config_with(&path, more).to_string();
        let reply = Authenticator::try_new(config.as_bytes()).err().unwrap();
        let message = reply.refused(Status::Configuration);
        assert!(message.starts_with(why), "{message}");
    }
    let config = br#"{"issuer": "Test", "guard": {"store": "sqlite"}}"#;
    let reply = Authenticator::try_new(config).err().unwrap();
    assert_eq!(
        reply.refused(Status::Configuration),
        "config.guard.path: missing"
    );
    assert_eq!(names(&path), [""; 0]);
}

#[test]
fn only_the_owner_may_read_and_write_the_files_whatever_the_umask() {
    for umask in [0, 0o777] {
        worker::run("umask", &config(&new_path("umask")), json!(umask));
    }
}

pub fn umask_worker(config: &Value, umask: &Value) {
    let umask = umask.as_u64().unwrap() as libc::mode_t;
    // SAFETY: it only exchanges a number.
    unsafe { libc::umask(umask) };
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 1, NOW).ok();
    let path = Path::new(config["guard"]["path"].as_str().unwrap());
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    // SAFETY: as above.
    let umask_now = unsafe { libc::umask(0) };
    assert_eq!(umask_now, umask, "the process's umask was changed");
}

#[test]
fn what_is_not_a_file_is_refused() {
    let path = new_path("kinds");
    fs::create_dir(&path).unwrap();
    refused_as(&config(&path), "must be a regular file");
    fs::remove_dir(&path).unwrap();

    let name = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: a NUL-terminated path.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    refused_as(&config(&path), "must be a regular file");
    fs::remove_file(&path).unwrap();

    for target in [used_path("target"), new_path("target")] {
        let existed = target.exists();
        symlink(&target, &path).unwrap();
        refused_as(&config(&path), "must be a regular file");
        assert_eq!(target.exists(), existed, "nothing was made behind the link");
        fs::remove_file(&path).unwrap();
    }

    let other = used_path("target");
    fs::hard_link(&other, &path).unwrap();
    refused_as(&config(&path), "another name");
    refused_as(&config(&other), "another name");
    fs::remove_file(&path).unwrap();
    open(&other);

    refused_as(&config(Path::new("/")), "names no file");
    refused_as(&config(&path.join("x")), "its folder cannot be looked up");
}

#[test]
fn what_others_could_write_is_refused_and_left_as_it_is() {
    let path = used_path("writers");
    let folder = path.parent().unwrap();
    for bad in [0o660, 0o606, 0o622, 0o666] {
        set_mode(&path, bad);
        refused_as(&config(&path), "the file may be written by others");
        assert_eq!(mode(&path), bad);
    }
    set_mode(&path, 0o644);
    open(&path);
    for bad in [0o770, 0o707, 0o777, 0o1777] {
        set_mode(folder, bad);
        refused_as(&config(&path), "its folder may be written by others");
        refused_as(
            &config(&folder.join("new.db")),
            "its folder may be written by others",
        );
        assert_eq!(mode(folder), bad);
    }
    set_mode(folder, 0o755);
    open(&path);
    assert_eq!(names(&path), ["guard.db"]);
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    let path = used_path("owner");
    let folder = path.parent().unwrap();
    if fs::metadata(&path).unwrap().uid() != 0 {
        announce("SKIPPED: what belongs to somebody else: only root can give files away");
        return;
    }
    const SOMEBODY: Option<u32> = Some(65_534);
    chown(&path, SOMEBODY, None).unwrap();
    refused_as(&config(&path), "the file belongs to another user");
    chown(&path, Some(0), None).unwrap();
    chown(folder, SOMEBODY, None).unwrap();
    refused_as(&config(&path), "its folder belongs to another user");
    chown(folder, Some(0), None).unwrap();
    open(&path);
}

#[test]
fn a_name_is_a_name_and_nothing_else() {
    let folder = new_path("names").parent().unwrap().to_owned();
    let names = [
        "guard.db",
        ":memory:",
        "file:x?mode=memory",
        "a%20b#c?d",
        "ü.db",
    ];
    for name in names {
        let config =
            json!({"issuer": "Test", "guard": {"store": "sqlite", "path": name, "create": true}});
        let run = || {
            let job = json!({"user": 1, "time": NOW});
            worker::verdict_of(worker::command("verdict", &config, job).current_dir(&folder))
        };
        assert_eq!(run(), Status::Ok, "{name}");
        assert_eq!(run(), Status::TokenReused, "{name}");
        assert!(fs::metadata(folder.join(name)).unwrap().len() > 0, "{name}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), names.len());
    // Behind a symbolic link to its folder, and as long as a name can be with "-journal" after it.
    let link = new_path("link");
    symlink(&folder, &link).unwrap();
    let long = "x".repeat(247);
    log_in(&open(&link.join(&long)), 1, NOW).ok();
    log_in(&open(&folder.join(&long)), 1, NOW).refused(Status::TokenReused);
}

#[test]
fn a_file_that_goes_away_is_missed_until_it_is_back() {
    let path = new_path("gone");
    let away = path.with_extension("away");
    let authenticator = open(&path);
    log_in(&authenticator, 1, NOW).ok();
    let gone = |user| {
        let reply = log_in(&authenticator, user, NOW);
        let message = reply.refused(Status::StoreUnavailable);
        assert!(message.contains("moved, deleted or replaced"), "{message}");
    };
    fs::rename(&path, &away).unwrap();
    gone(1);
    gone(2);
    assert!(!path.exists(), "it was made again");
    // Another database in its place knows nothing of the codes that were used.
    let other = used_path("other");
    fs::copy(&other, &path).unwrap();
    gone(1);
    gone(2);
    fs::rename(&away, &path).unwrap();
    log_in(&authenticator, 1, NOW).refused(Status::TokenReused);
    log_in(&authenticator, 2, NOW).ok();
    fs::remove_file(&path).unwrap();
    gone(1);
    // With the log still there, the file has not just never been made.
    refused_as(&config(&path), "a -wal file stands beside it");
    fs::remove_file(&path).unwrap();
    for suffix in ["-wal", "-shm"] {
        fs::remove_file(beside(&path, suffix)).unwrap();
    }
    // Whoever starts anew may make a new one, but this authenticator never takes it for the old one.
    let successor = open(&path);
    log_in(&successor, 1, NOW).ok();
    gone(1);
    assert_eq!(inspect(&successor, 2)["last_step"], Value::Null);
    drop(authenticator);
    log_in(&successor, 2, NOW).ok();
    assert_intact(&path);
}

#[test]
fn another_file_is_not_taken_for_the_first_when_it_is_opened_again() {
    worker::run("replaced", &config(&new_path("replaced")), Value::Null);
}

pub fn replaced_worker(config: &Value, _: &Value) {
    let path = Path::new(config["guard"]["path"].as_str().unwrap());
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 1, NOW).ok();
    let other = new_path("successor");
    log_in(&open(&other), 2, NOW).ok();
    super::descriptors::close_all(path);
    fs::rename(path, path.with_extension("away")).unwrap();
    fs::copy(&other, path).unwrap();
    let code = code_at(1, NOW);
    let message = verify(&authenticator, 1, &code).refused(Status::StoreUnavailable);
    assert!(message.contains("moved, deleted or replaced"), "{message}");
    fs::rename(path.with_extension("away"), path).unwrap();
    verify(&authenticator, 1, &code).refused(Status::TokenReused);
}
