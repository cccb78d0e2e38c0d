//! zlib, RFC 1950 and 1951, for rows of bytes that repeat.
//!
//! A QR code's picture is few different rows, each repeated for as many pixels as a module is high.
//! So there is nothing to search for: a row is either like the one above it, which costs a few bits
//! for up to 258 bytes, or written out where it differs. The bytes that are left are few different
//! ones, and a Huffman code made for them takes 2 to 4 bits for each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use zeroize::Zeroizing;

/// Bytes that stand in the output `times` times.
pub(super) struct Repeated {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) times: usize,
}

/// Symbols of literals and lengths, RFC 1951 section 3.2.5.
const SYMBOLS: usize = 286;
const END_OF_BLOCK: usize = 256;
const SHORTEST_MATCH: usize = 3;
const LONGEST_MATCH: usize = 258;
/// Below this a match costs as much as the literals.
const WORTHWHILE_MATCH: usize = 6;

/// A byte, or 256 plus the length of what repeats from the row above.
type Token = u16;

/// Compresses rows, all of which have the same number of bytes.
pub(super) fn compress(rows: &[Repeated]) -> Zeroizing<Vec<u8>> {
    let row_bytes = rows.first().map_or(0, |row| row.bytes.len());
    let tokens = tokenize(rows);
    let mut output = Output::new(tokens.len());
    output.bytes.extend_from_slice(&[0x78, 0x01]);
    write_block(&mut output, &tokens, row_bytes);
    output.finish_byte();
    output.bytes.extend_from_slice(&adler32(rows).to_be_bytes());
    output.bytes
}

/// What is like the row above becomes matches, across the ends of rows; the rest literals.
fn tokenize(rows: &[Repeated]) -> Zeroizing<Vec<Token>> {
    let mut stream = Stream {
        tokens: Zeroizing::new(Vec::with_capacity(4096)),
        alike: 0,
    };
    let mut above: &[u8] = &[];
    for row in rows {
        let above_bytes = above.iter().map(Some).chain(std::iter::repeat(None));
        for (byte, above_byte) in row.bytes.iter().zip(above_bytes) {
            if above_byte == Some(byte) {
                stream.alike_byte(*byte);
            } else {
                stream.end_alike();
                stream.tokens.push(Token::from(*byte));
            }
        }
        let repeats = row.times.saturating_sub(1);
        let repeated = row.bytes.len().saturating_mul(repeats);
        let first = row
            .bytes
            .iter()
            .cycle()
            .take(repeated.min(WORTHWHILE_MATCH));
        first.for_each(|byte| stream.alike_byte(*byte));
        stream.alike = stream
            .alike
            .saturating_add(repeated.saturating_sub(WORTHWHILE_MATCH));
        above = &row.bytes;
    }
    stream.end_alike();
    stream.tokens
}

struct Stream {
    tokens: Zeroizing<Vec<Token>>,
    /// How many of the last bytes were like those of the row above; as long as they are too few for
    /// a match, they are the last tokens.
    alike: usize,
}

impl Stream {
    fn alike_byte(&mut self, byte: u8) {
        self.alike = self.alike.saturating_add(1);
        match self.alike {
            ..WORTHWHILE_MATCH => self.tokens.push(Token::from(byte)),
            WORTHWHILE_MATCH => {
                let without = self
                    .tokens
                    .len()
                    .saturating_sub(WORTHWHILE_MATCH.saturating_sub(1));
                self.tokens.truncate(without);
            }
            _ => {}
        }
    }

    fn end_alike(&mut self) {
        if self.alike >= WORTHWHILE_MATCH {
            push_match(&mut self.tokens, self.alike);
        }
        self.alike = 0;
    }
}

/// Repeats `length` bytes from the row above, none or at least `SHORTEST_MATCH`.
fn push_match(tokens: &mut Vec<Token>, length: usize) {
    let mut left = length;
    while left > 0 {
        let rest_is_too_short =
            left > LONGEST_MATCH && left < LONGEST_MATCH.saturating_add(SHORTEST_MATCH);
        let longest = if rest_is_too_short {
            LONGEST_MATCH.saturating_sub(SHORTEST_MATCH)
        } else {
            LONGEST_MATCH
        };
        let now = left.min(longest);
        tokens.push(Token::try_from(now).unwrap_or(0).saturating_add(256));
        left = left.saturating_sub(now);
    }
}

