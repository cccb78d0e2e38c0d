//! A program that closes descriptors which are not its own, and opens its own files in their place;
//! and somebody who deletes the files of an open database.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, RawFd};
use std::path::Path;

use factor2::Status;
use serde_json::{Value, json};

use super::{NOW, assert_intact, beside, config, log_in, new_path, open, worker};
use crate::support::Authenticator;

/// The descriptors of a database in this process.
pub fn of(path: &Path) -> Vec<RawFd> {
    let path = fs::canonicalize(path).unwrap();
    let files = ["", "-wal", "-shm"].map(|suffix| beside(&path, suffix));
    let mut found: Vec<RawFd> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| fs::read_link(entry.path()).is_ok_and(|target| files.contains(&target)))
        .map(|entry| entry.file_name().to_str().unwrap().parse().unwrap())
        .collect();
    found.sort_unstable();
    found
}

fn close(descriptor: RawFd) {
    // SAFETY: the tests here do on purpose what no program should; the library has to notice.
    assert_eq!(unsafe { libc::close(descriptor) }, 0);
}

/// Closes a database's descriptors in this process, so that its next use opens it again.
pub fn close_all(path: &Path) {
    of(path).into_iter().for_each(close);
}

/// The same, under a high number.
fn out_of_the_way(file: impl AsRawFd) -> File {
    // SAFETY: a new descriptor.
    unsafe {
        let copy = libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 200);
        assert!(copy >= 200);
        File::from_raw_fd(copy)
    }
}

/// What the program around the library has open: a file of its own, which it has locked, or a socket.
struct Own {
    file: File,
    /// None of a socket.
    inode: Option<(u64, Vec<u8>)>,
    /// Looks at the lock without being the one who has it.
    witness: File,
}

impl Own {
    /// Under this number, which may be open.
    fn under(number: RawFd, folder: &Path, is_socket: bool) -> Own {
        use std::os::unix::fs::MetadataExt;
        let path = folder.join(format!("own-{number}"));
        let content: Vec<u8> = (0..100_000_u32)
            .map(|n| n.to_le_bytes()[n as usize % 4])
            .collect();
        fs::write(&path, &content).unwrap();
        let witness = out_of_the_way(File::options().read(true).write(true).open(&path).unwrap());
        let first = if is_socket {
            let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
            mem::forget(out_of_the_way(other));
            one.into_raw_fd()
        } else {
            let options = OpenOptions::new().read(true).write(true).open(&path);
            options.unwrap().into_raw_fd()
        };
        if first != number {
            // SAFETY: as in `close`.
            assert_eq!(unsafe { libc::dup2(first, number) }, number);
            close(first);
        }
        // SAFETY: ours from now on.
        let file = unsafe { File::from_raw_fd(number) };
        let own = Own {
            inode: (!is_socket).then(|| (file.metadata().unwrap().ino(), content)),
            file,
            witness,
        };
        if !is_socket {
            // SAFETY: a lock of all of the process's own file.
            unsafe {
                let mut lock: libc::flock = mem::zeroed();
                lock.l_type = libc::F_WRLCK as i16;
                assert_eq!(libc::fcntl(number, libc::F_SETLK, &raw const lock), 0);
            }
        }
        own
    }

    /// That nobody has read, written, locked, unlocked or closed it.
    fn assert_untouched(mut self) {
        use std::os::unix::fs::MetadataExt;
        let Some((inode, content)) = self.inode.take() else {
            self.file.write_all(b"x").unwrap();
            return;
        };
        let metadata = self.file.metadata().unwrap();
        assert_eq!(metadata.ino(), inode, "it was closed");
        assert_eq!(self.file.stream_position().unwrap(), 0, "it was read");
        let mut now = Vec::new();
        self.file.read_to_end(&mut now).unwrap();
        assert!(now == content, "it was written");
        // SAFETY: only asks.
        let lock = unsafe {
            let mut lock: libc::flock = mem::zeroed();
            lock.l_type = libc::F_WRLCK as i16;
            let witness = self.witness.as_raw_fd();
            assert_eq!(libc::fcntl(witness, libc::F_OFD_GETLK, &raw mut lock), 0);
            lock
        };
        assert_eq!(lock.l_pid, std::process::id() as i32, "it was unlocked");
        assert_eq!((lock.l_start, lock.l_len), (0, 0), "it was locked in part");
    }
}

