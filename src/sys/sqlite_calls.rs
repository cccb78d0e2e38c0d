//! Four of SQLite's system calls, in whose place we are.
//!
//! SQLite's locks belong to the process. They fall when anything in it closes the file, for instance
//! another copy of this library; and SQLite remembers for each file, for the whole process, which
//! ones it has. So it is told otherwise: locks belong to the open file (`F_OFD_SETLK`), and each
//! connection sees its files on a device of its own, so that SQLite takes them for files that no
//! other connection has. To each other, connections are then what processes are.
//!
//! The calls also tell which descriptors a connection has. The program around us may close what is
//! not its own, and open other files under the same numbers.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use libc::{F_OFD_GETLK, F_OFD_SETLK};
// SQLite is compiled for large files, whatever the machine.
#[cfg(not(target_env = "gnu"))]
use libc::{flock as Lock, fstat as system_fstat, stat as Stat};
#[cfg(target_env = "gnu")]
use libc::{flock64 as Lock, fstat64 as system_fstat, stat64 as Stat};
use rusqlite::ffi;

#[cfg(not(target_os = "linux"))]
compile_error!("the feature \"sqlite\" needs Linux, whose locks can belong to open files");

/// What SQLite knows as `F_GETLK` and `F_SETLK`.
#[cfg(not(all(target_env = "gnu", target_pointer_width = "32")))]
const COMMANDS: [c_int; 2] = [libc::F_GETLK, libc::F_SETLK];
#[cfg(all(target_env = "gnu", target_pointer_width = "32"))]
const COMMANDS: [c_int; 2] = [12, 13];

/// The file system below; others would come without the calls' own.
pub(super) const VFS: &CStr = c"unix";

/// SQLite takes no descriptor below for its files.
const LOWEST: c_int = 3;

/// What became of a connection's files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    There,
    /// Somebody deleted one.
    Deleted,
    /// Somebody closed one, and perhaps opened something else under its number.
    Closed,
}

/// A file that SQLite has open.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Descriptor {
    number: c_int,
    device: u64,
    inode: u64,
}

impl Descriptor {
    /// What stands under this number now, and how many names it has.
    fn look_up(number: c_int) -> Option<(Self, libc::nlink_t)> {
        let mut file = MaybeUninit::<Stat>::uninit();
        // SAFETY: it may be written. It is whole when the call succeeds.
        let file = unsafe {
            match system_fstat(number, file.as_mut_ptr()) {
                0 => file.assume_init(),
                _ => return None,
            }
        };
        let descriptor = Descriptor {
            number,
            device: file.st_dev,
            inode: file.st_ino,
        };
        Some((descriptor, file.st_nlink))
    }

    fn is_still_there(self) -> bool {
        Descriptor::look_up(self.number).is_some_and(|(now, _)| now == self)
    }
}

/// A descriptor of a connection of this process, and the connection's `robbed`.
struct Held {
    descriptor: Descriptor,
    robbed: Arc<AtomicBool>,
}

/// All descriptors of all connections. Locked for a moment only, never while the system is waited
/// for.
static HELD: Mutex<Vec<Held>> = Mutex::new(Vec::new());

/// The next device that no file is on: the system's own numbers have 32 bits.
static NEXT_DEVICE: AtomicU64 = AtomicU64::new(FIRST_DEVICE);
const FIRST_DEVICE: u64 = 1 << 32;

thread_local! {
    /// Whose calls this thread's are.
    static CURRENT: Cell<*mut Descriptors> = const { Cell::new(ptr::null_mut()) };
}

/// A part of a file that is locked, or unlocked.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Range {
    number: c_int,
    start: i64,
    length: i64,
}

/// The descriptors of one connection.
pub(super) struct Descriptors {
    /// What makes the device of its files its own.
    device: u64,
    open: Vec<Descriptor>,
    /// The numbers of those that are somebody else's, which the calls leave alone.
    lost: Vec<c_int>,
    /// Another connection was given one of our numbers, so ours had been closed.
    robbed: Arc<AtomicBool>,
    /// What is locked.
    locks: Vec<Range>,
    /// What the last call locked for writing.
    locked: Option<Range>,
    /// What SQLite takes for unlocked already.
    unlocking: Option<Range>,
}

impl Descriptors {
    pub(super) fn new() -> Self {
        Descriptors {
            device: NEXT_DEVICE.fetch_add(FIRST_DEVICE, Ordering::Relaxed),
            open: Vec::new(),
            lost: Vec::new(),
            robbed: Arc::new(AtomicBool::new(false)),
            locks: Vec::new(),
            locked: None,
            unlocking: None,
        }
    }

