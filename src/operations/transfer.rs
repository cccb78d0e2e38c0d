//! Taking over what other systems have left behind.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::request::{self, Warnings, bound_to};
use crate::response::Response;
use crate::status::Status;
use crate::transfer::{Entry, FORMATS, Format, Why};
use crate::wiped::Wiped;

/// As many entries and refusals are answered. No text that may be sent has more entries, and one with more refusals
/// is of another format: its answer would take many times the text's memory.
const MOST: usize = 1 << 20;

#[derive(Serialize)]
struct Imported<'a> {
    username: &'a str,
    issuer: &'a str,
    totpsecret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Warnings,
}

#[derive(Serialize)]
struct Refused {
    line: usize,
    why: Why,
}

impl Authenticator {
    /// `{"format","text","username"?}` -> `{"entries":[...],"refused":[...]}`.
    ///
    /// The text is read twice: to find how much will be written, and to write it. So the response takes no more than
    /// it needs, where one that grows takes up to three times that.
    pub(crate) fn import(&self, request: &str) -> Result<Response> {
        let mut request = request::read(request, &[&["format", "text", "username"]])?;
        let format = request.choice("format", FORMATS)?;
        let format = format.ok_or_else(|| request.missing("format"))?;
        let text = request.required_text("text")?;
        let username = request.text("username")?;
        let whose = bound_to(username.as_deref(), None);
        match whose {
            None if format.needs_username() => {
                let expected = "the name of the user whose file it is";
                return Err(request.wrong("username", expected));
            }
            _ if username.is_some() && !format.needs_username() => {
                let message = "request.username: must be absent, the text itself has the names";
                return Err(Error::bad_request(message));
            }
            _ => {}
        }
        request.finish()?;
        let whose = whose.unwrap_or_default();

        let mut counted = Lists::default();
        self.read_into(&mut counted, format, &text, whose)?;
        let mut written = Lists::with_room(&counted);
        self.read_into(&mut written, format, &text, whose)?;
        Ok(Response::written(written.joined()))
    }

    fn read_into(
        &self,
        lists: &mut Lists,
        format: Format,
        text: &str,
        username: &str,
    ) -> Result<()> {
        format.read(text, username, &mut |line, entry| {
            let taken = entry.and_then(|entry| Ok((entry.uri()?, entry)));
            match taken {
                Ok((uri, entry)) => self.write_entry(lists, &entry, &uri),
                Err(why) => lists.refused.push(&Refused { line, why }),
            }?;
            match lists.entries.count + lists.refused.count {
                ..=MOST => Ok(()),
                _ => {
                    let message = format!("request.text: over {MOST} entries and refused lines");
                    Err(Error::new(Status::DataFormat, message))
                }
            }
        })
    }

    fn write_entry(&self, lists: &mut Lists, entry: &Entry, uri: &str) -> Result<()> {
        let username = entry.username();
        let mut warnings = entry.warnings();
        let sealed = match (&self.config.seal, bound_to(Some(username), None)) {
            (Some(keys), Some(bound_to)) if lists.entries.keeps => Some(keys.seal(uri, bound_to)?),
            (Some(keys), Some(_)) => {
                lists.entries.bytes += keys.sealed_length(uri.len());
                Some("".to_owned().into())
            }
            (Some(_), None) => {
                warnings.push("sealed: missing, because it is sealed for a username".into());
                None
            }
            (None, _) => None,
        };
        lists.entries.push(&Imported {
            username,
            issuer: entry.issuer(),
            totpsecret: uri,
            sealed: sealed.as_ref().map(|sealed| sealed.as_str()),
            warnings,
        })
    }
}

/// Both lists of a response.
#[derive(Default)]
struct Lists {
    entries: List,
    refused: List,
}

const BEGIN: &[u8] = b"{\"entries\":[";
const BETWEEN: &[u8] = b"],\"refused\":[";
const END: &[u8] = b"]}";

impl Lists {
    /// Two that are written, and need no more room than was counted.
    fn with_room(counted: &Lists) -> Self {
        let around = BEGIN.len() + BETWEEN.len() + END.len() + 1;
        let (entries, refused) = (counted.entries.bytes, counted.refused.bytes);
        let mut lists = Lists {
            entries: List::with_room(entries + refused + around),
            refused: List::with_room(refused),
        };
        lists.entries.json.extend_from_slice(BEGIN);
        lists
    }

    fn joined(self) -> Wiped {
        let mut json = self.entries.json;
        json.extend_from_slice(BETWEEN);
        json.extend_from_slice(&self.refused.json);
        json.extend_from_slice(END);
        json
    }
}

/// The elements of a JSON array, or how long they would be.
#[derive(Default)]
struct List {
    json: Wiped,
    count: usize,
    bytes: usize,
    /// Whether they are kept and not only counted.
    keeps: bool,
}

impl List {
    fn with_room(bytes: usize) -> Self {
        List {
            json: Wiped::with_capacity(bytes),
            keeps: true,
            ..List::default()
        }
    }

    fn push(&mut self, element: &impl Serialize) -> Result<()> {
        if self.count > 0 {
            self.json.push(b',');
        }
        let written = serde_json::to_writer(&mut self.json, element);
        written.map_err(|_| Error::internal("an entry could not be written as JSON"))?;
        self.count += 1;
        if !self.keeps {
            self.bytes += self.json.len();
            self.json.truncate(0);
        }
        Ok(())
    }
}
