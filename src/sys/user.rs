//! As whom this process opens files.

/// The user.
pub(crate) fn effective_user() -> u32 {
    // SAFETY: it only returns a number.
    unsafe { libc::geteuid() }
}

/// The group.
#[cfg(feature = "sqlite")]
pub(crate) fn effective_group() -> u32 {
    // SAFETY: it only returns a number.
    unsafe { libc::getegid() }
}

#[cfg(feature = "sqlite")]
/// The other groups whose files it may use; none when the system does not tell.
pub(crate) fn supplementary_groups() -> Vec<u32> {
    // SAFETY: without room it only returns how many there are.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    let Ok(room) = usize::try_from(count) else {
        return Vec::new();
    };
    let mut groups = vec![0; room];
    // SAFETY: there is room for as many as it is told.
    let count = unsafe { libc::getgroups(count, groups.as_mut_ptr()) };
    match usize::try_from(count) {
        Ok(count) => groups.truncate(count),
        // Another thread has just joined one more.
        Err(_) => groups.clear(),
    }
    groups
}
