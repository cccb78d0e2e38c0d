//! The one strict JSON reader, for settings, requests and session data.
//!
//! C callers build JSON with `snprintf`, so nothing is forgiven: duplicate members at any depth,
//! unknown members, trailing bytes, nesting deeper than [`MAX_DEPTH`], lone surrogates, and numbers
//! such as `1.0` or `1e1` where an integer is asked for.
//!
//! serde_json checks the grammar and cuts the text into raw values; strings are then borrowed from
//! it, or unescaped into memory that is wiped. So no secret stays behind in a parser's buffer.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;
use std::ops::{Deref, RangeInclusive};
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// Objects and arrays may nest this deep, the outermost object counted.
const MAX_DEPTH: usize = 8;

/// Why a text was refused. Neither kind quotes the text.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is not one JSON object under the rules above.
    Text(String),
    /// It is, but a member is missing, unknown, mistyped or out of range.
    Member(String),
}

impl Fault {
    pub(crate) fn into_message(self) -> String {
        match self {
            Fault::Text(message) | Fault::Member(message) => message,
        }
    }
}

type Result<T> = std::result::Result<T, Fault>;

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

/// A JSON object whose members are taken one by one; [`Object::finish`] refuses what is left.
///
/// It has no `Debug`: the values are secrets and codes.
pub(crate) struct Object<'a> {
    path: Cow<'static, str>,
    /// Whether the text has any escape at all.
    escaped: bool,
    members: Vec<Member<'a>>,
    /// The names that its members may have; none where others are simply ignored.
    known: &'static [&'static str],
}

struct Member<'a> {
    name: Text<'a>,
    value: &'a str,
}

impl<'a> Object<'a> {
    /// Reads `text`, which must be one JSON object and nothing else. `path` names it in messages.
    pub(crate) fn read(text: &'a str, path: &'static str) -> Result<Self> {
        let escaped = has_escapes(text);
        let members = read_members(text, path, escaped)?;
        for member in &members {
            if escaped || member.value.starts_with(['{', '[']) {
                check_nested(member.value, path, 2)?;
            }
        }
        Ok(Object {
            path: Cow::Borrowed(path),
            escaped,
            members,
            known: &[],
        })
    }

