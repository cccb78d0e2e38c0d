//! QR codes: `symbol` makes the modules of a text, `picture` draws them.

mod picture;
mod settings;
mod symbol;

pub(crate) use picture::{Picture, draw_svg, draw_text};
pub(crate) use settings::QrSettings;
pub(crate) use symbol::Symbol;
