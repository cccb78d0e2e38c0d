//! A picture without a logo: two colours, one bit per pixel, no filter.

use png::{BitDepth, ColorType, Encoder, EncodingError, chunk};

use super::colour::Colour;
use super::deflate::Compressor;
use super::pixels::PixelRows;
use crate::qr::Symbol;
use crate::wiped::Wiped;

/// A square picture of the symbol in its quiet zone, in a dark and a light colour.
pub(super) fn encode(
    symbol: &Symbol,
    rows: &PixelRows,
    colours: [Colour; 2],
) -> Result<Wiped, EncodingError> {
    let mut png = Wiped::with_capacity(1024);
    let side = rows.side() as u32;
    let mut encoder = Encoder::new(&mut png, side, side);
    encoder.set_depth(BitDepth::One);
    if colours != [Colour::BLACK, Colour::WHITE] {
        encoder.set_color(ColorType::Indexed);
        encoder.set_palette(colours.map(|colour| colour.0).concat());
    }
    let mut writer = encoder.write_header()?;
    writer.write_chunk(chunk::IDAT, &compressed(symbol, rows))?;
    writer.finish()?;
    Ok(png)
}

fn compressed(symbol: &Symbol, rows: &PixelRows) -> Wiped {
    let mut data = Compressor::new(rows);
    let blank = rows.blank(0);
    data.row(&blank, rows.quiet_px);
    rows.for_each(&symbol.rows, |row| data.row(row, rows.module_px));
    data.row(&blank, rows.quiet_px);
    data.finish()
}
