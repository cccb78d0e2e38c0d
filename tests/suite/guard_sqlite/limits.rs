//! What the system denies: space, permission, descriptors, time. And work goes on when it is given
//! again, with the same authenticator.

use std::fs::{self, Permissions};
use std::io::{Read, Write, pipe, stdin};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use factor2::Status;
use serde_json::{Value, json};

use super::{
    NOW, assert_intact, beside, config, config_with, inspect, log_in, new_path, open, refusal,
    sqlite, timed, worker,
};
use crate::race::tell;
use crate::support::{Authenticator, Reply, announce, run, tool};

/// A file system in memory, unmounted when it goes.
struct Mount(PathBuf);

impl Mount {
    /// None, and a word about it, when this user may not mount.
    fn new(name: &str, options: &str) -> Option<Mount> {
        // SAFETY: it only returns a number.
        if unsafe { libc::geteuid() } != 0 {
            announce(&format!(
                "SKIPPED: only root can mount a file system with {options}"
            ));
            return None;
        }
        let folder = new_path(name).parent().unwrap().to_owned();
        let options = format!("mode=700,{options}");
        let mut mount = tool("mount");
        run(mount
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&folder));
        Some(Mount(folder))
    }

    fn remount(folder: &Path, how: &str) {
        let how = format!("remount,{how}");
        run(tool("mount").args(["-o", &how]).arg(folder));
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, for a failed test may still use it.
        run(tool("umount").arg("-l").arg(&self.0));
    }
}

#[track_caller]
fn refused_as(reply: &Reply, why: &str) {
    let message = reply.refused(Status::StoreUnavailable);
    assert!(message.contains(why), "{message}");
}

/// Logs users in until one is refused twice (a first trouble ends with a connection's end, which
/// moves the log into the database and so makes room); gives him.
pub fn first_refused(authenticator: &Authenticator, why: &str) -> usize {
    let is_refused = |user| {
        let reply = log_in(authenticator, user, NOW);
        if reply.status != 0 {
            refused_as(&reply, why);
        }
        reply.status != 0
    };
    let refused = (0..100_000).find(|&user| is_refused(user) && is_refused(user));
    refused.expect("nobody is refused")
}

/// Nobody who was let in is let in again, and the one who was refused is let in now.
pub fn goes_on_after(authenticator: &Authenticator, refused: usize) {
    for user in [0, refused / 2, refused - 1] {
        log_in(authenticator, user, NOW).refused(Status::TokenReused);
    }
    log_in(authenticator, refused, NOW).ok();
    log_in(authenticator, refused, NOW).refused(Status::TokenReused);
}

#[test]
fn a_full_disk_refuses_until_there_is_space() {
    let Some(mount) = Mount::new("full", "size=512k") else {
        return;
    };
    let ballast = mount.0.join("ballast");
    fs::write(&ballast, [0; 200_000]).unwrap();
    let path = mount.0.join("guard.db");
    let authenticator = open(&path);
    let refused = first_refused(&authenticator, "the disk is full (SQLITE_FULL)");
    fs::remove_file(&ballast).unwrap();
    goes_on_after(&authenticator, refused);
    assert_intact(&path);
    // Not even a new file can be made, and the remains of it do not stand in the way.
    let full = mount.0.join("full.db");
    drop(authenticator);
    let _ = fs::write(&ballast, [0; 500_000]);
    let message = refusal(&config(&full));
    assert!(
        message.contains("SQLITE_FULL") || message.contains("SQLITE_IOERR"),
        "{message}"
    );
    fs::remove_file(&ballast).unwrap();
    log_in(&open(&full), 1, NOW).ok();
}

#[test]
fn without_inodes_it_refuses_until_there_are_some() {
    let Some(mount) = Mount::new("inodes", "nr_inodes=8") else {
        return;
    };
    let path = mount.0.join("guard.db");
    let ballast: Vec<PathBuf> = (0..8).map(|n| mount.0.join(n.to_string())).collect();
    let fill = || ballast.iter().for_each(|path| drop(fs::write(path, "")));
    fill();
    let message = refusal(&config(&path));
    assert!(
        message.contains("cannot be created: No space left"),
        "{message}"
    );
    fs::remove_file(&ballast[0]).unwrap();
    // Enough for the file, but not for those that SQLite needs beside it.
    let message = refusal(&config(&path));
    assert!(message.contains("SQLITE_CANTOPEN"), "{message}");
    ballast[1..4]
        .iter()
        .for_each(|path| fs::remove_file(path).unwrap());
    log_in(&open(&path), 1, NOW).ok();
}

