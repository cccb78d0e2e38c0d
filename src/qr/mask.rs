//! The choice of the mask, ISO/IEC 18004 section 7.8, for all modules of a row at once.
//!
//! The qrcode crate looks at every module on its own, which takes 98 % of its time. Here a row is a
//! few machine words: a neighbour is one shift away, the modules above and below are the same bits
//! of other words, and penalties are counted by population counts. The choice is the crate's own,
//! symbol for symbol, down to its balance penalty, which it does not round to steps of 5 %.

use std::array;

use zeroize::Zeroizing;

use crate::qr::ErrorCorrection;
use crate::qr::bits::{self, Row, WORDS};
use crate::qr::layout::Layout;

/// A row of a symbol that needs fewer words.
type Narrow<const W: usize> = [u64; W];

/// The same row under each of the eight masks, side by side: so the compiler takes several at once.
type Lanes<const W: usize> = [[u64; 8]; W];

/// A row with those above and below it that the rules look at. Outside of the symbol they are light.
const NEAR: usize = ABOVE + 1 + BELOW;
const ABOVE: usize = 4;
const BELOW: usize = 10;

/// Applies the mask with the lowest penalty, the first of them if there are several.
pub(super) fn apply_best(layout: Layout, level: ErrorCorrection) -> Zeroizing<Vec<Row>> {
    match layout.dark.len() {
        ..=64 => apply::<1>(layout, level),
        65..=128 => apply::<2>(layout, level),
        _ => apply::<WORDS>(layout, level),
    }
}

fn apply<const W: usize>(layout: Layout, level: ErrorCorrection) -> Zeroizing<Vec<Row>> {
    let padded = under_all_masks::<W>(&layout, level);
    let mut rows = layout.dark;
    let columns = Columns::of(rows.len());
    let mut penalties = imbalance(&padded, rows.len());
    for (y, near) in padded.windows(NEAR).enumerate() {
        add_points(near, &columns.at(y), &mut penalties);
    }
    let masks = penalties.iter().zip(0..);
    let best = masks.min_by_key(|(penalty, _)| **penalty);
    let best: usize = best.map_or(0, |(_, mask)| mask);
    for (row, lanes) in rows.iter_mut().zip(padded.iter().skip(ABOVE)) {
        for (word, lanes) in row.iter_mut().zip(lanes) {
            *word = lanes.get(best).copied().unwrap_or(0);
        }
    }
    rows
}

/// The symbol under each mask, with the format information that says so, between light rows.
fn under_all_masks<const W: usize>(
    layout: &Layout,
    level: ErrorCorrection,
) -> Zeroizing<Vec<Lanes<W>>> {
    let width = layout.dark.len();
    let rows = width.saturating_add(ABOVE + BELOW);
    let mut padded = Zeroizing::new(vec![[[0; 8]; W]; rows]);
    let symbol = padded.get_mut(ABOVE..).unwrap_or_default();
    let unmasked = layout.dark.iter().zip(&layout.free);
    let patterns = PATTERNS.iter().cycle();
    for ((lanes, (dark, free)), pattern) in symbol.iter_mut().zip(unmasked).zip(patterns) {
        let words = dark.iter().zip(free).zip(pattern);
        for (lanes, ((dark, free), pattern)) in lanes.iter_mut().zip(words) {
            *lanes = pattern.map(|inverted| dark ^ free & inverted);
        }
    }
    let formats: [u64; 8] = array::from_fn(|mask| format_bits(level, mask as u64));
    for (x, y, bit) in format_places(width) {
        let lanes = symbol.get_mut(y).and_then(|lanes| lanes.get_mut(x / 64));
        let shift = u32::try_from(x % 64).unwrap_or(0);
        for (lane, format) in lanes.into_iter().flatten().zip(formats) {
            *lane |= (format.wrapping_shr(bit) & 1).wrapping_shl(shift);
        }
    }
    padded
}

