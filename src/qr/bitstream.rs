//! Bits into bytes, lowest first, at the end of a buffer. Takes the same steps whatever the bits are.

use crate::wiped::Wiped;

pub(super) struct BitStream {
    bytes: Wiped,
    /// Where the byte is that the next bit goes into.
    place: usize,
    pending: u64,
    pending_bits: u32,
}

impl BitStream {
    /// Goes on behind `head`, with room for so many bytes more. What is put beyond them is lost.
    pub(super) fn after(head: &[u8], room: usize) -> Self {
        let place = head.len();
        // Eight are written at once, of which some count.
        let all = place.saturating_add(room).saturating_add(8);
        let mut bytes = Wiped::with_capacity(all);
        bytes.extend_from_slice(head);
        bytes.resize(all, 0);
        BitStream {
            bytes,
            place,
            pending: 0,
            pending_bits: 0,
        }
    }

    /// Adds the lowest `length` bits, 56 at most; the others must be 0.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, length: u32) {
        self.pending |= bits.wrapping_shl(self.pending_bits);
        self.pending_bits = self.pending_bits.wrapping_add(length);
        let rest = self.bytes.get_mut(self.place..);
        if let Some(bytes) = rest.and_then(|rest| rest.first_chunk_mut()) {
            *bytes = self.pending.to_le_bytes();
        }
        let whole = self.pending_bits & !7;
        self.pending = self.pending.wrapping_shr(whole);
        self.pending_bits &= 7;
        self.place = self.place.wrapping_add(whole.wrapping_shr(3) as usize);
    }

    /// The buffer, its last byte filled up with zeros.
    pub(super) fn finish(mut self) -> Wiped {
        self.put(0, 7);
        self.bytes.truncate(self.place);
        self.bytes
    }
}
