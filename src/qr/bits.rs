//! Rows of modules as machine words, so that one operation works on 64 modules.

use std::array;

use zeroize::DefaultIsZeroes;

/// A row of up to `64 * W` modules; bit `x` is the module in column `x`, set when it is dark. Bits
/// outside of the symbol are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row<const W: usize>([u64; W]);

impl<const W: usize> Default for Row<W> {
    fn default() -> Self {
        Row([0; W])
    }
}

impl<const W: usize> DefaultIsZeroes for Row<W> {}

impl<const W: usize> Row<W> {
    /// The first `count` columns.
    pub(super) fn first(count: u32) -> Self {
        Row(array::from_fn(|word| {
            let left = count.saturating_sub(64u32.saturating_mul(word_number(word)));
            1u64.checked_shl(left)
                .map_or(u64::MAX, |bit| bit.wrapping_sub(1))
        }))
    }

    /// A row of a pattern that repeats every six columns; its lowest six bits say how.
    pub(super) fn repeating(six: u64) -> Self {
        const EVERY_SIXTH: u64 = 0x1041_0410_4104_1041;
        Row(array::from_fn(|word| {
            // A word further on, the pattern begins 64 mod 6 = 4 columns later.
            let phase = word_number(word).wrapping_mul(4) % 6;
            let two = six | six.wrapping_shl(6);
            let begun = two.wrapping_shr(phase) & 0b11_1111;
            begun.wrapping_mul(EVERY_SIXTH)
        }))
    }

    /// The modules of a row from left to right.
    pub(super) fn collect(mut modules: impl Iterator<Item = bool>) -> Self {
        Row([0; W].map(|_: u64| {
            let word = modules.by_ref().take(64).zip(0..);
            word.fold(0, |word, (dark, bit)| word | shl(u64::from(dark), bit))
        }))
    }

    /// The same row with more room.
    pub(super) fn widen<const WIDER: usize>(&self) -> Row<WIDER> {
        Row(array::from_fn(|word| {
            self.0.get(word).copied().unwrap_or(0)
        }))
    }

    /// Darkens a column.
    pub(super) fn set(&mut self, column: u32) {
        *self = self.or(Row::first(column.saturating_add(1)).and(Row::first(column).not()));
    }

    pub(super) fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    pub(super) fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }

    /// Outside of the symbol as well.
    pub(super) fn not(self) -> Self {
        Row(self.0.map(|word| !word))
    }

    /// Every column takes the module from `by` columns further right. Fewer than 64.
    pub(super) fn right_neighbours(self, by: u32) -> Self {
        Row(array::from_fn(|word| {
            let next = word.checked_add(1).and_then(|n| self.0.get(n));
            let carried = next.map_or(0, |next| shl(*next, 64u32.saturating_sub(by)));
            self.0.get(word).map_or(0, |word| shr(*word, by)) | carried
        }))
    }

    /// Every column takes the module from `by` columns further left. Fewer than 64.
    pub(super) fn left_neighbours(self, by: u32) -> Self {
        Row(array::from_fn(|word| {
            let before = word.checked_sub(1).and_then(|n| self.0.get(n));
            let carried = before.map_or(0, |before| shr(*before, 64u32.saturating_sub(by)));
            self.0.get(word).map_or(0, |word| shl(*word, by)) | carried
        }))
    }

    pub(super) fn count(self) -> u32 {
        self.0
            .iter()
            .fold(0, |sum: u32, word| sum.saturating_add(word.count_ones()))
    }

    /// Whether a column is dark.
    pub(super) fn get(&self, column: u32) -> bool {
        let word = usize::try_from(column / 64)
            .ok()
            .and_then(|n| self.0.get(n));
        word.is_some_and(|word| shr(*word, column % 64) & 1 == 1)
    }

    fn zip(self, other: Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        let mut words = self.0;
        for (word, other) in words.iter_mut().zip(other.0) {
            *word = operation(*word, other);
        }
        Row(words)
    }
}

fn shl(word: u64, by: u32) -> u64 {
    word.checked_shl(by).unwrap_or(0)
}

fn shr(word: u64, by: u32) -> u64 {
    word.checked_shr(by).unwrap_or(0)
}

fn word_number(word: usize) -> u32 {
    u32::try_from(word).unwrap_or(u32::MAX)
}
