//! QR codes: the symbol, and the pictures of it.

mod picture;
mod symbol;

pub(crate) use picture::{Picture, draw_text};
pub(crate) use symbol::Symbol;
