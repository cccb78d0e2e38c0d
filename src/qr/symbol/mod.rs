//! The modules of a QR symbol, ISO/IEC 18004. A text is divided into segments (`segments`), which the
//! qrcode crate writes as bits; behind them come codewords that correct errors (`correction`); all of it
//! takes its place around the patterns that scanners look for (`layout`), and the best of eight masks
//! is laid over it (`mask`). Rows of modules are bits of machine words throughout (`row`).

mod correction;
mod layout;
mod mask;
mod row;
mod segments;

use zeroize::Zeroizing;

pub(super) use self::layout::room_in_middle;
use self::layout::{Layout, has_pattern_in_middle};
pub(super) use self::row::Row;
use super::QrSettings;

/// A square of dark and light modules, without its quiet zone.
pub(crate) struct Symbol {
    /// From top to bottom.
    pub(super) rows: Zeroizing<Vec<Row>>,
}

impl Symbol {
    /// The smallest symbol that holds `text` with these settings; `None` when none does. A logo covers
    /// an alignment pattern only when each version that is large enough has one in the middle.
    pub(crate) fn with(text: &str, settings: &QrSettings) -> Option<Self> {
        let level = settings.error_correction;
        let bits = segments::encode(text.as_bytes(), level, |version| {
            settings.logo.is_none() || version > 34 || !has_pattern_in_middle(version)
        })?;
        let version = (bits.version().width() as usize - 17) / 4;
        let data = Zeroizing::new(bits.into_bytes());
        let mut layout = Layout::new(version);
        let total = layout.codewords();
        layout.place(&correction::codewords(&data, total, version, level));
        let rows = mask::apply_best(layout, level);
        Some(Symbol { rows })
    }

    /// Modules per side.
    pub(super) fn width(&self) -> usize {
        self.rows.len()
    }

    /// Whether a module is dark; those outside of the symbol are not.
    pub(super) fn is_dark(&self, column: usize, row: usize) -> bool {
        let inside = column < self.width() && row < self.width();
        inside && self.rows[row].starting_at(column) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use qrcode::{Color, EcLevel, QrCode};

    use super::*;

    /// Every version from 1 to 40 at every level, by texts of growing length. The crate's codewords,
    /// layout and slow choice of a mask for the same segments are the oracle.
    #[test]
    fn symbols_of_all_versions_are_the_crate_s() {
        for level in [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H] {
            let settings = QrSettings {
                error_correction: level,
                ..QrSettings::default()
            };
            let mut seen = BTreeSet::new();
            for length in (0..3000).step_by(7) {
                let scattered = |n: u32| (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90 + b'!';
                let text: String = (0..length).map(|n| char::from(scattered(n))).collect();
                let Some(ours) = Symbol::with(&text, &settings) else {
                    assert!(QrCode::with_error_correction_level(&text, level).is_err());
                    break;
                };
                let width = ours.width();
                if seen.insert(width) {
                    let bits = segments::encode(text.as_bytes(), level, |_| true).unwrap();
                    let theirs = QrCode::with_bits(bits, level).unwrap();
                    for (n, colour) in theirs.into_colors().into_iter().enumerate() {
                        let is_dark = ours.is_dark(n % width, n / width);
                        assert_eq!(is_dark, colour == Color::Dark, "{level:?}: {text}");
                    }
                }
            }
            assert_eq!(seen.len(), 40, "{level:?}");
        }
    }
}
