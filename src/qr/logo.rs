//! A logo for the middle of a symbol.

use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::imageops::{FilterType, interpolate_bilinear, resize};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageResult, Limits, Rgb, RgbImage};

use crate::qr::colour::Colour;

/// The logo's pixels, as they are on the ground of the light colour.
pub(crate) struct Logo(RgbImage);

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({} x {})", self.0.width(), self.0.height())
    }
}

/// Pixels per side of the largest logo.
const MAX_SIDE: u32 = 1024;

impl Logo {
    /// Reads a PNG; if it cannot be taken, says what it must be.
    pub(crate) fn decode(png: &[u8], light: Colour) -> Result<Self, Cow<'static, str>> {
        const DAMAGED: Cow<str> = Cow::Borrowed("a PNG that is whole: this one is damaged");
        match image::guess_format(png) {
            Ok(ImageFormat::Png) => {}
            Ok(other) => {
                let other = format!("{other:?}").to_uppercase();
                return Err(format!("a PNG: this is a {other}").into());
            }
            Err(_) => return Err("a PNG: this is none".into()),
        }
        let decoder = decoder(png).map_err(|_| DAMAGED)?;
        let (width, height) = decoder.dimensions();
        if width.max(height) > MAX_SIDE {
            let expected = "at most 1024 pixels wide and high: this one is";
            return Err(format!("{expected} {width} x {height}").into());
        }
        if decoder.is_apng().map_err(|_| DAMAGED)? {
            return Err("a still picture: this one is animated".into());
        }
        let picture = DynamicImage::from_decoder(decoder).map_err(|_| DAMAGED)?;
        let picture = picture.into_rgba8();
        Ok(Logo(RgbImage::from_fn(width, height, |x, y| {
            let [red, green, blue, opacity] = picture.get_pixel(x, y).0;
            on_ground([red, green, blue], opacity, light)
        })))
    }

    /// As large as fits into a square of `room` pixels.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // sizes of some thousands
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn scaled(&self, room: u32) -> RgbImage {
        let (width, height) = (self.0.width() as f32, self.0.height() as f32);
        let scale = room as f32 / width.max(height);
        let pixels = |length: f32| (length * scale).round().min(room as f32).max(1.0) as u32;
        let (new_width, new_height) = (pixels(width), pixels(height));
        if scale <= 1.0 {
            return resize(&self.0, new_width, new_height, FilterType::Triangle);
        }
        // The same, but resize() would take 16 bytes for each of many pixels.
        RgbImage::from_fn(new_width, new_height, |x, y| {
            let place =
                |at: u32, length: f32| ((at as f32 + 0.5) / scale - 0.5).clamp(0.0, length - 1.0);
            interpolate_bilinear(&self.0, place(x, width), place(y, height)).unwrap_or(Rgb([0; 3]))
        })
    }
}

fn decoder(png: &[u8]) -> ImageResult<PngDecoder<Cursor<&[u8]>>> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(32 << 20);
    PngDecoder::with_limits(Cursor::new(png), limits)
}

/// The colour that a more or less opaque one has on a ground.
fn on_ground(colour: [u8; 3], opacity: u8, ground: Colour) -> Rgb<u8> {
    let channels: [(u8, u8); 3] = std::array::from_fn(|n| {
        let of = |channels: [u8; 3]| channels.get(n).copied().unwrap_or(0);
        (of(colour), of(ground.channels()))
    });
    Rgb(channels.map(|(above, below)| {
        let opacity = f32::from(opacity) / 255.0;
        let mixed = f32::from(above) * opacity + f32::from(below) * (1.0 - opacity);
        mixed.round() as u8
    }))
}
