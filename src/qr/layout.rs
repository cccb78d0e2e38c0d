//! Where everything stands in a symbol, ISO/IEC 18004 sections 6.3 and 7.7.3: the patterns that every
//! symbol of a version has, and the way of the data's bits around them.

use zeroize::Zeroizing;

use crate::qr::bits::{Row, first, from, set};

/// The modules of a symbol before a mask is applied, from top to bottom.
pub(super) struct Layout {
    /// The dark ones.
    pub(super) dark: Zeroizing<Vec<Row>>,
    /// Those that the data may take, and masks may invert.
    pub(super) free: Vec<Row>,
}

/// A finder pattern. The light modules around it, and the format information, are reserved with it.
const FINDER: [u64; 7] = [
    0b111_1111, 0b100_0001, 0b101_1101, 0b101_1101, 0b101_1101, 0b100_0001, 0b111_1111,
];

const ALIGNMENT: [u64; 5] = [0b1_1111, 0b1_0001, 0b1_0101, 0b1_0001, 0b1_1111];

impl Layout {
    /// The function patterns of a version, 1 to 40; the places of the format information are light.
    pub(super) fn new(version: usize) -> Self {
        let width = width(version);
        let mut layout = Layout {
            dark: Zeroizing::new(vec![Row::default(); width]),
            free: vec![first(width); width],
        };
        layout.draw_timing(width);
        let end = width.saturating_sub(8);
        for (x, y, wide, high) in [(0, 0, 9, 9), (end, 0, 8, 9), (0, end, 9, 8)] {
            layout.reserve(x, y, wide, high);
        }
        let end = width.saturating_sub(7);
        for (x, y) in [(0, 0), (end, 0), (0, end)] {
            layout.draw(x, y, &FINDER);
        }
        layout.draw(8, width.saturating_sub(8), &[1]);
        let centres = Centres::of(version, width);
        for y in centres.all() {
            for x in centres.all() {
                let at_finder = [(6, 6), (6, end), (end, 6)].contains(&(x, y));
                if !at_finder {
                    let (x, y) = (x.saturating_sub(2), y.saturating_sub(2));
                    layout.reserve(x, y, 5, 5);
                    layout.draw(x, y, &ALIGNMENT);
                }
            }
        }
        if version >= 7 {
            layout.draw_version(version, width.saturating_sub(11));
        }
        layout
    }

    fn draw_timing(&mut self, width: usize) {
        self.reserve(0, 6, width, 1);
        self.reserve(6, 0, 1, width);
        for even in (8..width.saturating_sub(8)).step_by(2) {
            self.draw(even, 6, &[1]);
            self.draw(6, even, &[1]);
        }
    }

    /// The version with its error correction, section 7.10, beside two of the finder patterns.
    fn draw_version(&mut self, version: usize, beside: usize) {
        self.reserve(beside, 0, 3, 6);
        self.reserve(0, beside, 6, 3);
        let version = version as u64;
        // The remainder of version * x^12 by the generator of the Golay code.
        let remainder = (0..12).fold(version, |rest: u64, _| {
            let carry = rest.wrapping_shr(11) & 1;
            rest.wrapping_shl(1) ^ carry.wrapping_mul(0b1_1111_0010_0101)
        });
        let bits = version << 12 | remainder & 0b1111_1111_1111;
        for n in 0..18u32 {
            let bit = bits.wrapping_shr(n) & 1;
            let (long, short) = (usize_of(n / 3), usize_of(n % 3).saturating_add(beside));
            self.draw(short, long, &[bit]);
            self.draw(long, short, &[bit]);
        }
    }

    /// Takes a rectangle away from the data.
    fn reserve(&mut self, x: usize, y: usize, wide: usize, high: usize) {
        let (left, right) = (first(x), first(x.saturating_add(wide)));
        for free in self.free.iter_mut().skip(y).take(high) {
            for ((free, left), right) in free.iter_mut().zip(left).zip(right) {
                *free &= left | !right;
            }
        }
    }

    /// Darkens what is 1 in `pattern`, whose rows have their leftmost module lowest.
    fn draw(&mut self, x: usize, y: usize, pattern: &[u64]) {
        for (dark, modules) in self.dark.iter_mut().skip(y).zip(pattern) {
            set(dark, x, *modules);
        }
    }

