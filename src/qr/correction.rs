//! Error correction, ISO/IEC 18004 section 7.5 and 7.6: data in blocks, a Reed-Solomon code behind each,
//! and all of them interleaved.
//!
//! As the qrcode crate has it, but in one buffer, and a block's codewords are four machine words: what
//! a byte adds to them is the sum of what its eight bits add, so nothing is looked up.

use zeroize::Zeroizing;

use crate::qr::ErrorCorrection;

/// No block has more correction codewords.
const MOST: usize = 30;

/// Correction codewords of a block, for the versions from 1 on; ISO/IEC 18004 table 9.
#[rustfmt::skip]
const PER_BLOCK: [[u8; 40]; 4] = [
    [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
];

/// How many blocks there are; as above.
#[rustfmt::skip]
const BLOCKS: [[u8; 40]; 4] = [
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
    [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
    [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
    [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
];

/// The codewords of a symbol in their order: the data's, then those that correct them. `None` for a
/// version that does not exist.
pub(super) fn codewords(
    data: &[u8],
    version: usize,
    level: ErrorCorrection,
) -> Option<Zeroizing<Vec<u8>>> {
    let (blocks, per_block) = blocks(version, level)?;
    // The last blocks may have one codeword more than the first ones.
    let short = data.len().checked_div(blocks)?;
    let short_blocks = blocks.checked_sub(data.len().checked_rem(blocks)?)?;
    let total = data.len().checked_add(per_block.checked_mul(blocks)?)?;
    let mut codewords = Zeroizing::new(vec![0; total]);
    let (interleaved, corrections) = codewords.split_at_mut_checked(data.len())?;
    let mut rest = data;
    for block in 0..blocks {
        let long = usize::from(block >= short_blocks);
        let (data, behind) = rest.split_at_checked(short.checked_add(long)?)?;
        rest = behind;
        let (first, last) = interleaved.split_at_mut_checked(short.checked_mul(blocks)?)?;
        put(data, first, block, blocks);
        put(
            data.get(short..)?,
            last,
            block.saturating_sub(short_blocks),
            blocks,
        );
        let correction = correction(data, per_block);
        put(correction.get(..per_block)?, corrections, block, blocks);
    }
    Some(codewords)
}

/// How many blocks a symbol has, and codewords that correct each.
pub(super) fn blocks(version: usize, level: ErrorCorrection) -> Option<(usize, usize)> {
    let of = |table: &[[u8; 40]; 4]| {
        let number = table.get(level as usize)?.get(version.checked_sub(1)?)?;
        Some(usize::from(*number))
    };
    Some((of(&BLOCKS)?, of(&PER_BLOCK)?))
}

/// Puts codewords at every `blocks`-th place from `first` on, as far as there are places.
fn put(codewords: &[u8], places: &mut [u8], first: usize, blocks: usize) {
    let places = places.iter_mut().skip(first).step_by(blocks);
    for (place, codeword) in places.zip(codewords) {
        *place = *codeword;
    }
}

/// The remainder of the data's polynomial by the generator of this degree; the first `degree` count.
fn correction(data: &[u8], degree: usize) -> [u8; 32] {
    let multiples = GENERATORS.get(degree).unwrap_or(&[[0; 4]; 8]);
    let mut remainder = [0u64; 4];
    for byte in data {
        let [a, b, c, d] = remainder;
        let lead = u64::from(*byte) ^ a.wrapping_shr(56);
        let carried = [b, c, d, 0].map(|next| next.wrapping_shr(56));
        for (word, carried) in remainder.iter_mut().zip(carried) {
            *word = word.wrapping_shl(8) | carried;
        }
        for (multiple, bit) in multiples.iter().zip(0..) {
            let mask = 0u64.wrapping_sub(lead.wrapping_shr(bit) & 1);
            for (word, multiple) in remainder.iter_mut().zip(multiple) {
                *word ^= multiple & mask;
            }
        }
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes
        .iter_mut()
        .zip(remainder.map(u64::to_be_bytes).as_flattened())
    {
        *place = *byte;
    }
    bytes
}

/// For each degree, the coefficients of (x - 1)(x - 2)(x - 4)... behind the first, in four words from
/// the highest byte on; times 1, 2, 4 and so on to 128.
static GENERATORS: [[[u64; 4]; 8]; MOST + 1] = generators();

// The compiler evaluates these: an index out of range, or an overflow, would not compile.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn generators() -> [[[u64; 4]; 8]; MOST + 1] {
    let mut generators = [[[0; 4]; 8]; MOST + 1];
    let mut coefficients = [0u8; MOST];
    let mut root = 1;
    let mut degree = 1;
    while degree <= MOST {
        // Times (x - root): each coefficient gets the one before times the root.
        let mut n = degree;
        while n > 0 {
            n -= 1;
            let before = if n == 0 { 1 } else { coefficients[n - 1] };
            coefficients[n] ^= product(before, root);
        }
        root = product(root, 2);
        let mut bit = 0;
        while bit < 8 {
            n = 0;
            while n < degree {
                let multiple = product(coefficients[n], 1 << bit) as u64;
                generators[degree][bit][n / 8] |= multiple << (56 - n % 8 * 8);
                n += 1;
            }
            bit += 1;
        }
        degree += 1;
    }
    generators
}

/// In the field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1.
#[allow(clippy::arithmetic_side_effects)]
const fn product(one: u8, other: u8) -> u8 {
    let mut product = 0;
    let (mut one, mut other) = (one as u16, other);
    while other > 0 {
        if other & 1 == 1 {
            product ^= one;
        }
        one <<= 1;
        if one > 255 {
            one ^= 0x11D;
        }
        other >>= 1;
    }
    product as u8
}

#[cfg(test)]
mod tests {
    use qrcode::types::Version;
    use qrcode::{EcLevel, bits, ec};

    use super::*;

    /// The crate is the plain twin, for every version and level.
    #[test]
    fn codewords_are_the_crate_s() {
        for (level, theirs) in [
            (ErrorCorrection::L, EcLevel::L),
            (ErrorCorrection::M, EcLevel::M),
            (ErrorCorrection::Q, EcLevel::Q),
            (ErrorCorrection::H, EcLevel::H),
        ] {
            for version in 1..=40i16 {
                let mut bits = bits::Bits::new(Version::Normal(version));
                let text: Vec<u8> = (0..bits.max_len(theirs).unwrap() / 8 - 3)
                    .map(|n| (n as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0])
                    .collect();
                bits.push_byte_data(&text).unwrap();
                bits.push_terminator(theirs).unwrap();
                let data = bits.into_bytes();
                let (interleaved, correction) =
                    ec::construct_codewords(&data, Version::Normal(version), theirs).unwrap();
                let ours = codewords(&data, version as usize, level).unwrap();
                assert!(
                    *ours == [interleaved, correction].concat(),
                    "{version}, {level:?}"
                );
            }
        }
    }
}
