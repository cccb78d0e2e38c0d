//! Bytes that are wiped when they go.

use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// A buffer whose whole memory is wiped when it goes. `Zeroizing` does the same for a vector one
/// element after the other, which takes as long as everything else for a picture.
///
/// It must not grow, which would leave a copy behind: give it its capacity first.
#[derive(Default)]
pub(crate) struct Wiped(Vec<u8>);

impl Wiped {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Wiped(Vec::with_capacity(bytes))
    }

    /// So many zeros.
    pub(crate) fn zeroed(bytes: usize) -> Self {
        Wiped(vec![0; bytes])
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.clear();
        self.0.spare_capacity_mut().zeroize();
    }
}

impl Deref for Wiped {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}
