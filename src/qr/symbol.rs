//! The modules of a QR symbol, ISO/IEC 18004.

use qrcode::canvas::{Canvas, Module};
use qrcode::{EcLevel, bits, ec};
use zeroize::Zeroizing;

use crate::qr::ErrorCorrection;
use crate::qr::bits::Row;
use crate::qr::mask::{Rows, apply_best};

/// A square of dark and light modules, without its quiet zone.
pub(crate) struct Symbol {
    /// Modules per side.
    width: u32,
    /// The widest symbol has 177 modules.
    rows: Rows<3>,
}

impl Symbol {
    /// The smallest symbol that holds `text`; `None` when no symbol does at this level.
    pub(crate) fn encode(text: &str, level: ErrorCorrection) -> Option<Self> {
        let crate_level = match level {
            ErrorCorrection::L => EcLevel::L,
            ErrorCorrection::M => EcLevel::M,
            ErrorCorrection::Q => EcLevel::Q,
            ErrorCorrection::H => EcLevel::H,
        };
        let bits = bits::encode_auto(text.as_bytes(), crate_level).ok()?;
        let version = bits.version();
        let codewords = Zeroizing::new(bits.into_bytes());
        let (data, correction) = ec::construct_codewords(&codewords, version, crate_level).ok()?;
        let (data, correction) = (Zeroizing::new(data), Zeroizing::new(correction));
        let mut canvas = Canvas::new(version, crate_level);
        canvas.draw_all_functional_patterns();
        canvas.draw_data(&data, &correction);
        let width = version.width();
        Some(if width <= 64 {
            Self::masked::<1>(&canvas, width, level)
        } else if width <= 128 {
            Self::masked::<2>(&canvas, width, level)
        } else {
            Self::masked::<3>(&canvas, width, level)
        })
    }

    fn masked<const W: usize>(canvas: &Canvas, width: i16, level: ErrorCorrection) -> Self {
        let side = usize::try_from(width).unwrap_or(0);
        let mut dark: Rows<W> = Zeroizing::new(Vec::with_capacity(side));
        let mut free: Rows<W> = Zeroizing::new(Vec::with_capacity(side));
        for y in 0..width {
            let modules = (0..width).map(|x| canvas.get(x, y));
            dark.push(Row::collect(modules.clone().map(Module::is_dark)));
            free.push(Row::collect(
                modules.map(|m| !matches!(m, Module::Masked(_))),
            ));
        }
        let best = apply_best(&dark, &free, level);
        Symbol {
            width: u32::try_from(width).unwrap_or(0),
            rows: Zeroizing::new(best.iter().map(Row::widen).collect()),
        }
    }

    /// The rows from top to bottom, each from left to right, `true` for a dark module.
    pub(crate) fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = bool>> {
        let width = self.width;
        self.rows
            .iter()
            .map(move |row| (0..width).map(|x| row.get(x)))
    }

    /// Modules per side.
    pub(crate) fn width(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use qrcode::QrCode;
    use qrcode::types::Color;

    use super::*;

    /// The crate's own slow choice is the oracle.
    fn is_the_crate_s(text: &str, level: ErrorCorrection, crate_level: EcLevel) {
        let theirs = QrCode::with_error_correction_level(text, crate_level);
        let ours = Symbol::encode(text, level);
        let Ok(theirs) = theirs else {
            assert!(ours.is_none());
            return;
        };
        let ours = ours.unwrap();
        assert_eq!(ours.width(), theirs.width());
        let theirs: Vec<bool> = theirs
            .into_colors()
            .iter()
            .map(|c| *c == Color::Dark)
            .collect();
        let ours: Vec<bool> = ours.rows().flatten().collect();
        assert!(ours == theirs, "{level:?}: {text}");
    }

    const LEVELS: [(ErrorCorrection, EcLevel); 4] = [
        (ErrorCorrection::L, EcLevel::L),
        (ErrorCorrection::M, EcLevel::M),
        (ErrorCorrection::Q, EcLevel::Q),
        (ErrorCorrection::H, EcLevel::H),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Short texts, such as most URIs are.
        #[test]
        fn symbols_are_the_crate_s(text in "[ -~]{0,200}", level in 0..4usize) {
            let (ours, theirs) = LEVELS[level];
            is_the_crate_s(&text, ours, theirs);
        }
    }

    /// Every version from 1 to 40 at every level, by texts of growing length.
    #[test]
    fn symbols_of_all_versions_are_the_crate_s() {
        for (ours, theirs) in LEVELS {
            let mut seen = std::collections::BTreeSet::new();
            for length in (0..3000).step_by(7) {
                let text: String = (0..length)
                    .map(|n: u32| {
                        char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 25) as u8 % 90)
                    })
                    .collect();
                let Some(symbol) = Symbol::encode(&text, ours) else {
                    is_the_crate_s(&text, ours, theirs);
                    break;
                };
                if seen.insert(symbol.width()) {
                    is_the_crate_s(&text, ours, theirs);
                }
            }
            assert_eq!(seen.len(), 40, "{ours:?}");
        }
    }
}
