//! Objects whose members are taken one by one.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;
use std::mem;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::json::members::{Member, check_nested, lone_surrogate, not_an_object, read_members};
use crate::json::names::{most_similar, unknown};
use crate::json::text::{Text, has_escapes, string_content, unescape};
use crate::status::Status;

/// A JSON object whose members are taken one by one; [`Object::finish`] refuses what is left.
///
/// It has no `Debug`: the values are secrets and codes.
pub(crate) struct Object<'a> {
    path: Cow<'static, str>,
    /// Whether the text has any escape at all.
    escaped: bool,
    members: Vec<Member<'a>>,
    /// The names that its members may have, in groups; none where others are simply ignored.
    known: Names,
    statuses: Statuses,
}

/// Groups of names of members.
pub(crate) type Names = &'static [&'static [&'static str]];

/// What a refusal answers with.
#[derive(Clone, Copy)]
pub(crate) struct Statuses {
    /// When the text is not one JSON object under the rules of this room.
    pub(crate) text: Status,
    /// When it is, but a member is missing, unknown, mistyped or out of range.
    pub(crate) member: Status,
}

impl Statuses {
    /// The same in both cases.
    pub(crate) const fn all(status: Status) -> Self {
        Statuses {
            text: status,
            member: status,
        }
    }
}

impl<'a> Object<'a> {
    /// Reads `text`, which must be one JSON object and nothing else. `path` names it in messages.
    pub(crate) fn read(text: &'a str, path: &'static str, statuses: Statuses) -> Result<Self> {
        let escaped = has_escapes(text);
        let read = || {
            let members = read_members(text, path, escaped)?;
            for member in &members {
                if escaped || member.value.starts_with(['{', '[']) {
                    check_nested(member.value, path, 2)?;
                }
            }
            Ok(members)
        };
        Ok(Object {
            path: Cow::Borrowed(path),
            escaped,
            members: read().map_err(|message: String| Error::new(statuses.text, message))?,
            known: &[],
            statuses,
        })
    }

    /// The same, with the names of all members that will be asked for. Without them, a message about a
    /// missing member cannot tell the unknown ones from those that nobody has asked for yet.
    pub(crate) fn knowing(mut self, names: Names) -> Self {
        self.known = names;
        self
    }

    /// The same, with other statuses for its members.
    pub(crate) fn answering(mut self, statuses: Statuses) -> Self {
        self.statuses = statuses;
        self
    }

    /// Reads `text` by the same rules, but it may also be an array or a string: `None`, because they have
    /// no members.
    pub(crate) fn read_if_any(
        text: &'a str,
        path: &'static str,
        statuses: Statuses,
    ) -> Result<Option<Self>> {
        if !text.trim_ascii_start().starts_with(['[', '"']) {
            return Object::read(text, path, statuses).map(Some);
        }
        let checked = serde_json::from_str::<&RawValue>(text)
            .map_err(|error| not_an_object(path, text, &error))
            .and_then(|value| check_nested(value.get(), path, 1));
        match checked {
            Ok(()) => Ok(None),
            Err(message) => Err(Error::new(statuses.text, message)),
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.known.iter().any(|group| group.contains(&name))
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        debug_assert!(
            self.known.is_empty() || self.knows(name),
            "{name} is not in the list of names"
        );
        let index = self.members.iter().position(|m| &*m.name == name)?;
        Some(self.members.swap_remove(index).value)
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// The refusal of the member `name`, which is not what it must be.
    pub(crate) fn wrong(&self, name: &str, expected: &str) -> Error {
        let path = self.path_of(name);
        Error::new(self.statuses.member, format!("{path}: must be {expected}"))
    }

    /// The refusal when the member `name` is not there: it also names the one that may have been meant.
    pub(crate) fn missing(&self, name: &str) -> Error {
        let (path, instead) = (self.path_of(name), self.instead_of(name));
        Error::new(self.statuses.member, format!("{path}: missing{instead}"))
    }

    /// The end of a message about the missing member `name`: an unknown one that is there, the most
    /// similar of them. Where all names are allowed, it must be a misspelling.
    pub(crate) fn instead_of(&self, name: &str) -> String {
        let names = self.members.iter().map(|member| &*member.name);
        let strangers = names.filter(|stranger| !self.knows(stranger));
        match most_similar(strangers, name) {
            Some((stranger, misspelled)) if misspelled || !self.known.is_empty() => {
                format!("; {}", unknown(stranger))
            }
            _ => String::new(),
        }
    }

    fn unescape(&self, content: &'a str) -> Result<Text<'a>> {
        unescape(content, self.escaped)
            .ok_or_else(|| Error::new(self.statuses.text, lone_surrogate(&self.path)))
    }

    /// A string, or `None` when the member is not there.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<Text<'a>>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match string_content(value) {
            Some(content) => self.unescape(content).map(Some),
            None => Err(self.wrong(name, "a string")),
        }
    }

    /// A string or, if the member is `null`, the text `instead`, which takes as long to read; and
    /// whether it was. `None` when the member is not there.
    pub(crate) fn text_or_null(
        &mut self,
        name: &str,
        instead: &'a str,
        expected: &str,
    ) -> Result<Option<(Text<'a>, bool)>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        if value == "null" {
            // One byte after the other, as serde_json looks for the end of a string, which takes three quarters
            // of the time for each.
            let mut bytes = black_box(instead.as_bytes()).iter().skip(instead.len() / 4);
            return match bytes.any(|&byte| byte == b'"' || byte == b'\\' || byte < b' ') {
                true => Err(self.wrong(name, "a string")),
                false => Ok(Some((self.unescape(instead)?, true))),
            };
        }
        match string_content(value) {
            Some(content) => Ok(Some((self.unescape(content)?, false))),
            None => Err(self.wrong(name, expected)),
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
    pub(crate) fn is_array(&self, name: &str) -> bool {
        let mut members = self.members.iter();
        members.any(|m| &*m.name == name && m.value.starts_with('['))
    }

    /// A string, or an array of strings, or `None` when the member is not there.
    pub(crate) fn texts(&mut self, name: &str, expected: &str) -> Result<Option<Vec<Text<'a>>>> {
        let Some(elements) = self.elements(name)? else {
            return Ok(None);
        };
        let texts = elements.into_iter().map(|element| {
            let content = string_content(element).ok_or_else(|| self.wrong(name, expected))?;
            self.unescape(content)
        });
        texts.collect::<Result<_>>().map(Some)
    }

    /// An integer within `range`, or an array of such, or `None` when the member is not there.
    pub(crate) fn integers<T: FromStr + PartialOrd + fmt::Display>(
        &mut self,
        name: &str,
        range: RangeInclusive<T>,
    ) -> Result<Option<Vec<T>>> {
        let Some(elements) = self.elements(name)? else {
            return Ok(None);
        };
        let numbers = elements.into_iter().map(|element| {
            in_range(element, &range).ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                let expected = format!("integers from {least} to {most}");
                self.wrong(name, &expected)
            })
        });
        numbers.collect::<Result<_>>().map(Some)
    }

    /// The elements of an array, or the value itself if it is none.
    fn elements(&mut self, name: &str) -> Result<Option<Vec<&'a str>>> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        if !value.starts_with('[') {
            return Ok(Some(vec![value]));
        }
        let elements: Vec<&RawValue> = serde_json::from_str(value).map_err(|error| {
            let message = not_an_object(&self.path, value, &error);
            Error::new(self.statuses.text, message)
        })?;
        Ok(Some(elements.into_iter().map(RawValue::get).collect()))
    }

    /// All members, which must be strings, whatever their names are.
    pub(crate) fn texts_by_name(mut self) -> Result<Vec<(Text<'a>, Text<'a>)>> {
        let members = mem::take(&mut self.members).into_iter();
        let texts = members.map(|member| match string_content(member.value) {
            Some(content) => Ok((member.name, self.unescape(content)?)),
            None => {
                let message = format!("{}: must have strings alone", self.path);
                Err(Error::new(self.statuses.member, message))
            }
        });
        texts.collect()
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
        match in_range(value, &range) {
            Some(number) => Ok(Some(number)),
            None => {
                let expected = format!("an integer from {} to {}", range.start(), range.end());
                Err(self.wrong(name, &expected))
            }
        }
    }

    /// `true` or `false`, or `None` when the member is not there.
    #[cfg(feature = "sqlite")]
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
        let members = read_members(value, &path, self.escaped)
            .map_err(|message| Error::new(self.statuses.text, message))?;
        Ok(Some(Object {
            path: Cow::Owned(path),
            escaped: self.escaped,
            members,
            known: &[],
            statuses: self.statuses,
        }))
    }

    /// One of a few words, or `None` when the member is not there.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == &*text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(self.wrong(name, &format!("one of {}", known.join(", "))))
            }
        }
    }

    /// An object that must be there.
    pub(crate) fn required_object(&mut self, name: &str) -> Result<Object<'a>> {
        match self.object(name)? {
            Some(object) => Ok(object),
            None => Err(self.missing(name)),
        }
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
                let message = format!("{}: {}", self.path, unknown(&member.name));
                Err(Error::new(self.statuses.member, message))
            }
        }
    }
}

fn in_range<T: FromStr + PartialOrd>(text: &str, range: &RangeInclusive<T>) -> Option<T> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// What [`Object::data`] found.
pub(crate) enum Data<'a> {
    Null,
    Text(Text<'a>),
    /// Of whatever: an array has no members.
    Array,
    Object(Object<'a>),
}
