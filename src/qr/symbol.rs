//! The modules of a QR symbol, ISO/IEC 18004.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::config::ErrorCorrection;

/// A square of dark and light modules, without its quiet zone.
pub(crate) struct Symbol {
    /// Modules per side.
    width: usize,
    dark: Zeroizing<Vec<bool>>,
}

impl Symbol {
    /// The smallest symbol that holds `text`; `None` when no symbol does at this level.
    pub(crate) fn encode(text: &str, level: ErrorCorrection) -> Option<Self> {
        let level = match level {
            ErrorCorrection::L => EcLevel::L,
            ErrorCorrection::M => EcLevel::M,
            ErrorCorrection::Q => EcLevel::Q,
            ErrorCorrection::H => EcLevel::H,
        };
        let code = QrCode::with_error_correction_level(text, level).ok()?;
        let width = code.width();
        let dark = Zeroizing::new(
            code.into_colors()
                .iter()
                .map(|&color| color == Color::Dark)
                .collect(),
        );
        Some(Symbol { width, dark })
    }

    /// The rows from top to bottom, `true` for a dark module.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks_exact(self.width.max(1))
    }

    /// Modules per side.
    pub(crate) fn width(&self) -> usize {
        self.width
    }
}
