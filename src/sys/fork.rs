//! `fork`: which process this is, without asking the system at each call, and what is called around it.

use std::process;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A mark that only the process sees which set it, and none of its children, whatever call of the
/// system made them. To look for it costs one load, where asking for the process's id is a system
/// call.
///
/// It is a byte in a page of its own, which Linux empties in every child (`MADV_WIPEONFORK`). Where
/// there is no such page, it is the process's id.
pub(crate) struct ProcessMark(Mark);

enum Mark {
    /// A page that is ours alone, until it is dropped.
    Page(NonNull<AtomicBool>),
    Id(AtomicU32),
}

/// No process has it.
const NOBODY: u32 = 0;

// SAFETY: the page is owned, and the byte in it is atomic. Any thread may unmap it.
unsafe impl Send for ProcessMark {}
// SAFETY: as above.
unsafe impl Sync for ProcessMark {}

impl ProcessMark {
    /// The mark of this process.
    pub(crate) fn new() -> Self {
        let mark = ProcessMark::unset();
        mark.set();
        mark
    }

    /// The mark of no process yet.
    pub(crate) fn unset() -> Self {
        let by_id = || Mark::Id(AtomicU32::new(NOBODY));
        ProcessMark(page_wiped_on_fork().map_or_else(by_id, Mark::Page))
    }

    /// Makes it the mark of this process; false when it was already. Of several threads, one is told
    /// true.
    pub(crate) fn set(&self) -> bool {
        match &self.0 {
            // SAFETY: it is mapped until it is dropped.
            Mark::Page(page) => !unsafe { page.as_ref() }.swap(true, Ordering::AcqRel),
            Mark::Id(id) => id.swap(process::id(), Ordering::AcqRel) != process::id(),
        }
    }

    /// Makes it the mark of no process.
    #[cfg(feature = "sqlite")]
    pub(crate) fn clear(&self) {
        match &self.0 {
            // SAFETY: as above.
            Mark::Page(page) => unsafe { page.as_ref() }.store(false, Ordering::Release),
            Mark::Id(id) => id.store(NOBODY, Ordering::Release),
        }
    }

    /// Whether it is the mark of this process.
    pub(crate) fn is_here(&self) -> bool {
        match &self.0 {
            // SAFETY: as above.
            Mark::Page(page) => unsafe { page.as_ref() }.load(Ordering::Relaxed),
            Mark::Id(id) => id.load(Ordering::Relaxed) == process::id(),
        }
    }
}

impl Drop for ProcessMark {
    fn drop(&mut self) {
        if let Mark::Page(page) = self.0 {
            // SAFETY: it was mapped with this length, and nobody has a reference to it any more.
            unsafe { libc::munmap(page.as_ptr().cast(), PAGE) };
        }
    }
}

/// The system rounds it up to a page.
const PAGE: usize = 1;

#[cfg(target_os = "linux")]
fn page_wiped_on_fork() -> Option<NonNull<AtomicBool>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping where there is none. Its bytes are zero, so each is an AtomicBool.
    let page = unsafe { libc::mmap(ptr::null_mut(), PAGE, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // Emulators exist that take any advice, and ignore it.
    // SAFETY: the mapping is ours, and has no content that could be lost.
    let wiped = unsafe {
        libc::madvise(page, PAGE, -1) != 0 && libc::madvise(page, PAGE, libc::MADV_WIPEONFORK) == 0
    };
    let page = NonNull::new(page.cast::<AtomicBool>())?;
    let mark = Mark::Page(page);
    if !wiped {
        drop(ProcessMark(mark));
        return None;
    }
    Some(page)
}

#[cfg(not(target_os = "linux"))]
fn page_wiped_on_fork() -> Option<NonNull<AtomicBool>> {
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a child sees that `fork` makes, as its exit status.
    fn in_child(fork: impl Fn() -> libc::c_long, sees: impl Fn() -> bool) -> libc::c_int {
        let mut status = 0;
        // SAFETY: the child calls nothing but what may be called there.
        unsafe {
            match fork() {
                0 => libc::_exit(sees().into()),
                child => assert_eq!(
                    i64::from(libc::waitpid(child as libc::pid_t, &raw mut status, 0)),
                    child
                ),
            }
        }
        assert!(libc::WIFEXITED(status));
        libc::WEXITSTATUS(status)
    }

    #[test]
    fn no_child_sees_the_mark_however_it_was_made() {
        let by_id = ProcessMark(Mark::Id(AtomicU32::new(process::id())));
        let by_page = ProcessMark::new();
        assert!(matches!(by_page.0, Mark::Page(_)), "Linux 4.14 or newer");
        for mark in [by_id, by_page] {
            assert!(mark.is_here());
            // SAFETY: see `in_child`. The second is a fork that C's library does not notice.
            let forks: [fn() -> libc::c_long; 2] = [
                || unsafe { libc::fork().into() },
                || unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) },
            ];
            for fork in forks {
                assert_eq!(in_child(fork, || mark.is_here()), 0);
                let grandchild = || in_child(fork, || mark.is_here()) == 0;
                assert_eq!(in_child(fork, grandchild), 1);
                let of_its_own = || ProcessMark::new().is_here();
                assert_eq!(in_child(fork, of_its_own), 1);
                let set_again = || mark.set() && mark.is_here() && !mark.set();
                assert_eq!(in_child(fork, set_again), 1);
            }
            assert!(mark.is_here());
        }
    }
}
