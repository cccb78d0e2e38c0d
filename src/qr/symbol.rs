//! The modules of a QR symbol, ISO/IEC 18004.

use qrcode::EcLevel;
use qrcode::types::Version;
use zeroize::Zeroizing;

use crate::qr::bits::{Row, get};
use crate::qr::correction::codewords;
use crate::qr::layout::{Layout, has_pattern_in_middle, room_in_middle};
use crate::qr::mask::apply_best;
use crate::qr::segments;
use crate::qr::{ErrorCorrection, QrSettings};

/// A square of dark and light modules, without its quiet zone.
pub(crate) struct Symbol {
    /// From top to bottom.
    rows: Zeroizing<Vec<Row>>,
}

impl Symbol {
    /// The smallest symbol that holds `text` with these settings; `None` when none does. A logo covers
    /// an alignment pattern only when each version that is large enough has one in the middle.
    pub(crate) fn with(text: &str, settings: &QrSettings) -> Option<Self> {
        Self::of_version(text, settings.error_correction, |version| {
            settings.logo.is_none() || version > 34 || !has_pattern_in_middle(version)
        })
    }

    #[cfg(test)]
    pub(crate) fn encode(text: &str, level: ErrorCorrection) -> Option<Self> {
        Self::of_version(text, level, |_| true)
    }

    /// The smallest one of the versions that are `admitted`.
    fn of_version(
        text: &str,
        level: ErrorCorrection,
        admitted: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let bits = segments::encode(text.as_bytes(), level.of_crate(), admitted)?;
        let Version::Normal(version) = bits.version() else {
            return None;
        };
        let version = usize::try_from(version).ok()?;
        let data = Zeroizing::new(bits.into_bytes());
        let mut layout = Layout::new(version);
        layout.place(&codewords(&data, version, level)?);
        let rows = apply_best(layout, level);
        Some(Symbol { rows })
    }

    /// Modules per side.
    pub(crate) fn width(&self) -> usize {
        self.rows.len()
    }

    /// Modules per side that a logo may take in the middle, with its margin.
    pub(super) fn room_in_middle(&self) -> usize {
        room_in_middle(self.width())
    }

    /// The rows from top to bottom.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether a module is dark; those outside of the symbol are not.
    pub(crate) fn is_dark(&self, column: usize, row: usize) -> bool {
        column < self.width() && self.rows.get(row).is_some_and(|row| get(row, column))
    }
}

impl ErrorCorrection {
    fn of_crate(self) -> EcLevel {
        match self {
            ErrorCorrection::L => EcLevel::L,
            ErrorCorrection::M => EcLevel::M,
            ErrorCorrection::Q => EcLevel::Q,
            ErrorCorrection::H => EcLevel::H,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use qrcode::QrCode;
    use qrcode::types::Color;

    use super::*;

    /// The crate's own slow choice of a mask for the same segments is the oracle. Its own division of
    /// the text never makes a smaller symbol.
    fn is_the_crate_s(text: &str, level: ErrorCorrection) {
        let divided = QrCode::with_error_correction_level(text, level.of_crate());
        let Some(ours) = Symbol::encode(text, level) else {
            assert!(divided.is_err());
            return;
        };
        assert!(divided.is_ok_and(|divided| ours.width() <= divided.width()));
        let bits = segments::encode(text.as_bytes(), level.of_crate(), |_| true).unwrap();
        let theirs = QrCode::with_bits(bits, level.of_crate()).unwrap();
        assert_eq!(ours.width(), theirs.width());
        let theirs: Vec<bool> = theirs
            .into_colors()
            .iter()
            .map(|c| *c == Color::Dark)
            .collect();
        let width = ours.width();
        let ours: Vec<bool> = (0..width * width)
            .map(|n| ours.is_dark(n % width, n / width))
            .collect();
        assert!(ours == theirs, "{level:?}: {text}");
    }

    const LEVELS: [ErrorCorrection; 4] = [
        ErrorCorrection::L,
        ErrorCorrection::M,
        ErrorCorrection::Q,
        ErrorCorrection::H,
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Short texts, such as most URIs are.
        #[test]
        fn symbols_are_the_crate_s(text in "[ -~]{0,200}", level in 0..4usize) {
            is_the_crate_s(&text, LEVELS[level]);
        }
    }

    /// Every version from 1 to 40 at every level, by texts of growing length.
    #[test]
    fn symbols_of_all_versions_are_the_crate_s() {
        for level in LEVELS {
            let mut seen = std::collections::BTreeSet::new();
            for length in (0..3000).step_by(7) {
                let text: String = (0..length)
                    .map(|n: u32| {
                        char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90)
                    })
                    .collect();
                let Some(symbol) = Symbol::encode(&text, level) else {
                    is_the_crate_s(&text, level);
                    break;
                };
                if seen.insert(symbol.width()) {
                    is_the_crate_s(&text, level);
                }
            }
            assert_eq!(seen.len(), 40, "{level:?}");
        }
    }
}