    /// Runs `work` while this thread's system calls in SQLite are this connection's.
    pub(super) fn watch<T>(&mut self, work: impl FnOnce() -> T) -> T {
        struct Restore(*mut Descriptors);
        impl Drop for Restore {
            fn drop(&mut self) {
                if let Some(descriptors) = current() {
                    descriptors.unlock();
                }
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(ptr::from_mut(self)));
        work()
    }

    pub(super) fn files(&self) -> Files {
        if self.robbed.load(Ordering::Relaxed) {
            return Files::Closed;
        }
        let mut files = Files::There;
        for descriptor in &self.open {
            match Descriptor::look_up(descriptor.number) {
                Some((now, names)) if now == *descriptor => {
                    if names == 0 {
                        files = Files::Deleted;
                    }
                }
                _ => return Files::Closed,
            }
        }
        files
    }

    /// From now on the calls leave alone what is not ours any more. Whether all is still ours.
    pub(super) fn let_go_of_lost_ones(&mut self) -> bool {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let robbed = &self.robbed;
        let is_ours = |descriptor: &Descriptor| {
            let is_held = |other: &Held| {
                other.descriptor == *descriptor && Arc::ptr_eq(&other.robbed, robbed)
            };
            held.iter().any(is_held) && descriptor.is_still_there()
        };
        let lost = self.open.iter().filter(|descriptor| !is_ours(descriptor));
        self.lost = lost.map(|descriptor| descriptor.number).collect();
        let is_lost = |other: &Held| {
            Arc::ptr_eq(&other.robbed, robbed) && self.lost.contains(&other.descriptor.number)
        };
        held.retain(|other| !is_lost(other));
        self.lost.is_empty()
    }

    fn opened(&mut self, number: c_int) {
        let Some((descriptor, _)) = Descriptor::look_up(number) else {
            return;
        };
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|other| {
            let is_stale = other.descriptor.number == number;
            if is_stale {
                other.robbed.store(true, Ordering::Relaxed);
            }
            !is_stale
        });
        held.push(Held {
            descriptor,
            robbed: Arc::clone(&self.robbed),
        });
        self.open.push(descriptor);
    }

    fn closes(&mut self, number: c_int) {
        self.locks.retain(|lock| lock.number != number);
        self.open.retain(|other| other.number != number);
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|other| {
            other.descriptor.number != number || !Arc::ptr_eq(&other.robbed, &self.robbed)
        });
    }

    fn has_lost(&self, number: c_int) -> bool {
        self.lost.contains(&number)
    }

    /// Locks or unlocks. Each transaction locks a byte for writing, unlocks it, and locks it for reading:
    /// the last two are done in one. And at its end it unlocks two, which is done in one as well.
    fn lock(&mut self, number: c_int, lock: &Lock) -> c_int {
        let range = Range {
            number,
            start: lock.l_start,
            length: lock.l_len,
        };
        let kind = c_int::from(lock.l_type);
        let was_locked_last = self.locked.take() == Some(range);
        if kind == libc::F_UNLCK {
            self.locks.retain(|lock| !lock.is_within(range));
            if let Some(before) = self.unlocking.take() {
                match before.with(range) {
                    Some(both) if !self.locks.iter().any(|lock| lock.meets(both)) => {
                        return both.set(kind);
                    }
                    _ => before.set(kind),
                };
            } else if was_locked_last {
                self.unlocking = Some(range);
                return 0;
            }
            return range.set(kind);
        }
        if self.unlocking == Some(range) && kind == libc::F_RDLCK {
            self.unlocking = None;
        }
        self.unlock();
        let outcome = range.set(kind);
        if outcome == 0 {
            self.locks.retain(|lock| *lock != range);
            self.locks.push(range);
            self.locked = (kind == libc::F_WRLCK).then_some(range);
        }
        outcome
    }

    /// Unlocks what SQLite takes for unlocked.
    fn unlock(&mut self) {
        if let Some(range) = self.unlocking.take() {
            range.set(libc::F_UNLCK);
        }
    }
}

impl Range {
    /// Both, and what is between them, if they are of one file.
    fn with(self, other: Range) -> Option<Range> {
        let start = self.start.min(other.start);
        let length = self.end().max(other.end()) - start;
        (self.number == other.number).then_some(Range {
            start,
            length,
            ..self
        })
    }

    fn meets(self, other: Range) -> bool {
        self.number == other.number && self.start < other.end() && other.start < self.end()
    }

    fn is_within(self, other: Range) -> bool {
        self.number == other.number && other.start <= self.start && self.end() <= other.end()
    }

    /// Without a length it goes to the end of the file.
    fn end(self) -> i64 {
        match self.length {
            0 => i64::MAX,
            length => self.start + length,
        }
    }

