//! Rows of pixels in two colours: one bit per pixel, 1 for light ones, eight in a byte.

use crate::qr::bits::{Row, from};
use crate::qr::deflate::{BYTE, Frequencies};

/// How rows of modules become rows of pixels.
#[derive(Debug)]
pub(crate) struct PixelRows {
    /// Pixels per module, at most 32.
    module_px: usize,
    /// Pixels on each side of the symbol.
    quiet_px: usize,
    /// How often each byte is expected in a row when half of all modules are dark.
    pub(super) frequencies: Frequencies,
    /// So many modules are drawn at once, at most 4.
    at_once: u32,
    /// The pixels of that many modules, the first one highest, 1 for dark ones.
    drawn: [u64; 16],
}

/// All pixels of the modules that are drawn at once, behind up to 7 others, fit into 64 bits.
const MOST_AT_ONCE: usize = 56;

/// The width of a usual symbol, for which the frequencies are right.
const USUAL_WIDTH: usize = 37;

impl PixelRows {
    pub(super) fn new(module_px: u32, quiet_zone: u32) -> Self {
        let module_px = usize::try_from(module_px).unwrap_or(1).max(1);
        let quiet_px = usize::try_from(quiet_zone)
            .unwrap_or(0)
            .saturating_mul(module_px);
        PixelRows {
            module_px,
            quiet_px,
            frequencies: frequencies(module_px, quiet_px),
            at_once: MOST_AT_ONCE
                .checked_div(module_px)
                .map_or(1, |modules| u32::try_from(modules.clamp(1, 4)).unwrap_or(1)),
            drawn: std::array::from_fn(|modules| pixels_of(modules as u64, module_px)),
        }
    }

    pub(super) fn module_px(&self) -> usize {
        self.module_px
    }

    pub(super) fn quiet_px(&self) -> usize {
        self.quiet_px
    }

    /// Pixels per side of a picture whose symbol has so many modules per side.
    pub(super) fn side(&self, width: usize) -> usize {
        let symbol_px = width.saturating_mul(self.module_px);
        symbol_px.saturating_add(self.quiet_px.saturating_mul(2))
    }

    /// Which row or column of modules a pixel belongs to; `None` above and left of the symbol.
    pub(super) fn module_at(&self, pixel: usize) -> Option<usize> {
        pixel
            .checked_sub(self.quiet_px)?
            .checked_div(self.module_px)
    }

    /// Bytes of a row: PNG's filter byte, which is 0, and the pixels.
    pub(super) fn row_bytes(&self, width: usize) -> usize {
        self.side(width).div_ceil(8).saturating_add(1)
    }

    /// How many bytes at the start and at the end of a row are the quiet zone's alone; with the
    /// filter's. None if it is so narrow that they are not worth a copy.
    pub(super) fn margins(&self, width: usize) -> [usize; 2] {
        if self.quiet_px < 8 {
            return [0, 0];
        }
        let symbol_ends = self.side(width).saturating_sub(self.quiet_px).div_ceil(8);
        let after = self
            .row_bytes(width)
            .saturating_sub(1)
            .saturating_sub(symbol_ends);
        [(self.quiet_px / 8).saturating_add(1), after]
    }

    /// A row without a dark module, with as much room behind it as `draw` needs.
    pub(super) fn blank(&self, width: usize) -> Vec<u8> {
        let mut row = vec![0xFF; self.row_bytes(width).saturating_add(16)];
        if let Some(filter) = row.first_mut() {
            *filter = 0;
        }
        row
    }

    /// Draws a row of modules into a row that `blank` made; takes the same steps whatever they are.
    pub(super) fn draw(&self, modules: &Row, width: usize, row: &mut [u8]) {
        // Dark pixels are 1 here, the next one highest. What is not drawn yet is light.
        let mut pending = 0u64;
        let mut bits = bit(self.quiet_px);
        let mut place = (self.quiet_px / 8).saturating_add(1);
        let bits_at_once = self.at_once.wrapping_mul(bit_count(self.module_px));
        let mask = 1usize.wrapping_shl(self.at_once).wrapping_sub(1);
        for column in (0..width).step_by(self.at_once as usize) {
            let some = from(modules, column) as usize & mask;
            let drawn = self.drawn.get(some).copied().unwrap_or(0);
            pending |= drawn.wrapping_shr(bits);
            let rest = row.get_mut(place..);
            if let Some(bytes) = rest.and_then(|rest| rest.first_chunk_mut()) {
                *bytes = (!pending).to_be_bytes();
            }
            bits = bits.wrapping_add(bits_at_once);
            let whole = bits & !7;
            pending = pending.wrapping_shl(whole);
            place = place.wrapping_add(whole.wrapping_shr(3) as usize);
            bits &= 7;
        }
    }
}

/// The pixels of up to four modules, the first one lowest in `modules`, highest in the pixels.
fn pixels_of(modules: u64, module_px: usize) -> u64 {
    let module_bits = bit_count(module_px);
    let module = u64::MAX.wrapping_shl(64u32.wrapping_sub(module_bits));
    (0..4u32).fold(0, |pixels, n| {
        let dark = modules.wrapping_shr(n) & 1 == 1;
        let moved = module.checked_shr(n.wrapping_mul(module_bits));
        pixels | moved.filter(|_| dark).unwrap_or(0)
    })
}

fn bit_count(module_px: usize) -> u32 {
    u32::try_from(module_px).unwrap_or(32).min(32)
}

/// Goes through the bytes of a usual row: each of the modules that a byte shows part of is dark or
/// light with the same chance.
fn frequencies(module_px: usize, quiet_px: usize) -> Frequencies {
    let mut frequencies = [0u32; 256];
    let mut expect = |byte: usize, times: u32| {
        if let Some(frequency) = frequencies.get_mut(byte) {
            *frequency = frequency.saturating_add(times);
        }
    };
    let symbol_px = USUAL_WIDTH.saturating_mul(module_px);
    let side = symbol_px.saturating_add(quiet_px.saturating_mul(2));
    for byte in 0..side.div_ceil(8) {
        let modules: [Option<usize>; 8] = std::array::from_fn(|bit| {
            let pixel = byte.saturating_mul(8).saturating_add(bit);
            let within = pixel
                .checked_sub(quiet_px)
                .filter(|&pixel| pixel < symbol_px);
            within.and_then(|pixel| pixel.checked_div(module_px))
        });
        let first = modules.iter().flatten().min().copied().unwrap_or(0);
        let last = modules.iter().flatten().max();
        let Some(last) = last else {
            continue; // it is in the margin
        };
        let shown = last.saturating_sub(first).saturating_add(1);
        let shown = u32::try_from(shown).unwrap_or(0);
        for dark in 0..1usize.wrapping_shl(shown) {
            let value = modules.iter().fold(0usize, |value, module| {
                let is_dark = module.is_some_and(|module| {
                    let place = u32::try_from(module.saturating_sub(first)).unwrap_or(0);
                    dark.wrapping_shr(place) & 1 == 1
                });
                value.wrapping_shl(1) | usize::from(!is_dark)
            });
            expect(value, BYTE.wrapping_shr(shown));
        }
    }
    frequencies
}

/// The place of a pixel within its byte.
fn bit(pixel: usize) -> u32 {
    u32::try_from(pixel % 8).unwrap_or(0)
}
