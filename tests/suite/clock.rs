//! The wall clock as the library sees it, set per thread of the tests.
//!
//! The test program defines `clock_gettime`, which the linker takes before the C library's.

use std::cell::Cell;
use std::ffi::c_int;

thread_local! {
    static SHOWN: Cell<Option<i64>> = const { Cell::new(None) };
}

/// From now on the clock stands at this Unix time, for calls of this thread.
pub fn stand_at(seconds: u64) {
    SHOWN.set(Some(seconds.try_into().unwrap()));
}

/// From now on the clock shows a time before 1970, for calls of this thread.
pub fn stand_before_1970() {
    SHOWN.set(Some(-1));
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    let shown = SHOWN.try_with(Cell::get).ok().flatten();
    if let (libc::CLOCK_REALTIME, Some(tv_sec)) = (clock, shown) {
        // SAFETY: as promised by the caller.
        unsafe { time.write(libc::timespec { tv_sec, tv_nsec: 0 }) };
        return 0;
    }
    // SAFETY: the system call that the C library's function stands for.
    unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int }
}
