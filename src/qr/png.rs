//! PNG, RFC 2083, for black on white: one bit per pixel, no filter.

use zeroize::Zeroizing;

use crate::qr::Symbol;
use crate::qr::deflate::{Compressor, Shape};
use crate::qr::pixels::PixelRows;
use crate::wiped::Wiped;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// A square picture of the symbol in its quiet zone.
pub(super) fn encode(symbol: &Symbol, pixels: &PixelRows) -> Wiped {
    let width = symbol.width();
    let shape = Shape {
        row_bytes: pixels.row_bytes(width),
        margins: pixels.margins(width),
        rows: width,
        times: pixels.module_px(),
        blank_times: pixels.quiet_px(),
    };
    let head = head(u32::try_from(pixels.side(width)).unwrap_or(u32::MAX));
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
    end_data(&mut png);
    png
}

/// Up to the contents of the data's chunk, whose length is still 0.
fn head(side: u32) -> [u8; 41] {
    let [a, b, c, d] = side.to_be_bytes();
    // One bit of grey, deflate, the standard filters, not interlaced.
    let name_and_header = [
        b'I', b'H', b'D', b'R', a, b, c, d, a, b, c, d, 1, 0, 0, 0, 0,
    ];
    let mut head = [0; 41];
    let parts = [
        &SIGNATURE[..],
        &13u32.to_be_bytes(),
        &name_and_header,
        &crc32fast::hash(&name_and_header).to_be_bytes(),
        &[0; 4],
        b"IDAT",
    ];
    for (place, byte) in head.iter_mut().zip(parts.into_iter().flatten()) {
        *place = *byte;
    }
    head
}

/// Fills in the length of the data's chunk, and adds its checksum and the chunk that ends a PNG.
fn end_data(png: &mut Wiped) {
    const LENGTH_AT: usize = 33;
    let Some((length, name_and_data)) = png
        .get_mut(LENGTH_AT..)
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
