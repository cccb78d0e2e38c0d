//! What safe Rust cannot ask of the process.

use std::mem::MaybeUninit;

/// The user as whom this process opens files.
#[cfg(any(feature = "sqlite", feature = "redis-tls"))]
pub(crate) fn effective_user() -> u32 {
    // SAFETY: it only returns a number.
    unsafe { libc::geteuid() }
}

/// The group as which this process opens files.
#[cfg(feature = "sqlite")]
pub(crate) fn effective_group() -> u32 {
    // SAFETY: it only returns a number.
    unsafe { libc::getegid() }
}

/// The other groups whose files it may use; none when the system does not tell.
#[cfg(feature = "sqlite")]
pub(crate) fn supplementary_groups() -> Vec<u32> {
    // SAFETY: without room it only returns how much is needed.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let mut groups = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: there is room for as many as it is told.
    let count = unsafe { libc::getgroups(count.max(0), groups.as_mut_ptr()) };
    groups.truncate(usize::try_from(count).unwrap_or(0));
    groups
}

/// From now on every `fork` calls `prepare` before it, then `parent` and `child`, each on its side
/// and in the thread that forks. False when there was no memory for it.
#[cfg(feature = "sqlite")]
pub(crate) fn at_fork(
    prepare: extern "C" fn(),
    parent: extern "C" fn(),
    child: extern "C" fn(),
) -> bool {
    // SAFETY: three functions, which are never unloaded: the library stays mapped.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) == 0 }
}

/// Nanoseconds since some point in time that is the same for all threads. The clock is never set.
pub(crate) fn monotonic_ns() -> u64 {
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: it may be written; and it is whole, as it was before.
    let now = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, now.as_mut_ptr());
        now.assume_init()
    };
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}
