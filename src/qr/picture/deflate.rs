//! zlib, RFC 1950 and 1951, for the rows of a QR code's picture.
//!
//! There is nothing to search for. Each row of modules is written once, byte for byte, and copied from
//! the row above for all its other rows of pixels; so is the quiet zone on both sides.

use super::huffman::{Code, Word, code_for};
use super::pixels::PixelRows;
use crate::wiped::Wiped;

const END_OF_BLOCK: usize = 256;
const SHORTEST_COPY: usize = 3;
const LONGEST_COPY: usize = 258;

/// A zlib stream in the making.
pub(super) struct Compressor<'a> {
    rows: &'a PixelRows,
    code: &'static Code,
    /// What says that a copy is from one row above.
    one_row: Word,
    /// How many bytes after those written are the same as in the row above; `None` before the first.
    same: Option<usize>,
    /// Adler-32, RFC 1950 section 8.2.
    sums: (u64, u64),
    bytes: Wiped,
    /// Where the byte is that the next bit goes into, and the bits that it has.
    place: usize,
    pending: Word,
}

impl<'a> Compressor<'a> {
    pub(super) fn new(rows: &'a PixelRows) -> Self {
        let code = code_for(rows.module_px);
        // Distances go by 2^n values for each symbol, two symbols for each n.
        let (symbol, extra) = symbol_for(rows.row_bytes() - 1, 2);
        let (head, pending) = code.head;
        let mut bytes = Wiped::with_capacity(1024);
        bytes.extend_from_slice(head);
        Compressor {
            rows,
            code,
            one_row: code.distances[symbol].then(extra),
            same: None,
            sums: (1, 0),
            bytes,
            place: head.len(),
            pending,
        }
    }

    /// Adds a row that stands for `times` rows of pixels.
    pub(super) fn row(&mut self, row: &[u8], times: usize) {
        if times == 0 {
            return;
        }
        let again = row.len() * (times - 1);
        let [before, after] = self.rows.margins();
        self.same = Some(if let Some(same) = self.same {
            self.copy_from_above(same + before);
            self.write(&row[before..row.len() - after]);
            again + after
        } else {
            self.write(row);
            again
        });
        self.add_to_sums(row, times as u64);
    }

    /// The sums over a row are the same each time it repeats.
    fn add_to_sums(&mut self, row: &[u8], times: u64) {
        const MODULUS: u64 = 65521;
        // Rows have less than 1,000 bytes, so neither overflows.
        let (mut sum, mut weighted) = (0u32, 0u32);
        for byte in row {
            sum = sum.wrapping_add(u32::from(*byte));
            weighted = weighted.wrapping_add(sum);
        }
        let (sum, weighted) = (u64::from(sum), u64::from(weighted));
        let (low, high) = self.sums;
        // Each repetition begins with what the ones before have left in the lower sum.
        let of_low = low * times + sum * (times * (times - 1) / 2);
        let high = high + of_low * row.len() as u64 + weighted * times;
        self.sums = ((low + sum * times) % MODULUS, high % MODULUS);
    }

    fn write(&mut self, bytes: &[u8]) {
        let word = |byte: &u8| self.code.literals[usize::from(*byte)];
        // As many words as may be put at once.
        let (sixes, rest) = bytes.as_chunks::<6>();
        for six in sixes {
            self.put(six.iter().map(word).fold(Word::NONE, Word::then));
        }
        self.put(rest.iter().map(word).fold(Word::NONE, Word::then));
    }

    fn copy_from_above(&mut self, bytes: usize) {
        let mut left = bytes;
        while left > 0 {
            let length = match left {
                // So that what is left is not too short for a copy.
                259 | 260 => left - SHORTEST_COPY,
                _ => left.min(LONGEST_COPY),
            };
            left -= length;
            let (symbol, extra) = match length {
                LONGEST_COPY => (28, Word::NONE),
                // Lengths go by 2^n values for each symbol, four symbols for each n.
                _ => symbol_for(length - SHORTEST_COPY, 4),
            };
            let word = self.code.literals[END_OF_BLOCK + 1 + symbol];
            self.put(word.then(extra).then(self.one_row));
        }
    }

    /// The whole stream.
    pub(super) fn finish(mut self) -> Wiped {
        self.copy_from_above(self.same.unwrap_or(0));
        self.put(self.code.literals[END_OF_BLOCK]);
        self.put(Word(0, 7)); // fills up the last byte
        let (low, high) = self.sums;
        self.bytes.truncate(self.place);
        self.bytes
            .extend_from_slice(&((high << 16 | low) as u32).to_be_bytes());
        self.bytes
    }

    /// Adds bits, 56 at most; those of each byte lowest first.
    #[inline(always)]
    fn put(&mut self, word: Word) {
        let Word(bits, length) = self.pending.then(word);
        // Eight bytes are written at once, of which some count.
        if self.bytes.len() < self.place + 8 {
            self.bytes.resize(self.place + 256, 0);
        }
        self.bytes[self.place..self.place + 8].copy_from_slice(&bits.to_le_bytes());
        self.place += length as usize / 8;
        self.pending = Word(bits >> (length / 8 * 8), length % 8);
    }
}

/// The symbol for a length or a distance that is this much more than the least one, and the bits that
/// follow it, RFC 1951 section 3.2.5: with each doubling of what a symbol stands for, there is one more.
fn symbol_for(over: usize, per_doubling: usize) -> (usize, Word) {
    let bits = over.max(per_doubling).ilog2() - per_doubling.ilog2();
    let symbol = bits as usize * per_doubling + (over >> bits);
    (symbol, Word(over as u64 % (1 << bits), bits))
}