/// The symbol of a token, and its extra bits as their value and number.
fn symbol_of(token: Token) -> (usize, u32, u32) {
    let Some(length) = token.checked_sub(256) else {
        return (usize::from(token), 0, 0);
    };
    let over = u32::from(length).saturating_sub(3);
    match over {
        255.. => (285, 0, 0),
        8.. => {
            let extra = over.ilog2().saturating_sub(2);
            let symbol = extra.wrapping_mul(4).wrapping_add(over.wrapping_shr(extra));
            let value = over & 1u32.wrapping_shl(extra).wrapping_sub(1);
            (257usize.saturating_add(index(symbol)), value, extra)
        }
        _ => (257usize.saturating_add(index(over)), 0, 0),
    }
}

/// The one block of the stream: its codes, then the tokens in them.
fn write_block(output: &mut Output, tokens: &[Token], distance: usize) {
    let mut counts = [0u32; SYMBOLS];
    for &token in tokens.iter().chain(&[0x100]) {
        let symbol = if token == 0x100 {
            END_OF_BLOCK
        } else {
            symbol_of(token).0
        };
        if let Some(count) = counts.get_mut(symbol) {
            *count = count.saturating_add(1);
        }
    }
    let code = Code::for_counts(&counts, 15);
    // There is one distance only: to the row above. Its code is one bit.
    let over = u32::try_from(distance)
        .unwrap_or(0)
        .max(1)
        .saturating_sub(1);
    let extra = over.checked_ilog2().map_or(0, |log| log.saturating_sub(1));
    let distance_symbol = index(extra.wrapping_mul(2).wrapping_add(over.wrapping_shr(extra)));
    let distance_extra = over & 1u32.wrapping_shl(extra).wrapping_sub(1);

    output.put(0b1, 1); // the last block
    output.put(0b10, 2); // with codes of its own
    write_codes(output, &code, distance_symbol);
    for &token in tokens {
        let (symbol, value, bits) = symbol_of(token);
        output.put_symbol(&code, symbol);
        if symbol > END_OF_BLOCK {
            output.put(value, bits);
            output.put(0, 1);
            output.put(distance_extra, extra);
        }
    }
    output.put_symbol(&code, END_OF_BLOCK);
}

