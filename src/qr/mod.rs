//! QR codes: the symbol, and the pictures of it.

mod bits;
mod bitstream;
mod colour;
mod correction;
mod deflate;
mod huffman;
mod layout;
mod logo;
mod mask;
mod picture;
mod pixels;
mod png;
mod segments;
mod settings;
mod symbol;
mod with_logo;

pub(crate) use picture::{Picture, draw_text};
pub(crate) use settings::{ErrorCorrection, QrSettings};
pub(crate) use symbol::Symbol;
