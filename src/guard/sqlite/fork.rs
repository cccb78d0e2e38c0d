//! Keeps SQLite out of `fork`.
//!
//! A child inherits every mutex that another thread of its parent holds, and what that thread was
//! changing. So nobody is inside SQLite while the process forks: `fork` waits for the calls under way,
//! and lets new ones in when it is done. The parent's connections stay open. Their locks belong to
//! the open files, which the child has as well, so the child closes them at once; it then opens
//! connections of its own.
//!
//! A child is refused that was forked while somebody was inside, or that was not made by `fork`.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use once_cell::race::OnceBox;

use crate::error::{Error, Result};
use crate::guard::deadline::{Backoff, Deadline};
use crate::guard::store_unavailable;
use crate::sys::fork::ProcessMark;
use crate::sys::fork::at_fork;
use crate::sys::sqlite_calls;

/// How many threads are inside, and in the highest bit whether a fork is waiting.
static TURNSTILE: AtomicUsize = AtomicUsize::new(0);
const FORKING: usize = 1 << (usize::BITS - 1);

/// The latest time at which a call that is inside should be out, by `Deadline::as_ns`.
static LATEST_DEADLINE: AtomicU64 = AtomicU64::new(0);
/// How much later a call is out that gives up at its deadline.
const MOMENT: Duration = Duration::from_millis(50);

/// For another thread's fork, whose other handlers could hang.
const LONGEST_FORK: Duration = Duration::from_secs(5);

/// The process that SQLite's memory belongs to.
static PROCESS: OnceBox<ProcessMark> = OnceBox::new();

static STATE: AtomicU8 = AtomicU8::new(STARTING);
/// Nobody was inside yet. Whoever puts the mark on the process gets it ready.
const STARTING: u8 = 0;
/// Threads of the process with the mark are let in.
const READY: u8 = 1;
/// The process was copied while somebody was inside.
const POISONED: u8 = 2;

thread_local! {
    /// How many calls this thread is in: one, or more in a signal handler.
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static FORK: Cell<Fork> = const { Cell::new(Fork::None) };
}

/// A fork that this thread is about to make.
#[derive(Clone, Copy)]
enum Fork {
    None,
    /// Nobody is inside.
    Alone,
    /// The child will be refused.
    Poisoning,
}

/// As long as it lives, this thread may use SQLite.
pub(super) struct Access;

impl Access {
    pub(super) fn enter(backoff: &mut Backoff) -> Result<Self> {
        admit(backoff)?;
        Access::pass_the_turnstile(backoff)
    }

    fn pass_the_turnstile(backoff: &mut Backoff) -> Result<Self> {
        // Before it is counted, so that a fork which finds it inside knows for how long.
        LATEST_DEADLINE.fetch_max(backoff.deadline().as_ns(), Ordering::SeqCst);
        CALLS.set(CALLS.get() + 1);
        let enter = |threads: usize| (threads & FORKING == 0).then_some(threads + 1);
        while TURNSTILE
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter)
            .is_err()
        {
            if !backoff.wait() {
                CALLS.set(CALLS.get() - 1);
                return Err(refused("waits for the end of a fork"));
            }
        }
        Ok(Access)
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        TURNSTILE.fetch_sub(1, Ordering::SeqCst);
        CALLS.set(CALLS.get() - 1);
    }
}

/// Lets in the process that used SQLite first, and its children by `fork`.
fn admit(backoff: &mut Backoff) -> Result<()> {
    let process = PROCESS.get_or_init(|| Box::new(ProcessMark::unset()));
    loop {
        match (STATE.load(Ordering::SeqCst), process.is_here()) {
            (READY, true) => return Ok(()),
            (STARTING, false) => {
                if process.set() {
                    return get_ready(backoff).inspect_err(|_| process.clear());
                }
            }
            (STARTING, true) => {
                if !backoff.wait() {
                    return Err(refused("waits for another thread, which gets it ready"));
                }
            }
            _ => {
                return Err(refused(
                    "cannot be used in this process: its parent's calls of the store did not end in \
                     time for the fork, or it was not made by fork()",
                ));
            }
        }
    }
}

/// First the handlers: from then on no fork comes between.
fn get_ready(backoff: &mut Backoff) -> Result<()> {
    if !at_fork(before_fork, after_fork_in_parent, after_fork_in_child) {
        return Err(refused("got no memory for its fork handlers"));
    }
    let _access = Access::pass_the_turnstile(backoff)?;
    if !sqlite_calls::install() {
        return Err(refused(
            "found an SQLite that it cannot have lock files in its own way",
        ));
    }
    STATE.store(READY, Ordering::SeqCst);
    Ok(())
}

fn refused(why: &str) -> Error {
    store_unavailable(format!("the guard's store \"sqlite\" {why}"))
}

// A child that was forked while its parent got ready registers the handlers once more. Each time, only
// the first of two does something.

extern "C" fn before_fork() {
    if matches!(FORK.get(), Fork::None) {
        FORK.set(if wait_for_others() {
            Fork::Alone
        } else {
            Fork::Poisoning
        });
    }
}

/// Waits until nobody is inside, and keeps it so. False if somebody does not come out in time.
fn wait_for_others() -> bool {
    let is_let_in = match STATE.load(Ordering::SeqCst) {
        STARTING => true,
        READY => PROCESS.get().is_some_and(ProcessMark::is_here),
        _ => false,
    };
    // A thread never waits for itself: in a signal handler, or after a jump out of a call.
    if !is_let_in || CALLS.get() > 0 {
        return false;
    }
    let mut backoff = Backoff::until(Deadline::after(LONGEST_FORK));
    while TURNSTILE.fetch_or(FORKING, Ordering::SeqCst) & FORKING != 0 {
        // Another thread forks.
        if !backoff.wait() {
            return false;
        }
    }
    let latest = Deadline::at_ns(LATEST_DEADLINE.load(Ordering::SeqCst));
    let mut backoff = Backoff::until(latest.later_by(MOMENT));
    while TURNSTILE.load(Ordering::SeqCst) != FORKING {
        if !backoff.wait() {
            TURNSTILE.fetch_and(!FORKING, Ordering::SeqCst);
            return false;
        }
    }
    true
}

extern "C" fn after_fork_in_parent() {
    if matches!(FORK.replace(Fork::None), Fork::Alone) {
        TURNSTILE.fetch_and(!FORKING, Ordering::SeqCst);
    }
}

extern "C" fn after_fork_in_child() {
    match FORK.replace(Fork::None) {
        Fork::None => return,
        Fork::Alone => {
            TURNSTILE.store(0, Ordering::SeqCst);
            // Otherwise it gets ready itself.
            if STATE.load(Ordering::SeqCst) == READY
                && let Some(process) = PROCESS.get()
            {
                process.set();
            }
        }
        Fork::Poisoning => STATE.store(POISONED, Ordering::SeqCst),
    }
    sqlite_calls::close_inherited();
}
