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

fn narrow<const W: usize>(row: &Row) -> Narrow<W> {
    array::from_fn(|word| row.get(word).copied().unwrap_or(0))
}

/// How many rows above and below a symbol the rules look at; all light.
const BEYOND: usize = 4;

/// Applies the mask with the lowest penalty, the first of them if there are several.
pub(super) fn apply_best(layout: Layout, level: ErrorCorrection) -> Zeroizing<Vec<Row>> {
    let best = match layout.dark.len() {
        ..=64 => best::<1>(&layout, level),
        65..=128 => best::<2>(&layout, level),
        _ => best::<WORDS>(&layout, level),
    };
    let mut rows = layout.dark;
    apply(best, &layout.free, level, &mut rows);
    rows
}

fn best<const W: usize>(layout: &Layout, level: ErrorCorrection) -> usize {
    let dark: Vec<Narrow<W>> = layout.dark.iter().map(narrow).collect();
    let dark = Zeroizing::new(dark);
    let free: Vec<Narrow<W>> = layout.free.iter().map(narrow).collect();
    let columns = Columns::of(dark.len());
    let light = [[0; W]; BEYOND];
    let mut padded = Zeroizing::new([&light[..], &dark, &light].concat());
    let penalty = |mask: &usize| {
        let end = padded.len().saturating_sub(BEYOND);
        if let Some(rows) = padded.get_mut(BEYOND..end) {
            rows.copy_from_slice(&dark);
            apply(*mask, &free, level, rows);
        }
        penalty(&padded, &columns)
    };
    (0..8).min_by_key(penalty).unwrap_or(0)
}

/// Inverts the free modules of one mask's pattern, and writes the format information that says so.
fn apply<const W: usize>(
    mask: usize,
    free: &[Narrow<W>],
    level: ErrorCorrection,
    rows: &mut [Narrow<W>],
) {
    let patterns = PATTERNS.get(mask).into_iter().flatten().cycle();
    for ((row, free), pattern) in rows.iter_mut().zip(free).zip(patterns) {
        for ((word, free), pattern) in row.iter_mut().zip(free).zip(pattern) {
            *word ^= free & pattern;
        }
    }
    let format = format_bits(level, mask as u64);
    for (x, y, bit) in format_places(rows.len()) {
        let word = rows.get_mut(y).and_then(|row| row.get_mut(x / 64));
        if let Some(word) = word {
            let shift = u32::try_from(x % 64).unwrap_or(0);
            *word |= (format.wrapping_shr(bit) & 1).wrapping_shl(shift);
        }
    }
}

/// What each mask inverts, for the twelve rows after which masks repeat.
static PATTERNS: [[Row; 12]; 8] = patterns();

// An index out of range would not compile.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn patterns() -> [[Row; 12]; 8] {
    let mut patterns = [[[0; WORDS]; 12]; 8];
    let mut mask = 0;
    while mask < 8 {
        let mut y = 0;
        while y < 12 {
            let mut x = 0;
            while x < 64 * WORDS {
                if inverts(mask, x, y) {
                    patterns[mask][y][x / 64] |= 1 << (x % 64);
                }
                x += 1;
            }
            y += 1;
        }
        mask += 1;
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
    all: Narrow<W>,
    /// Those with a column right of them.
    pairs: Narrow<W>,
    /// Those with six columns right of them.
    sevens: Narrow<W>,
}

impl<const W: usize> Columns<W> {
    fn of(width: usize) -> Self {
        let first = |count: usize| narrow(&bits::first(count));
        Columns {
            all: first(width),
            pairs: first(width.saturating_sub(1)),
            sevens: first(width.saturating_sub(6)),
        }
    }
}

/// The penalty of a symbol between light rows, ISO/IEC 18004 section 7.8.3, less what all masks have
/// in common.
fn penalty<const W: usize>(padded: &[Narrow<W>], columns: &Columns<W>) -> u32 {
    let end = padded.len().saturating_sub(BEYOND);
    let rows = padded.get(BEYOND..end).unwrap_or_default();
    let in_rows = rows.iter().fold(0u32, |points, row| {
        points
            .wrapping_add(runs_in_row(row, columns))
            .wrapping_add(finders_in_row(row, columns))
    });
    in_rows
        .wrapping_add(runs_in_columns(rows, columns))
        .wrapping_add(blocks(rows, columns))
        .wrapping_add(finders_in_columns(padded, columns))
        .wrapping_add(imbalance(rows))
}

/// Runs of five and more modules of one colour: a run of n has n - 4 places where five begin, and
/// counts n - 2, so its first one counts thrice.
fn points_of_runs<const W: usize>(fives: Narrow<W>, before: Narrow<W>) -> u32 {
    let begins = and(fives, not(before));
    count(fives).wrapping_add(count(begins).wrapping_mul(2))
}

fn runs_in_row<const W: usize>(row: &Narrow<W>, columns: &Columns<W>) -> u32 {
    let differs = xor(*row, right_neighbours(*row, 1));
    let same = and(not(differs), columns.pairs);
    let two = and(same, right_neighbours(same, 1));
    let fives = and(two, right_neighbours(two, 2));
    points_of_runs(fives, left_neighbours(fives, 1))
}

