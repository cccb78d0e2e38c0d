//! The division of a text into segments, ISO/IEC 18004 section 7.4: digits, the 45 alphanumeric
//! characters, and bytes take 10/3, 11/2 and 8 bits each, and every change costs a header.

use qrcode::EcLevel;
use qrcode::bits::Bits;
use qrcode::types::{Mode, Version};

use crate::wiped::Wiped;

/// Costs are in sixths of a bit, so that each character of a mode costs the same.
const BIT: usize = 6;
/// More than any text costs.
const NEVER: usize = 1 << 24;

/// The data of the smallest symbol that holds `text`; `None` when none does. Versions that are not
/// `allowed` are passed over.
pub(super) fn encode(text: &[u8], level: EcLevel, allowed: impl Fn(usize) -> bool) -> Option<Bits> {
    // Within each range, headers are of the same length.
    for versions in [1..=9, 10..=26, 27..=40] {
        let (modes, needed) = divide(text, Version::Normal(*versions.start()));
        for number in versions {
            let mut bits = Bits::new(Version::Normal(number));
            if allowed(number as usize) && needed <= bits.max_len(level).ok()? {
                let mut rest = text;
                for segment in modes.chunk_by(|one, next| one == next) {
                    let (data, behind) = rest.split_at(segment.len());
                    rest = behind;
                    match segment[0] {
                        0 => bits.push_numeric_data(data).ok()?,
                        1 => bits.push_alphanumeric_data(data).ok()?,
                        _ => bits.push_byte_data(data).ok()?,
                    }
                }
                bits.push_terminator(level).ok()?;
                return Some(bits);
            }
        }
    }
    None
}

/// The division with the fewest bits, for versions whose headers are as long as this one's: for each
/// byte the index of its mode, which tells digits from letters, and the bits of all segments.
///
/// One pass knows, for each mode, the least cost of all divisions that end in it, and which mode the
/// character before has. Where two divisions end in the same mode, the cheaper one stays so: the sixths
/// tell how far a group of digits or a pair is filled, so rounding up to whole bits at a segment's end
/// never turns them round.
fn divide(text: &[u8], version: Version) -> (Wiped, usize) {
    // By their index. Kanji is not among them: a URI is ASCII.
    let modes = [Mode::Numeric, Mode::Alphanumeric, Mode::Byte];
    let headers =
        modes.map(|mode| (version.mode_bits_count() + mode.length_bits_count(version)) * BIT);
    let mut costs = [NEVER; 3];
    let mut least = (0, 0);
    let mut modes = Wiped::with_capacity(text.len());
    for byte in text {
        let characters = costs_of(*byte);
        // The mode before each mode, two bits each.
        let mut before = 0;
        for mode in [0, 1, 2] {
            let changed = least.0 + headers[mode];
            let source = if changed < costs[mode] { least.1 } else { mode };
            before |= source << (2 * mode);
            costs[mode] = NEVER.min(changed.min(costs[mode]) + characters[mode]);
        }
        modes.push(before as u8);
        let [digits, alphanumerics, bytes] = costs.map(|cost| cost.div_ceil(BIT) * BIT);
        least = (digits, 0).min((alphanumerics, 1)).min((bytes, 2));
    }
    let (cost, mut mode) = least;
    for place in modes.iter_mut().rev() {
        let before = usize::from(*place);
        *place = mode as u8;
        mode = before >> (2 * mode) & 0b11;
    }
    (modes, cost / BIT)
}

/// What a character costs in each mode.
fn costs_of(byte: u8) -> [usize; 3] {
    match byte {
        b'0'..=b'9' => [20, 33, 48],
        b'A'..=b'Z' | b' ' | b'$' | b'%' | b'*' | b'+' | b'-' | b'.' | b'/' | b':' => {
            [NEVER, 33, 48]
        }
        _ => [NEVER, NEVER, 48],
    }
}
