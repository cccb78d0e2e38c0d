//! What messages say about a member that nobody asked for.

/// How they call it. Only what looks like a misspelt name is
/// repeated; a pasted secret or code never does.
pub(super) fn unknown(name: &str) -> String {
    let is_name = name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().any(|b| b.is_ascii_lowercase());
    if is_name {
        format!("unknown member \"{name}\"")
    } else {
        "a member with an unknown name".to_owned()
    }
}

/// Longer ones are not repeated.
const MAX_NAME_BYTES: usize = 24;

/// As many wrong, missing or additional letters still make a misspelling.
const MOST_SLIPS: usize = 2;

/// The one of `strangers` that may have been meant by `name`, and whether it is a likely misspelling.
pub(super) fn most_similar<'s>(
    strangers: impl Iterator<Item = &'s str>,
    name: &str,
) -> Option<(&'s str, bool)> {
    let distances = strangers.map(|stranger| (distance(stranger, name), stranger));
    let (distance, stranger) = distances.min_by_key(|(distance, _)| *distance)?;
    Some((stranger, distance <= MOST_SLIPS))
}

/// How many letters have to be changed, added or taken away to make one name of the other
/// (Levenshtein), capitals and underscores aside.
fn distance(one: &str, other: &str) -> usize {
    let letters = |name: &str| -> Vec<u8> {
        let letters = name.bytes().filter(|b| *b != b'_').take(MAX_NAME_BYTES);
        letters.map(|b| b.to_ascii_lowercase()).collect()
    };
    let other = letters(other);
    // The distances of what was read of the one so far to each beginning of the other.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for letter in letters(one) {
        let mut next = vec![row[0] + 1];
        for (at, theirs) in other.iter().enumerate() {
            let changed = row[at] + usize::from(letter != *theirs);
            let added_or_taken = row[at + 1].min(next[at]) + 1;
            next.push(changed.min(added_or_taken));
        }
        row = next;
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_two_names_is_counted_in_letters() {
        for (one, other, letters) in [
            ("issuer", "issuer", 0),
            ("Totp_Secret", "totpsecret", 0),
            ("isuer", "issuer", 1),
            ("issueer", "issuer", 1),
            ("izzuer", "issuer", 2),
            ("", "otp", 3),
            ("otp", "", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), letters, "{one} {other}");
        }
    }
}
