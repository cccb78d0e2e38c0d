//! The members of an object, and the rules that hold for all that it holds.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::text::{Text, string_content, unescape};

/// Objects and arrays may nest this deep, the outermost object counted.
const MAX_DEPTH: usize = 8;

/// Or what is wrong with the text. It never quotes the text.
type Result<T> = std::result::Result<T, String>;

pub(super) struct Member<'a> {
    pub(super) name: Text<'a>,
    /// As it stands in the text.
    pub(super) value: &'a str,
}

/// Reads one object. No name may be there twice.
pub(super) fn read_members<'a>(
    text: &'a str,
    path: &str,
    escaped: bool,
) -> Result<Vec<Member<'a>>> {
    let Members(mut members) =
        serde_json::from_str(text).map_err(|error| not_an_object(path, text, &error))?;
    for member in &mut members {
        if let Text::Borrowed(raw) = member.name {
            let Some(content) = string_content(raw) else {
                return Err(format!("{path}: a member without a name"));
            };
            member.name = unescape(content, escaped).ok_or_else(|| lone_surrogate(path))?;
        }
    }
    if any_name_twice(&members) {
        return Err(format!("{path}: a member is given twice"));
    }
    Ok(members)
}

pub(super) fn lone_surrogate(path: &str) -> String {
    format!("{path}: a \\u escape is not a Unicode character")
}

fn any_name_twice(members: &[Member]) -> bool {
    /// Up to this many, it is quicker to compare each with each.
    const FEW: usize = 8;
    if members.len() <= FEW {
        let mut later = (1..members.len()).map(|at| (&members[at - 1].name, &members[at..]));
        return later.any(|(name, later)| later.iter().any(|other| *other.name == **name));
    }
    let mut names: Vec<&str> = members.iter().map(|m| &*m.name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// serde_json's own messages name a position and never quote the text; but for a value of another
/// type they may, so that case is told apart first.
pub(super) fn not_an_object(path: &str, text: &str, error: &serde_json::Error) -> String {
    if error.is_data() {
        format!("{path}: must be a JSON object")
    } else if text.trim_ascii().is_empty() {
        format!("{path}: empty, must be a JSON object")
    } else {
        format!("{path}: not valid JSON: {error}")
    }
}

/// Applies the rules to a value that may never be looked at: they hold everywhere in the text.
pub(super) fn check_nested(value: &str, path: &str, depth: usize) -> Result<()> {
    let is_object = value.starts_with('{');
    if !is_object && !value.starts_with('[') {
        return match string_content(value).map(|content| unescape(content, true)) {
            Some(None) => Err(lone_surrogate(path)),
            _ => Ok(()),
        };
    }
    if depth > MAX_DEPTH {
        return Err(format!("{path}: nested deeper than {MAX_DEPTH} levels"));
    }
    if is_object {
        for member in read_members(value, path, true)? {
            check_nested(member.value, path, depth + 1)?;
        }
    } else {
        let elements: Vec<&RawValue> =
            serde_json::from_str(value).map_err(|error| not_an_object(path, value, &error))?;
        for element in elements {
            check_nested(element.get(), path, depth + 1)?;
        }
    }
    Ok(())
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
