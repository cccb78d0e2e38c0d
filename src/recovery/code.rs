//! One recovery code: 120 bits, which people read, print and type.

use zeroize::Zeroizing;

use crate::pasted::means_nothing;

/// Without 0 and O, 1 and I, which look alike.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const SYMBOLS: usize = 24;
const BITS_PER_SYMBOL: usize = 5;
const SYMBOLS_PER_GROUP: usize = 4;
pub(super) const BYTES: usize = SYMBOLS * BITS_PER_SYMBOL / 8;

/// A code's bytes.
pub(crate) struct RecoveryCode(Zeroizing<[u8; BYTES]>);

impl RecoveryCode {
    pub(super) fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        RecoveryCode(Zeroizing::new(*bytes))
    }

    /// To be looked for in the place of a text that is no code.
    pub(crate) fn none() -> Self {
        RecoveryCode(Zeroizing::new([0; BYTES]))
    }

    pub(super) fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Case, blanks, dashes and what cannot be seen do not matter. Nothing is taken for another symbol.
    pub(crate) fn typed(text: &str) -> Option<Self> {
        let mut value = Zeroizing::new(0u128);
        let mut left = SYMBOLS;
        for c in text.chars().filter(|&c| !means_nothing(c)) {
            left = left.checked_sub(1)?;
            let symbol = u8::try_from(c.to_ascii_uppercase()).ok()?;
            let bits = ALPHABET
                .iter()
                .zip(0u128..)
                .find(|(known, _)| **known == symbol);
            *value = *value << BITS_PER_SYMBOL | bits?.1;
        }
        let [_, bytes @ ..] = value.to_be_bytes();
        (left == 0).then(|| RecoveryCode::from_bytes(&bytes))
    }

    /// `ABCD-EFGH-JKLM-NPQR-STUV-WXYZ`
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let mut padded = Zeroizing::new([0; 16]);
        padded[1..].copy_from_slice(self.as_bytes());
        let value = Zeroizing::new(u128::from_be_bytes(*padded));
        let mut text = Zeroizing::new(String::with_capacity(SYMBOLS + SYMBOLS / SYMBOLS_PER_GROUP));
        for place in 0..SYMBOLS {
            if place > 0 && place % SYMBOLS_PER_GROUP == 0 {
                text.push('-');
            }
            let later = BITS_PER_SYMBOL * (SYMBOLS - 1 - place);
            let bits = *value >> later & 31;
            text.push(char::from(ALPHABET[bits as usize]));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_written(bytes: [u8; BYTES], lower: bool, between in "[- \u{2013}\u{200B}]{0,2}") {
            let text = RecoveryCode::from_bytes(&bytes).to_text();
            prop_assert_eq!(text.len(), 29);
            let text = if lower { text.to_lowercase() } else { text.to_string() };
            let typed = RecoveryCode::typed(&text.replace('-', &between)).unwrap();
            prop_assert_eq!(typed.as_bytes(), &bytes);
            let behind = text.get(1..).unwrap();
            for c in ['0', 'O', '1', 'i', '\u{130}', '\u{FF12}', '.', '2'] {
                let wrong = format!("{text}{c}");
                prop_assert!(RecoveryCode::typed(&wrong).is_none());
                let wrong = format!("{c}{behind}");
                prop_assert_eq!(RecoveryCode::typed(&wrong).is_some(), c == '2');
            }
            prop_assert!(RecoveryCode::typed(behind).is_none());
        }
    }
}
