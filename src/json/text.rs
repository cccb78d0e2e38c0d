//! JSON strings: what stands between the quotes, and RFC 8259's escapes.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

/// A JSON string's content: a part of the text that was read or, where it had escapes, a copy that
/// is wiped when it goes.
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Unescaped(Zeroizing<String>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Unescaped(text) => text,
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.len())
    }
}

/// What stands between the quotes of a raw JSON string; `None` for any other raw value.
pub(super) fn string_content(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

/// A value as text: a string's content, anything else as it is written; `None` for a lone surrogate.
pub(crate) fn shown(raw: &str) -> Option<Text<'_>> {
    match string_content(raw) {
        Some(content) => unescape(content, true),
        None => Some(Text::Borrowed(raw)),
    }
}

pub(super) fn has_escapes(text: &str) -> bool {
    text.contains('\\')
}

/// RFC 8259 section 7; `None` for a lone surrogate. serde_json has checked the grammar already. Where
/// the text as a whole is not `escaped`, nothing is searched.
pub(super) fn unescape(content: &str, escaped: bool) -> Option<Text<'_>> {
    if !escaped || !has_escapes(content) {
        return Some(Text::Borrowed(content));
    }
    unescape_copy(content).map(Text::Unescaped)
}

fn unescape_copy(content: &str) -> Option<Zeroizing<String>> {
    // An escape is never shorter than what it stands for, so this never grows and leaves copies.
    let mut text = Zeroizing::new(String::with_capacity(content.len()));
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        text.push(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => unicode_escape(&mut chars)?,
            other => other,
        });
    }
    Some(text)
}

fn unicode_escape(chars: &mut std::str::Chars) -> Option<char> {
    let high = four_hex_digits(chars)?;
    if !(0xD800..0xDC00).contains(&high) {
        return char::from_u32(high);
    }
    if chars.next()? != '\\' || chars.next()? != 'u' {
        return None;
    }
    let low = four_hex_digits(chars)?;
    char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?])
        .next()?
        .ok()
}

fn four_hex_digits(chars: &mut std::str::Chars) -> Option<u32> {
    let mut value = 0u32;
    for _ in 0..4 {
        value = value << 4 | chars.next()?.to_digit(16)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// serde_json's own reading of a string is the oracle for ours.
    fn agrees_with_serde_json(literal: &str) {
        let ours = string_content(literal).and_then(|content| unescape(content, true));
        match serde_json::from_str::<String>(literal) {
            Ok(theirs) => assert_eq!(&*ours.unwrap(), theirs),
            Err(_) => assert!(ours.is_none(), "{literal}"),
        }
    }

    proptest! {
        #[test]
        fn strings_read_as_serde_json_reads_them(text: String) {
            let literal = serde_json::to_string(&text).unwrap();
            agrees_with_serde_json(&literal);
            let all_escaped: String = text.encode_utf16().map(|u| format!("\\u{u:04X}")).collect();
            agrees_with_serde_json(&format!("\"{all_escaped}\""));
        }

        #[test]
        fn any_utf16_units_read_as_serde_json_reads_them(units: Vec<u16>) {
            let all_escaped: String = units.iter().map(|u| format!("\\u{u:04x}")).collect();
            agrees_with_serde_json(&format!("\"{all_escaped}\""));
        }
    }

    #[test]
    fn escapes_that_stand_for_one_character() {
        agrees_with_serde_json(r#""\"\\\/\b\f\n\r\t\u0041\ud83d\udd10""#);
        agrees_with_serde_json(r#""\ud83d""#);
        agrees_with_serde_json(r#""\ud83dx\udd10""#);
        agrees_with_serde_json(r#""\udd10""#);
    }
}
