//! Pictures of a symbol in its quiet zone. Without a logo, rows of modules become rows of pixels, a bit
//! each (`pixels`), and these a zlib stream (`deflate`, by the Huffman codes of `huffman`), which is what
//! a PNG has in it (`png`). With a logo, the png crate compresses (`logo`). And there are a drawing
//! that scales (`svg`) and one for terminals (`text`).

mod colour;
mod deflate;
mod huffman;
mod logo;
mod pixels;
mod png;
mod svg;
mod text;

pub(super) use self::colour::Colour;
pub(super) use self::logo::Logo;
use self::pixels::PixelRows;
pub(crate) use self::text::draw_text;
use super::{QrSettings, Symbol};
use crate::error::{Error, Result};
use crate::wiped::Wiped;

/// A PNG.
pub(crate) struct Picture {
    /// Pixels per side.
    pub(crate) side: u32,
    pub(crate) png: Wiped,
}

impl Picture {
    pub(crate) fn draw(symbol: &Symbol, settings: &QrSettings) -> Result<Self> {
        let rows = PixelRows::new(symbol.width(), settings);
        let png = match &settings.logo {
            None => png::encode(symbol, &rows, [settings.dark, settings.light]),
            Some(logo) => logo::encode(symbol, &rows, logo, settings),
        };
        let png = png.map_err(|_| Error::internal("the PNG could not be written"))?;
        let side = rows.side() as u32;
        Ok(Picture { side, png })
    }
}

/// The size of an SVG in pixels per side, and the SVG.
pub(crate) fn draw_svg(symbol: &Symbol, settings: &QrSettings) -> Result<(usize, Wiped)> {
    let rows = PixelRows::new(symbol.width(), settings);
    let svg = svg::encode(symbol, &rows, settings);
    let svg = svg.map_err(|_| Error::internal("the SVG could not be written"))?;
    Ok((rows.side(), svg))
}
