//! Power failures: what was told must be on the disk, whatever was not synced is lost.
//!
//! The test program defines `pwrite64` and `fsync`, which the linker takes before the C library's. While a disk is
//! watched, they note what the system was asked to write and what it has promised to keep. A power failure at any moment is
//! then a copy of the files in which each write that was not synced is there, or is not.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use factor2::Status;
use serde_json::json;

use super::crash::Random;
use super::{NOW, code_at, config_with, count, inspect, new_path, open, verify, wrong_code_at};
use crate::clock;
use crate::support::Authenticator;

/// So many threads use one authenticator, so that some are answered in another's transaction.
const THREADS: usize = 8;

/// Logged in by one thread each.
const FIRST_VICTIM: usize = 100;

/// A file of the disk.
#[derive(Clone, Default)]
struct File {
    /// What a power failure leaves for certain.
    kept: Vec<u8>,
    /// What was written since, where.
    pending: Vec<(usize, Vec<u8>)>,
}

impl File {
    fn sync(&mut self) {
        for (at, bytes) in std::mem::take(&mut self.pending) {
            put(&mut self.kept, at, &bytes);
        }
    }
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// The files that are watched, by their numbers. One test at a time has them.
static DISK: Mutex<Option<HashMap<u64, File>>> = Mutex::new(None);
static IS_WATCHED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Of those who note something: what they write themselves is not noted.
    static IS_NOTING: Cell<bool> = const { Cell::new(false) };
}

fn disk() -> MutexGuard<'static, Option<HashMap<u64, File>>> {
    DISK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes something about a file, if it is watched.
fn with_file(fd: c_int, note: impl FnOnce(&mut File)) -> bool {
    if !IS_WATCHED.load(Ordering::SeqCst) || IS_NOTING.replace(true) {
        return false;
    }
    let mut is_noted = false;
    // SAFETY: all zeros are a `stat`, which is then written.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` may be written.
    if unsafe { libc::fstat(fd, &raw mut stat) } == 0
        && let Some(file) = disk()
            .as_mut()
            .and_then(|files| files.get_mut(&stat.st_ino))
    {
        note(file);
        is_noted = true;
    }
    IS_NOTING.set(false);
    is_noted
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, size: usize, at: i64) -> isize {
    // SAFETY: the system call that the C library's function stands for.
    let written = unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, size, at) };
    if let (Ok(length), Ok(at)) = (usize::try_from(written), usize::try_from(at)) {
        // SAFETY: so many bytes were there to be written.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
        with_file(fd, |file| file.pending.push((at, bytes.to_vec())));
    }
    written as isize
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    if with_file(fd, File::sync) {
        // Without the system's, which would take its time: this disk is one of the test's own.
        return 0;
    }
    // SAFETY: the system call that the C library's function stands for.
    unsafe { libc::syscall(libc::SYS_fsync, fd) as c_int }
}

/// Watches a database's files, which nobody writes at the moment.
fn watch(path: &Path) {
    let mut files = HashMap::new();
    for name in [path.to_owned(), super::beside(path, "-wal")] {
        let kept = fs::read(&name).unwrap();
        let number = fs::metadata(&name).unwrap().ino();
        let pending = Vec::new();
        files.insert(number, File { kept, pending });
    }
    *disk() = Some(files);
    IS_WATCHED.store(true, Ordering::SeqCst);
}

/// What a power failure leaves, in a new folder.
fn fail(path: &Path, random: &mut Random) -> std::path::PathBuf {
    let copy = new_path("after-the-failure");
    let numbers = [path.to_owned(), super::beside(path, "-wal")]
        .map(|name| fs::metadata(name).unwrap().ino());
    let files = disk().clone().unwrap();
    for (number, end) in numbers.iter().zip(["", "-wal"]) {
        let File { mut kept, pending } = files[number].clone();
        for (at, bytes) in pending {
            if random.below(2) == 0 {
                put(&mut kept, at, &bytes);
            }
        }
        let name = super::beside(&copy, end);
        fs::write(&name, kept).unwrap();
        fs::set_permissions(&name, Permissions::from_mode(0o600)).unwrap();
    }
    copy
}

/// What users were told.
#[derive(Clone, Default)]
struct Told {
    accepted: HashMap<usize, u64>,
    wrong: HashMap<usize, u64>,
}

fn log_in_and_guess(
    authenticator: &Authenticator,
    user: usize,
    told: &Mutex<Told>,
    end: &AtomicBool,
) {
    for turn in 0.. {
        if end.load(Ordering::SeqCst) {
            return;
        }
        let time = NOW + 30 * turn;
        clock::stand_at(time);
        let status = verify(authenticator, user, &code_at(user, time)).status;
        if status == Status::Ok as i32 {
            told.lock().unwrap().accepted.insert(user, time / 30);
        } else {
            // Two steps in a row may share a code.
            assert_eq!(status, Status::TokenReused as i32);
        }
        let victim = FIRST_VICTIM + user + THREADS * (turn as usize / 90);
        let status = verify(authenticator, victim, &wrong_code_at(victim, time)).status;
        assert_eq!(status, Status::InvalidToken as i32);
        *told.lock().unwrap().wrong.entry(victim).or_default() += 1;
    }
}

/// Fails so often, and tells after how many failures something that was told was gone.
fn failures(synchronous: &str, times: usize) -> usize {
    let path = new_path("power");
    let more = json!({
        "soft": 100, "hard": 100, "budget_ms": 5000, "synchronous": synchronous,
    });
    let authenticator = &Authenticator::new(config_with(&path, more));
    verify(authenticator, 0, "000000").refused(Status::InvalidToken);
    watch(&path);
    let (told, end) = (&Mutex::new(Told::default()), &AtomicBool::new(false));
    let mut random = Random(20_261_127);
    let mut lost = 0;
    thread::scope(|scope| {
        for user in 1..=THREADS {
            scope.spawn(move || log_in_and_guess(authenticator, user, told, end));
        }
        for _ in 0..times {
            thread::sleep(Duration::from_micros(random.below(6_000)));
            // First what was told, then what is kept: what is told in between may be there, and need not.
            let told = told.lock().unwrap().clone();
            let copy = fail(&path, &mut random);
            let after = open(&copy);
            let keeps = |(&user, &step): (&usize, &u64)| {
                inspect(&after, user)["last_step"].as_u64() >= Some(step)
            };
            let counts = |(&user, &wrong): (&usize, &u64)| {
                inspect(&after, user)["failures"].as_u64() >= Some(wrong)
            };
            let is_whole = told.accepted.iter().all(keeps) && told.wrong.iter().all(counts);
            lost += usize::from(!is_whole);
            drop(after);
            fs::remove_dir_all(copy.parent().unwrap()).unwrap();
        }
        end.store(true, Ordering::SeqCst);
    });
    IS_WATCHED.store(false, Ordering::SeqCst);
    let told = told.lock().unwrap();
    // It would prove nothing if little had happened.
    let steps = told.accepted.values().map(|step| step - NOW / 30);
    assert!(steps.sum::<u64>() > times as u64 / 2);
    lost
}

#[test]
fn no_power_failure_takes_back_what_was_told() {
    assert_eq!(failures("FULL", count("FACTOR2_KILLS", 500) / 2), 0);
    // What a power failure may forget, by the settings, is forgotten here: the disk does drop what was not synced.
    assert!(failures("NORMAL", 20) > 0);
}
