//! zlib, RFC 1950 and 1951, for the rows of a QR code's picture.
//!
//! There is nothing to search for. Each row of modules is written once, byte for byte, and copied from
//! the row above for all its other rows of pixels; so is the quiet zone on both sides. Which bytes occur
//! how often is known before the picture is, for every module is dark or light with the same chance,
//! which is what masks are for. So the Huffman code is made without a look at the picture, and then a
//! byte costs a few instructions, the same ones whatever it is: nothing for the processor to guess.

use crate::qr::bitstream::BitStream;
use crate::qr::huffman::{Code, SYMBOLS};
use crate::wiped::Wiped;

const END_OF_BLOCK: usize = 256;
const SHORTEST_COPY: usize = 3;
const LONGEST_COPY: usize = 258;
const LONGEST_WORD: u8 = 15;

/// How often each byte is expected in a row less its margins; in all, `BYTE` for each byte.
pub(super) type Frequencies = [u32; 256];
pub(super) const BYTE: u32 = 256;

/// What stands in a picture.
pub(super) struct Shape {
    pub(super) row_bytes: usize,
    /// So many bytes at the start and at the end of a row are the same in all rows.
    pub(super) margins: [usize; 2],
    /// How many rows of modules there are, and for how many rows of pixels each stands.
    pub(super) rows: usize,
    pub(super) times: usize,
    /// For how many rows of pixels a blank row stands, above and below the others; may be 0.
    pub(super) blank_times: usize,
}

/// A zlib stream in the making.
pub(super) struct Compressor<'a> {
    shape: &'a Shape,
    output: BitStream,
    code: Code,
    /// What says that a copy is from one row above, and its number of bits.
    distance: (u64, u32),
    /// So many bytes after those written are the same as in the row above; `None` before the first.
    same: Option<usize>,
    /// What stands for so many bytes from the row above; most rows take the same.
    copied: (usize, Vec<(u64, u32)>),
    checksum: Adler32,
}

impl<'a> Compressor<'a> {
    /// Begins a stream behind `head`; what follows it may have 32 bytes in the same buffer.
    pub(super) fn begin(head: &[u8], shape: &'a Shape, frequencies: &Frequencies) -> Self {
        let code = Code::for_counts(&expected_counts(shape, frequencies), LONGEST_WORD);
        let mut output = BitStream::after(head, room(shape, &code));
        output.put(0x0178, 16);
        output.put(0b101, 3); // the last block, with a code of its own
        let distance = describe(&code, shape.row_bytes, &mut output);
        Compressor {
            shape,
            output,
            code,
            distance,
            same: None,
            copied: (0, Vec::with_capacity(32)),
            checksum: Adler32 { a: 1, b: 0 },
        }
    }

