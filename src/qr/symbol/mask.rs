//! The choice of the mask, ISO/IEC 18004 section 7.8, for all modules of a row at once. The choice is
//! the qrcode crate's, down to its balance penalty, which it does not round to steps of 5 %; but the
//! crate looks at every module on its own, which takes 98 % of its time.

use std::array;

use qrcode::EcLevel;
use zeroize::Zeroizing;

use super::layout::{Layout, format_bits, format_places};
use super::row::{Row, WORDS};

/// The same row under each of the eight masks, side by side: so the compiler takes several at once.
type Lanes<const W: usize> = [[u64; 8]; W];

/// A row with those above and below it that the rules look at. Outside of the symbol they are light.
const NEAR: usize = ABOVE + 1 + BELOW;
const ABOVE: usize = 4;
const BELOW: usize = 10;

/// Applies the mask with the lowest penalty, the first of them if there are several.
pub(super) fn apply_best(layout: Layout, level: EcLevel) -> Zeroizing<Vec<Row>> {
    match layout.dark.len() {
        ..=64 => apply::<1>(layout, level),
        65..=128 => apply::<2>(layout, level),
        _ => apply::<WORDS>(layout, level),
    }
}

fn apply<const W: usize>(layout: Layout, level: EcLevel) -> Zeroizing<Vec<Row>> {
    let masked = under_all_masks::<W>(&layout, level);
    let penalties = penalties(&masked, layout.dark.len());
    let numbered: [(u64, usize); 8] = array::from_fn(|mask| (penalties[mask], mask));
    let (_, best) = numbered.into_iter().fold(numbered[0], Ord::min);
    let mut rows = layout.dark;
    for (row, lanes) in rows.iter_mut().zip(&masked[ABOVE..]) {
        for (word, lanes) in row.0.iter_mut().zip(lanes) {
            *word = lanes[best];
        }
    }
    rows
}

/// The symbol under each mask, with the format information that says so, between light rows.
fn under_all_masks<const W: usize>(layout: &Layout, level: EcLevel) -> Zeroizing<Vec<Lanes<W>>> {
    let width = layout.dark.len();
    let mut masked = Zeroizing::new(vec![[[0; 8]; W]; ABOVE + width + BELOW]);
    let symbol = &mut masked[ABOVE..];
    for (y, lanes) in symbol[..width].iter_mut().enumerate() {
        let (dark, free) = (&layout.dark[y], &layout.free[y]);
        for (word, lanes) in lanes.iter_mut().enumerate() {
            *lanes = INVERTED[y % 12][word].map(|inverted| dark.0[word] ^ free.0[word] & inverted);
        }
    }
    let formats: [u64; 8] = array::from_fn(|mask| format_bits(level, mask as u64));
    for (x, y, bit) in format_places(width) {
        for (lane, format) in symbol[y][x / 64].iter_mut().zip(formats) {
            *lane |= (format >> bit & 1) << (x % 64);
        }
    }
    masked
}

/// What the masks invert, for the twelve rows after which all of them repeat.
static INVERTED: [Lanes<WORDS>; 12] = {
    let mut inverted = [[[0; 8]; WORDS]; 12];
    let mut place = 0;
    while place < 12 * 64 * WORDS * 8 {
        let (mask, x, y) = (
            place % 8,
            place / 8 % (64 * WORDS),
            place / 8 / (64 * WORDS),
        );
        if inverts(mask, x, y) {
            inverted[y][x / 64][mask] |= 1 << (x % 64);
        }
        place += 1;
    }
    inverted
};

/// Whether a mask inverts a module, ISO/IEC 18004 table 10.
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

/// The penalty of each mask, ISO/IEC 18004 section 7.8.3, less what all masks have in common.
fn penalties<const W: usize>(masked: &[Lanes<W>], width: usize) -> [u64; 8] {
    let (mut penalties, mut dark) = ([0; 8], [0; 8]);
    let columns = Row::first_columns(width);
    let pairs = Row::first_columns(width - 1);
    let only_if = |condition: bool, columns| if condition { columns } else { Row::LIGHT };
    let windows = masked.windows(NEAR).filter_map(<[_]>::first_chunk);
    for (y, near) in windows.enumerate() {
        let is_below = only_if(y > 0, columns);
        let has_one_below = only_if(y + 2 <= width, pairs);
        let has_four_below = only_if(y + 5 <= width, columns);
        add(&mut dark, near, |rows| [(1, rows[ABOVE])]);
        add(&mut penalties, near, |rows| {
            let row = rows[ABOVE];
            let below = |by: usize| rows[ABOVE + by];
            let right = |by| row.at_right(by);

            // Where runs of five modules of one colour begin.
            let same_two = !(row ^ right(1)) & pairs;
            let same_three = same_two & same_two.at_right(1);
            let run_right = same_three & same_three.at_right(2);
            let any = (row | below(1)) | (below(2) | below(3));
            let every = (row & below(1)) & (below(2) & below(3));
            let same_as = |fifth| !((any | fifth) ^ (every & fifth));
            let run_down = same_as(below(4)) & has_four_below;
            let run_down_above = same_as(rows[ABOVE - 1]) & is_below;

            // Squares of two by two modules of one colour.
            let (any, every) = (row | below(1), row & below(1));
            let square = !((any | any.at_right(1)) ^ (every & every.at_right(1)));

            // What looks like a finder pattern, with four light modules before or after it.
            let dark = (row & right(2)) & (right(3) & right(4)) & right(6);
            let two_before = row.at_left(1) | row.at_left(2);
            let two_after = right(7) | right(8);
            let enclosed =
                (two_before | two_before.at_left(2)) & (two_after | two_after.at_right(2));
            let finder_right = dark & !(right(1) | right(5)) & !enclosed;
            let dark = (row & below(2)) & (below(3) & below(4)) & below(6);
            let before = (rows[0] | rows[1]) | (rows[2] | rows[3]);
            let after = (below(7) | below(8)) | (below(9) | below(10));
            let finder_down = dark & !(below(1) | below(5)) & !(before & after);

            // A run of n modules counts n - 2, and there are n - 4 places in it where five begin.
            [
                (1, run_right),
                (2, run_right & !run_right.at_left(1)),
                (1, run_down),
                (2, run_down & !run_down_above),
                (3, square & has_one_below),
                (40, finder_right),
                (40, finder_down),
            ]
        });
    }
    // How far dark modules are from one half of all, in steps of 0.5 %.
    let area = (width * width) as u64;
    array::from_fn(|mask| penalties[mask] + (dark[mask] * 200 / area).abs_diff(100))
}

/// Adds what a rule finds in the rows near one, under each mask: points, and the modules that get them.
#[inline(always)]
fn add<const W: usize, const N: usize>(
    sums: &mut [u64; 8],
    near: &[Lanes<W>; NEAR],
    rule: impl Fn(&[Row<W>; NEAR]) -> [(u64, Row<W>); N],
) {
    for (mask, sum) in sums.iter_mut().enumerate() {
        let rows = near.each_ref();
        let rows = rows.map(|lanes| Row(array::from_fn(|word| lanes[word][mask])));
        for (points, modules) in rule(&rows) {
            for word in modules.0 {
                // Wrapping, because with checks the compiler would take one mask after the other.
                *sum = sum.wrapping_add(points.wrapping_mul(word.count_ones().into()));
            }
        }
    }
}
