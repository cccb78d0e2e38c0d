//! The division of a text into segments, ISO/IEC 18004 section 7.4: digits, the 45 alphanumeric
//! characters, and bytes take 10/3, 11/2 and 8 bits each, and every change costs a header.

use qrcode::types::{Mode, QrResult};
use qrcode::{EcLevel, bits::Bits, types::Version};

use crate::wiped::Wiped;

/// The modes by their index. Kanji is none of them: a URI is ASCII.
const MODES: [Mode; 3] = [Mode::Numeric, Mode::Alphanumeric, Mode::Byte];

/// Costs are in sixths of a bit, so that each character of a mode costs the same.
type Costs = [u32; 3];
const BIT: u32 = 6;
const CHARACTER: Costs = [20, 33, 48];
/// More than any text costs.
const NEVER: u32 = 1 << 24;

/// The data of the smallest symbol that holds `text`; `None` when none does. Versions that are not
/// `admitted` are passed over.
pub(super) fn encode(
    text: &[u8],
    level: EcLevel,
    admitted: impl Fn(usize) -> bool,
) -> Option<Bits> {
    // Within each range, headers are of the same length.
    for versions in [1..=9, 10..=26, 27..=40] {
        let division = Division::best(text, Version::Normal(*versions.start()));
        for version in versions {
            let mut bits = Bits::new(Version::Normal(version));
            let number = usize::try_from(version).ok()?;
            if admitted(number) && division.bits <= bits.max_len(level).ok()? {
                division.write(text, level, &mut bits).ok()?;
                return Some(bits);
            }
        }
    }
    None
}

/// A text in segments.
struct Division {
    /// For each byte of the text, the index of its mode. They tell digits from letters.
    modes: Wiped,
    /// All segments with their headers.
    bits: usize,
}

impl Division {
    /// The one with the fewest bits, for versions whose headers are as long as this one's.
    ///
    /// One pass knows, for each mode, the least cost of all divisions that end in it, and which mode
    /// the character before has. Where two divisions end in the same mode, the cheaper one stays so:
    /// the sixths tell how far a group of digits or a pair is filled, so rounding up to whole bits at
    /// a segment's end never turns them round.
    // A text has 64 KiB at most, so no sum overflows.
    #[allow(clippy::arithmetic_side_effects)]
    fn best(text: &[u8], version: Version) -> Self {
        let headers = MODES.map(|mode| {
            let bits = version.mode_bits_count() + mode.length_bits_count(version);
            u32::try_from(bits).unwrap_or(0) * BIT
        });
        let mut costs = [NEVER; 3];
        let mut before = (0, 0);
        let mut modes = Wiped::with_capacity(text.len());
        for byte in text {
            let characters = costs_of(*byte);
            let mut sources = 0;
            for (mode, cost) in costs.iter_mut().enumerate() {
                let changed = before.0 + headers.get(mode).copied().unwrap_or(NEVER);
                let source = if changed < *cost { before.1 } else { mode };
                let character = characters.get(mode).copied().unwrap_or(NEVER);
                *cost = NEVER.min(changed.min(*cost) + character);
                sources |= source << (2 * mode);
            }
            modes.push(u8::try_from(sources).unwrap_or(0));
            before = least(costs);
        }
        let (cost, mut mode) = before;
        for place in modes.iter_mut().rev() {
            let sources = usize::from(*place);
            *place = u8::try_from(mode).unwrap_or(0);
            mode = sources >> (2 * mode) & 0b11;
        }
        let bits = usize::try_from(cost / BIT).unwrap_or(usize::MAX);
        Division { modes, bits }
    }

    fn write(&self, text: &[u8], level: EcLevel, bits: &mut Bits) -> QrResult<()> {
        let mut rest = text;
        for segment in self.modes.chunk_by(|one, next| one == next) {
            let (data, behind) = rest.split_at_checked(segment.len()).unwrap_or_default();
            rest = behind;
            match segment.first() {
                Some(0) => bits.push_numeric_data(data)?,
                Some(1) => bits.push_alphanumeric_data(data)?,
                _ => bits.push_byte_data(data)?,
            }
        }
        bits.push_terminator(level)
    }
}