    /// Adds the row at the start of `buffer`, which stands for `times` rows of pixels, one at least.
    pub(super) fn row(&mut self, buffer: &[u8], times: usize) {
        let row = buffer.get(..self.shape.row_bytes).unwrap_or_default();
        let again = self.shape.row_bytes.saturating_mul(times.saturating_sub(1));
        let [before, after] = self.shape.margins;
        self.same = Some(if let Some(same) = self.same {
            self.copy_from_above(same.saturating_add(before));
            let end = row.len().saturating_sub(after);
            self.write(row.get(before..end).unwrap_or_default());
            again.saturating_add(after)
        } else {
            self.write(row);
            again
        });
        self.checksum.add(row, times as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        // As many words as may be put at once.
        let (threes, rest) = bytes.as_chunks::<3>();
        for three in threes {
            let (mut bits, mut length) = (0u64, 0u32);
            for byte in three {
                let word = self.code.word(usize::from(*byte));
                bits |= u64::from(word.bits).wrapping_shl(length);
                length = length.wrapping_add(word.length.into());
            }
            self.output.put(bits, length);
        }
        for byte in rest {
            let word = self.code.word(usize::from(*byte));
            self.output.put(word.bits.into(), word.length.into());
        }
    }

    fn copy_from_above(&mut self, bytes: usize) {
        let (length, words) = &mut self.copied;
        if *length != bytes {
            *length = bytes;
            words.clear();
            words.extend(copies(bytes).map(|length| {
                let (symbol, extra, extra_bits) = length_symbol(length);
                let word = self.code.word(symbol);
                let (distance, distance_bits) = self.distance;
                let word_bits = u32::from(word.length);
                let before = word_bits.wrapping_add(extra_bits);
                let bits = u64::from(word.bits) | extra.wrapping_shl(word_bits);
                (
                    bits | distance.wrapping_shl(before),
                    before.wrapping_add(distance_bits),
                )
            }));
        }
        for (bits, length) in words {
            self.output.put(*bits, *length);
        }
    }

    /// The buffer with the whole stream at its end.
    pub(super) fn finish(mut self) -> Wiped {
        self.copy_from_above(self.same.unwrap_or(0));
        let end = self.code.word(END_OF_BLOCK);
        self.output.put(end.bits.into(), end.length.into());
        let mut bytes = self.output.finish();
        bytes.extend_from_slice(&self.checksum.sum().to_be_bytes());
        bytes
    }
}

impl Shape {
    /// How many bytes in a row are the same as above, each number with how often it comes.
    fn repetitions(&self) -> [(usize, usize); 3] {
        let [before, after] = self.margins;
        let again = |times: usize| self.row_bytes.saturating_mul(times.saturating_sub(1));
        let usual = again(self.times)
            .saturating_add(before)
            .saturating_add(after);
        match self.blank_times {
            0 => [
                (again(self.times).saturating_add(before), 1),
                (usual, self.rows.saturating_sub(2)),
                (again(self.times).saturating_add(after), 1),
            ],
            blank => [
                (again(blank).saturating_add(before), 1),
                (usual, self.rows),
                (again(blank).saturating_add(after), 1),
            ],
        }
    }
}

/// The lengths of the copies that make so many bytes: none, or three at least.
fn copies(bytes: usize) -> impl Iterator<Item = usize> {
    let mut left = bytes;
    std::iter::from_fn(move || {
        let rest = left.saturating_sub(LONGEST_COPY);
        let length = if rest > 0 && rest < SHORTEST_COPY {
            left.saturating_sub(SHORTEST_COPY)
        } else {
            left.min(LONGEST_COPY)
        };
        left = left.saturating_sub(length);
        (length > 0).then_some(length)
    })
}

/// How often each symbol is expected in the whole stream.
fn expected_counts(shape: &Shape, frequencies: &Frequencies) -> [u32; SYMBOLS] {
    let mut counts = [0u32; SYMBOLS];
    let mut expect = |symbol: usize, times: u32| {
        if let Some(count) = counts.get_mut(symbol) {
            *count = count.saturating_add(times);
        }
    };
    for (byte, frequency) in frequencies.iter().enumerate() {
        expect(byte, frequency.saturating_mul(count(shape.rows)));
    }
    let blank_bytes = shape.row_bytes.saturating_mul(2);
    for (symbol, times) in [(0xFF, blank_bytes), (0, 1), (END_OF_BLOCK, 1)] {
        expect(symbol, count(times).saturating_mul(BYTE));
    }
    for (bytes, times) in shape.repetitions() {
        for length in copies(bytes) {
            let times = count(times).saturating_mul(BYTE);
            expect(length_symbol(length).0, times);
        }
    }
    counts
}

/// How many bytes a stream has at most, with what may follow it.
fn room(shape: &Shape, code: &Code) -> usize {
    /// A code's description, the words around it, and what may follow.
    const BESIDE: usize = 640;
    const BITS_OF_COPY: usize = 48;
    let longest = (0..=255).map(|byte| code.word(byte).length).max();
    let rows = shape.rows.saturating_add(2);
    let literals = shape.row_bytes.saturating_mul(longest.unwrap_or(0).into());
    let bits = rows.saturating_mul(literals);
    let bits = shape
        .repetitions()
        .iter()
        .fold(bits, |bits, &(bytes, times)| {
            let copies = copies(bytes).count().saturating_mul(times);
            bits.saturating_add(copies.saturating_mul(BITS_OF_COPY))
        });
    (bits / 8).saturating_add(BESIDE)
}

/// The symbol for the length of a copy, and its extra bits as their value and number.
fn length_symbol(length: usize) -> (usize, u64, u32) {
    if length >= LONGEST_COPY {
        return (285, 0, 0);
    }
    let (step, extra, bits) = steps(count(length).saturating_sub(3), 4);
    (step.saturating_add(257), extra, bits)
}

/// The symbol for the distance of a copy, and its extra bits.
fn distance_symbol(distance: usize) -> (usize, u64, u32) {
    steps(count(distance).saturating_sub(1), 2)
}

/// Lengths and distances go by `2^n` values for each step, so that `per_doubling` steps double them.
fn steps(over: u32, per_doubling: u32) -> (usize, u64, u32) {
    let doublings = over.checked_ilog2().unwrap_or(0);
    let bits = doublings.saturating_sub(per_doubling.ilog2());
    let step = bits
        .wrapping_mul(per_doubling)
        .wrapping_add(over.wrapping_shr(bits));
    let extra = over & 1u32.wrapping_shl(bits).wrapping_sub(1);
    (usize::try_from(step).unwrap_or(0), extra.into(), bits)
}

/// Writes the code's lengths, themselves run-length and Huffman coded, RFC 1951 section 3.2.7; gives
/// the bits that stand for the one distance, which needs no more than one bit and its extra ones.
fn describe(code: &Code, distance: usize, output: &mut BitStream) -> (u64, u32) {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let (distance, extra, extra_bits) = distance_symbol(distance);
    let distances = (0..=distance).map(|symbol| u8::from(symbol == distance));
    let mut lengths = [0u8; SYMBOLS + 30];
    let described = SYMBOLS.saturating_add(distance).saturating_add(1);
    for (place, length) in lengths.iter_mut().zip(code.lengths().chain(distances)) {
        *place = length;
    }
    // Symbol, extra bits, number of extra bits.
    let mut runs: Vec<(usize, u64, u32)> = Vec::with_capacity(described);
    for run in lengths
        .get(..described)
        .unwrap_or_default()
        .chunk_by(|a, b| a == b)
    {
        let length = usize::from(run.first().copied().unwrap_or(0));
        let mut left = run.len() as u64;
        if length != 0 {
            runs.push((length, 0, 0));
            left = left.saturating_sub(1);
        }
        while left > 0 {
            let (now, entry) = match (length, left) {
                (0, 11..) => (left.min(138), (18, left.min(138).saturating_sub(11), 7)),
                (0, 3..) => (left, (17, left.saturating_sub(3), 3)),
                (1.., 3..) => (left.min(6), (16, left.min(6).saturating_sub(3), 2)),
                _ => (1, (length, 0, 0)),
            };
            runs.push(entry);
            left = left.saturating_sub(now);
        }
    }
    let mut counts = [0u32; 19];
    for (symbol, ..) in &runs {
        if let Some(count) = counts.get_mut(*symbol) {
            *count = count.saturating_add(1);
        }
    }
    let code = Code::for_counts(&counts, 7);
    output.put(29, 5); // 286 symbols of literals and lengths
    output.put(distance as u64, 5);
    output.put(15, 4); // 19 lengths follow
    for symbol in ORDER {
        output.put(code.word(symbol).length.into(), 3);
    }
    for (symbol, extra, extra_bits) in runs {
        let word = code.word(symbol);
        output.put(word.bits.into(), word.length.into());
        output.put(extra, extra_bits);
    }
    (extra.wrapping_shl(1), extra_bits.wrapping_add(1))
}

/// RFC 1950 section 8.2. The sums over a row are the same each time it repeats.
struct Adler32 {
    a: u64,
    b: u64,
}

impl Adler32 {
    fn add(&mut self, row: &[u8], times: u64) {
        const MODULUS: u64 = 65521;
        let (mut sum, mut weighted) = (0u32, 0u32);
        for byte in row {
            // Rows have less than 1,000 bytes, so neither overflows.
            sum = sum.wrapping_add(u32::from(*byte));
            weighted = weighted.wrapping_add(sum);
        }
        let (sum, weighted) = (u64::from(sum), u64::from(weighted));
        let length = row.len() as u64;
        // What `times` repetitions add: each begins with what the ones before have left in `a`.
        let before = times.wrapping_mul(times.wrapping_sub(1)) / 2;
        let of_a = self
            .a
            .wrapping_mul(times)
            .wrapping_add(sum.wrapping_mul(before));
        let added = of_a
            .wrapping_mul(length)
            .wrapping_add(weighted.wrapping_mul(times));
        self.b = self.b.wrapping_add(added) % MODULUS;
        self.a = self.a.wrapping_add(sum.wrapping_mul(times)) % MODULUS;
    }

    fn sum(&self) -> u32 {
        let sum = self.b.wrapping_shl(16) | self.a;
        u32::try_from(sum).unwrap_or(0)
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
