//! What safe Rust cannot ask of the processor.

/// Has the memory of `place` brought into the cache, for writing soon, and does not wait for it. On
/// processors where nobody has tried it this does nothing.
pub(crate) fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: this reads and changes nothing that a program could see, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
