//! PNG, RFC 2083, for two colours: one bit per pixel, no filter.

use zeroize::Zeroizing;

use crate::qr::Symbol;
use crate::qr::colour::Colour;
use crate::qr::deflate::{Compressor, Shape};
use crate::qr::pixels::PixelRows;
use crate::wiped::Wiped;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// A square picture of the symbol in its quiet zone, in a dark and a light colour.
pub(super) fn encode(symbol: &Symbol, pixels: &PixelRows, colours: [Colour; 2]) -> Wiped {
    let width = symbol.width();
    let shape = Shape {
        row_bytes: pixels.row_bytes(width),
        margins: pixels.margins(width),
        rows: width,
        times: pixels.module_px(),
        blank_times: pixels.quiet_px(),
    };
    let side = u32::try_from(pixels.side(width)).unwrap_or(u32::MAX);
    let head = head(side, colours);
    let mut data = Compressor::begin(&head, &shape, &pixels.frequencies);
    let blank = pixels.blank(width);
    let mut buffer = Zeroizing::new(blank.clone());
    if shape.blank_times > 0 {
        data.row(&blank, shape.blank_times);
    }
    for modules in symbol.rows() {
        pixels.draw(modules, width, &mut buffer);
        data.row(&buffer, shape.times);
    }
    if shape.blank_times > 0 {
        data.row(&blank, shape.blank_times);
    }
    let mut png = data.finish();
    end_data(&mut png, head.len());
    png
}

/// Up to the contents of the data's chunk, whose length is still 0.
fn head(side: u32, colours: [Colour; 2]) -> Vec<u8> {
    const GREY: u8 = 0;
    const INDEXED: u8 = 3;
    let is_grey = colours == [Colour::BLACK, Colour::WHITE];
    let kind = if is_grey { GREY } else { INDEXED };
    let [a, b, c, d] = side.to_be_bytes();
    // One bit, deflate, the standard filters, not interlaced.
    let header = [a, b, c, d, a, b, c, d, 1, kind, 0, 0, 0];
    let mut head = Vec::with_capacity(64);
    head.extend_from_slice(SIGNATURE);
    add_chunk(&mut head, b"IHDR", &header);
    if !is_grey {
        let channels = colours.map(Colour::channels);
        add_chunk(&mut head, b"PLTE", channels.as_flattened());
    }
    head.extend_from_slice(b"\0\0\0\0IDAT");
    head
}

fn add_chunk(png: &mut Vec<u8>, name: &[u8; 4], contents: &[u8]) {
    let length = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    png.extend_from_slice(&length.to_be_bytes());
    let checked = png.len();
    png.extend_from_slice(name);
    png.extend_from_slice(contents);
    let checksum = crc32fast::hash(png.get(checked..).unwrap_or_default());
    png.extend_from_slice(&checksum.to_be_bytes());
}

/// Fills in the length of the data's chunk, whose head ends at `head`, and adds its checksum and the
/// chunk that ends a PNG.
fn end_data(png: &mut Wiped, head: usize) {
    let Some((length, name_and_data)) = png
        .get_mut(head.saturating_sub(8)..)
        .and_then(|chunk| chunk.split_first_chunk_mut())
    else {
        return;
    };
    let data = name_and_data.len().saturating_sub(4);
    *length = u32::try_from(data).unwrap_or(u32::MAX).to_be_bytes();
    let checksum = crc32fast::hash(name_and_data);
    png.extend_from_slice(&checksum.to_be_bytes());
    png.extend_from_slice(b"\0\0\0\0IEND\xAE\x42\x60\x82");
}
