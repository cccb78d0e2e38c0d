//! Keeps SQLite out of `fork`.
//!
//! SQLite remembers, for the whole process, which locks it has on which file; a child inherits that
//! memory, but not the locks. A connection that the child then opens takes them for granted, so
//! another process may delete the write-ahead log that the child goes on writing: what it records
//! is lost. The child also inherits every mutex that another thread of the parent holds.
//!
//! So nobody is inside SQLite while the process forks, and no connection is open: `fork` waits for
//! the calls under way, closes all connections, and lets new calls in when it is done. Parent and
//! child then open connections of their own.

use std::cell::Cell;
use std::process;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::capi::file_size_signal::NoFileSizeSignal;
use crate::capi::process::at_fork;
use crate::error::Result;
use crate::guard::sqlite::database::Database;
use crate::guard::sqlite::patience::Patience;
use crate::guard::store_unavailable;

/// A little more than the longest budget that a call can have.
const LONGEST_CALL: Duration = Duration::from_secs(6);

/// How many threads are inside, and in the highest bit whether one of them is about to fork.
static TURNSTILE: AtomicUsize = AtomicUsize::new(0);
const FORKING: usize = 1 << (usize::BITS - 1);

/// The process that SQLite's memory belongs to.
static PROCESS: AtomicU32 = AtomicU32::new(NOBODY);
const NOBODY: u32 = 0;
/// It was copied while somebody was inside.
const SPOILT: u32 = u32::MAX;

/// Where every connection of this process is. Locked only inside.
static CONNECTIONS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

thread_local! {
    /// Whether the fork of this thread goes through the turnstile.
    static PASSES: Cell<bool> = const { Cell::new(false) };
}

/// The place of a connection, which is closed when the process forks.
pub(super) type Shared = Mutex<Option<Database>>;

/// As long as it lives, this thread may use SQLite.
pub(super) struct Inside;

impl Inside {
    pub(super) fn enter(patience: &mut Patience) -> Result<Self> {
        admit()?;
        let enter = |threads: usize| (threads & FORKING == 0).then_some(threads.wrapping_add(1));
        while TURNSTILE
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter)
            .is_err()
        {
            if !patience.wait() {
                let message = "the guard's store \"sqlite\" waits for the end of a fork";
                return Err(store_unavailable(message));
            }
        }
        Ok(Inside)
    }

    /// A new place for a connection.
    pub(super) fn share(&self, database: Database) -> Arc<Shared> {
        let shared = Arc::new(Mutex::new(Some(database)));
        let mut all = CONNECTIONS.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&shared));
        shared
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        TURNSTILE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Lets in the process that used SQLite first, and its children by `fork`.
fn admit() -> Result<()> {
    let us = process::id();
    let owner = PROCESS.compare_exchange(NOBODY, us, Ordering::SeqCst, Ordering::SeqCst);
    match owner {
        Ok(_) if at_fork(before_fork, after_fork_in_parent, after_fork_in_child) => Ok(()),
        Ok(_) => {
            PROCESS.store(NOBODY, Ordering::SeqCst);
            let message = "the guard's store \"sqlite\" got no memory for its fork handlers";
            Err(store_unavailable(message))
        }
        Err(owner) if owner == us => Ok(()),
        Err(_) => Err(store_unavailable(
            "the guard's store \"sqlite\" cannot be used in this process: its parent's calls of the \
             store did not end in time for the fork, or it was not made by fork()",
        )),
    }
}

extern "C" fn before_fork() {
    let mut patience = Patience::new(LONGEST_CALL);
    PASSES.set(false);
    while TURNSTILE.fetch_or(FORKING, Ordering::SeqCst) & FORKING != 0 {
        // Another thread forks.
        if !patience.wait() {
            return;
        }
    }
    while TURNSTILE.load(Ordering::SeqCst) != FORKING {
        if !patience.wait() {
            TURNSTILE.fetch_and(!FORKING, Ordering::SeqCst);
            return;
        }
    }
    close_all();
    PASSES.set(true);
}

extern "C" fn after_fork_in_parent() {
    if PASSES.get() {
        TURNSTILE.fetch_and(!FORKING, Ordering::SeqCst);
    }
}

extern "C" fn after_fork_in_child() {
    if PASSES.get() {
        PROCESS.store(process::id(), Ordering::SeqCst);
        TURNSTILE.store(0, Ordering::SeqCst);
    } else {
        PROCESS.store(SPOILT, Ordering::SeqCst);
    }
}

fn close_all() {
    let _no_signal = NoFileSizeSignal::hold_off();
    let all = CONNECTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    for shared in all.iter().filter_map(Weak::upgrade) {
        let mut connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
        *connection = None;
    }
}