fn runs_in_columns<const W: usize>(rows: &[Narrow<W>], columns: &Columns<W>) -> u32 {
    let (mut points, mut above) = (0u32, [0; W]);
    for five_rows in rows.windows(5) {
        let [a, b, c, d, e] = five_rows else { continue };
        let any = or(or(or(*a, *b), or(*c, *d)), *e);
        let every = and(and(and(*a, *b), and(*c, *d)), *e);
        let fives = and(not(xor(any, every)), columns.all);
        points = points.wrapping_add(points_of_runs(fives, above));
        above = fives;
    }
    points
}

/// Squares of two by two modules of one colour: 3 each.
fn blocks<const W: usize>(rows: &[Narrow<W>], columns: &Columns<W>) -> u32 {
    let mut blocks = 0u32;
    for two_rows in rows.windows(2) {
        let [upper, lower] = two_rows else { continue };
        let (any, every) = (or(*upper, *lower), and(*upper, *lower));
        let any = or(any, right_neighbours(any, 1));
        let every = and(every, right_neighbours(every, 1));
        blocks = blocks.wrapping_add(count(and(not(xor(any, every)), columns.pairs)));
    }
    blocks.wrapping_mul(3)
}

/// What looks like a finder pattern, with four light modules before or after it: 40 each.
fn finders_in_row<const W: usize>(row: &Narrow<W>, columns: &Columns<W>) -> u32 {
    let right = |by| right_neighbours(*row, by);
    let dark = and(and(*row, right(2)), and(and(right(3), right(4)), right(6)));
    let finder = and(and(dark, not(or(right(1), right(5)))), columns.sevens);
    let pair = or(left_neighbours(*row, 1), left_neighbours(*row, 2));
    let before = or(pair, left_neighbours(pair, 2));
    let pair = or(right(7), right(8));
    let after = or(pair, right_neighbours(pair, 2));
    count(and(finder, not(and(before, after)))).wrapping_mul(40)
}

/// The same in columns, with the light rows above and below.
fn finders_in_columns<const W: usize>(padded: &[Narrow<W>], columns: &Columns<W>) -> u32 {
    let mut finders = 0u32;
    for fifteen_rows in padded.windows(15) {
        let [a, b, c, d, p, q, r, s, t, u, v, w, x, y, z] = fifteen_rows else {
            continue;
        };
        let dark = and(and(*p, *r), and(and(*s, *t), *v));
        let finder = and(and(dark, not(or(*q, *u))), columns.all);
        let before = or(or(*a, *b), or(*c, *d));
        let after = or(or(*w, *x), or(*y, *z));
        finders = finders.wrapping_add(count(and(finder, not(and(before, after)))));
    }
    finders.wrapping_mul(40)
}

/// How far dark modules are from one half of all, in steps of 0.5 %.
fn imbalance<const W: usize>(rows: &[Narrow<W>]) -> u32 {
    let dark = rows
        .iter()
        .fold(0u32, |sum, row| sum.wrapping_add(count(*row)));
    let width = u32::try_from(rows.len()).unwrap_or(0);
    let area = width.wrapping_mul(width);
    let ratio = dark.wrapping_mul(200).checked_div(area);
    ratio.unwrap_or(100).abs_diff(100)
}

/// Every column takes the module from `by` columns further right. Fewer than 64.
fn right_neighbours<const W: usize>(row: Narrow<W>, by: u32) -> Narrow<W> {
    let mut moved = row.map(|word| word.wrapping_shr(by));
    for (word, next) in moved.iter_mut().zip(row.iter().skip(1)) {
        *word |= next.wrapping_shl(64u32.wrapping_sub(by));
    }
    moved
}

/// Every column takes the module from `by` columns further left. Fewer than 64.
fn left_neighbours<const W: usize>(row: Narrow<W>, by: u32) -> Narrow<W> {
    let mut moved = row.map(|word| word.wrapping_shl(by));
    for (word, before) in moved.iter_mut().skip(1).zip(&row) {
        *word |= before.wrapping_shr(64u32.wrapping_sub(by));
    }
    moved
}

fn count<const W: usize>(row: Narrow<W>) -> u32 {
    row.iter()
        .fold(0, |sum, word| sum.wrapping_add(word.count_ones()))
}

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

fn and<const W: usize>(one: Narrow<W>, other: Narrow<W>) -> Narrow<W> {
    zip(one, other, |a, b| a & b)
}

fn or<const W: usize>(one: Narrow<W>, other: Narrow<W>) -> Narrow<W> {
    zip(one, other, |a, b| a | b)
}

fn xor<const W: usize>(one: Narrow<W>, other: Narrow<W>) -> Narrow<W> {
    zip(one, other, |a, b| a ^ b)
}

/// Outside of the symbol as well.
fn not<const W: usize>(row: Narrow<W>) -> Narrow<W> {
    row.map(|word| !word)
}