    fn set(self, kind: c_int) -> c_int {
        // SAFETY: numbers, which may all be zero; then it only reads them.
        unsafe {
            let mut lock: Lock = mem::zeroed();
            lock.l_type = kind as _;
            lock.l_whence = libc::SEEK_SET as _;
            lock.l_start = self.start;
            lock.l_len = self.length;
            libc::fcntl(self.number, F_OFD_SETLK, &raw const lock)
        }
    }
}

/// Closes, in a forked child, what it has inherited: the parent's locks would outlive the parent in
/// it. The connections find that out when they are used.
pub(crate) fn close_inherited() {
    let mut held = match HELD.try_lock() {
        Ok(held) => held,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        // Another thread had it at the moment of the fork, which is not here to give it back.
        Err(TryLockError::WouldBlock) => return,
    };
    for Held { descriptor, robbed } in held.drain(..) {
        robbed.store(true, Ordering::Relaxed);
        if descriptor.is_still_there() {
            // Not by `close`, where a thread that is cancelled would end in the middle of `fork`.
            // SAFETY: our own, in a process where nobody uses it.
            unsafe { libc::syscall(libc::SYS_close, descriptor.number) };
        }
    }
}

/// Takes the place of SQLite's system calls. False when SQLite does not let us.
pub(crate) fn install() -> bool {
    type AnyCall = unsafe extern "C" fn();
    // SAFETY: SQLite casts them back to these types before it calls them; that `fcntl` has "..." in C
    // makes no difference to how its third argument is passed on Linux. For connections that are not
    // ours they are the plain calls.
    unsafe {
        let calls: [(&CStr, AnyCall); 4] = [
            (c"open", mem::transmute::<Open, AnyCall>(open)),
            (c"close", mem::transmute::<Close, AnyCall>(close)),
            (c"fstat", mem::transmute::<Fstat, AnyCall>(fstat)),
            (c"fcntl", mem::transmute::<Fcntl, AnyCall>(fcntl)),
        ];
        let vfs = ffi::sqlite3_vfs_find(VFS.as_ptr());
        let Some(set) = vfs.as_ref().and_then(|vfs| vfs.xSetSystemCall) else {
            return false;
        };
        calls
            .into_iter()
            .all(|(name, call)| set(vfs, name.as_ptr(), Some(call)) == ffi::SQLITE_OK)
    }
}

type Open = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
type Close = unsafe extern "C" fn(c_int) -> c_int;
type Fstat = unsafe extern "C" fn(c_int, *mut Stat) -> c_int;
type Fcntl = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;

/// The connection whose calls this thread's are now.
fn current<'a>() -> Option<&'a mut Descriptors> {
    // SAFETY: null, or set by `watch`, whose own reference rests until its work is done.
    unsafe { CURRENT.get().as_mut() }
}

unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    // SAFETY: SQLite's own arguments.
    let number = unsafe { libc::open(path, flags, mode.cast_unsigned() as c_uint) };
    if number >= LOWEST
        && let Some(descriptors) = current()
    {
        descriptors.opened(number);
    }
    number
}

unsafe extern "C" fn close(number: c_int) -> c_int {
    if let Some(descriptors) = current() {
        if descriptors.has_lost(number) {
            return 0;
        }
        descriptors.unlock();
        descriptors.closes(number);
    }
    // SAFETY: SQLite's own descriptor.
    unsafe { libc::close(number) }
}

unsafe extern "C" fn fstat(number: c_int, file: *mut Stat) -> c_int {
    // SAFETY: SQLite's own arguments.
    unsafe {
        let outcome = system_fstat(number, file);
        if outcome == 0
            && let Some(descriptors) = current()
        {
            (*file).st_dev |= descriptors.device;
        }
        outcome
    }
}

unsafe extern "C" fn fcntl(number: c_int, command: c_int, argument: *mut c_void) -> c_int {
    let Some(descriptors) = current() else {
        // SAFETY: SQLite's own arguments.
        return unsafe { libc::fcntl(number, command, argument) };
    };
    if descriptors.has_lost(number) {
        return 0;
    }
    let [get, set] = COMMANDS;
    if command != get && command != set {
        // SAFETY: as above.
        return unsafe { libc::fcntl(number, command, argument) };
    }
    // SAFETY: as above.
    let lock = unsafe { &mut *argument.cast::<Lock>() };
    // The process, at which SQLite never looks.
    lock.l_pid = 0;
    if command == set {
        return descriptors.lock(number, lock);
    }
    descriptors.unlock();
    // SAFETY: as above.
    unsafe { libc::fcntl(number, F_OFD_GETLK, lock) }
}
