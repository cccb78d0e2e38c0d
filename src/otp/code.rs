//! What a person typed.

use zeroize::Zeroizing;

use crate::pasted::{digit, means_nothing};

/// A code that a person typed, as its value; how many digits it has is checked.
pub(crate) struct Code(Zeroizing<u32>);

impl Code {
    /// What no step has: to be looked for in the place of a text that is no code.
    pub(crate) fn none() -> Self {
        Code(Zeroizing::new(u32::MAX))
    }

    /// The number that its digits make; below 10^8.
    pub(crate) fn value(&self) -> u32 {
        *self.0
    }

    /// Blanks, dashes and what cannot be seen are dropped, and what remains must be exactly `digits`
    /// digits, 8 at most. Codes of one value and length are one code, however they are written.
    pub(crate) fn typed(text: &str, digits: u8) -> Option<Self> {
        let mut value = Zeroizing::new(0u32);
        let mut left = digits;
        for c in text.chars().filter(|&c| !means_nothing(c)) {
            left = left.checked_sub(1)?;
            *value = 10 * *value + digit(c)?;
        }
        (left == 0).then_some(Code(value))
    }
}
