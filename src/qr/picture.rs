//! A symbol as a PNG for screens, and as text for terminals; both with the quiet zone around it.

use zeroize::Zeroizing;

use crate::error::Result;
use crate::qr::deflate::Repeated;
use crate::qr::{QrSettings, Symbol, coloured, png};

/// A PNG.
pub(crate) struct Picture {
    /// Pixels per side.
    pub(crate) side: u32,
    pub(crate) png: Zeroizing<Vec<u8>>,
}

impl Picture {
    pub(crate) fn draw(symbol: &Symbol, settings: &QrSettings) -> Result<Self> {
        let module_px = size(settings.module_px);
        let quiet_px = size(settings.quiet_zone).saturating_mul(module_px);
        let side = symbol
            .width()
            .saturating_mul(module_px)
            .saturating_add(quiet_px.saturating_mul(2));
        let blank = || Repeated {
            bytes: pixel_row(std::iter::empty(), 0, side, module_px),
            times: quiet_px,
        };
        let drawn = symbol.rows().map(|row| Repeated {
            bytes: pixel_row(row, quiet_px, side, module_px),
            times: module_px,
        });
        let mut rows: Vec<Repeated> = Vec::with_capacity(symbol.width().saturating_add(2));
        for row in std::iter::once(blank())
            .chain(drawn)
            .chain(std::iter::once(blank()))
        {
            match rows.last_mut() {
                _ if row.times == 0 => {}
                Some(above) if above.bytes == row.bytes => {
                    above.times = above.times.saturating_add(row.times);
                }
                _ => rows.push(row),
            }
        }
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        let png = if settings.is_black_on_white() {
            png::encode(side, &rows)
        } else {
            coloured::encode(side, &rows, settings)?
        };
        Ok(Picture { side, png })
    }
}

/// A filter byte of 0, then the pixels of a row of modules, 1 for light ones; light to the end.
fn pixel_row(
    modules: impl Iterator<Item = bool>,
    quiet_px: usize,
    side: usize,
    module_px: usize,
) -> Zeroizing<Vec<u8>> {
    let mut row = Zeroizing::new(vec![0xFF; side.div_ceil(8).saturating_add(1)]);
    if let Some(filter) = row.first_mut() {
        *filter = 0;
    }
    let mut start = quiet_px;
    for dark in modules {
        let end = start.saturating_add(module_px);
        if dark {
            darken(&mut row, start, end);
        }
        start = end;
    }
    row
}

/// Clears the pixels from `start` to before `end`.
fn darken(row: &mut [u8], start: usize, end: usize) {
    let (first, last) = (start / 8, end / 8);
    let kept_before = !(0xFFu8.wrapping_shr(bit(start)));
    let kept_after = 0xFFu8.wrapping_shr(bit(end));
    let pixels = row.get_mut(1..).unwrap_or_default();
    if first == last {
        if let Some(byte) = pixels.get_mut(first) {
            *byte &= kept_before | kept_after;
        }
        return;
    }
    if let Some(byte) = pixels.get_mut(first) {
        *byte &= kept_before;
    }
    if let Some(bytes) = pixels.get_mut(first.saturating_add(1)..last) {
        bytes.fill(0);
    }
    if let Some(byte) = pixels.get_mut(last) {
        *byte &= kept_after;
    }
}

/// The place of a pixel within its byte.
fn bit(pixel: usize) -> u32 {
    u32::try_from(pixel % 8).unwrap_or(0)
}

/// Two rows of modules per line of text, light modules drawn as blocks: for a terminal with dark
/// background and light letters.
pub(crate) fn draw_text(symbol: &Symbol, settings: &QrSettings) -> Zeroizing<String> {
    let quiet = size(settings.quiet_zone);
    let side = symbol.width().saturating_add(quiet.saturating_mul(2));
    let margin = || std::iter::repeat_n(false, quiet);
    let blank = || std::iter::repeat_n(Zeroizing::new(vec![false; side]), quiet);
    let drawn = symbol
        .rows()
        .map(|row| Zeroizing::new(margin().chain(row).chain(margin()).collect()));
    let rows: Vec<Zeroizing<Vec<bool>>> = blank().chain(drawn).chain(blank()).collect();

    let bytes = side.saturating_mul(side).saturating_mul(2);
    let mut text = Zeroizing::new(String::with_capacity(bytes));
    for pair in rows.chunks(2) {
        let below = pair.get(1);
        for (column, &upper_dark) in pair.iter().take(1).flat_map(|row| row.iter()).enumerate() {
            let lower_dark = below
                .and_then(|row| row.get(column))
                .copied()
                .unwrap_or(true);
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

fn size(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::qr::ErrorCorrection;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        /// `image` decodes the picture to the symbol with its quiet zone, pixel by pixel.
        #[test]
        fn pictures_decode_to_the_symbol(
            text in "[ -~]{1,400}",
            module_px in 1..=12u32,
            quiet_zone in 0..=6u32,
        ) {
            let symbol = Symbol::encode(&text, ErrorCorrection::M).unwrap();
            let settings = QrSettings { module_px, quiet_zone, ..QrSettings::default() };
            let picture = Picture::draw(&symbol, &settings).unwrap();
            let decoded = image::load_from_memory(&picture.png).unwrap().into_luma8();
            let modules: Vec<Vec<bool>> = symbol.rows().map(Iterator::collect).collect();
            let side = (modules.len() as u32 + 2 * quiet_zone) * module_px;
            prop_assert_eq!(decoded.dimensions(), (side, side));
            prop_assert_eq!(picture.side, side);
            for (x, y, pixel) in decoded.enumerate_pixels() {
                let module = |at: u32| ((at / module_px) as usize).wrapping_sub(quiet_zone as usize);
                let row = modules.get(module(y));
                let dark = row.and_then(|row| row.get(module(x))).copied().unwrap_or(false);
                prop_assert_eq!(pixel.0, [if dark { 0 } else { 255 }], "({}, {})", x, y);
            }
        }
    }

    #[test]
    fn a_usual_picture_is_small() {
        let uri = "otpauth://totp/Test:bob%40example.com?secret=GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q&issuer=Test";
        let symbol = Symbol::encode(uri, ErrorCorrection::M).unwrap();
        let picture = Picture::draw(&symbol, &QrSettings::default()).unwrap();
        assert_eq!(picture.side, 470);
        assert!(picture.png.len() <= 850, "{} bytes", picture.png.len());
    }
}
