//! Where everything stands in a symbol, ISO/IEC 18004 sections 6.3 and 7.7.3: the patterns that every
//! symbol of a version has, and the way of the data's bits around them.

use qrcode::EcLevel;
use zeroize::Zeroizing;

use super::row::Row;

/// The modules of a symbol before a mask is applied, from top to bottom.
pub(super) struct Layout {
    /// The dark ones.
    pub(super) dark: Zeroizing<Vec<Row>>,
    /// Those that the data may take, and masks may invert.
    pub(super) free: Vec<Row>,
}

const FINDER: [u64; 7] = [
    0b111_1111, 0b100_0001, 0b101_1101, 0b101_1101, 0b101_1101, 0b100_0001, 0b111_1111,
];
const ALIGNMENT: [u64; 5] = [0b1_1111, 0b1_0001, 0b1_0101, 0b1_0001, 0b1_1111];

impl Layout {
    /// The function patterns of a version, 1 to 40; the places of the format information are light.
    pub(super) fn new(version: usize) -> Self {
        let width = width(version);
        let mut layout = Layout {
            dark: Zeroizing::new(vec![Row::LIGHT; width]),
            free: vec![Row::first_columns(width); width],
        };
        for n in 8..width - 8 {
            layout.draw((n, 6), 1, &[1 - n as u64 % 2]);
            layout.draw((6, n), 1, &[1 - n as u64 % 2]);
        }
        // With the light modules around them, and the format information.
        layout.reserve((0, 0), (9, 9));
        layout.reserve((width - 8, 0), (8, 9));
        layout.reserve((0, width - 8), (9, 8));
        let end = width - 7;
        for at in [(0, 0), (end, 0), (0, end)] {
            layout.draw(at, 7, &FINDER);
        }
        layout.draw((8, width - 8), 1, &[1]);
        let centres = alignment_centres(version);
        for &y in &centres {
            for &x in &centres {
                if ![(6, 6), (6, end), (end, 6)].contains(&(x, y)) {
                    layout.draw((x - 2, y - 2), 5, &ALIGNMENT);
                }
            }
        }
        if version >= 7 {
            // The version with its error correction, section 7.10.
            let bits = with_remainder(version as u64, 0b1_1111_0010_0101);
            for n in 0..18 {
                let (along, across) = (n / 3, width - 11 + n % 3);
                layout.draw((across, along), 1, &[bits >> n & 1]);
                layout.draw((along, across), 1, &[bits >> n & 1]);
            }
        }
        layout
    }

    /// Takes a rectangle away from the data.
    fn reserve(&mut self, (x, y): (usize, usize), (wide, high): (usize, usize)) {
        let columns = Row::first_columns(x + wide) & !Row::first_columns(x);
        for free in &mut self.free[y..y + high] {
            *free = *free & !columns;
        }
    }

    /// Draws a pattern, its leftmost modules lowest, and takes its place away from the data.
    fn draw(&mut self, (x, y): (usize, usize), wide: usize, pattern: &[u64]) {
        self.reserve((x, y), (wide, pattern.len()));
        for (dark, modules) in self.dark[y..].iter_mut().zip(pattern) {
            dark.darken(x, *modules);
        }
    }

    /// How many codewords the symbol has.
    pub(super) fn codewords(&self) -> usize {
        let words = self.free.iter().flat_map(|row| row.0);
        words.map(|word| word.count_ones() as usize).sum::<usize>() / 8
    }

    /// Puts codewords into the free modules: two columns at a time from right to left, up, then down,
    /// and so on. What is left when they end stays light.
    pub(super) fn place(&mut self, codewords: &[u8]) {
        let byte = |n: usize| u64::from(codewords.get(n).copied().unwrap_or(0));
        let mut next = 0;
        // All columns but that of the timing pattern.
        let pairs = (7..self.dark.len() - 1).step_by(2).rev().chain([4, 2, 0]);
        for (turn, left) in pairs.enumerate() {
            let place_two = |(dark, free): (&mut Row, &Row)| {
                let two_bytes = byte(next / 8) << 8 | byte(next / 8 + 1);
                let bits = two_bytes >> (14 - next % 8) & 0b11;
                // The right one of two columns is the higher bit, as the first one of two bits is.
                let (modules, used) = match free.starting_at(left) & 0b11 {
                    0b11 => (bits, 2),
                    0b10 => (bits & 0b10, 1),
                    0b01 => (bits >> 1, 1),
                    _ => return,
                };
                dark.darken(left, modules);
                next += used;
            };
            let rows = self.dark.iter_mut().zip(&self.free);
            match turn % 2 {
                0 => rows.rev().for_each(place_two),
                _ => rows.for_each(place_two),
            }
        }
    }
}