#[test]
fn what_the_program_opens_in_place_of_our_descriptors_is_left_alone() {
    for how in [
        "all",
        "first",
        "second",
        "third",
        "odd",
        "over",
        "left closed",
    ] {
        for is_socket in [false, true] {
            let path = new_path("descriptors");
            worker::run("stolen", &config(&path), json!([how, is_socket]));
            assert_intact(&path);
        }
    }
}

pub fn stolen_worker(config: &Value, more: &Value) {
    let path = Path::new(config["guard"]["path"].as_str().unwrap());
    let (how, is_socket) = (more[0].as_str().unwrap(), more[1].as_bool().unwrap());
    // The first one's numbers are the lowest that the other one would be given.
    let first = Authenticator::new(config.clone());
    log_in(&first, 1, NOW).ok();
    let ours = of(path);
    let other = Authenticator::new(config.clone());
    log_in(&other, 2, NOW).ok();
    let all = of(path);
    assert_eq!((ours.len(), all.len()), (3, 6), "{all:?}");
    let lost: Vec<RawFd> = match how {
        "first" => vec![ours[0]],
        "second" => vec![ours[1]],
        "third" => vec![ours[2]],
        "odd" => all.into_iter().filter(|number| number % 2 == 1).collect(),
        _ => all,
    };
    if how != "over" {
        lost.iter().copied().for_each(close);
    }
    let folder = new_path("own").parent().unwrap().to_owned();
    let theirs: Vec<Own> = match how {
        "left closed" => Vec::new(),
        // What opens first here would take another one's place.
        _ => lost
            .iter()
            .map(|&number| Own::under(number, &folder, is_socket))
            .collect(),
    };
    // A child inherits what is theirs, and closes none of it.
    assert_eq!(super::fork::verdict_of_child(&first, 3), Status::Ok);
    // The other one first: it must not be given the numbers that the first one takes for its own.
    log_in(&other, 4, NOW).ok();
    for (authenticator, user) in [(&first, 5), (&other, 6), (&first, 7)] {
        log_in(authenticator, user, NOW).ok();
        assert_eq!(worker::verdict(path, user, NOW), Status::TokenReused);
    }
    for user in 1..=7 {
        log_in(&first, user, NOW).refused(Status::TokenReused);
        log_in(&other, user, NOW).refused(Status::TokenReused);
    }
    drop(first);
    log_in(&other, 8, NOW).ok();
    drop(other);
    assert_eq!(worker::verdict(path, 8, NOW), Status::TokenReused);
    theirs.into_iter().for_each(Own::assert_untouched);
}

#[test]
fn an_authenticator_that_is_freed_after_them_leaves_them_alone() {
    worker::run("freed", &config(&new_path("freed")), Value::Null);
}

pub fn freed_worker(config: &Value, _: &Value) {
    let path = Path::new(config["guard"]["path"].as_str().unwrap());
    let authenticator = Authenticator::new(config.clone());
    log_in(&authenticator, 1, NOW).ok();
    let ours = of(path);
    let folder = new_path("own").parent().unwrap().to_owned();
    let theirs: Vec<Own> = ours
        .iter()
        .map(|&number| Own::under(number, &folder, false))
        .collect();
    drop(authenticator);
    theirs.into_iter().for_each(Own::assert_untouched);
    assert_eq!(worker::verdict(path, 1, NOW), Status::TokenReused);
}

#[test]
fn a_deleted_log_is_missed_and_what_stands_in_it_is_kept() {
    for suffix in ["-wal", "-shm"] {
        let path = new_path("deleted");
        let authenticator = open(&path);
        log_in(&authenticator, 1, NOW).ok();
        fs::remove_file(beside(&path, suffix)).unwrap();
        for user in [1, 2] {
            let reply = log_in(&authenticator, user, NOW);
            let message = reply.refused(Status::StoreUnavailable);
            assert!(
                message.contains("-wal or -shm file was deleted"),
                "{message}"
            );
        }
        drop(authenticator);
        let successor = open(&path);
        log_in(&successor, 1, NOW).refused(Status::TokenReused);
        log_in(&successor, 2, NOW).ok();
    }
}