    /// Puts bits into the free modules: two columns at a time from right to left, up, then down, and
    /// so on. What is left when the bits end stays light.
    pub(super) fn place(&mut self, codewords: &[u8]) {
        let mut bits = Bits { codewords, next: 0 };
        let mut right = self.dark.len().saturating_sub(1);
        let mut upwards = true;
        while right > 0 {
            // The column of the timing pattern is left out.
            if right == 6 {
                right = 5;
            }
            let left = right.saturating_sub(1);
            let rows = self.dark.iter_mut().zip(&self.free);
            if upwards {
                rows.rev().for_each(|row| bits.place_two(row, left));
            } else {
                rows.for_each(|row| bits.place_two(row, left));
            }
            upwards = !upwards;
            right = right.saturating_sub(2);
        }
    }
}

/// The bits of codewords, highest first, and zeros behind them.
struct Bits<'a> {
    codewords: &'a [u8],
    next: usize,
}

impl Bits<'_> {
    /// Puts the next bits into two columns of a row as far as they are free, the right one first.
    fn place_two(&mut self, (dark, free): (&mut Row, &Row), left: usize) {
        let (bits, used) = match from(free, left) & 0b11 {
            // The right one of two columns is the higher bit, as the first one of two bits is.
            0b11 => (self.peek().wrapping_shr(62), 2),
            0b10 => (self.peek().wrapping_shr(63).wrapping_shl(1), 1),
            0b01 => (self.peek().wrapping_shr(63), 1),
            _ => return,
        };
        set(dark, left, bits);
        self.next = self.next.wrapping_add(used);
    }

    /// The next two bits, and more, from the highest on.
    fn peek(&self) -> u64 {
        let byte = |n: usize| u64::from(self.codewords.get(n).copied().unwrap_or(0));
        let first = self.next / 8;
        let both = byte(first) << 56 | byte(first.wrapping_add(1)) << 48;
        both.wrapping_shl(u32::try_from(self.next % 8).unwrap_or(0))
    }
}

/// Where alignment patterns have their centres, in columns as in rows; annex E. Computed: equal
/// steps from the last one down, and 6.
struct Centres {
    count: usize,
    last: usize,
    step: usize,
}

impl Centres {
    fn of(version: usize, width: usize) -> Self {
        let count = match version {
            ..=1 => 0,
            _ => (version / 7).saturating_add(2),
        };
        // Even, and as much as it takes to come from the last one down to 6.
        let step = version
            .saturating_mul(8)
            .saturating_add(count.saturating_mul(3))
            .saturating_add(5)
            .checked_div(count.saturating_sub(1).saturating_mul(4))
            .unwrap_or(0)
            .saturating_mul(2);
        let last = width.saturating_sub(7);
        Centres { count, last, step }
    }

    fn all(&self) -> impl Iterator<Item = usize> + use<> {
        let (last, step) = (self.last, self.step);
        let stepwise = (1..self.count).map(move |n| {
            let steps = n.saturating_sub(1).saturating_mul(step);
            last.saturating_sub(steps)
        });
        stepwise.chain((self.count > 0).then_some(6))
    }
}

/// Whether a logo in a version's symbol covers an alignment pattern: see `room_in_middle`.
pub(super) fn has_pattern_in_middle(version: usize) -> bool {
    distances_to_middle(width(version)).any(|distance| distance <= IN_MIDDLE)
}

/// How many modules per side a logo may take in the middle of a symbol: an odd number, 30 % at most,
/// which is half of what error correction H makes good in each block, or less. They touch no alignment
/// pattern that is not in the middle itself: scanners look for one near its place, and take what they
/// find there for a sign that the symbol is distorted.
pub(super) fn room_in_middle(width: usize) -> usize {
    let distances = distances_to_middle(width);
    let nearest = distances.filter(|distance| *distance > IN_MIDDLE).min();
    // On each side of the module in the middle. A pattern reaches two modules from its centre.
    let beside = (width.saturating_mul(3) / 10).saturating_sub(1) / 2;
    let beside = beside.min(nearest.map_or(beside, |nearest| nearest.saturating_sub(3)));
    beside.saturating_mul(2).saturating_add(1)
}

/// A pattern whose centre is no further from the symbol's, in columns or in rows, is in the middle.
const IN_MIDDLE: usize = 4;

