//! Huffman codes as deflate has them, RFC 1951 section 3.2.2.

/// How many symbols of literals and lengths there are, RFC 1951 section 3.2.5.
pub(super) const SYMBOLS: usize = 286;

/// A code for up to `SYMBOLS` symbols. A symbol that does not occur has no bits.
pub(super) struct Code {
    words: [Word; SYMBOLS],
}

/// The bits of a symbol, the first one lowest, and their number.
#[derive(Clone, Copy, Default)]
pub(super) struct Word {
    pub(super) bits: u16,
    pub(super) length: u8,
}

impl Code {
    /// The best code for symbols that occur this often, none longer than `limit` bits.
    pub(super) fn for_counts(counts: &[u32], limit: u8) -> Self {
        let mut leaves = [(0, 0u16); SYMBOLS];
        let mut used = 0usize;
        let occurring = counts.iter().zip(0..).filter(|(count, _)| **count > 0);
        for (leaf, (count, symbol)) in leaves.iter_mut().zip(occurring) {
            *leaf = (*count, symbol);
            used = used.saturating_add(1);
        }
        let leaves = leaves.get_mut(..used).unwrap_or_default();
        leaves.sort_unstable();
        loop {
            let lengths = lengths(leaves);
            let of_leaves = || lengths.iter().copied().take(used);
            if of_leaves().all(|length| length <= limit) {
                let symbols = leaves.iter().map(|&(_, symbol)| usize::from(symbol));
                return Code::with_lengths(symbols.zip(of_leaves()));
            }
            // Flatter counts make a flatter tree.
            for (count, _) in leaves.iter_mut() {
                *count = count.div_ceil(2);
            }
        }
    }

    /// The canonical code for the lengths of symbols.
    fn with_lengths(lengths: impl Iterator<Item = (usize, u8)>) -> Self {
        let mut words = [Word::default(); SYMBOLS];
        let mut have_length = [0u16; 16];
        for (symbol, length) in lengths {
            if let Some(word) = words.get_mut(symbol) {
                word.length = length;
            }
            if let Some(count) = have_length.get_mut(usize::from(length)) {
                *count = count.wrapping_add(1);
            }
        }
        let mut next = [0u16; 16];
        let mut first = 0u16;
        for (next, count) in next.iter_mut().skip(1).zip(have_length.iter().skip(1)) {
            first = first.wrapping_shl(1);
            *next = first;
            first = first.wrapping_add(*count);
        }
        for word in words.iter_mut().filter(|word| word.length > 0) {
            if let Some(next) = next.get_mut(usize::from(word.length)) {
                let unused = 16u32.saturating_sub(word.length.into());
                word.bits = next.reverse_bits().wrapping_shr(unused);
                *next = next.wrapping_add(1);
            }
        }
        Code { words }
    }

    pub(super) fn word(&self, symbol: usize) -> Word {
        self.words.get(symbol).copied().unwrap_or_default()
    }

    /// How many bits each symbol has.
    pub(super) fn lengths(&self) -> impl Iterator<Item = u8> {
        self.words.iter().map(|word| word.length)
    }
}

/// How deep each leaf is in the tree of leaves that are sorted by count; at least 1. Those of the
/// leaves come first.
fn lengths(leaves: &[(u32, u16)]) -> [u8; 2 * SYMBOLS] {
    // Sums of two come into being in ascending order, so the smallest node is always the next leaf
    // or the next sum.
    let mut sums = [u32::MAX; SYMBOLS];
    // Leaves first, then sums: the number of the sum that each goes into.
    let mut parents = [0u16; 2 * SYMBOLS];
    let (mut leaf, mut sum) = (0usize, 0usize);
    let inner = leaves.len().saturating_sub(1);
    for made in 0..inner {
        let mut total = 0u32;
        for _ in 0..2 {
            let next_leaf = leaves.get(leaf).map(|leaf| leaf.0);
            let next_sum = sums.get(sum).copied().unwrap_or(u32::MAX);
            let (node, count) = match next_leaf {
                Some(count) if count <= next_sum => {
                    leaf = leaf.saturating_add(1);
                    (leaf.saturating_sub(1), count)
                }
                _ => {
                    sum = sum.saturating_add(1);
                    (leaves.len().saturating_add(sum).saturating_sub(1), next_sum)
                }
            };
            total = total.saturating_add(count);
            if let Some(parent) = parents.get_mut(node) {
                *parent = u16::try_from(leaves.len().saturating_add(made)).unwrap_or(0);
            }
        }
        if let Some(sum) = sums.get_mut(made) {
            *sum = total;
        }
    }
    let mut depths = [0u8; 2 * SYMBOLS];
    let root = leaves.len().saturating_add(inner).saturating_sub(1);
    for node in (0..root).rev() {
        let parent = parents.get(node).copied().unwrap_or(0);
        let depth = depths
            .get(usize::from(parent))
            .map_or(0, |depth| depth.saturating_add(1));
        if let Some(place) = depths.get_mut(node) {
            *place = depth;
        }
    }
    if let ([_], [depth, ..]) = (leaves, &mut depths) {
        *depth = 1; // a single leaf is the root, and gets one bit all the same
    }
    depths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Complete and free of ambiguity (Kraft's sum is 1), and as short as a tree that is built
        /// the plain way makes it.
        #[test]
        fn codes_are_complete_and_the_best(
            counts in proptest::collection::vec(prop_oneof![Just(0u32), 50..5000u32], 2..SYMBOLS),
        ) {
            let used = counts.iter().filter(|count| **count > 0).count();
            prop_assume!(used > 1);
            let code = Code::for_counts(&counts, 15);
            let kraft: u32 = code.lengths().filter(|&length| length > 0).map(|l| 1 << (15 - l)).sum();
            prop_assert_eq!(kraft, 1 << 15);
            let cost: u64 = counts
                .iter()
                .zip(code.lengths())
                .map(|(&count, length)| u64::from(count) * u64::from(length))
                .sum();
            let mut heap: Vec<u64> = counts.iter().filter(|c| **c > 0).map(|&c| c.into()).collect();
            let mut best = 0;
            while heap.len() > 1 {
                heap.sort_unstable_by(|a, b| b.cmp(a));
                let sum = heap.pop().unwrap() + heap.pop().unwrap();
                best += sum;
                heap.push(sum);
            }
            prop_assert_eq!(cost, best);
        }

        #[test]
        fn no_word_is_longer_than_the_limit(exponents in proptest::collection::vec(0..31u32, 2..19)) {
            let counts: Vec<u32> = exponents.iter().map(|e| 1 << e).collect();
            let code = Code::for_counts(&counts, 7);
            prop_assert!(code.lengths().all(|length| length <= 7));
            let kraft: u32 = code.lengths().filter(|&length| length > 0).map(|l| 1 << (7 - l)).sum();
            prop_assert_eq!(kraft, 1 << 7);
        }
    }
}
