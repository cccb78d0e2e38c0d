//! One value per process, for what must not be shared across `fork`: connections and their locks.

use std::mem;

use once_cell::race::OnceBox;

use crate::sys::fork::ProcessMark;

/// A value that each process makes for itself.
///
/// Lock-free, because a lock that another thread holds during `fork` stays locked in the child for ever.
/// A child leaks the values that it inherited, because closing them would write into the parent's
/// connections.
pub(super) struct PerProcess<T> {
    first: OnceBox<Entry<T>>,
}

struct Entry<T> {
    process: ProcessMark,
    value: Option<T>,
    next: OnceBox<Entry<T>>,
}

impl<T> PerProcess<T> {
    pub(super) fn new() -> Self {
        PerProcess {
            first: OnceBox::new(),
        }
    }

    /// This process's value, made by `make` if there is none yet.
    pub(super) fn get(&self, make: impl Fn() -> T) -> &T {
        let mut place = &self.first;
        loop {
            match place.get() {
                Some(Entry {
                    process,
                    value: Some(value),
                    ..
                }) if process.is_here() => return value,
                Some(entry) => place = &entry.next,
                None => {
                    let entry = Entry {
                        process: ProcessMark::new(),
                        value: Some(make()),
                        next: OnceBox::new(),
                    };
                    // If another thread was faster, the next round finds its entry.
                    let _ = place.set(Box::new(entry));
                }
            }
        }
    }
}

impl<T> Drop for Entry<T> {
    fn drop(&mut self) {
        if !self.process.is_here() {
            mem::forget(self.value.take());
        }
    }
}