/// How far the columns and rows of alignment patterns are from the middle.
fn distances_to_middle(width: usize) -> impl Iterator<Item = usize> {
    let version = width.saturating_sub(17) / 4;
    let centres = Centres::of(version, width);
    centres.all().map(move |centre| centre.abs_diff(width / 2))
}

fn width(version: usize) -> usize {
    version.saturating_mul(4).saturating_add(17)
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use qrcode::EcLevel;
    use qrcode::canvas::{Canvas, Module};
    use qrcode::types::{Color, Version};

    use super::*;
    use crate::qr::ErrorCorrection;
    use crate::qr::bits::get;
    use crate::qr::correction::blocks;

    /// The crate's canvas is the plain twin, module by module.
    #[test]
    fn layouts_of_all_versions_are_the_crate_s() {
        for version in 1..=40u8 {
            let mut canvas = Canvas::new(Version::Normal(version.into()), EcLevel::L);
            canvas.draw_all_functional_patterns();
            let codewords: Vec<u8> = (0..4000u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect();
            let mut layout = Layout::new(version.into());
            for data in [&[][..], &codewords[..]] {
                layout.place(data);
                if !data.is_empty() {
                    canvas.draw_data(data, &[]);
                }
                for (y, (dark, free)) in layout.dark.iter().zip(&layout.free).enumerate() {
                    for x in 0..layout.dark.len() {
                        let theirs = canvas.get(x as i16, y as i16);
                        let is_free = matches!(theirs, Module::Empty | Module::Unmasked(_));
                        assert_eq!(get(free, x), is_free, "{version}: ({x}, {y})");
                        let is_dark = Color::from(theirs) == Color::Dark;
                        if theirs != Module::Empty {
                            assert_eq!(get(dark, x), is_dark, "{version}: ({x}, {y})");
                        }
                    }
                }
            }
        }
    }

    /// The number of the codeword that each module belongs to, from 1 on; 0 for none.
    fn numbers(version: usize, count: usize) -> Vec<Vec<usize>> {
        let width = width(version);
        let mut numbers = vec![vec![0; width]; width];
        for bit in 0..12 {
            let codewords: Vec<u8> = (1..=count)
                .map(|n| if n >> bit & 1 == 1 { 0xFF } else { 0 })
                .collect();
            let mut layout = Layout::new(version);
            layout.place(&codewords);
            for (y, (dark, free)) in layout.dark.iter().zip(&layout.free).enumerate() {
                for (x, number) in numbers[y].iter_mut().enumerate() {
                    *number |= usize::from(get(dark, x) && get(free, x)) << bit;
                }
            }
        }
        numbers
    }

    /// Whatever a logo shows, and in every version that it may come to, no block loses more codewords
    /// than half of those that error correction H makes good.
    #[test]
    fn a_logo_covers_half_of_what_can_be_made_good() {
        for version in (6..=40).filter(|&version| version > 34 || !has_pattern_in_middle(version)) {
            let width = width(version);
            let room = room_in_middle(width);
            assert!(room % 2 == 1 && room >= 11, "{version}: {room}");
            let free = Layout::new(version).free;
            let count = free
                .iter()
                .flatten()
                .map(|word| word.count_ones())
                .sum::<u32>() as usize
                / 8;
            let (blocks, per_block) = blocks(version, ErrorCorrection::H).unwrap();
            let data = count - blocks * per_block;
            let covered = (width - room) / 2..(width + room) / 2;
            let numbers = numbers(version, count);
            let lost = numbers[covered.clone()]
                .iter()
                .flat_map(|row| &row[covered.clone()]);
            let lost: BTreeSet<usize> = lost.copied().filter(|number| *number > 0).collect();
            let mut of_blocks = vec![0; blocks];
            for codeword in lost.into_iter().map(|number| number - 1) {
                // All blocks in turn; the last ones have one more codeword of data.
                let block = match codeword {
                    _ if codeword < data / blocks * blocks => codeword % blocks,
                    _ if codeword < data => blocks - data % blocks + codeword % blocks,
                    _ => (codeword - data) % blocks,
                };
                of_blocks[block] += 1;
            }
            let most = of_blocks.into_iter().max().unwrap();
            assert!(
                most > 0 && most * 2 <= per_block / 2,
                "{version}: {most} of {per_block}"
            );
        }
    }
}
