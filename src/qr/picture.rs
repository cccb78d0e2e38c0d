//! A symbol as a PNG for screens, and as text for terminals; both with the quiet zone around it.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use zeroize::Zeroizing;

use crate::config::QrSettings;
use crate::error::{Failure, Result, Status};
use crate::qr::Symbol;

const DARK: u8 = 0;
const LIGHT: u8 = 255;

/// A PNG, 8-bit grey, black on white.
pub(crate) struct Picture {
    /// Pixels per side.
    pub(crate) side: u32,
    pub(crate) png: Zeroizing<Vec<u8>>,
}

impl Picture {
    pub(crate) fn draw(symbol: &Symbol, settings: &QrSettings) -> Result<Self> {
        let rows = with_quiet_zone(symbol, settings.quiet_zone);
        let module_px = usize::try_from(settings.module_px).unwrap_or(1);
        let side = rows.len().saturating_mul(module_px);
        let mut pixels = Zeroizing::new(Vec::with_capacity(side.saturating_mul(side)));
        for row in rows.iter() {
            let start = pixels.len();
            for &dark in row {
                let shade = if dark { DARK } else { LIGHT };
                pixels.extend(std::iter::repeat_n(shade, module_px));
            }
            for _ in 1..module_px {
                pixels.extend_from_within(start..start.saturating_add(side));
            }
        }
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        // Room for every PNG up to the default size, so that it is not left behind by growing.
        let mut png = Zeroizing::new(Vec::with_capacity(16 * 1024));
        PngEncoder::new_with_quality(&mut *png, CompressionType::Default, FilterType::NoFilter)
            .write_image(&pixels, side, side, ExtendedColorType::L8)
            .map_err(|_| Failure::new(Status::UnknownError, "the PNG could not be written"))?;
        Ok(Picture { side, png })
    }
}

/// Two rows of modules per line of text, light modules drawn as blocks: for a terminal with dark
/// background and light letters.
pub(crate) fn draw_text(symbol: &Symbol, settings: &QrSettings) -> Zeroizing<String> {
    let rows = with_quiet_zone(symbol, settings.quiet_zone);
    let light_below = Vec::new();
    let mut text = Zeroizing::new(String::with_capacity(
        rows.len().saturating_mul(rows.len()).saturating_mul(2),
    ));
    for pair in rows.chunks(2) {
        let upper = pair.first().unwrap_or(&light_below);
        let lower = pair.get(1).unwrap_or(&light_below);
        for (column, &upper_dark) in upper.iter().enumerate() {
            let lower_dark = lower.get(column).copied().unwrap_or(true);
            text.push(match (upper_dark, lower_dark) {
                (false, false) => '█',
                (false, true) => '▀',
                (true, false) => '▄',
                (true, true) => ' ',
            });
        }
        text.push('\n');
    }
    text
}

/// The rows of the picture in modules, `true` for dark.
fn with_quiet_zone(symbol: &Symbol, quiet_zone: u32) -> Zeroizing<Vec<Vec<bool>>> {
    let quiet = usize::try_from(quiet_zone).unwrap_or(0);
    let side = symbol.width().saturating_add(quiet.saturating_mul(2));
    let blank = || std::iter::repeat_n(vec![false; side], quiet);
    let margin = || std::iter::repeat_n(false, quiet);
    let drawn = symbol.rows().map(|row| {
        let modules = margin().chain(row.iter().copied()).chain(margin());
        modules.collect()
    });
    Zeroizing::new(blank().chain(drawn).chain(blank()).collect())
}
