//! Error correction, ISO/IEC 18004 section 7.5 and 7.6: data in blocks, a Reed-Solomon code behind each,
//! and all of them interleaved. What a byte adds to the code is the sum of what its eight bits add, so
//! nothing is looked up.

use qrcode::EcLevel;

use crate::wiped::Wiped;

/// How many blocks there are in the versions from 1 on; ISO/IEC 18004 table 9.
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

/// The `total` codewords of a symbol in their order: the data's, then those that correct them.
pub(super) fn codewords(data: &[u8], total: usize, version: usize, level: EcLevel) -> Wiped {
    let blocks = usize::from(BLOCKS[level as usize][version - 1]);
    let per_block = (total - data.len()) / blocks;
    // The last blocks may have one codeword more than the first ones.
    let short = data.len() / blocks;
    let short_blocks = blocks - data.len() % blocks;
    let start = |block: usize| block * short + block.saturating_sub(short_blocks);
    let mut codewords = Wiped::zeroed(total);
    for block in 0..blocks {
        let block_data = &data[start(block)..start(block + 1)];
        for (n, codeword) in block_data.iter().enumerate() {
            let without = if n < short { 0 } else { short_blocks };
            codewords[n * blocks + block - without] = *codeword;
        }
        let correction = remainder(block_data, per_block);
        for (n, codeword) in correction[..per_block].iter().enumerate() {
            codewords[data.len() + n * blocks + block] = *codeword;
        }
    }
    codewords
}

/// The remainder of the data's polynomial by the generator of this degree; that many bytes of it count.
fn remainder(data: &[u8], degree: usize) -> [u8; 32] {
    let mut remainder = [0u64; 4];
    for byte in data {
        let [first, second, third, fourth] = remainder;
        let lead = u64::from(*byte) ^ first >> 56;
        let carried = [second, third, fourth, 0].map(|next| next >> 56);
        remainder = std::array::from_fn(|word| remainder[word] << 8 | carried[word]);
        for (bit, multiple) in GENERATORS[degree].iter().enumerate() {
            let chosen = 0u64.wrapping_sub(lead >> bit & 1);
            for (word, multiple) in remainder.iter_mut().zip(multiple) {
                *word ^= multiple & chosen;
            }
        }
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(remainder.map(u64::to_be_bytes).as_flattened());
    bytes
}

/// For each degree, 30 at most, the coefficients of (x - 1)(x - 2)(x - 4)... behind the first one, a
/// byte each from the highest on; times 1, 2, 4 and so on to 128.
static GENERATORS: [[[u64; 4]; 8]; 31] = {
    let mut generators = [[[0; 4]; 8]; 31];
    let mut generator = [0u128; 2];
    let mut degree = 0;
    while degree < 30 {
        // Times (x - root): each coefficient gets the one before it, times the root, which is 2^degree.
        let [high, low] = generator;
        let mut times_root = [1 << 120 | high >> 8, high << 120 | low >> 8];
        let mut doublings = 0;
        while doublings < degree {
            times_root = doubled(times_root);
            doublings += 1;
        }
        degree += 1;
        generator = [high ^ times_root[0], low ^ times_root[1]];
        let mut multiple = generator;
        let mut bit = 0;
        while bit < 8 {
            let [high, low] = multiple;
            let (first, third) = ((high >> 64) as u64, (low >> 64) as u64);
            generators[degree][bit] = [first, high as u64, third, low as u64];
            multiple = doubled(multiple);
            bit += 1;
        }
    }
    generators
};

/// Each byte times 2, in the field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1.
const fn doubled([high, low]: [u128; 2]) -> [u128; 2] {
    const ONES: u128 = u128::MAX / 0xFF;
    const SEVEN_BITS: u128 = ONES * 0x7F;
    [
        ((high & SEVEN_BITS) << 1) ^ ((high >> 7 & ONES) * 0x1D),
        ((low & SEVEN_BITS) << 1) ^ ((low >> 7 & ONES) * 0x1D),
    ]
}
