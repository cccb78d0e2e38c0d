//! PNG, RFC 2083, for black on white: one bit per pixel, no filter.

use zeroize::Zeroizing;

use crate::qr::deflate::{Repeated, compress};

/// A square picture of rows that repeat; each row has a filter byte of 0, then 8 pixels per byte.
pub(super) fn encode(side: u32, rows: &[Repeated]) -> Zeroizing<Vec<u8>> {
    let data = compress(rows);
    let mut png = Zeroizing::new(Vec::with_capacity(data.len().saturating_add(57)));
    png.extend_from_slice(b"\x89PNG\r\n\x1a\n");
    let [a, b, c, d] = side.to_be_bytes();
    // One bit of grey, deflate, the standard filters, not interlaced.
    write_chunk(&mut png, b"IHDR", &[a, b, c, d, a, b, c, d, 1, 0, 0, 0, 0]);
    write_chunk(&mut png, b"IDAT", &data);
    write_chunk(&mut png, b"IEND", &[]);
    png
}

fn write_chunk(png: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    png.extend_from_slice(&length.to_be_bytes());
    png.extend_from_slice(name);
    png.extend_from_slice(data);
    let mut crc = crc32fast::Hasher::new();
    crc.update(name);
    crc.update(data);
    png.extend_from_slice(&crc.finalize().to_be_bytes());
}
