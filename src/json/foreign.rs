//! JSON of other programs, which may have any members and any depth. Nothing is kept: each part is looked at where it
//! stands, so that a text of many MiB takes no memory, and no secret is copied.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Result;
use crate::json::text::shown;

/// Tells each member of an object, or each element of an array, which has no name, as it is written. If it is neither,
/// or not JSON to its end, the message says so; it never quotes the text. Else what `part` answered.
pub(crate) fn each_part<'t>(
    text: &'t str,
    part: &mut dyn FnMut(&str, &'t str) -> Result<()>,
) -> std::result::Result<Result<()>, String> {
    let mut parts = Parts {
        part,
        answer: Ok(()),
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_any(&mut parts);
    match read.and_then(|()| reader.end()) {
        Ok(()) => Ok(parts.answer),
        Err(error) if error.is_data() => Err("must be a JSON object or array".to_owned()),
        Err(error) => Err(format!("not valid JSON: {error}")),
    }
}

struct Parts<'p, 't> {
    part: &'p mut dyn FnMut(&str, &'t str) -> Result<()>,
    /// Once it is an error, nothing more is told.
    answer: Result<()>,
}

impl<'t> Parts<'_, 't> {
    fn tell(&mut self, name: &str, value: &'t RawValue) {
        if self.answer.is_ok() {
            self.answer = (self.part)(name, value.get());
        }
    }
}

impl<'t> Visitor<'t> for &mut Parts<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            // A name that is no text is not one that is looked for.
            if let Some(name) = shown(name.get()) {
                self.tell(&name, value);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        while let Some(value) = list.next_element::<&RawValue>()? {
            self.tell("", value);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn parts(text: &str) -> std::result::Result<Vec<(String, String)>, String> {
        let mut parts = Vec::new();
        let answer = each_part(text, &mut |name, value| {
            parts.push((name.to_owned(), value.to_owned()));
            Ok(())
        })?;
        answer.unwrap();
        Ok(parts)
    }

    #[test]
    fn every_part_is_told_as_it_is_written() {
        let own = |parts: &[(&str, &str)]| -> Vec<(String, String)> {
            let own = parts.iter();
            own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let told = parts(r#" {"\u0061": 1 , "a":[{"b" :2}], "":"x\n"} "#).unwrap();
        let expected = [("a", "1"), ("a", r#"[{"b" :2}]"#), ("", r#""x\n""#)];
        assert_eq!(told, own(&expected));
        assert_eq!(parts("[1,{}]").unwrap(), own(&[("", "1"), ("", "{}")]));
        assert_eq!(parts("{}").unwrap(), own(&[]));
        let deep = format!("[{}1{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parts(&deep).unwrap().len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        for text in ["\"canary\"", "7", "null"] {
            assert_eq!(parts(text).unwrap_err(), "must be a JSON object or array");
        }
        for text in [
            "",
            "{",
            "[1,2",
            "{}canary",
            "{canary:1}",
            "[canary]",
            r#"{"a":"canary"#,
        ] {
            let message = parts(text).unwrap_err();
            assert!(message.starts_with("not valid JSON: "), "{message}");
            assert!(!message.contains("canary"), "{message}");
        }
    }

    #[test]
    fn after_an_error_nothing_is_told() {
        let mut told = 0;
        let answer = each_part("[1,2,3]", &mut |_, _| {
            told += 1;
            Err(Error::internal("enough"))
        });
        assert_eq!(answer.unwrap().unwrap_err().message, "enough");
        assert_eq!(told, 1);
    }
}
