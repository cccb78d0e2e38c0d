//! Rows of pixels in two colours: one bit per pixel, 1 for light ones, eight in a byte.

use crate::qr::QrSettings;
use crate::qr::symbol::Row;
use crate::wiped::Wiped;

/// How the rows of a symbol become the rows of its picture.
pub(super) struct PixelRows {
    /// Modules per side of the symbol.
    width: usize,
    /// Pixels per module, at most 32.
    pub(super) module_px: usize,
    /// Pixels on each side of the symbol.
    pub(super) quiet_px: usize,
}

impl PixelRows {
    pub(super) fn new(width: usize, settings: &QrSettings) -> Self {
        let module_px = settings.module_px as usize;
        PixelRows {
            width,
            module_px,
            quiet_px: settings.quiet_zone as usize * module_px,
        }
    }

    /// Pixels per side of the picture.
    pub(super) fn side(&self) -> usize {
        self.width * self.module_px + 2 * self.quiet_px
    }

    /// Bytes of a row: PNG's filter byte, which is 0, and the pixels.
    pub(super) fn row_bytes(&self) -> usize {
        self.side().div_ceil(8) + 1
    }

    /// How many bytes at the start and at the end of a row are the quiet zone's alone; with the
    /// filter's. None if it is so narrow that they are not worth a copy.
    pub(super) fn margins(&self) -> [usize; 2] {
        if self.quiet_px < 8 {
            return [0, 0];
        }
        let symbol_ends = (self.side() - self.quiet_px).div_ceil(8) + 1;
        [self.quiet_px / 8 + 1, self.row_bytes() - symbol_ends]
    }

    /// Gives each row of modules to `take`, as pixels.
    pub(super) fn for_each(&self, modules: &[Row], mut take: impl FnMut(&[u8])) {
        // As many modules are drawn at once as fit into 64 bits behind up to 7 other pixels.
        let at_once = (56 / self.module_px).min(4);
        // The pixels of these modules, the first one lowest in the index and highest in the pixels.
        let mut drawn = [0; 16];
        for modules in 1..16 {
            let first = !(u64::MAX >> self.module_px) * (modules as u64 % 2);
            drawn[modules] = first | drawn[modules / 2] >> self.module_px;
        }
        // Eight bytes are written at once, of which some count.
        let mut buffer = self.blank(16);
        for modules in modules {
            // Dark pixels are 1 here, the next one highest. What is not drawn yet is light.
            let mut pending = 0;
            let mut bits = self.quiet_px % 8;
            let mut place = self.quiet_px / 8 + 1;
            for column in (0..self.width).step_by(at_once) {
                let some = modules.starting_at(column) % (1 << at_once);
                pending |= drawn[some as usize] >> bits;
                buffer[place..place + 8].copy_from_slice(&u64::to_be_bytes(!pending));
                bits += at_once * self.module_px;
                pending <<= bits / 8 * 8;
                place += bits / 8;
                bits %= 8;
            }
            take(&buffer[..self.row_bytes()]);
        }
    }

    /// A row without a dark module, and room behind it.
    pub(super) fn blank(&self, room: usize) -> Wiped {
        let mut row = Wiped::zeroed(self.row_bytes() + room);
        row[1..].fill(0xFF);
        row
    }
}