/// What the masks invert, side by side, for the twelve rows after which all repeat.
static PATTERNS: [Lanes<WORDS>; 12] = patterns();

// An index out of range would not compile.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn patterns() -> [Lanes<WORDS>; 12] {
    let mut patterns = [[[0; 8]; WORDS]; 12];
    let mut y = 0;
    while y < 12 {
        let mut place = 0;
        while place < 64 * WORDS * 8 {
            let (x, mask) = (place / 8, place % 8);
            if inverts(mask, x, y) {
                patterns[y][x / 64][mask] |= 1 << (x % 64);
            }
            place += 1;
        }
        y += 1;
    }
    patterns
}

/// Whether a mask inverts a module, ISO/IEC 18004 table 10.
#[allow(clippy::arithmetic_side_effects)] // the compiler evaluates it
const fn inverts(mask: usize, x: usize, y: usize) -> bool {
    let value = match mask {
        0 => (x + y) % 2,
        1 => y % 2,
        2 => x % 3,
        3 => (x + y) % 3,
        4 => (y / 2 + x / 3) % 2,
        5 => x * y % 2 + x * y % 3,
        6 => (x * y % 2 + x * y % 3) % 2,
        _ => ((x + y) % 2 + x * y % 3) % 2,
    };
    value == 0
}

/// Where the bits of the format information stand, column, row and bit: beside the finder patterns,
/// twice. ISO/IEC 18004 section 7.9.
fn format_places(width: usize) -> impl Iterator<Item = (usize, usize, u32)> {
    let from_end = move |n: usize| width.wrapping_sub(n);
    let first = [0, 1, 2, 3, 4, 5, 7, 8].into_iter().zip(0..);
    let left = first.map(|(y, bit)| (8, y, bit));
    let top = [7, 5, 4, 3, 2, 1, 0].into_iter().zip(8..);
    let top = top.map(|(x, bit)| (x, 8, bit));
    let right = (1..=8).zip(0..).map(move |(n, bit)| (from_end(n), 8, bit));
    let below = (1..=7).rev().zip(8..);
    let below = below.map(move |(n, bit)| (8, from_end(n), bit));
    left.chain(top).chain(right).chain(below)
}

/// The 15 bits of the format information, with their own error correction.
fn format_bits(level: ErrorCorrection, mask: u64) -> u64 {
    let level = match level {
        ErrorCorrection::L => 0b01,
        ErrorCorrection::M => 0b00,
        ErrorCorrection::Q => 0b11,
        ErrorCorrection::H => 0b10,
    };
    let data = level << 3 | mask;
    // The remainder of data * x^10 by the generator of the BCH code.
    let remainder = (0..10).fold(data, |rest: u64, _| {
        let carry = rest.wrapping_shr(9) & 1;
        rest.wrapping_shl(1) ^ carry.wrapping_mul(0b101_0011_0111)
    });
    (data << 10 | remainder & 0b11_1111_1111) ^ 0b101_0100_0001_0010
}

/// Sets of columns that the rules speak of.
struct Columns<const W: usize> {
    width: usize,
    all: Narrow<W>,
    /// Those with a column right of them.
    pairs: Narrow<W>,
    /// Those with six columns right of them.
    sevens: Narrow<W>,
}

/// The columns of one row; none for a rule that looks at rows which are not there.
struct ColumnsAt<const W: usize> {
    pairs: Narrow<W>,
    sevens: Narrow<W>,
    /// Where runs of five may begin, and where they may have begun in the row above.
    fives: Narrow<W>,
    fives_above: Narrow<W>,
    blocks: Narrow<W>,
    all: Narrow<W>,
}

impl<const W: usize> Columns<W> {
    fn of(width: usize) -> Self {
        let first = |count: usize| {
            let row = bits::first(count);
            array::from_fn(|word| row.get(word).copied().unwrap_or(0))
        };
        Columns {
            width,
            all: first(width),
            pairs: first(width.saturating_sub(1)),
            sevens: first(width.saturating_sub(6)),
        }
    }

