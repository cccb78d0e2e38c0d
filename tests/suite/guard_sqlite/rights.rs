//! Processes that are not root, or no longer: groups whose members may write, and servers that give up
//! what they were started with.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use factor2::Status;
use serde_json::{Value, json};

use super::fork::{child, wait_for};
use super::{NOW, beside, code_at, config, config_with, log_in, refusal, verify, worker};
use crate::support::{Authenticator, announce};

/// A folder that every user can reach, unlike the target folder in somebody's home.
struct Folder(PathBuf);

impl Folder {
    /// None, and a word about it, when this user cannot become others.
    fn new(group: u32, mode: u32) -> Option<Folder> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        // SAFETY: it only returns a number.
        if unsafe { libc::geteuid() } != 0 {
            announce("SKIPPED: rights of other users: only root can become them");
            return None;
        }
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("factor2-rights-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        let folder = Folder(folder);
        folder.give(0, group, mode);
        Some(folder)
    }

    fn give(&self, user: u32, group: u32, mode: u32) {
        chown(&self.0, Some(user), Some(group)).unwrap();
        fs::set_permissions(&self.0, Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self) -> PathBuf {
        self.0.join("guard.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Whom a process is: its user, its group and the other ones.
type Person = (u32, u32, &'static [u32]);

fn become_person(person: &Value) {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let groups: Vec<u32> = person[2].as_array().unwrap().iter().map(number).collect();
    let (user, group) = (number(&person[0]), number(&person[1]));
    // SAFETY: numbers, and as many of them as it is told.
    unsafe {
        assert_eq!(libc::setgroups(groups.len(), groups.as_ptr()), 0);
        assert_eq!(libc::setresgid(group, group, group), 0);
        assert_eq!(libc::setresuid(user, user, user), 0);
    }
}

/// As this person, logs a user in, who must be told this.
#[track_caller]
fn log_in_as(person: Person, config: &Value, user: usize, status: Status) {
    let more = json!({"person": person, "user": user, "status": status as i32});
    worker::run("log in as", config, more);
}

pub fn log_in_worker(config: &Value, more: &Value) {
    become_person(&more["person"]);
    let authenticator = Authenticator::new(config.clone());
    let reply = log_in(&authenticator, more["user"].as_u64().unwrap() as usize, NOW);
    assert_eq!(more["status"], reply.status, "{}", reply.text);
}

/// As this person, is refused for a reason.
#[track_caller]
fn refused_as(person: Person, config: &Value, why: &str) {
    worker::run("refused as", config, json!({"person": person, "why": why}));
}

pub fn refused_worker(config: &Value, more: &Value) {
    become_person(&more["person"]);
    let (message, why) = (refusal(config), more["why"].as_str().unwrap());
    assert!(message.contains(why), "{message}");
}

fn trusting(path: &Path) -> Value {
    config_with(path, json!({"group": "trust"}))
}

#[test]
fn a_group_that_is_trusted_may_write() {
    // Kubernetes' fsGroup; and OpenShift, where the user is anybody, and the group is root's.
    let cases: [(u32, u32, [Person; 2]); 2] = [
        (
            2000,
            0o2775,
            [(1000, 1000, &[2000]), (1001, 1001, &[7, 2000])],
        ),
        (0, 0o775, [(1_000_620_000, 0, &[]), (1_000_620_001, 0, &[])]),
    ];
    for (group, mode, [first, second]) in cases {
        let Some(folder) = Folder::new(group, mode) else {
            return;
        };
        let path = folder.path();
        let why = format!(
            "its folder may be written by others, by group {group}: chmod g-w, or \
             \"group\":\"trust\" if all of the group may"
        );
        refused_as(first, &config(&path), &why);
        let refusing = config_with(&path, json!({"group": "refuse"}));
        refused_as(first, &refusing, &why);
        assert!(!path.exists());
        log_in_as(first, &trusting(&path), 1, Status::Ok);
        let file = fs::metadata(&path).unwrap();
        assert_eq!(file.mode() & 0o7777, 0o660);
        assert_eq!((file.uid(), file.gid()), (first.0, group));
        // Another user of the group shares it.
        log_in_as(second, &trusting(&path), 1, Status::TokenReused);
        log_in_as(second, &trusting(&path), 2, Status::Ok);
        log_in_as(first, &trusting(&path), 2, Status::TokenReused);
        let stranger = (1002, 1002, &[3000][..]);
        let why = format!("by group {group}, which this process is not in: chmod g-w");
        refused_as(stranger, &trusting(&path), &why);
        // Others than the group are trusted by no setting.
        for (mode, advice) in [
            (mode | 0o002, "chmod go-w"),
            (
                mode | 0o1002,
                "as /tmp may: make a folder of its own for it",
            ),
        ] {
            folder.give(0, group, mode);
            let why = format!("its folder may be written by others, {advice}");
            refused_as(first, &trusting(&path), &why);
        }
    }
}

#[test]
fn files_in_a_folder_of_a_trusted_group() {
    const MEMBER: Person = (1000, 1000, &[2000]);
    let Some(folder) = Folder::new(2000, 0o2775) else {
        return;
    };
    let path = folder.path();
    let set = |user, group, mode| {
        chown(&path, Some(user), Some(group)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    };
    log_in_as(MEMBER, &trusting(&path), 1, Status::Ok);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(beside(&path, suffix));
    }
    // Modes before and after what Kubernetes does to a volume when it mounts it.
    for (user, group, mode) in [
        (1000, 2000, 0o600),
        (1000, 2000, 0o660),
        (1000, 1000, 0o600),
        (0, 2000, 0o660),
        (1001, 2000, 0o660),
    ] {
        set(user, group, mode);
        log_in_as(MEMBER, &trusting(&path), 1, Status::TokenReused);
    }
    for (user, group, mode, why) in [
        (1001, 2000, 0o600, "the file belongs to another user"),
        (1001, 1001, 0o600, "the file belongs to another user"),
        (
            1001,
            3000,
            0o660,
            "by group 3000, which this process is not in",
        ),
        (
            1000,
            3000,
            0o660,
            "by group 3000, which this process is not in",
        ),
        (
            1000,
            2000,
            0o666,
            "the file may be written by others, chmod go-w",
        ),
    ] {
        set(user, group, mode);
        refused_as(MEMBER, &trusting(&path), why);
    }
    // Nobody but root and the process owns the folder.
    set(1000, 2000, 0o660);
    folder.give(1001, 2000, 0o2775);
    refused_as(
        MEMBER,
        &trusting(&path),
        "its folder belongs to another user",
    );
    // With a folder that is the owner's alone, the setting opens nothing.
    folder.give(1000, 1000, 0o700);
    log_in_as(MEMBER, &trusting(&path), 1, Status::TokenReused);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(&path, suffix));
    }
    log_in_as(MEMBER, &trusting(&path), 1, Status::Ok);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
}

/// What a server does with an authenticator that it has made as root.
#[test]
fn who_gives_up_rights_is_told_to_make_the_authenticator_after_that() {
    for how in [
        "setuid",
        "seteuid",
        "setegid",
        "setgroups",
        "chroot",
        "prefork",
        "fork",
    ] {
        let by_group = ["setegid", "setgroups"].contains(&how);
        let (group, mode) = if by_group { (2000, 0o2770) } else { (0, 0o700) };
        let Some(folder) = Folder::new(group, mode) else {
            return;
        };
        worker::run("give up", &trusting(&folder.path()), json!(how));
    }
}

pub fn giving_up_worker(config: &Value, how: &Value) {
    let how = how.as_str().unwrap();
    let path = Path::new(config["guard"]["path"].as_str().unwrap());
    let succeeded = |outcome: libc::c_int| assert_eq!(outcome, 0, "{how}");
    // SAFETY: numbers, and a NUL-terminated path.
    unsafe {
        match how {
            "setegid" => {
                succeeded(libc::setgroups(0, std::ptr::null()));
                succeeded(libc::setresgid(2000, 2000, 3000));
                succeeded(libc::setresuid(1000, 1000, 0));
            }
            "setgroups" => {
                succeeded(libc::setgroups(1, [2000].as_ptr()));
                succeeded(libc::setresgid(3000, 3000, 3000));
                succeeded(libc::setresuid(1000, 1000, 0));
            }
            _ => succeeded(libc::setgroups(0, std::ptr::null())),
        }
    }
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 1, NOW).ok();
    let is_explained = |why: &str| {
        let reply = verify(&authenticator, 2, &code_at(2, NOW));
        let why = format!(
            "the guard's store \"sqlite\": config.guard.path: opened {why}: make the authenticator \
             after dropping rights ("
        );
        reply.status == Status::StoreUnavailable as i32
            && reply.refused(Status::StoreUnavailable).starts_with(&why)
    };
    let as_user = "as user 0, now user 65534";
    // SAFETY: a number.
    let drop_user = || succeeded(unsafe { libc::setuid(65_534) });
    match how {
        "setuid" => {
            drop_user();
            assert!(is_explained(as_user));
        }
        "seteuid" => {
            // SAFETY: a number.
            succeeded(unsafe { libc::seteuid(65_534) });
            assert!(is_explained(as_user));
            // SAFETY: as above.
            succeeded(unsafe { libc::seteuid(0) });
            log_in(&authenticator, 1, NOW).refused(Status::TokenReused);
            log_in(&authenticator, 2, NOW).ok();
        }
        "setegid" => {
            // SAFETY: a number.
            succeeded(unsafe { libc::setegid(3000) });
            assert!(is_explained("as group 2000, now group 3000"));
        }
        "setgroups" => {
            // SAFETY: numbers; the last is for root, who is put away again.
            unsafe {
                succeeded(libc::seteuid(0));
                succeeded(libc::setgroups(0, std::ptr::null()));
                succeeded(libc::seteuid(1000));
            }
            assert!(is_explained("with other supplementary groups"));
        }
        "chroot" => {
            let root = path.with_file_name("root");
            fs::create_dir(&root).unwrap();
            std::os::unix::fs::chroot(&root).unwrap();
            std::env::set_current_dir("/").unwrap();
            assert!(is_explained("below another root folder, before a chroot"));
        }
        // Workers drop rights, and verify; one has an authenticator of its own, in the right order.
        "prefork" => {
            for _ in 0..2 {
                let worker = child(|| {
                    drop_user();
                    i32::from(!is_explained(as_user))
                });
                assert_eq!(wait_for(worker), Status::Ok);
            }
            chown(path.parent().unwrap(), Some(65_534), None).unwrap();
            chown(path, Some(65_534), None).unwrap();
            for suffix in ["-wal", "-shm"] {
                let _ = chown(beside(path, suffix), Some(65_534), None);
            }
            let worker = child(|| {
                drop_user();
                let own = Authenticator::new(config.clone());
                match verify(&own, 3, &code_at(3, NOW)).status {
                    0 => wait_for(child(|| verify(&own, 3, &code_at(3, NOW)).status)) as i32,
                    other => other,
                }
            });
            assert_eq!(wait_for(worker), Status::TokenReused);
        }
        // What is open stays usable where the folder can still be looked at; a child opens anew.
        "fork" => {
            let folder = path.parent().unwrap();
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
            drop_user();
            log_in(&authenticator, 1, NOW).refused(Status::TokenReused);
            let worker = child(|| i32::from(!is_explained(as_user)));
            assert_eq!(wait_for(worker), Status::Ok);
        }
        other => panic!("{other}"),
    }
}
