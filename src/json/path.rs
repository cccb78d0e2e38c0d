//! Members by their path.

use serde_json::value::RawValue;

use crate::json::members::read_members;
use crate::json::text::{Text, shown};

/// The value at `path`, names joined by dots, elements of arrays by number: where it begins in `json`, and
/// its text: a string's content, or anything else as it is written.
pub(crate) fn find<'a>(json: &'a str, path: &str) -> Option<(usize, Text<'a>)> {
    let value = path.split('.').try_fold(json, step)?;
    let place = value.as_ptr().addr() - json.as_ptr().addr();
    Some((place, shown(value)?))
}

/// The member or element of `value` with this name.
fn step<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    if value.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(value).ok()?;
        let number = name.bytes().all(|b| b.is_ascii_digit()).then_some(name)?;
        let element = elements.get(number.parse::<usize>().ok()?)?;
        return Some(element.get());
    }
    let members = read_members(value, "", true).ok()?;
    let member = members.into_iter().find(|member| &*member.name == name)?;
    Some(member.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_one_value() {
        let json = r#"{"a":{"b":[10,"x\u0041\n",{"c":null}],"":1},"a.b":2,"t":true}"#;
        for (path, found) in [
            ("a.b.0", Some("10")),
            ("a.b.1", Some("xA\n")),
            ("a.b.2", Some(r#"{"c":null}"#)),
            ("a.b.2.c", Some("null")),
            ("a.", Some("1")),
            ("t", Some("true")),
            ("", None),
            ("a.b.3", None),
            ("a.b.+1", None),
            ("a.b.", None),
            ("t.x", None),
            ("A", None),
        ] {
            assert_eq!(
                find(json, path).as_ref().map(|(_, text)| &**text),
                found,
                "{path}"
            );
        }
    }
}
