//! A logo, and pictures with one in the middle.

use std::array;
use std::borrow::Cow;
use std::io::{Cursor, Write};
use std::ops::Range;

use image::codecs::png::PngDecoder;
use image::imageops::{FilterType, interpolate_bilinear, resize};
use image::{DynamicImage, ImageDecoder, ImageFormat, Limits, Rgb, RgbImage};
use png::{ColorType, Compression, Encoder, EncodingError, Filter};
use zeroize::Zeroizing;

use super::colour::Colour;
use super::pixels::PixelRows;
use crate::qr::symbol::room_in_middle;
use crate::qr::{QrSettings, Symbol};
use crate::wiped::Wiped;

/// The logo's pixels, as they are on the ground of the light colour.
#[derive(Debug)]
pub(crate) struct Logo(RgbImage);

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
        let mut limits = Limits::default();
        limits.max_alloc = Some(32 << 20);
        let decoder = PngDecoder::with_limits(Cursor::new(png), limits).map_err(|_| DAMAGED)?;
        let (width, height) = decoder.dimensions();
        if width.max(height) > 1024 {
            let expected = "at most 1024 pixels wide and high: this one is";
            return Err(format!("{expected} {width} x {height}").into());
        }
        if decoder.is_apng().map_err(|_| DAMAGED)? {
            return Err("a still picture: this one is animated".into());
        }
        let picture = DynamicImage::from_decoder(decoder).map_err(|_| DAMAGED)?;
        let picture = picture.into_rgba8();
        Ok(Logo(RgbImage::from_fn(width, height, |x, y| {
            let pixel = picture.get_pixel(x, y).0;
            let opacity = f32::from(pixel[3]) / 255.0;
            Rgb(array::from_fn(|n| {
                let (above, ground) = (f32::from(pixel[n]), f32::from(light.0[n]));
                (above * opacity + ground * (1.0 - opacity)).round() as u8
            }))
        })))
    }

    /// As large as fits into a square of `room` pixels.
    fn scaled(&self, room: u32) -> RgbImage {
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

/// A logo in the middle of a symbol.
pub(super) struct Placed {
    pub(super) picture: RgbImage,
    /// Its pixels among those of the whole picture.
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
    /// The modules that make room for it and its margin.
    covered_columns: Range<usize>,
    covered_rows: Range<usize>,
}

impl Placed {
    pub(super) fn new(logo: &Logo, symbol: &Symbol, pixels: &PixelRows) -> Self {
        // One module on each side is the logo's margin.
        let room = (room_in_middle(symbol.width()) - 2) * pixels.module_px;
        let picture = logo.scaled(room as u32);
        let size = [picture.width(), picture.height()].map(|length| length as usize);
        let [columns, rows] = size.map(|length| middle(pixels.side(), length));
        let [covered_columns, covered_rows] = size.map(|length| {
            let modules = length.div_ceil(pixels.module_px) + 2;
            middle(symbol.width(), modules | 1)
        });
        Placed {
            picture,
            columns,
            rows,
            covered_columns,
            covered_rows,
        }
    }

    pub(super) fn covers(&self, column: usize, row: usize) -> bool {
        self.covered_columns.contains(&column) && self.covered_rows.contains(&row)
    }
}

/// A picture of the symbol with the logo, written row by row: the largest has 45 million pixels.
pub(super) fn encode(
    symbol: &Symbol,
    rows: &PixelRows,
    logo: &Logo,
    settings: &QrSettings,
) -> Result<Wiped, EncodingError> {
    const CHANNELS: usize = 3;
    let (module_px, quiet_px, side) = (rows.module_px, rows.quiet_px, rows.side());
    let logo = Placed::new(logo, symbol, rows);
    let is_dark = |x: usize, y: usize| {
        if x < quiet_px || y < quiet_px {
            return false;
        }
        let (column, row) = ((x - quiet_px) / module_px, (y - quiet_px) / module_px);
        symbol.is_dark(column, row) && !logo.covers(column, row)
    };
    let (dark, light) = (settings.dark.0, settings.light.0);

    let mut png = Wiped::with_capacity(64 * 1024);
    let mut writer = encoder(&mut png, side, side).write_header()?;
    let mut stream = writer.stream_writer()?;
    let mut row = Zeroizing::new(vec![0; side * CHANNELS]);
    let mut with_logo = row.clone();
    let place = logo.columns.start * CHANNELS..logo.columns.end * CHANNELS;
    let mut lines = logo.picture.as_raw().chunks_exact(place.len());
    for y in 0..side {
        if y % module_px == 0 {
            for (x, pixel) in row.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
                *pixel = if is_dark(x, y) { dark } else { light };
            }
        }
        let line = logo.rows.contains(&y).then(|| lines.next());
        if let Some(line) = line.flatten() {
            with_logo.copy_from_slice(&row);
            with_logo[place.clone()].copy_from_slice(line);
            stream.write_all(&with_logo)?;
        } else {
            stream.write_all(&row)?;
        }
    }
    stream.finish()?;
    writer.finish()?;
    Ok(png)
}

/// For a PNG in true colour.
pub(super) fn encoder(png: &mut Wiped, width: usize, height: usize) -> Encoder<'_, &mut Wiped> {
    let mut encoder = Encoder::new(png, width as u32, height as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Up); // most rows are the same as the one above
    encoder
}

/// The middle of a length.
fn middle(length: usize, inner: usize) -> Range<usize> {
    let start = (length - inner) / 2;
    start..start + inner
}
