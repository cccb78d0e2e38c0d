//! Bytes that are wiped when they go.

use std::hint::black_box;
use std::io;
use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// A buffer whose whole memory is wiped when it goes, and when it moves because it grows. `Zeroizing`
/// leaves a copy behind when a vector grows, and wipes one element after the other, which takes as
/// long as everything else for a picture.
#[derive(Default)]
pub(crate) struct Wiped(Vec<u8>);

impl Wiped {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Wiped(Vec::with_capacity(bytes))
    }

    /// This many zeros.
    pub(crate) fn zeroed(bytes: usize) -> Self {
        Wiped(vec![0; bytes])
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.reserve(1);
        self.0.push(byte);
    }

    #[inline]
    pub(crate) fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn resize(&mut self, length: usize, byte: u8) {
        self.reserve(length.saturating_sub(self.len()));
        self.0.resize(length, byte);
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        if more > self.0.capacity() - self.len() {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let capacity = (self.len() + more).max(self.0.capacity() * 2);
        let mut larger = Wiped::with_capacity(capacity);
        larger.0.extend_from_slice(self);
        *self = larger;
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.clear();
        self.0.spare_capacity_mut().zeroize();
    }
}

// Slices, not vectors: these cannot grow.
impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Extend<u8> for Wiped {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, bytes: T) {
        bytes.into_iter().for_each(|byte| self.push(byte));
    }
}

impl io::Write for Wiped {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `work` in frames of its own, and wipes this many bytes of the stack where they were: where values were moved
/// from and registers were kept, keys and secrets are left. tests/c/memory.c looks whether it is enough.
pub(crate) fn on_wiped_stack<const BYTES: usize, T>(work: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn in_frames_of_its_own<T>(work: impl FnOnce() -> T) -> T {
        work()
    }

    #[inline(never)]
    fn wipe<const BYTES: usize>() {
        black_box([0u8; BYTES].as_mut_slice());
    }

    let result = in_frames_of_its_own(work);
    wipe::<BYTES>();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_keeps_its_bytes() {
        let mut bytes = Wiped::default();
        for n in 0..=255 {
            bytes.push(n);
            bytes.extend_from_slice(&[n; 3]);
            bytes.extend(Some(n));
        }
        bytes.resize(1300, 7);
        let expected: Vec<u8> = (0..=255).flat_map(|n| [n; 5]).chain([7; 20]).collect();
        assert_eq!(*bytes, *expected);
    }
}