#[test]
fn a_limit_of_the_file_size_refuses_until_it_is_lifted() {
    let path = new_path("fsize");
    worker::run("file size", &config(&path), Value::Null);
    assert_intact(&path);
}

pub fn set_limit(resource: libc::__rlimit_resource_t, soft: u64) -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` may be read and written.
    unsafe {
        assert_eq!(libc::getrlimit(resource, &raw mut limit), 0);
        let before = limit.rlim_cur;
        limit.rlim_cur = soft;
        assert_eq!(libc::setrlimit(resource, &raw const limit), 0);
        before
    }
}

pub fn file_size_worker(config: &Value, _: &Value) {
    // SAFETY: a write beyond the limit then fails, instead of ending the process.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let authenticator = Authenticator::new(config.clone());
    let before = set_limit(libc::RLIMIT_FSIZE, 50_000);
    let refused = first_refused(&authenticator, "SQLITE_");
    set_limit(libc::RLIMIT_FSIZE, before);
    goes_on_after(&authenticator, refused);
}

#[test]
fn without_descriptors_it_refuses_until_there_are_some() {
    worker::run("no descriptors", &config(&new_path("nofile")), Value::Null);
}

pub fn no_descriptors_worker(config: &Value, _: &Value) {
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 0, NOW).ok();
    super::descriptors::close_all(Path::new(config["guard"]["path"].as_str().unwrap()));
    let is_free = |descriptor: &u64| !Path::new(&format!("/proc/self/fd/{descriptor}")).exists();
    let first_free = (0..).find(is_free).unwrap();
    for more in 0..3 {
        let before = set_limit(libc::RLIMIT_NOFILE, first_free + more);
        refused_as(&log_in(&authenticator, 1, NOW), "SQLITE_");
        set_limit(libc::RLIMIT_NOFILE, before);
    }
    log_in(&authenticator, 1, NOW).ok();
    log_in(&authenticator, 0, NOW).refused(Status::TokenReused);
}

#[test]
fn what_may_not_be_written_is_refused_until_it_may() {
    let mount = Mount::new("read-only", "size=1m");
    // Who cannot mount is not root, whom permissions would not stop.
    let path = match &mount {
        Some(Mount(folder)) => folder.join("guard.db"),
        None => new_path("read-only"),
    };
    worker::run("unwritable", &config(&path), json!(mount.is_some()));
    assert_intact(&path);
}

pub fn unwritable_worker(config: &Value, mounted: &Value) {
    let path = Path::new(config["guard"]["path"].as_str().unwrap());
    let folder = path.parent().unwrap();
    let set_mode = |path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let forbid = || match mounted.as_bool().unwrap() {
        true => Mount::remount(folder, "ro"),
        false => {
            set_mode(path, 0o400);
            set_mode(folder, 0o500);
        }
    };
    let allow = || match mounted.as_bool().unwrap() {
        true => Mount::remount(folder, "rw"),
        false => {
            set_mode(folder, 0o700);
            set_mode(path, 0o600);
        }
    };
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 0, NOW).ok();
    // Without a connection: it notices that its descriptors are closed, and cannot open others.
    super::descriptors::close_all(path);
    let away = path.with_extension("away");
    fs::rename(path, &away).unwrap();
    refused_as(&log_in(&authenticator, 1, NOW), "no such file");
    fs::rename(&away, path).unwrap();
    // And without a log: the last one out deletes it.
    assert_eq!(worker::verdict(path, 0, NOW), Status::TokenReused);
    forbid();
    for _ in 0..2 {
        refused_as(&log_in(&authenticator, 1, NOW), "SQLITE_");
    }
    let before = fs::read(path).unwrap();
    refusal(config);
    assert_eq!(fs::read(path).unwrap(), before);
    allow();
    log_in(&authenticator, 1, NOW).ok();
    log_in(&authenticator, 0, NOW).refused(Status::TokenReused);
}

/// A process that holds a lock as long as this lives.
struct Holder(Child);

impl Holder {
    fn new(config: &Value, how: &str) -> Holder {
        let (mut news, tell) = pipe().unwrap();
        let holder = worker::command("hold", config, json!(how))
            .stdin(Stdio::piped())
            .stderr(Stdio::from(tell))
            .spawn()
            .unwrap();
        news.read_exact(&mut [0; 4]).unwrap();
        Holder(holder)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

pub fn holding_worker(config: &Value, how: &Value) {
    let connection = sqlite(Path::new(config["guard"]["path"].as_str().unwrap()));
    connection.execute_batch(how.as_str().unwrap()).unwrap();
    tell(b"held");
    let _ = stdin().read(&mut [0]);
}

/// Whether the shortest of a few calls took no less and not much more than its budget: on a busy
/// machine any one of them may take longer.
fn assert_takes(budget: Duration, mut call: impl FnMut()) {
    let shortest = (0..3).map(|_| timed(&mut call).1).min().unwrap();
    let range = budget..budget + Duration::from_millis(100);
    assert!(
        range.contains(&shortest),
        "{shortest:?} for a budget of {budget:?}"
    );
}

#[test]
fn a_lock_of_another_process_is_waited_for_no_longer_than_the_budget() {
    const WRITE_LOCK: &str = "BEGIN IMMEDIATE";
    const EVERY_LOCK: &str = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; \
        PRAGMA user_version = 2; COMMIT";
    for budget in [20, 300] {
        let path = new_path("budget");
        let config = config_with(&path, json!({"budget_ms": budget}));
        let budget = Duration::from_millis(budget);
        let authenticator = Authenticator::new(config.clone());
        log_in(&authenticator, 0, NOW).ok();
        let holder = Holder::new(&config, WRITE_LOCK);
        assert_takes(budget, || {
            refused_as(&log_in(&authenticator, 1, NOW), "SQLITE_BUSY");
        });
        // Reading is not in its way.
        assert_eq!(inspect(&authenticator, 0)["last_step"], NOW / 30);
        drop(Authenticator::new(config.clone()));
        drop(holder);
        log_in(&authenticator, 1, NOW).ok();
        drop(authenticator);
        let holder = Holder::new(&config, EVERY_LOCK);
        assert_takes(budget, || assert!(refusal(&config).contains("SQLITE_BUSY")));
        drop(holder);
        let authenticator = Authenticator::new(config);
        log_in(&authenticator, 1, NOW).refused(Status::TokenReused);
    }
}

#[test]
fn a_lock_that_is_given_back_in_time_costs_only_the_wait() {
    let path = new_path("patience");
    let authenticator = open(&path);
    log_in(&authenticator, 0, NOW).ok();
    let holder = Holder::new(&config(&path), "BEGIN IMMEDIATE");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            drop(holder);
        });
        let (reply, time) = timed(|| log_in(&authenticator, 1, NOW));
        reply.ok();
        assert!(time >= Duration::from_millis(100), "{time:?}");
    });
}

#[test]
fn its_descriptors_are_above_2_and_closed_by_exec() {
    worker::run(
        "descriptors",
        &config(&new_path("descriptors")),
        Value::Null,
    );
}

pub fn descriptors_worker(config: &Value, _: &Value) {
    // SAFETY: nothing else in this process uses the three.
    let standard_error = unsafe {
        let copy = libc::fcntl(2, libc::F_DUPFD_CLOEXEC, 100);
        (0..=2).for_each(|descriptor| assert_eq!(libc::close(descriptor), 0));
        copy
    };
    let authenticator = Authenticator::new(config.clone());
    let status = log_in(&authenticator, 1, NOW).status;
    let path = config["guard"]["path"].as_str().unwrap();
    let path = fs::canonicalize(path).unwrap();
    let mut bad = Vec::new();
    let mut seen = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap() {
        let entry = entry.unwrap();
        let Ok(target) = fs::read_link(entry.path()) else {
            continue;
        };
        if [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")].contains(&target) {
            let descriptor: i32 = entry.file_name().to_str().unwrap().parse().unwrap();
            // SAFETY: it only asks.
            let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
            if descriptor < 3 || flags & libc::FD_CLOEXEC == 0 {
                bad.push((descriptor, target.clone()));
            }
            seen.push(target);
        }
    }
    // SAFETY: our own copy, put back in its place.
    assert_eq!(unsafe { libc::dup2(standard_error, 2) }, 2);
    assert_eq!(status, 0);
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(bad.is_empty(), "{bad:?}");
    std::io::stdout().flush().unwrap();
}

#[test]
fn a_storm_of_signals_changes_no_answer() {
    worker::run("signals", &config(&new_path("signals")), Value::Null);
}

pub fn signals_worker(config: &Value, _: &Value) {
    extern "C" fn ignore(_: libc::c_int) {}
    // SAFETY: a handler that does nothing, without SA_RESTART; a timer of this process.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        assert_eq!(
            libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()),
            0
        );
        let every = libc::timeval {
            tv_sec: 0,
            tv_usec: 1000,
        };
        let timer = libc::itimerval {
            it_interval: every,
            it_value: every,
        };
        libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut());
    }
    for user in 0..300 {
        let authenticator = Authenticator::new(config.clone());
        log_in(&authenticator, user, NOW).ok();
        log_in(&authenticator, user, NOW).refused(Status::TokenReused);
    }
}