    /// The same, with a list of all names that will be asked for. Without it, a message about a
    /// missing member cannot tell the unknown ones from those that nobody has asked for yet.
    pub(crate) fn knowing(mut self, names: &'static [&'static str]) -> Self {
        self.known = names;
        self
    }

    /// Reads `text` by the same rules, but it may also be an array or a string: `None`, for they have
    /// no members.
    pub(crate) fn read_if_any(text: &'a str, path: &'static str) -> Result<Option<Self>> {
        if !text.trim_ascii_start().starts_with(['[', '"']) {
            return Object::read(text, path).map(Some);
        }
        let value: &RawValue =
            serde_json::from_str(text).map_err(|error| not_an_object(path, text, &error))?;
        check_nested(value.get(), path, 1)?;
        Ok(None)
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        debug_assert!(
            self.known.is_empty() || self.known.contains(&name),
            "{name} is not in the list of names"
        );
        let index = self.members.iter().position(|m| &*m.name == name)?;
        Some(self.members.swap_remove(index).value)
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// What a message says when the member `name` is not what it must be.
    pub(crate) fn wrong(&self, name: &str, expected: &str) -> Fault {
        Fault::Member(format!("{}: must be {expected}", self.path_of(name)))
    }

    /// What a message says when the member `name` is not there: also which one may have been meant.
    pub(crate) fn missing(&self, name: &str) -> Fault {
        let instead = self.instead_of(name);
        Fault::Member(format!("{}: missing{instead}", self.path_of(name)))
    }

    /// The end of a message about the missing member `name`: an unknown one that is there, the most
    /// similar of them. Where all names are allowed, it must be a misspelling.
    pub(crate) fn instead_of(&self, name: &str) -> String {
        let strangers = self.members.iter().map(|member| &*member.name);
        let strangers = strangers.filter(|stranger| !self.known.contains(stranger));
        let distances = strangers.map(|stranger| (distance(stranger, name), stranger));
        match distances.min_by_key(|(distance, _)| *distance) {
            Some((distance, stranger)) if !self.known.is_empty() || distance <= FEW_SLIPS => {
                format!("; {}", unknown(stranger))
            }
            _ => String::new(),
        }
    }

    /// A string, or `None` when the member is not there.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<Text<'a>>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match string_content(value) {
            Some(content) => unescape(content, &self.path, self.escaped).map(Some),
            None => Err(self.wrong(name, "a string")),
        }
    }

    /// A string or, if the member is `null`, the text `instead`, which takes as long to read; and
    /// whether it was. `None` when the member is not there.
    pub(crate) fn text_or_null(
        &mut self,
        name: &str,
        instead: &'static str,
    ) -> Result<Option<(Text<'a>, bool)>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        if value == "null" {
            // Byte by byte, as serde_json looks for the end of a string.
            let plain = |byte: u8| !matches!(black_box(byte), 0..b' ' | b'"' | b'\\');
            return match instead.bytes().all(plain) {
                true => Ok(Some((Text::Borrowed(instead), true))),
                false => Err(self.wrong(name, "a string")),
            };
        }
        match string_content(value) {
            Some(content) => {
                let text = unescape(content, &self.path, self.escaped)?;
                Ok(Some((text, false)))
            }
            None => Err(self.wrong(name, "a string or null")),
        }
    }

    /// A string that must be there.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<Text<'a>> {
        match self.text(name)? {
            Some(text) => Ok(text),
            None => Err(self.missing(name)),
        }
    }

    /// Whether the member is there, and an array.
    #[cfg(feature = "redis")]
    pub(crate) fn is_array(&self, name: &str) -> bool {
        let mut members = self.members.iter();
        members.any(|m| &*m.name == name && m.value.starts_with('['))
    }

    /// A string, or an array of strings, or `None` when the member is not there.
    #[cfg(feature = "redis")]
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<Text<'a>>>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let elements = if value.starts_with('[') {
            let elements: Vec<&RawValue> = serde_json::from_str(value)
                .map_err(|error| not_an_object(&self.path, value, &error))?;
            elements.into_iter().map(RawValue::get).collect()
        } else {
            vec![value]
        };
        let texts = elements.into_iter().map(|element| {
            let content = string_content(element)
                .ok_or_else(|| self.wrong(name, "a string, or an array of strings"))?;
            unescape(content, &self.path, self.escaped)
        });
        texts.collect::<Result<_>>().map(Some)
    }

    /// An integer within `range`, or `None` when the member is not there.
    pub(crate) fn integer<T: FromStr + PartialOrd + fmt::Display>(
        &mut self,
        name: &str,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let expected = format!("an integer from {} to {}", range.start(), range.end());
                Err(self.wrong(name, &expected))
            }
        }
    }

    /// `true` or `false`, or `None` when the member is not there.
    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>> {
        match self.take(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// An object, or `None` when the member is not there.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Object<'a>>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        if !value.starts_with('{') {
            return Err(self.wrong(name, "an object"));
        }
        let path = self.path_of(name);
        let members = read_members(value, &path, self.escaped)?;
        Ok(Some(Object {
            path: Cow::Owned(path),
            escaped: self.escaped,
            members,
            known: &[],
        }))
    }

    /// What holds data or could, or `None` when the member is not there.
    pub(crate) fn data(&mut self, name: &str) -> Result<Option<Data<'a>>> {
        let value = self.members.iter().find(|m| &*m.name == name);
        match value.map(|m| m.value) {
            None => Ok(None),
            Some("null") => {
                self.take(name);
                Ok(Some(Data::Null))
            }
            Some(value) if value.starts_with('[') => {
                self.take(name);
                Ok(Some(Data::Array))
            }
            Some(value) if value.starts_with('{') => Ok(self.object(name)?.map(Data::Object)),
            Some(value) if value.starts_with('"') => Ok(self.text(name)?.map(Data::Text)),
            Some(_) => Err(self.wrong(name, "a string or an object")),
        }
    }

    /// Drops the members with these names, whatever they hold.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.members.retain(|m| !names.contains(&&*m.name));
    }

    /// Refuses every member that was not taken. Objects whose other members do not matter are
    /// simply dropped instead.
    pub(crate) fn finish(self) -> Result<()> {
        match self.members.first() {
            None => Ok(()),
            Some(member) => {
                let unknown = unknown(&member.name);
                Err(Fault::Member(format!("{}: {unknown}", self.path)))
            }
        }
    }
}

/// How messages call a member that nobody asked for. Only what looks like a misspelt name is
/// repeated; a pasted secret or code never does.
fn unknown(name: &str) -> String {
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

/// So many wrong, missing or additional letters make a misspelling.
const FEW_SLIPS: usize = 2;

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
        let mut before = row.iter().copied();
        let mut corner = before.next().unwrap_or(0);
        let mut left = corner.saturating_add(1);
        let mut next = vec![left];
        for (above, theirs) in before.zip(&other) {
            let changed = corner.saturating_add(usize::from(letter != *theirs));
            left = changed.min(above.min(left).saturating_add(1));
            next.push(left);
            corner = above;
        }
        row = next;
    }
    row.pop().unwrap_or(0)
}

