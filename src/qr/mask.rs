//! The choice of the mask, ISO/IEC 18004 section 7.8, for all modules of a row at once.
//!
//! The qrcode crate looks at every module on its own, which takes 98 % of its time. Here a row is a
//! few machine words: a neighbour is one shift away, the modules above and below are the same bits
//! of other words, and penalties are counted by population counts. The choice is the crate's own,
//! symbol for symbol, down to its balance penalty, which it does not round to steps of 5 %.

use zeroize::Zeroizing;

use crate::qr::ErrorCorrection;
use crate::qr::bits::Row;

/// Rows from top to bottom.
pub(super) type Rows<const W: usize> = Zeroizing<Vec<Row<W>>>;

/// The symbol under the mask with the lowest penalty, the first of them if there are several.
///
/// `dark` are the modules without a mask, `free` those that a mask may invert.
pub(super) fn apply_best<const W: usize>(
    dark: &Rows<W>,
    free: &Rows<W>,
    level: ErrorCorrection,
) -> Rows<W> {
    let masked = (0..8).map(|mask| apply(mask, dark, free, level));
    let best = masked.min_by_key(penalty);
    best.unwrap_or_else(|| dark.clone())
}

/// The symbol under one mask, with the format information that says so.
fn apply<const W: usize>(
    mask: u32,
    dark: &Rows<W>,
    free: &Rows<W>,
    level: ErrorCorrection,
) -> Rows<W> {
    // Masks repeat every 6 columns, and every 12 rows.
    let patterns: [Row<W>; 12] = std::array::from_fn(|y| {
        let y = u32::try_from(y).unwrap_or(0);
        let inverted = (0..6).filter(|&x| inverts(mask, x, y));
        Row::repeating(inverted.fold(0, |six, x| six | 1u64.wrapping_shl(x)))
    });
    let rows = dark.iter().zip(free.iter()).zip(patterns.iter().cycle());
    let mut masked: Rows<W> = Zeroizing::new(
        rows.map(|((dark, free), pattern)| dark.xor(pattern.and(*free)))
            .collect(),
    );
    write_format(&mut masked, level, mask);
    masked
}

/// Whether a mask inverts a module, ISO/IEC 18004 table 10.
fn inverts(mask: u32, x: u32, y: u32) -> bool {
    let product = x.wrapping_mul(y);
    let sum = x.wrapping_add(y);
    let value = match mask {
        0 => sum % 2,
        1 => y % 2,
        2 => x % 3,
        3 => sum % 3,
        4 => (y / 2).wrapping_add(x / 3) % 2,
        5 => (product % 2).wrapping_add(product % 3),
        6 => (product % 2).wrapping_add(product % 3) % 2,
        _ => (sum % 2).wrapping_add(product % 3) % 2,
    };
    value == 0
}

/// Writes error correction level and mask beside the finder patterns, ISO/IEC 18004 section 7.9.
fn write_format<const W: usize>(rows: &mut Rows<W>, level: ErrorCorrection, mask: u32) {
    let width = u32::try_from(rows.len()).unwrap_or(0);
    let format = format_bits(level, mask);
    let mut put = |x: u32, y: u32, bit: u32| {
        let row = usize::try_from(y).ok().and_then(|y| rows.get_mut(y));
        if let Some(row) = row.filter(|_| format.wrapping_shr(bit) & 1 == 1) {
            row.set(x);
        }
    };
    let from_end = |n: u32| width.wrapping_sub(n);
    for bit in 0..6 {
        put(8, bit, bit);
        put(from_end(bit.wrapping_add(1)), 8, bit);
        put(bit, 8, 14u32.wrapping_sub(bit));
        put(8, from_end(bit.wrapping_add(1)), 14u32.wrapping_sub(bit));
    }
    for (x, y, bit) in [(8, 7, 6), (8, 8, 7), (7, 8, 8), (8, from_end(7), 8)] {
        put(x, y, bit);
    }
    for (x, bit) in [(7, 6), (8, 7)] {
        put(from_end(x), 8, bit);
    }
}

/// The 15 bits of the format information, with their own error correction.
fn format_bits(level: ErrorCorrection, mask: u32) -> u32 {
    let level = match level {
        ErrorCorrection::L => 0b01,
        ErrorCorrection::M => 0b00,
        ErrorCorrection::Q => 0b11,
        ErrorCorrection::H => 0b10,
    };
    let data = level << 3 | mask;
    // The remainder of data * x^10 by the generator of the BCH code.
    let remainder = (0..10).fold(data, |rest: u32, _| {
        let carry = rest.wrapping_shr(9) & 1;
        rest.wrapping_shl(1) ^ carry.wrapping_mul(0b101_0011_0111)
    });
    (data << 10 | remainder & 0b11_1111_1111) ^ 0b101_0100_0001_0010
}

