//! Names: the issuer's, and the account's as an app shows it.

use std::borrow::Cow;

use crate::pasted::{is_direction, is_zero_width};

/// Longest issuer and account, in bytes of UTF-8.
pub(crate) const MAX_BYTES: usize = 255;

/// What an issuer must be, if it is not.
pub(crate) fn check_issuer(name: &str) -> Result<(), Cow<'static, str>> {
    if name.contains(':') {
        return Err("without a colon, which separates issuer and account in the URI".into());
    }
    check_account(name)
}

/// What the account of a new secret must be, if it is not. The blanks around it are gone.
pub(crate) fn check_account(name: &str) -> Result<(), Cow<'static, str>> {
    if name.len() > MAX_BYTES {
        return Err("1 to 255 bytes long".into());
    }
    let mut kinds = name.chars().map(kind_of_unseen).zip(1u32..);
    if let Some((Some(kind), place)) = kinds.find(|(kind, _)| kind.is_some()) {
        return Err(format!("without {kind}: character {place} is one").into());
    }
    if name.chars().all(is_blank) {
        return Err("1 to 255 bytes long, and not blank".into());
    }
    Ok(())
}

/// What apps may make of the account of a secret that exists: its user must not be locked out by it.
pub(crate) fn warnings(account: &str) -> Vec<Cow<'static, str>> {
    let mut warnings = Vec::new();
    if let Err(expected) = check_account(account) {
        warnings.push(format!("username: should be {expected}").into());
    }
    if account.contains(':') {
        let colon = "username: its colon is written %3A in the URI; some apps cut the name there";
        warnings.push(colon.into());
    }
    warnings
}

/// What messages call characters that nobody sees, though a log or another reader may act on them.
fn kind_of_unseen(c: char) -> Option<&'static str> {
    // Line and paragraph separators end a line as control characters do.
    if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
        Some("control characters")
    } else if is_zero_width(c) {
        Some("zero-width characters")
    } else if is_direction(c) {
        Some("characters that change the direction of writing")
    } else {
        None
    }
}

/// Whether nothing is drawn: blanks, fillers, and marks that only change what they follow.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0100}'..='\u{E01EF}')
}
