//! The two Huffman codes of the pictures, RFC 1951 section 3.2: fixed ones, made by the compiler.
//!
//! In a symbol every module is dark or light with the same chance, which is what masks are for. So most
//! bytes show one colour, and some the border between two modules, at an even pixel if modules have an
//! even number of them. Copies are as long as they get, from one row above: usually 49 to 96 bytes. The
//! lengths of `WIDE` are a Huffman code over these statistics, rounded to a few numbers to describe it in
//! few bytes. Bytes with more borders have no word in it: where they occur, rows are short.

/// Up to 64 bits, the first one lowest, and their number. All others are 0.
#[derive(Clone, Copy)]
pub(super) struct Word(pub(super) u64, pub(super) u32);

impl Word {
    pub(super) const NONE: Word = Word(0, 0);

    /// Both words; together they have 64 bits at most.
    #[inline]
    pub(super) fn then(self, next: Word) -> Word {
        Word(self.0 | next.0 << (self.1 % 64), self.1 + next.1)
    }
}

pub(super) struct Code {
    /// A zlib stream up to the first word of this code: whole bytes, and what follows them.
    pub(super) head: (&'static [u8], Word),
    /// For each byte, for the end of a block, and for the lengths of copies.
    pub(super) literals: [Word; LITERALS],
    /// For the distances of copies.
    pub(super) distances: [Word; DISTANCES],
}

/// The last two of each are never used.
const LITERALS: usize = 288;
const DISTANCES: usize = 32;

/// The code for modules of this size: `WIDE` if no byte shows more than two of them.
pub(super) fn code_for(module_px: usize) -> &'static Code {
    match module_px {
        4 | 6.. => &WIDE,
        _ => &NARROW,
    }
}

static WIDE: Code = Code {
    head: (&WIDE_HEAD, Word(0b00_1100, 6)),
    literals: words(lengths(true)),
    distances: words([
        0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 4, 1, 2, 4, 6, 6, 6, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ]),
};

/// zlib's own two bytes, and the description of these lengths, RFC 1951 section 3.2.7.
#[rustfmt::skip]
const WIDE_HEAD: [u8; 41] = [
    0x78, 0x01, 0xED, 0xD3, 0xB7, 0xB5, 0x1C, 0x89, 0x0E, 0x00, 0xD1, 0xE2, 0x81, 0x41,
    0x13, 0x21, 0x30, 0x14, 0x84, 0x46, 0x86, 0x86, 0x50, 0x18, 0x02, 0x4C, 0x1A, 0x38,
    0x2C, 0x7E, 0x2D, 0x57, 0xEF, 0xD3, 0x0F, 0xC6, 0x68, 0xDC, 0x42, 0x77, 0xCF,
];

/// Deflate's own code, RFC 1951 section 3.2.6.
static NARROW: Code = Code {
    head: (&[0x78, 0x01], Word(0b011, 3)),
    literals: words(lengths(false)),
    distances: words([5; DISTANCES]),
};

const fn lengths(wide: bool) -> [u8; LITERALS] {
    let mut lengths = [0; LITERALS];
    let mut symbol = 0;
    while symbol < LITERALS {
        lengths[symbol] = match (wide, symbol) {
            (true, 0x00 | 0xFF) => 2,
            (true, 0xC0 | 0xF0 | 0xFC | 0x3F | 0x0F | 0x03 | 285) => 4,
            (true, 0x80 | 0xE0 | 0xF8 | 0xFE | 0x7F | 0x1F | 0x07 | 0x01 | 256) => 9,
            (true, ..=255 | 286..) => 0,
            (true, 257..=268) => 11,
            (true, 269..=276) => 10,
            (true, 277..=284) => 8,
            (false, 144..=255) => 9,
            (false, 256..=279) => 7,
            (false, _) => 8,
        };
        symbol += 1;
    }
    lengths
}

/// The canonical code of these lengths, 0 for a symbol that does not occur.
const fn words<const N: usize>(lengths: [u8; N]) -> [Word; N] {
    let mut words = [Word::NONE; N];
    let (mut next, mut length) = (0u16, 1);
    while length < 16 {
        let mut symbol = 0;
        while symbol < N {
            if lengths[symbol] == length {
                // The highest bit comes first.
                let bits = next.reverse_bits() >> (16 - length);
                words[symbol] = Word(bits as u64, length as u32);
                next += 1;
            }
            symbol += 1;
        }
        next <<= 1;
        length += 1;
    }
    assert!(next == 0, "a complete code has no word left");
    words
}
