//! Rows of modules as machine words: bit `x` is the module in column `x`, set when it is dark.

/// The widest symbol has 177 modules.
pub(super) const WORDS: usize = 3;

/// One row of a symbol. Bits outside of the symbol are 0.
pub(super) type Row = [u64; WORDS];

/// A bit for each of the first `count` columns.
pub(super) fn first(count: usize) -> Row {
    std::array::from_fn(|word| {
        let left = count.saturating_sub(word.saturating_mul(64));
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        1u64.checked_shl(left)
            .map_or(u64::MAX, |bit| bit.wrapping_sub(1))
    })
}

/// Sets up to 64 columns from `column` on to the bits of `modules` where these are 1.
pub(super) fn set(row: &mut Row, column: usize, modules: u64) {
    let shift = bit(column);
    let mut words = row.iter_mut().skip(column / 64);
    if let Some(word) = words.next() {
        *word |= modules.wrapping_shl(shift);
    }
    if let Some(word) = words.next() {
        // In two steps, for a shift by 64 would be none.
        *word |= modules
            .wrapping_shr(1)
            .wrapping_shr(63u32.wrapping_sub(shift));
    }
}

/// Whether the module in a column is dark.
pub(super) fn get(row: &Row, column: usize) -> bool {
    two(row, column) & 1 == 1
}

/// The modules in a column and in the next one, the latter higher.
pub(super) fn two(row: &Row, column: usize) -> u64 {
    let shift = bit(column);
    let mut words = row.iter().skip(column / 64);
    let word = words.next().copied().unwrap_or(0);
    let next = words.next().copied().unwrap_or(0);
    let next = next.wrapping_shl(1).wrapping_shl(63u32.wrapping_sub(shift));
    (word.wrapping_shr(shift) | next) & 0b11
}

fn bit(column: usize) -> u32 {
    u32::try_from(column % 64).unwrap_or(0)
}
