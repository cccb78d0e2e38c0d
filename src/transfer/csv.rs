//! Comma-separated values, a record a line, RFC 4180; a quoted field that goes on in the next line is refused.

use zeroize::Zeroizing;

use crate::json::Text;
use crate::transfer::Why;

/// The fields of a line, without the blanks around them. Only one with quotes in its quotes is copied.
pub(super) fn fields(line: &str) -> Result<Vec<Text<'_>>, Why> {
    let mut fields = Vec::with_capacity(8);
    let mut rest = Some(line);
    while let Some(text) = rest {
        let text = text.trim_start();
        if let Some(quoted) = text.strip_prefix('"') {
            let (field, behind) = at_closing_quote(quoted).ok_or("CSV: a quote is not closed")?;
            let behind = behind.trim_start();
            rest = behind.strip_prefix(',');
            if rest.is_none() && !behind.is_empty() {
                return Err("CSV: no comma behind a closing quote".into());
            }
            fields.push(unquoted(field));
        } else {
            let (field, behind) = text
                .split_once(',')
                .map_or((text, None), |(f, r)| (f, Some(r)));
            rest = behind;
            fields.push(Text::Borrowed(field.trim_end()));
        }
    }
    Ok(fields)
}

/// What is before the quote that ends a field, and what is behind it. Two quotes stand for one.
fn at_closing_quote(quoted: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let at = from + quoted.get(from..)?.find('"')?;
        let behind = quoted.get(at + 1..)?;
        if !behind.starts_with('"') {
            return Some((quoted.get(..at)?, behind));
        }
        from = at + 2;
    }
}

fn unquoted(field: &str) -> Text<'_> {
    if !field.contains('"') {
        return Text::Borrowed(field.trim());
    }
    let mut text = Zeroizing::new(String::with_capacity(field.len()));
    for (at, part) in field.trim().split("\"\"").enumerate() {
        if at > 0 {
            text.push('"');
        }
        text.push_str(part);
    }
    Text::Unescaped(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_what_is_between_commas() {
        for (line, expected) in [
            ("", &[""] as &[&str]),
            ("a", &["a"]),
            (" a , b,,c ", &["a", "b", "", "c"]),
            (",", &["", ""]),
            (r#""a,b", "c" ,d"#, &["a,b", "c", "d"]),
            (r#""say ""hi""","""#, &["say \"hi\"", ""]),
            (r#""""""#, &["\""]),
            (r#"a"b,c"#, &["a\"b", "c"]),
            (r#""a","#, &["a", ""]),
        ] {
            let fields: Vec<_> = fields(line).unwrap_or_default();
            let fields: Vec<&str> = fields.iter().map(|field| &**field).collect();
            let closed = line.matches('"').count() % 2 == 0 || line.starts_with('a');
            assert_eq!(fields, if closed { expected } else { &[] }, "{line}");
        }
        for line in [r#"""#, r#""a"#, r#"a,"b"#, r#""a"b"#, r#""a"""#] {
            assert!(fields(line).is_err(), "{line}");
        }
    }
}