/// The penalty of a whole symbol, ISO/IEC 18004 section 7.8.3, less what all masks have in common.
fn penalty<const W: usize>(rows: &Rows<W>) -> u32 {
    let width = u32::try_from(rows.len()).unwrap_or(0);
    let points = [
        runs(rows, width),
        blocks(rows, width),
        finders(rows, width),
        imbalance(rows, width),
    ];
    points
        .iter()
        .fold(0, |sum: u32, points| sum.wrapping_add(*points))
}

/// Runs of five and more modules of one colour, in rows and in columns: their length less 2.
fn runs<const W: usize>(rows: &Rows<W>, width: u32) -> u32 {
    let pairs = Row::<W>::first(width.wrapping_sub(1));
    let mut points = 0u32;
    // A run of n modules has n - 4 places where five begin, and its first one counts thrice.
    let mut count = |fives: Row<W>, before: Row<W>| {
        let begins = fives.and(before.not());
        points = points
            .wrapping_add(fives.count())
            .wrapping_add(begins.count().wrapping_mul(2));
    };
    for row in rows.iter() {
        let same = row.xor(row.right_neighbours(1)).not().and(pairs);
        let two = same.and(same.right_neighbours(1));
        let fives = two.and(two.right_neighbours(2));
        count(fives, fives.left_neighbours(1));
    }
    let all = Row::<W>::first(width);
    let mut above = Row::default();
    for five_rows in rows.windows(5) {
        let [a, b, c, d, e] = five_rows else { continue };
        let any = a.or(*b).or(*c).or(*d).or(*e);
        let every = a.and(*b).and(*c).and(*d).and(*e);
        let fives = any.xor(every).not().and(all);
        count(fives, above);
        above = fives;
    }
    points
}

/// Squares of two by two modules of one colour: 3 each.
fn blocks<const W: usize>(rows: &Rows<W>, width: u32) -> u32 {
    let pairs = Row::<W>::first(width.wrapping_sub(1));
    let mut count = 0u32;
    for two_rows in rows.windows(2) {
        let [upper, lower] = two_rows else { continue };
        let any = upper.or(*lower).or(upper.or(*lower).right_neighbours(1));
        let every = upper.and(*lower).and(upper.and(*lower).right_neighbours(1));
        count = count.wrapping_add(any.xor(every).not().and(pairs).count());
    }
    count.wrapping_mul(3)
}

/// What looks like a finder pattern, with four light modules before or after it: 40 each.
fn finders<const W: usize>(rows: &Rows<W>, width: u32) -> u32 {
    let places = Row::<W>::first(width.wrapping_sub(6));
    let all = Row::<W>::first(width);
    let mut count = 0u32;
    for row in rows.iter() {
        let light = row.not();
        let finder = places
            .and(*row)
            .and(light.right_neighbours(1))
            .and(row.right_neighbours(2))
            .and(row.right_neighbours(3))
            .and(row.right_neighbours(4))
            .and(light.right_neighbours(5))
            .and(row.right_neighbours(6));
        let pair = row.left_neighbours(1).or(row.left_neighbours(2));
        let before = pair.or(pair.left_neighbours(2));
        let pair = row.right_neighbours(7).or(row.right_neighbours(8));
        let after = pair.or(pair.right_neighbours(2));
        count = count.wrapping_add(finder.and(before.and(after).not()).count());
    }
    // The same in columns; above and below the symbol everything is light.
    let light = [Row::<W>::default(); 4];
    let padded: Rows<W> = Zeroizing::new([&light[..], &rows[..], &light[..]].concat());
    for fifteen_rows in padded.windows(15) {
        let [a, b, c, d, p, q, r, s, t, u, v, w, x, y, z] = fifteen_rows else {
            continue;
        };
        let finder = p
            .and(*r)
            .and(*s)
            .and(*t)
            .and(*v)
            .and(q.or(*u).not())
            .and(all);
        let before = a.or(*b).or(*c).or(*d);
        let after = w.or(*x).or(*y).or(*z);
        count = count.wrapping_add(finder.and(before.and(after).not()).count());
    }
    count.wrapping_mul(40)
}

/// How far dark modules are from one half of all, in steps of 0.5 %.
fn imbalance<const W: usize>(rows: &Rows<W>, width: u32) -> u32 {
    let dark = rows
        .iter()
        .fold(0u32, |sum, row| sum.wrapping_add(row.count()));
    let ratio = dark
        .wrapping_mul(200)
        .checked_div(width.wrapping_mul(width));
    ratio.unwrap_or(100).abs_diff(100)
}
