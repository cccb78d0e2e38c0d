//! Pictures with a logo in the middle: written row by row, for the largest has 45 million pixels.

use std::io::Write;
use std::ops::Range;

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};
use zeroize::Zeroizing;

use crate::error::{Failure, Result};
use crate::qr::logo::Logo;
use crate::qr::{QrSettings, Symbol};
use crate::status::Status;
use crate::wiped::Wiped;

const CHANNELS: usize = 3;

/// A square picture of the symbol in its quiet zone.
pub(super) fn encode(symbol: &Symbol, logo: &Logo, settings: &QrSettings) -> Result<Wiped> {
    write(symbol, logo, settings)
        .map_err(|_| Failure::new(Status::UnknownError, "the PNG could not be written"))
}

fn write(
    symbol: &Symbol,
    logo: &Logo,
    settings: &QrSettings,
) -> std::result::Result<Wiped, EncodingError> {
    let pixels = &settings.pixels;
    let module_px = pixels.module_px();
    // One module on each side is the logo's margin.
    let room = symbol
        .room_in_middle()
        .saturating_sub(2)
        .saturating_mul(module_px);
    let logo = logo.scaled(u32::try_from(room).unwrap_or(u32::MAX));
    let size = [logo.width(), logo.height()].map(|length| usize::try_from(length).unwrap_or(0));
    let [ground_columns, ground_rows] = size.map(|length| {
        let modules = length.div_ceil(module_px).saturating_add(2);
        middle(symbol.width(), modules | 1)
    });
    let is_dark = |column: usize, row: usize| {
        let covered = ground_columns.contains(&column) && ground_rows.contains(&row);
        symbol.is_dark(column, row) && !covered
    };
    let side = pixels.side(symbol.width());
    let [logo_columns, logo_rows] = size.map(|length| middle(side, length));
    let (dark, light) = (settings.dark.channels(), settings.light.channels());

    let mut png = Pieces::default();
    let png_side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut encoder = Encoder::new(&mut png, png_side, png_side);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Up); // most rows are the same as the one above
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    let mut row = Zeroizing::new(vec![0; side.saturating_mul(CHANNELS)]);
    let mut with_logo = row.clone();
    let line = size[0].saturating_mul(CHANNELS);
    let mut lines = logo.as_raw().chunks_exact(line);
    for y in 0..side {
        if y.checked_rem(module_px) == Some(0) {
            let modules = pixels.module_at(y);
            for (x, pixel) in row.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
                *pixel = match (pixels.module_at(x), modules) {
                    (Some(column), Some(row)) if is_dark(column, row) => dark,
                    _ => light,
                };
            }
        }
        if logo_rows.contains(&y) {
            with_logo.copy_from_slice(&row);
            let start = logo_columns.start.saturating_mul(CHANNELS);
            let places = with_logo.iter_mut().skip(start);
            for (place, channel) in places.zip(lines.next().unwrap_or_default()) {
                *place = *channel;
            }
            stream.write_all(&with_logo)?;
        } else {
            stream.write_all(&row)?;
        }
    }
    stream.finish()?;
    writer.finish()?;
    Ok(png.joined())
}

/// So many in the middle of a length.
fn middle(length: usize, inner: usize) -> Range<usize> {
    let start = length.saturating_sub(inner) / 2;
    start..start.saturating_add(inner)
}

/// What is written, in pieces: a buffer that grows would leave copies behind.
#[derive(Default)]
struct Pieces(Vec<Wiped>);

impl Pieces {
    const BYTES: usize = 64 * 1024;

    fn joined(&self) -> Wiped {
        let mut all = Wiped::with_capacity(self.0.iter().map(|piece| piece.len()).sum());
        for piece in &self.0 {
            all.extend_from_slice(piece);
        }
        all
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.last().is_none_or(|piece| piece.len() == Self::BYTES) {
            self.0.push(Wiped::with_capacity(Self::BYTES));
        }
        let Some(piece) = self.0.last_mut() else {
            return Ok(0);
        };
        let room = Self::BYTES.saturating_sub(piece.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        piece.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
