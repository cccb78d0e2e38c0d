//! Rows of modules as machine words: bit `x` is the module in column `x`, set when it is dark.

use std::array;
use std::ops::{BitAnd, BitOr, BitXor, Not};

use zeroize::Zeroize;

/// The widest symbol has 177 modules.
pub(super) const WORDS: usize = 3;

/// One row of a symbol that needs this many words. Bits outside of the symbol are 0, but after `!`.
#[derive(Clone, Copy)]
pub(in crate::qr) struct Row<const W: usize = WORDS>(pub(super) [u64; W]);

impl<const W: usize> Row<W> {
    pub(super) const LIGHT: Self = Row([0; W]);

    /// A bit for each of the first `count` columns.
    pub(super) fn first_columns(count: usize) -> Self {
        let in_word = |word: usize| count.saturating_sub(64 * word).min(64);
        Row(array::from_fn(|word| ((1u128 << in_word(word)) - 1) as u64))
    }

    /// Darkens up to 64 columns from `column` on, where `modules` has ones.
    pub(super) fn darken(&mut self, column: usize, modules: u64) {
        let (word, shift) = (column / 64, column % 64);
        self.0[word] |= modules << shift;
        if word + 1 < W {
            // Two shifts, because a shift by 64 is not allowed.
            self.0[word + 1] |= modules >> 1 >> (63 - shift);
        }
    }

    /// The modules from a column on, the first one lowest.
    pub(in crate::qr) fn starting_at(&self, column: usize) -> u64 {
        let (word, shift) = (column / 64, column % 64);
        let next = if word + 1 < W { self.0[word + 1] } else { 0 };
        self.0[word] >> shift | next << 1 << (63 - shift)
    }

    /// Every column takes the module from `by` columns further right; fewer than 64.
    #[inline(always)]
    pub(super) fn at_right(self, by: u32) -> Self {
        let mut moved = Row(self.0.map(|word| word >> by));
        for (word, next) in moved.0.iter_mut().zip(&self.0[1..]) {
            *word |= next << (64 - by);
        }
        moved
    }

    /// Every column takes the module from `by` columns further left; fewer than 64.
    #[inline(always)]
    pub(super) fn at_left(self, by: u32) -> Self {
        let mut moved = Row(self.0.map(|word| word << by));
        for (word, before) in moved.0[1..].iter_mut().zip(&self.0) {
            *word |= before >> (64 - by);
        }
        moved
    }
}

macro_rules! word_by_word {
    ($($operator:ident $method:ident)*) => {$(
        impl<const W: usize> $operator for Row<W> {
            type Output = Self;

            #[inline(always)]
            fn $method(mut self, other: Self) -> Self {
                for (word, other) in self.0.iter_mut().zip(other.0) {
                    *word = (*word).$method(other);
                }
                self
            }
        }
    )*};
}

word_by_word!(BitAnd bitand BitOr bitor BitXor bitxor);

impl<const W: usize> Not for Row<W> {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Row(self.0.map(|word| !word))
    }
}

impl<const W: usize> Zeroize for Row<W> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