    fn at(&self, y: usize) -> ColumnsAt<W> {
        let rows = self.width.saturating_sub(y);
        let only_if = |there: bool, columns: Narrow<W>| if there { columns } else { [0; W] };
        ColumnsAt {
            pairs: self.pairs,
            sevens: self.sevens,
            fives: only_if(rows >= 5, self.all),
            fives_above: only_if(y > 0, self.all),
            blocks: only_if(rows >= 2, self.pairs),
            all: self.all,
        }
    }
}

/// Adds the penalties of one row and what begins in it, ISO/IEC 18004 section 7.8.3, less what all
/// masks have in common.
fn add_points<const W: usize>(near: &[Lanes<W>], columns: &ColumnsAt<W>, penalties: &mut [u64; 8]) {
    let Some(near) = near.first_chunk::<NEAR>() else {
        return;
    };
    for (mask, penalty) in penalties.iter_mut().enumerate() {
        let [a, b, c, d, p, q, r, s, t, u, v, w, x, y, z] = near.each_ref().map(|lanes| {
            array::from_fn(|word| {
                let lane = lanes.get(word).and_then(|lanes| lanes.get(mask));
                lane.copied().unwrap_or(0)
            })
        });
        let in_row = runs_in_row(p, columns).wrapping_add(finders_in_row(p, columns));
        let in_columns = runs_in_columns([d, p, q, r, s, t], columns).wrapping_add(
            finders_in_columns([a, b, c, d, p, q, r, s, t, u, v, w, x, y, z], columns),
        );
        let points = in_row
            .wrapping_add(in_columns)
            .wrapping_add(blocks([p, q], columns));
        *penalty = penalty.wrapping_add(points);
    }
}

/// Runs of five and more modules of one colour: a run of n has n - 4 places where five begin, and
/// counts n - 2, so its first one counts thrice.
#[inline(always)]
fn points_of_runs<const W: usize>(fives: Narrow<W>, before: Narrow<W>) -> u64 {
    let begins = and(fives, not(before));
    count(fives).wrapping_add(count(begins).wrapping_mul(2))
}

#[inline(always)]
fn runs_in_row<const W: usize>(row: Narrow<W>, columns: &ColumnsAt<W>) -> u64 {
    let differs = xor(row, right_neighbours(row, 1));
    let same = and(not(differs), columns.pairs);
    let two = and(same, right_neighbours(same, 1));
    let fives = and(two, right_neighbours(two, 2));
    points_of_runs(fives, left_neighbours(fives, 1))
}

/// Those that begin in the second of six rows.
#[inline(always)]
fn runs_in_columns<const W: usize>(rows: [Narrow<W>; 6], columns: &ColumnsAt<W>) -> u64 {
    let [above, a, b, c, d, e] = rows;
    let (any, every) = (or(or(a, b), or(c, d)), and(and(a, b), and(c, d)));
    let same = |other| not(xor(or(any, other), and(every, other)));
    let fives = and(same(e), columns.fives);
    points_of_runs(fives, and(same(above), columns.fives_above))
}

/// Squares of two by two modules of one colour: 3 each.
#[inline(always)]
fn blocks<const W: usize>([upper, lower]: [Narrow<W>; 2], columns: &ColumnsAt<W>) -> u64 {
    let (any, every) = (or(upper, lower), and(upper, lower));
    let any = or(any, right_neighbours(any, 1));
    let every = and(every, right_neighbours(every, 1));
    count(and(not(xor(any, every)), columns.blocks)).wrapping_mul(3)
}

