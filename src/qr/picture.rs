//! A symbol as a PNG for screens, and as text for terminals; both with the quiet zone around it.

use zeroize::Zeroizing;

use crate::error::Result;
use crate::qr::{QrSettings, Symbol, png, with_logo};
use crate::wiped::Wiped;

/// A PNG.
pub(crate) struct Picture {
    /// Pixels per side.
    pub(crate) side: u32,
    pub(crate) png: Wiped,
}

impl Picture {
    pub(crate) fn draw(symbol: &Symbol, settings: &QrSettings) -> Result<Self> {
        let side = settings.pixels.side(symbol.width());
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        let png = match &settings.logo {
            None => png::encode(symbol, &settings.pixels, [settings.dark, settings.light]),
            Some(logo) => with_logo::encode(symbol, logo, settings)?,
        };
        Ok(Picture { side, png })
    }
}

/// Two rows of modules per line of text, light modules drawn as blocks: for a terminal with dark
/// background and light letters.
pub(crate) fn draw_text(symbol: &Symbol, settings: &QrSettings) -> Zeroizing<String> {
    let quiet = usize::try_from(settings.quiet_zone).unwrap_or(0);
    let side = symbol.width().saturating_add(quiet.saturating_mul(2));
    // In the quiet zone, no module is dark; but below the last row the terminal's own ground begins.
    let is_dark = |x: usize, y: usize| {
        y >= side
            || match (x.checked_sub(quiet), y.checked_sub(quiet)) {
                (Some(column), Some(row)) => symbol.is_dark(column, row),
                _ => false,
            }
    };
    // A block is three bytes, for two modules.
    let bytes = side
        .saturating_add(1)
        .saturating_mul(side)
        .saturating_mul(2);
    let mut text = Zeroizing::new(String::with_capacity(bytes));
    for y in (0..side).step_by(2) {
        for x in 0..side {
            text.push(match (is_dark(x, y), is_dark(x, y.saturating_add(1))) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::qr::ErrorCorrection;
    use crate::qr::colour::Colour;
    use crate::qr::logo::Logo;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        /// `image` decodes the picture to the symbol with its quiet zone, pixel by pixel.
        #[test]
        fn pictures_decode_to_the_symbol(
            text in "[ -~]{1,900}",
            module_px in 1..=32u32,
            quiet_zone in 0..=16u32,
            colours in prop_oneof![Just(["#000000", "#ffffff"]), Just(["#12345a", "#ffeecc"])],
        ) {
            let symbol = Symbol::encode(&text, ErrorCorrection::M).unwrap();
            let [dark, light] = colours.map(|colour| Colour::parse(colour).unwrap());
            let settings = QrSettings { dark, light, ..QrSettings::sized(module_px, quiet_zone) };
            let picture = Picture::draw(&symbol, &settings).unwrap();
            let decoded = image::load_from_memory(&picture.png).unwrap().into_rgb8();
            let side = (symbol.width() as u32 + 2 * quiet_zone) * module_px;
            prop_assert_eq!(decoded.dimensions(), (side, side));
            prop_assert_eq!(picture.side, side);
            for (x, y, pixel) in decoded.enumerate_pixels() {
                let module = |at: u32| ((at / module_px) as usize).wrapping_sub(quiet_zone as usize);
                let expected = if symbol.is_dark(module(x), module(y)) { dark } else { light };
                prop_assert_eq!(pixel.0, expected.channels(), "({}, {})", x, y);
            }
        }

        /// Around the logo and its margin, the picture is that of the same symbol without.
        #[test]
        fn a_logo_stands_in_light_modules(
            text in "[ -~]{40,300}",
            module_px in 1..=12u32,
            quiet_zone in 0..=6u32,
            (width, height) in (1..=60u32, 1..=60u32),
        ) {
            let red = image::Rgba([255, 0, 0, 255]);
            let mut logo = std::io::Cursor::new(Vec::new());
            let picture = image::RgbaImage::from_pixel(width, height, red);
            picture.write_to(&mut logo, image::ImageFormat::Png).unwrap();
            let mut settings = QrSettings::sized(module_px, quiet_zone);
            settings.logo = Some(Logo::decode(logo.get_ref(), settings.light).unwrap());
            settings.error_correction = ErrorCorrection::H;
            let symbol = Symbol::with(&text, &settings).unwrap();
            let picture = Picture::draw(&symbol, &settings).unwrap();
            let decoded = image::load_from_memory(&picture.png).unwrap().into_rgb8();
            let module = |at: u32| ((at / module_px) as usize).wrapping_sub(quiet_zone as usize);
            // How many modules the logo reaches to each side of the middle one.
            let middle = symbol.width() / 2;
            let (mut across, mut down) = (0, 0);
            for (x, y, pixel) in decoded.enumerate_pixels() {
                if pixel.0 == [255, 0, 0] {
                    across = across.max(module(x).abs_diff(middle));
                    down = down.max(module(y).abs_diff(middle));
                }
            }
            prop_assert_eq!(2 * across.max(down) + 1, symbol.room_in_middle() - 2);
            for (x, y, pixel) in decoded.enumerate_pixels() {
                let (column, row) = (module(x), module(y));
                let covered = column.abs_diff(middle) <= across + 1 && row.abs_diff(middle) <= down + 1;
                let dark = symbol.is_dark(column, row) && !covered;
                let in_logo = column.abs_diff(middle) <= across && row.abs_diff(middle) <= down;
                let is_logo = in_logo && pixel.0 == [255, 0, 0];
                let expected = if dark { [0; 3] } else { [255; 3] };
                prop_assert!(is_logo || pixel.0 == expected, "({}, {})", x, y);
            }
        }
    }

    #[test]
    fn a_usual_picture_is_small() {
        let uri = "otpauth://totp/Test:bob%40example.com?secret=GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q&issuer=Test";
        let symbol = Symbol::encode(uri, ErrorCorrection::M).unwrap();
        let picture = Picture::draw(&symbol, &QrSettings::sized(10, 5)).unwrap();
        assert_eq!(picture.side, 470);
        assert!(picture.png.len() <= 880, "{} bytes", picture.png.len());
    }
}
