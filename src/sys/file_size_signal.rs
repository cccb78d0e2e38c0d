//! A write beyond the process's limit on file sizes (`RLIMIT_FSIZE`) is an error, and not its end.
//!
//! Beside the error, the system sends the thread that writes a SIGXFSZ, which ends the process by default.
//! A handler would be the program's to install. So the thread blocks the signal for the time, and takes
//! its own away before it can be delivered.

use std::mem::MaybeUninit;
use std::ptr;

/// As long as it lives, this thread gets no SIGXFSZ for what it writes. Where there is no limit, it is
/// nothing but the question.
pub(crate) struct NoFileSizeSignal(Option<Blocked>);

struct Blocked {
    mask_before: libc::sigset_t,
    /// One was waiting already. It is the program's, and stays.
    was_pending: bool,
}

impl NoFileSizeSignal {
    pub(crate) fn hold_off() -> Self {
        NoFileSizeSignal(if is_limited() { block() } else { None })
    }
}

impl Drop for NoFileSizeSignal {
    fn drop(&mut self) {
        let Some(blocked) = &self.0 else { return };
        if !blocked.was_pending {
            take_own();
        }
        let mask = &raw const blocked.mask_before;
        // SAFETY: the mask that there was.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
    }
}

fn is_limited() -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: it may be written.
    let failed = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
    failed != 0 || limit.rlim_cur != libc::RLIM_INFINITY
}

fn block() -> Option<Blocked> {
    let signal = signal();
    let mut pending = MaybeUninit::<libc::sigset_t>::zeroed();
    let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: one set to read and two that may be written, which hold a set when the calls succeed.
    unsafe {
        let done = libc::sigpending(pending.as_mut_ptr()) == 0
            && libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signal, before.as_mut_ptr()) == 0;
        done.then(|| Blocked {
            mask_before: before.assume_init(),
            was_pending: libc::sigismember(pending.as_ptr(), libc::SIGXFSZ) == 1,
        })
    }
}

/// Takes the signal that waits, if there is one.
fn take_own() {
    let signal = signal();
    let at_once = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the set and the time may be read, `info` may be written, and is filled when a signal was
    // taken. Process ids are what every signal of these two codes comes with.
    unsafe {
        let taken = libc::sigtimedwait(&raw const signal, info.as_mut_ptr(), &raw const at_once);
        if taken != libc::SIGXFSZ {
            return;
        }
        let info = info.assume_init();
        let is_from_elsewhere = match info.si_code {
            libc::SI_USER => info.si_pid() != libc::getpid(),
            code => code <= 0,
        };
        if is_from_elsewhere {
            // Somebody has sent it to the program, meanwhile.
            libc::kill(libc::getpid(), libc::SIGXFSZ);
        }
    }
}

/// The set of SIGXFSZ alone.
fn signal() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: it may be written, and is a set after that.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGXFSZ);
        set.assume_init()
    }
}
