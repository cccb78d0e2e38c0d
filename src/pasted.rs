//! What people type and paste: which characters between those that count are there for the eye alone,
//! and in how many ways a digit is written.

/// Whether `c` may stand anywhere in a code or a secret and means nothing: blanks, dashes, and what
/// cannot be seen. Phones, password managers and web pages put them in.
pub(crate) fn means_nothing(c: char) -> bool {
    c.is_whitespace()
        || c == '-'
        || (!c.is_ascii() && (is_dash(c) || is_zero_width(c) || is_direction(c)))
}

/// Unicode's category Pd without ASCII's hyphen, and the minus sign.
fn is_dash(c: char) -> bool {
    matches!(c,
        '\u{58A}' | '\u{5BE}' | '\u{1400}' | '\u{1806}' | '\u{2010}'..='\u{2015}' | '\u{2212}'
        | '\u{2E17}' | '\u{2E1A}' | '\u{2E3A}'..='\u{2E3B}' | '\u{2E40}' | '\u{2E5D}' | '\u{301C}'
        | '\u{3030}' | '\u{30A0}' | '\u{FE31}'..='\u{FE32}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
        | '\u{10D6E}' | '\u{10EAD}')
}

/// Format characters that take no room, but for those of [`is_direction`].
pub(crate) fn is_zero_width(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{180E}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}'
        | '\u{206A}'..='\u{206F}' | '\u{FEFF}' | '\u{E0001}' | '\u{E0020}'..='\u{E007F}')
}

/// Format characters that change the direction of writing: Unicode's property Bidi_Control.
pub(crate) fn is_direction(c: char) -> bool {
    matches!(c,
        '\u{61C}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The value of a decimal digit of ASCII, full-width, Arabic-Indic, Persian or Devanagari: what
/// keyboards of phones type.
pub(crate) fn digit(c: char) -> Option<u32> {
    const ZEROS: [char; 5] = ['0', '\u{FF10}', '\u{660}', '\u{6F0}', '\u{966}'];
    ZEROS.iter().find_map(|&zero| {
        let value = u32::from(c).checked_sub(u32::from(zero));
        value.filter(|&value| value <= 9)
    })
}