/// What looks like a finder pattern, with four light modules before or after it: 40 each.
#[inline(always)]
fn finders_in_row<const W: usize>(row: Narrow<W>, columns: &ColumnsAt<W>) -> u64 {
    let right = |by| right_neighbours(row, by);
    let dark = and(and(row, right(2)), and(and(right(3), right(4)), right(6)));
    let finder = and(and(dark, not(or(right(1), right(5)))), columns.sevens);
    let pair = or(left_neighbours(row, 1), left_neighbours(row, 2));
    let before = or(pair, left_neighbours(pair, 2));
    let pair = or(right(7), right(8));
    let after = or(pair, right_neighbours(pair, 2));
    count(and(finder, not(and(before, after)))).wrapping_mul(40)
}

/// The same in columns, with the light rows above and below.
#[inline(always)]
fn finders_in_columns<const W: usize>(rows: [Narrow<W>; NEAR], columns: &ColumnsAt<W>) -> u64 {
    let [a, b, c, d, p, q, r, s, t, u, v, w, x, y, z] = rows;
    let dark = and(and(p, r), and(and(s, t), v));
    let finder = and(and(dark, not(or(q, u))), columns.all);
    let before = or(or(a, b), or(c, d));
    let after = or(or(w, x), or(y, z));
    count(and(finder, not(and(before, after)))).wrapping_mul(40)
}

/// How far dark modules are from one half of all, in steps of 0.5 %, under each mask.
fn imbalance<const W: usize>(rows: &[Lanes<W>], width: usize) -> [u64; 8] {
    let mut dark = [0u64; 8];
    for lanes in rows.iter().flatten() {
        for (dark, word) in dark.iter_mut().zip(lanes) {
            *dark = dark.wrapping_add(u64::from(word.count_ones()));
        }
    }
    let area = (width as u64).wrapping_mul(width as u64);
    dark.map(|dark| {
        let ratio = dark.wrapping_mul(200).checked_div(area);
        ratio.unwrap_or(100).abs_diff(100)
    })
}

/// Every column takes the module from `by` columns further right. Fewer than 64.
#[inline(always)]
fn right_neighbours<const W: usize>(row: Narrow<W>, by: u32) -> Narrow<W> {
    let mut moved = row.map(|word| word.wrapping_shr(by));
    for (word, next) in moved.iter_mut().zip(row.iter().skip(1)) {
        *word |= next.wrapping_shl(64u32.wrapping_sub(by));
    }
    moved
}

/// Every column takes the module from `by` columns further left. Fewer than 64.
#[inline(always)]
fn left_neighbours<const W: usize>(row: Narrow<W>, by: u32) -> Narrow<W> {
    let mut moved = row.map(|word| word.wrapping_shl(by));
    for (word, before) in moved.iter_mut().skip(1).zip(&row) {
        *word |= before.wrapping_shr(64u32.wrapping_sub(by));
    }
    moved
}

#[inline(always)]
fn count<const W: usize>(row: Narrow<W>) -> u64 {
    row.iter().fold(0, |sum, word| {
        sum.wrapping_add(u64::from(word.count_ones()))
    })
}

#[inline(always)]
fn zip<const W: usize>(
    mut one: Narrow<W>,
    other: Narrow<W>,
    with: impl Fn(u64, u64) -> u64,
) -> Narrow<W> {
    for (one, other) in one.iter_mut().zip(other) {
        *one = with(*one, other);
    }
    one
}

#[inline(always)]
fn and<const W: usize>(one: Narrow<W>, other: Narrow<W>) -> Narrow<W> {
    zip(one, other, |a, b| a & b)
}

#[inline(always)]
fn or<const W: usize>(one: Narrow<W>, other: Narrow<W>) -> Narrow<W> {
    zip(one, other, |a, b| a | b)
}

#[inline(always)]
fn xor<const W: usize>(one: Narrow<W>, other: Narrow<W>) -> Narrow<W> {
    zip(one, other, |a, b| a ^ b)
}

/// Outside of the symbol as well.
#[inline(always)]
fn not<const W: usize>(row: Narrow<W>) -> Narrow<W> {
    row.map(|word| !word)
}
