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
    let (word, shift) = (column / 64, bit(column));
    if let Some(word) = row.get_mut(word) {
        *word |= modules.wrapping_shl(shift);
    }
    if let Some(next) = row.get_mut(word.wrapping_add(1)) {
        // In two steps, for a shift by 64 would be none.
        *next |= modules
            .wrapping_shr(1)
            .wrapping_shr(63u32.wrapping_sub(shift));
    }
}

/// Whether the module in a column is dark.
pub(super) fn get(row: &Row, column: usize) -> bool {
    from(row, column) & 1 == 1
}

/// The modules from a column on, the first one lowest.
pub(super) fn from(row: &Row, column: usize) -> u64 {
    let (word, shift) = (column / 64, bit(column));
    let at = |word: usize| row.get(word).copied().unwrap_or(0);
    let next = at(word.wrapping_add(1));
    let next = next.wrapping_shl(1).wrapping_shl(63u32.wrapping_sub(shift));
    at(word).wrapping_shr(shift) | next
}

fn bit(column: usize) -> u32 {
    u32::try_from(column % 64).unwrap_or(0)
}