/// What a character costs in each mode.
fn costs_of(byte: u8) -> Costs {
    let possible = [
        byte.is_ascii_digit(),
        matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b' ' | b'$' | b'%' | b'*' | b'+' | b'-'..=b'/' | b':'),
        true,
    ];
    let mut costs = CHARACTER;
    for (cost, possible) in costs.iter_mut().zip(possible) {
        *cost = if possible { *cost } else { NEVER };
    }
    costs
}

/// The least cost in whole bits, and its mode.
#[allow(clippy::arithmetic_side_effects)]
fn least(costs: Costs) -> (u32, usize) {
    let rounded = costs.map(|cost| cost.div_ceil(BIT) * BIT);
    let mut least = (NEVER, 0);
    for (mode, cost) in rounded.into_iter().enumerate() {
        least = if cost < least.0 { (cost, mode) } else { least };
    }
    least
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use qrcode::optimize::{Parser, Segment};

    use super::*;

    const RANGES: [i16; 3] = [9, 26, 40];

    /// The bits of segments as the crate counts them.
    fn length(modes: &[Mode], version: Version) -> usize {
        let segments = modes.chunk_by(|one, next| one == next);
        let bits = segments.map(|segment| {
            let (mode, end) = (segment[0], segment.len());
            Segment {
                mode,
                begin: 0,
                end,
            }
            .encoded_len(version)
        });
        bits.sum()
    }

    /// The fewest bits of all divisions there are, found by trying each.
    fn fewest(text: &[u8], version: Version) -> usize {
        let mut divisions = vec![vec![]];
        for byte in text {
            let fits = |mode: &Mode| match mode {
                Mode::Numeric => byte.is_ascii_digit(),
                Mode::Alphanumeric => {
                    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".contains(byte)
                }
                _ => true,
            };
            let longer = divisions.iter().flat_map(|division: &Vec<Mode>| {
                let modes = MODES.into_iter().filter(fits);
                modes.map(|mode| [&division[..], &[mode]].concat())
            });
            divisions = longer.collect();
        }
        divisions
            .iter()
            .map(|modes| length(modes, version))
            .min()
            .unwrap()
    }

    /// That its segments have as many bits as it says, and hold the text.
    fn bits_of(text: &[u8], version: i16) -> usize {
        let version = Version::Normal(version);
        let division = Division::best(text, version);
        let modes: Vec<Mode> = division
            .modes
            .iter()
            .map(|&n| MODES[usize::from(n)])
            .collect();
        assert_eq!(division.bits, length(&modes, version));
        assert_eq!(modes.len(), text.len());
        division.bits
    }

    proptest! {
        #[test]
        fn no_division_has_fewer_bits(text in "[0-9]{0,4}[0-9A-C]{0,4}[0-9Aa%]{0,3}", range in 0..3usize) {
            let (text, version) = (text.as_bytes(), RANGES[range]);
            prop_assert_eq!(bits_of(text, version), fewest(text, Version::Normal(version)));
        }

        /// Longer ones, and all characters: never more bits than the crate's own choice.
        #[test]
        fn the_crate_has_no_fewer(
            text in "([0-9]{0,30}|[A-Z $%*+./:-]{0,30}|[ -~]{0,10}|[a-z]{0,20}){0,12}",
            range in 0..3usize,
        ) {
            let (text, version) = (text.as_bytes(), Version::Normal(RANGES[range]));
            let theirs = Parser::new(text).optimize(version);
            let theirs: usize = theirs.map(|segment| segment.encoded_len(version)).sum();
            prop_assert!(bits_of(text, RANGES[range]) <= theirs);
        }
    }
}
