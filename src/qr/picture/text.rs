//! A symbol in block elements, for terminals.

use zeroize::Zeroizing;

use crate::qr::{QrSettings, Symbol};

/// Two rows of modules per line of text, light modules drawn as blocks: for a terminal with dark
/// background and light letters.
pub(crate) fn draw_text(symbol: &Symbol, settings: &QrSettings) -> Zeroizing<String> {
    let quiet = settings.quiet_zone as usize;
    let side = symbol.width() + 2 * quiet;
    // In the quiet zone, no module is dark; but below the last row the terminal's own ground begins.
    let is_dark = |x: usize, y: usize| {
        let in_symbol = x >= quiet && y >= quiet && symbol.is_dark(x - quiet, y - quiet);
        in_symbol || y >= side
    };
    // A block is three bytes, for two modules.
    let mut text = Zeroizing::new(String::with_capacity((side + 1) * side * 2));
    for y in (0..side).step_by(2) {
        for x in 0..side {
            text.push(match (is_dark(x, y), is_dark(x, y + 1)) {
                (false, false) => '█',
                (false, true) => '▀',
                (true, false) => '▄',
                (true, true) => ' ',
            });
        }
        text.push('\n');
    }
    text
}
