//! `pthread_cancel` waits until a call is over.
//!
//! The C library ends a cancelled thread by unwinding it, and that may not pass through Rust: it
//! would abort the process, or leave a lock held. So a call first says that its thread cannot be
//! cancelled, and takes that back when all is done. Threads that are cancelled asynchronously can
//! be unwound from any instruction outside of that, so there must be nothing to drop or to catch
//! there.

use std::ffi::c_int;

/// Runs `call` in a thread that cannot be cancelled meanwhile. A cancellation that came acts after
/// it.
#[inline(always)]
pub(super) fn uncancelled(mut call: impl FnMut()) {
    let kind = set(pthread_setcanceltype, DEFERRED);
    if kind != DEFERRED {
        await_signal();
    }
    let state = set(pthread_setcancelstate, DISABLE);
    run(&mut (&mut call as &mut dyn FnMut()));
    set(pthread_setcancelstate, state);
    if kind != DEFERRED {
        set(pthread_setcanceltype, kind);
    }
}

/// Is a cancellation point: there the C library waits for a cancellation that is on its way.
///
/// glibc up to 2.40 cancels an asynchronous thread by a signal. Its handler does not ask whether
/// that is disabled meanwhile, only for the type, which every cancellation point sets for its
/// system call. So a signal that was sent before a call and arrived within it would act there.
#[inline(always)]
fn await_signal() {
    // SAFETY: it looks at no descriptor, and returns at once.
    unsafe { libc::poll(std::ptr::null_mut(), 0, 0) };
}

/// A frame of its own, which ends any panic: what calls it has nothing to clean up.
#[inline(never)]
extern "C" fn run(call: &mut &mut dyn FnMut()) {
    call();
}

/// Sets the type or the state of the thread's cancellation, and gives the one that it had.
#[inline(always)]
fn set(setter: unsafe extern "C" fn(c_int, *mut c_int) -> c_int, value: c_int) -> c_int {
    let mut before = value;
    // SAFETY: `before` may be written. It fails for other values only, and then nothing changes.
    unsafe { setter(value, &raw mut before) };
    before
}

#[cfg(not(target_os = "android"))]
unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
}

/// There is no `pthread_cancel`.
#[cfg(target_os = "android")]
unsafe extern "C" fn pthread_setcancelstate(_: c_int, _: *mut c_int) -> c_int {
    0
}

#[cfg(target_os = "android")]
use pthread_setcancelstate as pthread_setcanceltype;

/// `PTHREAD_CANCEL_DISABLE`, which the libc crate does not have for every system.
const DISABLE: c_int = if cfg!(any(target_vendor = "apple", target_os = "hurd")) {
    0
} else {
    1
};

/// `PTHREAD_CANCEL_DEFERRED`.
const DEFERRED: c_int = if cfg!(target_vendor = "apple") { 2 } else { 0 };