/// What [`Object::data`] found.
pub(crate) enum Data<'a> {
    Null,
    Text(Text<'a>),
    /// Of whatever: an array has no members.
    Array,
    Object(Object<'a>),
}

fn read_members<'a>(text: &'a str, path: &str, escaped: bool) -> Result<Vec<Member<'a>>> {
    let Members(mut members) =
        serde_json::from_str(text).map_err(|error| not_an_object(path, text, &error))?;
    for member in &mut members {
        if let Text::Borrowed(raw) = member.name {
            let content = string_content(raw);
            let content = content.ok_or_else(|| member_without_a_name(path))?;
            member.name = unescape(content, path, escaped)?;
        }
    }
    if any_name_twice(&members) {
        return Err(Fault::Text(format!("{path}: a member is given twice")));
    }
    Ok(members)
}

fn member_without_a_name(path: &str) -> Fault {
    Fault::Text(format!("{path}: a member without a name"))
}

fn any_name_twice(members: &[Member]) -> bool {
    /// Up to so many, it is quicker to compare each with each.
    const FEW: usize = 8;
    if members.len() <= FEW {
        let mut rest = members.iter();
        while let Some(member) = rest.next() {
            if rest
                .as_slice()
                .iter()
                .any(|other| *other.name == *member.name)
            {
                return true;
            }
        }
        return false;
    }
    let mut names: Vec<&str> = members.iter().map(|m| &*m.name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

/// serde_json's own messages name a position and never quote the text; but for a value of another
/// type they may, so that case is told apart first.
fn not_an_object(path: &str, text: &str, error: &serde_json::Error) -> Fault {
    Fault::Text(if error.is_data() {
        format!("{path}: must be a JSON object")
    } else if text.trim_ascii().is_empty() {
        format!("{path}: empty, must be a JSON object")
    } else {
        format!("{path}: not valid JSON: {error}")
    })
}

/// Applies the rules to a value that may never be looked at: they hold everywhere in the text.
fn check_nested(value: &str, path: &str, depth: usize) -> Result<()> {
    let is_object = value.starts_with('{');
    if !is_object && !value.starts_with('[') {
        if let Some(content) = string_content(value) {
            unescape(content, path, true)?;
        }
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(Fault::Text(format!(
            "{path}: nested deeper than {MAX_DEPTH} levels"
        )));
    }
    let deeper = depth.saturating_add(1);
    if is_object {
        for member in read_members(value, path, true)? {
            check_nested(member.value, path, deeper)?;
        }
    } else {
        let elements: Vec<&RawValue> =
            serde_json::from_str(value).map_err(|error| not_an_object(path, value, &error))?;
        for element in elements {
            check_nested(element.get(), path, deeper)?;
        }
    }
    Ok(())
}

/// What stands between the quotes of a raw JSON string; `None` for any other raw value.
fn string_content(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

fn has_escapes(text: &str) -> bool {
    text.contains('\\')
}

/// RFC 8259 section 7, with lone surrogates refused. serde_json has checked the grammar already. Where
/// the text as a whole is not `escaped`, nothing is searched.
fn unescape<'a>(content: &'a str, path: &str, escaped: bool) -> Result<Text<'a>> {
    if !escaped || !has_escapes(content) {
        return Ok(Text::Borrowed(content));
    }
    unescape_copy(content)
        .map(Text::Unescaped)
        .ok_or_else(|| Fault::Text(format!("{path}: a \\u escape is not a Unicode character")))
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

/// An object's members in order, duplicates included; the names still raw.
struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(4);
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push(Member {
                        name: Text::Borrowed(name.get()),
                        value: value.get(),
                    });
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// serde_json's own reading of a string is the oracle for ours.
    fn agrees_with_serde_json(literal: &str) {
        let ours = string_content(literal).map(|content| unescape(content, "test", true));
        match serde_json::from_str::<String>(literal) {
            Ok(theirs) => assert_eq!(&*ours.unwrap().unwrap(), theirs),
            Err(_) => assert!(matches!(ours, None | Some(Err(_))), "{literal}"),
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

    #[test]
    fn escapes_that_stand_for_one_character() {
        agrees_with_serde_json(r#""\"\\\/\b\f\n\r\t\u0041\ud83d\udd10""#);
        agrees_with_serde_json(r#""\ud83d""#);
        agrees_with_serde_json(r#""\ud83dx\udd10""#);
        agrees_with_serde_json(r#""\udd10""#);
    }
}