/// Where the bits of the format information stand, column, row and bit: beside the finder patterns,
/// twice. ISO/IEC 18004 section 7.9.
pub(super) fn format_places(width: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let left = [0, 1, 2, 3, 4, 5, 7, 8].into_iter().zip(0..);
    let top = [7, 5, 4, 3, 2, 1, 0].into_iter().zip(8..);
    let right = (width - 8..width).rev().zip(0..);
    let below = (width - 7..width).zip(8..);
    let columns = left.chain(below).map(|(y, bit)| (8, y, bit));
    columns.chain(top.chain(right).map(|(x, bit)| (x, 8, bit)))
}

/// The 15 bits of the format information, with their own error correction.
pub(super) fn format_bits(level: EcLevel, mask: u64) -> u64 {
    let level = match level {
        EcLevel::L => 0b01,
        EcLevel::M => 0b00,
        EcLevel::Q => 0b11,
        EcLevel::H => 0b10,
    };
    with_remainder(level << 3 | mask, 0b101_0011_0111) ^ 0b101_0100_0001_0010
}

/// Up to six bits, and behind them the remainder of their polynomial by a BCH code's generator.
fn with_remainder(data: u64, generator: u64) -> u64 {
    let degree = generator.ilog2();
    let mut remainder = data << degree;
    for bit in (0..6).rev() {
        if remainder >> (degree + bit) & 1 == 1 {
            remainder ^= generator << bit;
        }
    }
    data << degree | remainder
}

/// Where alignment patterns have their centres, in columns as in rows; annex E. They are computed:
/// equal steps from the last one down, and 6.
fn alignment_centres(version: usize) -> Vec<usize> {
    if version == 1 {
        return Vec::new();
    }
    let count = version / 7 + 2;
    // Even, and as much as it takes to come from the last one down to 6.
    let step = (8 * version + 3 * count + 5) / (4 * (count - 1)) * 2;
    let last = width(version) - 7;
    let stepwise = (0..count - 1).map(|n| last - n * step);
    stepwise.chain([6]).collect()
}

/// Whether a logo in a version's symbol covers an alignment pattern: see `room_in_middle`.
pub(super) fn has_pattern_in_middle(version: usize) -> bool {
    distances_to_middle(version).any(|distance| distance <= IN_MIDDLE)
}

/// How many modules per side a logo with its margin may take in the middle of a symbol: an odd number, 30 % at most,
/// which is half of what error correction H makes good in each block, or less. They touch no alignment
/// pattern that is not in the middle itself: scanners look for one near its place, and take what they
/// find there for a sign that the symbol is distorted.
pub(in crate::qr) fn room_in_middle(width: usize) -> usize {
    let distances = distances_to_middle((width - 17) / 4);
    // On each side of the module in the middle. A pattern reaches two modules from its centre.
    let others = distances.filter(|distance| *distance > IN_MIDDLE);
    let beside = others.fold((width * 3 / 10 - 1) / 2, |most, distance| {
        most.min(distance - 3)
    });
    2 * beside + 1
}

/// A pattern whose centre is no further from the symbol's, in columns or in rows, is in the middle.
const IN_MIDDLE: usize = 4;

/// How far the columns and rows of alignment patterns are from the middle.
fn distances_to_middle(version: usize) -> impl Iterator<Item = usize> {
    let middle = width(version) / 2;
    let centres = alignment_centres(version).into_iter();
    centres.map(move |centre| centre.abs_diff(middle))
}

fn width(version: usize) -> usize {
    4 * version + 17
}
