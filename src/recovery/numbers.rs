//! Which codes of a set were used.

/// Numbers of recovery codes, 1 to 32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(u32);

impl Numbers {
    pub(crate) const NONE: Numbers = Numbers(0);

    /// From a record, where number 1 is the lowest bit.
    pub(crate) fn from_bits(bits: u32) -> Self {
        Numbers(bits)
    }

    pub(crate) fn to_bits(self) -> u32 {
        self.0
    }

    pub(crate) fn contains(self, number: u8) -> bool {
        self.0 >> (number - 1) & 1 == 1
    }

    pub(crate) fn with(self, number: u8) -> Self {
        Numbers(self.0 | 1 << (number - 1))
    }

    /// Those of either.
    pub(crate) fn and(self, others: Numbers) -> Self {
        Numbers(self.0 | others.0)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (1..=32).filter(move |number| self.contains(*number))
    }
}

impl FromIterator<u8> for Numbers {
    fn from_iter<T: IntoIterator<Item = u8>>(numbers: T) -> Self {
        let with = |all: Numbers, number| all.with(number);
        numbers.into_iter().fold(Numbers::NONE, with)
    }
}