/// The lengths of the codes, themselves run-length and Huffman coded, RFC 1951 section 3.2.7.
fn write_codes(output: &mut Output, code: &Code, distance_symbol: usize) {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let distances = (0..=distance_symbol).map(|symbol| u32::from(symbol == distance_symbol));
    let lengths: Vec<u32> = code
        .words
        .iter()
        .map(|&(_, bits)| bits)
        .chain(distances)
        .collect();
    // Symbol, extra bits, number of extra bits.
    let mut runs: Vec<(usize, u32, u32)> = Vec::with_capacity(64);
    for run in lengths.chunk_by(|a, b| a == b) {
        let length = run.first().copied().unwrap_or(0);
        let mut left = u32::try_from(run.len()).unwrap_or(0);
        if length != 0 {
            runs.push((index(length), 0, 0));
            left = left.saturating_sub(1);
        }
        while left > 0 {
            let (now, entry) = match (length, left) {
                (0, 11..) => (left.min(138), (18, left.min(138).saturating_sub(11), 7)),
                (0, 3..) => (left, (17, left.saturating_sub(3), 3)),
                (1.., 3..) => (left.min(6), (16, left.min(6).saturating_sub(3), 2)),
                _ => (1, (index(length), 0, 0)),
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
    output.put(u32::try_from(distance_symbol).unwrap_or(0), 5);
    output.put(15, 4); // 19 lengths follow
    for symbol in ORDER {
        output.put(code.words.get(symbol).map_or(0, |word| word.1), 3);
    }
    for (symbol, value, bits) in runs {
        output.put_symbol(&code, symbol);
        output.put(value, bits);
    }
}

/// A Huffman code: for each symbol its bits, first one lowest, and their number; 0 if it is unused.
struct Code {
    words: Vec<(u32, u32)>,
}

impl Code {
    /// The best code for symbols that occur this often, none longer than `limit` bits.
    fn for_counts(counts: &[u32], limit: u32) -> Self {
        let mut counts = counts.to_vec();
        loop {
            let lengths = huffman_lengths(&counts);
            if lengths.iter().all(|&length| length <= limit) {
                return Code::with_lengths(&lengths);
            }
            // Flatter counts make a flatter tree.
            for count in counts.iter_mut().filter(|count| **count > 0) {
                *count = count.div_ceil(2);
            }
        }
    }

    /// The canonical code, RFC 1951 section 3.2.2.
    fn with_lengths(lengths: &[u32]) -> Self {
        let mut words = vec![(0, 0); lengths.len()];
        let mut next = 0u32;
        for bits in 1..=15u32 {
            next = next.wrapping_shl(1);
            for (word, _) in words
                .iter_mut()
                .zip(lengths)
                .filter(|(_, length)| **length == bits)
            {
                let reversed = next.reverse_bits().wrapping_shr(32u32.saturating_sub(bits));
                *word = (reversed, bits);
                next = next.saturating_add(1);
            }
        }
        Code { words }
    }
}

/// How deep each symbol is in a Huffman tree; at least 1 for every symbol that occurs.
fn huffman_lengths(counts: &[u32]) -> Vec<u32> {
    // Leaves come first, so that a parent always has a higher number than its children.
    let used = counts.iter().zip(0..).filter(|(count, _)| **count > 0);
    let mut heap: BinaryHeap<_> = used.map(|(&count, leaf)| Reverse((count, leaf))).collect();
    let mut parents = vec![0usize; counts.len()];
    while let (Some(Reverse((count, one))), Some(Reverse((other_count, other)))) =
        (heap.pop(), heap.pop())
    {
        let parent = parents.len();
        for child in [one, other] {
            if let Some(link) = parents.get_mut(child) {
                *link = parent;
            }
        }
        parents.push(0);
        heap.push(Reverse((count.saturating_add(other_count), parent)));
    }
    let mut depths = vec![0u32; parents.len()];
    for node in (0..parents.len()).rev() {
        let parent = parents.get(node).copied().unwrap_or(0);
        let depth = if parent == 0 {
            0
        } else {
            depths.get(parent).map_or(0, |d| d.saturating_add(1))
        };
        if let Some(place) = depths.get_mut(node) {
            *place = depth;
        }
    }
    depths.truncate(counts.len());
    for (depth, count) in depths.iter_mut().zip(counts) {
        *depth = if *count == 0 { 0 } else { (*depth).max(1) };
    }
    depths
}

/// RFC 1950 section 8.2, a row at a time: the sums over a row are the same each time it repeats.
fn adler32(rows: &[Repeated]) -> u32 {
    const MODULUS: u64 = 65521;
    let (mut a, mut b) = (1u64, 0u64);
    for row in rows {
        let length = row.bytes.len() as u64;
        let (sum, weighted) = row
            .bytes
            .iter()
            .fold((0u64, 0u64), |(sum, weighted), &byte| {
                let sum = sum.wrapping_add(u64::from(byte));
                (sum, weighted.wrapping_add(sum))
            });
        for _ in 0..row.times {
            b = b
                .wrapping_add(a.wrapping_mul(length))
                .wrapping_add(weighted)
                % MODULUS;
            a = a.wrapping_add(sum) % MODULUS;
        }
    }
    let checksum = b.wrapping_shl(16) | a;
    u32::try_from(checksum).unwrap_or(0)
}

/// Bits into bytes, lowest first.
struct Output {
    bytes: Zeroizing<Vec<u8>>,
    pending: u64,
    pending_bits: u32,
}

impl Output {
    fn new(tokens: usize) -> Self {
        Output {
            // No token takes more than 6 bytes, so this never grows and leaves a copy.
            bytes: Zeroizing::new(Vec::with_capacity(
                tokens.saturating_mul(6).saturating_add(512),
            )),
            pending: 0,
            pending_bits: 0,
        }
    }

    fn put(&mut self, value: u32, bits: u32) {
        self.pending |= u64::from(value).wrapping_shl(self.pending_bits);
        self.pending_bits = self.pending_bits.wrapping_add(bits);
        if self.pending_bits >= 32 {
            let [a, b, c, d, ..] = self.pending.to_le_bytes();
            self.bytes.extend_from_slice(&[a, b, c, d]);
            self.pending = self.pending.wrapping_shr(32);
            self.pending_bits = self.pending_bits.wrapping_sub(32);
        }
    }

    fn put_symbol(&mut self, code: &Code, symbol: usize) {
        if let Some(&(word, bits)) = code.words.get(symbol) {
            self.put(word, bits);
        }
    }

    fn finish_byte(&mut self) {
        while self.pending_bits > 0 {
            let [byte, ..] = self.pending.to_le_bytes();
            self.bytes.push(byte);
            self.pending = self.pending.wrapping_shr(8);
            self.pending_bits = self.pending_bits.saturating_sub(8);
        }
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
