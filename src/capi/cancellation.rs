//! `pthread_cancel` waits until a call is over.
//!
//! The C library ends a cancelled thread by unwinding it, and that may not pass through Rust: it would
//! abort the process, or leave a lock held. So a call first says that its thread cannot be cancelled, and
//! takes that back when all is done. Threads that are cancelled asynchronously can be unwound from any
//! instruction outside of that, so there must be nothing to drop or to catch there.

use std::ffi::c_int;

/// Runs `call` in a thread that cannot be cancelled meanwhile. A cancellation that came acts after it.
#[inline(always)]
pub(super) fn uncancelled(mut call: impl FnMut()) {
    let before = set_state(DISABLE);
    run(&mut (&mut call as &mut dyn FnMut()));
    set_state(before);
}

/// A frame of its own, which ends any panic: what calls it has nothing to clean up.
#[inline(never)]
extern "C" fn run(call: &mut &mut dyn FnMut()) {
    call();
}

/// Sets the thread's state, and gives the one that it had.
#[cfg(not(target_os = "android"))]
#[inline(always)]
fn set_state(state: c_int) -> c_int {
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = state;
    // SAFETY: `before` may be written. It fails for other states only, and then nothing changes.
    unsafe { pthread_setcancelstate(state, &raw mut before) };
    before
}

/// There is no `pthread_cancel`.
#[cfg(target_os = "android")]
fn set_state(state: c_int) -> c_int {
    state
}

/// `PTHREAD_CANCEL_DISABLE`, which the libc crate does not have for every system.
const DISABLE: c_int = if cfg!(any(target_vendor = "apple", target_os = "hurd")) {
    0
} else {
    1
};
