//! QR codes: the symbol, and the pictures of it.

mod bits;
mod bitstream;
mod coloured;
mod correction;
mod deflate;
mod huffman;
mod layout;
mod mask;
mod picture;
mod pixels;
mod png;
mod segments;
mod settings;
mod symbol;

pub(crate) use picture::{Picture, draw_text};
pub(crate) use settings::{ErrorCorrection, QrSettings};
pub(crate) use symbol::Symbol;
