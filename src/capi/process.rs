//! What safe Rust cannot ask of the process.

/// The user as whom this process opens files.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: it only returns a number.
    unsafe { libc::geteuid() }
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
