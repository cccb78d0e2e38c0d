//! Pictures that are not plain black on white: in two colours, with a logo in the middle.

use std::fmt;
use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::imageops::{FilterType, overlay, resize};
use image::{ImageFormat, ImageReader, Limits, Rgba, RgbaImage};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::{Failure, Result, Status};
use crate::qr::{QrSettings, Symbol};
use crate::wiped::Wiped;

/// A colour without transparency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

impl Colour {
    pub(crate) const BLACK: Colour = Colour([0; 3]);
    pub(crate) const WHITE: Colour = Colour([255; 3]);

    /// Reads `#rrggbb`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Colour([red, green, blue]))
    }

    /// The contrast ratio of WCAG 2: 1 to 21 if it is darker than the ground, below 1 if lighter.
    pub(crate) fn contrast_on(self, ground: Colour) -> f64 {
        (ground.luminance() + 0.05) / (self.luminance() + 0.05)
    }

    /// The relative luminance of WCAG 2, 0 to 1.
    fn luminance(self) -> f64 {
        let weighted = self.0.iter().zip([0.2126, 0.7152, 0.0722]);
        let linear = weighted.map(|(&channel, weight)| {
            let value = f64::from(channel) / 255.0;
            let linear = if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            };
            linear * weight
        });
        linear.sum()
    }

    fn opaque(self) -> Rgba<u8> {
        let [red, green, blue] = self.0;
        Rgba([red, green, blue, 255])
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A picture to put into the middle.
pub(crate) struct Logo(RgbaImage);

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({} x {})", self.0.width(), self.0.height())
    }
}

/// Pixels per side of the largest logo.
const MAX_LOGO_SIDE: u32 = 1024;

/// The logo with its margin covers this share of the symbol's side, so 9 % of the symbol; level H can
/// lose 30 % of the codewords.
const LOGO_SHARE: f64 = 0.3;

impl Logo {
    pub(crate) const EXPECTED: &str = "a PNG of at most 1024 x 1024 pixels, in base64";

    /// Reads a PNG; `None` when it is none, or too large.
    pub(crate) fn decode(png: &[u8]) -> Option<Self> {
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_LOGO_SIDE);
        limits.max_image_height = Some(MAX_LOGO_SIDE);
        limits.max_alloc = Some(64 << 20);
        let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
        reader.limits(limits);
        Some(Logo(reader.decode().ok()?.into_rgba8()))
    }
}

/// Draws a square picture of the symbol in its quiet zone.
pub(super) fn encode(symbol: &Symbol, side: u32, settings: &QrSettings) -> Result<Wiped> {
    let (dark, light) = (settings.dark.opaque(), settings.light.opaque());
    let module = |pixel: u32| {
        let module = pixel.checked_div(settings.module_px)?;
        usize::try_from(module.checked_sub(settings.quiet_zone)?).ok()
    };
    let mut picture = RgbaImage::from_fn(side, side, |x, y| match (module(x), module(y)) {
        (Some(column), Some(row)) if symbol.is_dark(column, row) => dark,
        _ => light,
    });
    if let Some(logo) = &settings.logo {
        draw_logo(&mut picture, logo, settings);
    }
    let mut png = Wiped::with_capacity(64 * 1024);
    let pixels = Zeroizing::new(
        image::DynamicImage::ImageRgba8(picture)
            .into_rgb8()
            .into_raw(),
    );
    let encoder = PngEncoder::new(&mut *png);
    let written = image::ImageEncoder::write_image(
        encoder,
        &pixels,
        side,
        side,
        image::ExtendedColorType::Rgb8,
    );
    written.map_err(|_| Failure::new(Status::UnknownError, "the PNG could not be written"))?;
    Ok(png)
}

/// Centres the logo on a ground of the light colour, one module wider than it on each side.
fn draw_logo(picture: &mut RgbaImage, logo: &Logo, settings: &QrSettings) {
    let quiet_px = settings.quiet_zone.saturating_mul(settings.module_px);
    let symbol_px = picture.width().saturating_sub(quiet_px.saturating_mul(2));
    let ground_px = f64::from(symbol_px) * LOGO_SHARE;
    let room_px = (ground_px - 2.0 * f64::from(settings.module_px)).max(1.0);
    let (width, height) = (f64::from(logo.0.width()), f64::from(logo.0.height()));
    let scale = room_px / width.max(height);
    let (width, height) = (pixels(width * scale), pixels(height * scale));
    let scaled = resize(&logo.0, width, height, FilterType::Triangle);
    let margin = settings.module_px.saturating_mul(2);
    let ground = RgbaImage::from_pixel(
        width.saturating_add(margin),
        height.saturating_add(margin),
        settings.light.opaque(),
    );
    for drawn in [&ground, &scaled] {
        let middle = |outer: u32, inner: u32| i64::from(outer.saturating_sub(inner) / 2);
        let x = middle(picture.width(), drawn.width());
        let y = middle(picture.height(), drawn.height());
        overlay(picture, drawn, x, y);
    }
}

/// A size in whole pixels, at least one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn pixels(size: f64) -> u32 {
    size.round().clamp(1.0, f64::from(MAX_LOGO_SIDE) * 8.0) as u32
}
