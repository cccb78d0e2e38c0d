//! Taking over what other systems have left behind.

use serde::Serialize;
use zeroize::Zeroizing;

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
    /// The text is read again and again: to find how much will be written, then to write the entries, then what was
    /// refused. So the response takes no more memory than it needs, where lists that grow take up to four times that.
    pub(crate) fn import(&self, request: &str) -> Result<Response> {
        let mut request = request::read(request, &[&["format", "text", "username"]])?;
        let format = request.choice("format", FORMATS)?;
        let format = format.ok_or_else(|| request.missing("format"))?;
        let text = request.required_text("text")?;
        let username = request.text("username")?;
        let whose = match (format.needs_username(), &username) {
            (true, None) => return Err(request.missing("username")),
            (true, Some(name)) => bound_to(Some(name), None)
                .ok_or_else(|| request.wrong("username", "the name of whose file it is"))?,
            (false, Some(_)) => {
                let message = "request.username: must be absent, the text itself has the names";
                return Err(Error::bad_request(message));
            }
            (false, None) => "",
        };
        request.finish()?;

        let mut counted = Lists::new(Pass::Count, Wiped::with_capacity(1024));
        self.read_into(&mut counted, format, &text, whose)?;
        let around = BEGIN.len() + BETWEEN.len() + END.len();
        let room = counted.bytes + around + 1;

        let mut lists = Lists::new(Pass::Entries, Wiped::with_capacity(room));
        lists.json.extend_from_slice(BEGIN);
        self.read_into(&mut lists, format, &text, whose)?;
        lists.json.extend_from_slice(BETWEEN);
        if counted.refused > 0 {
            lists = Lists::new(Pass::Refused, lists.json);
            self.read_into(&mut lists, format, &text, whose)?;
        }
        lists.json.extend_from_slice(END);
        Ok(Response::written(lists.json))
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
                Ok((uri, entry)) if lists.pass != Pass::Refused => {
                    self.write_entry(lists, &entry, &uri)?;
                    lists.entries += 1;
                }
                Err(why) if lists.pass != Pass::Entries => {
                    lists.push(lists.refused == 0, &Refused { line, why })?;
                    lists.refused += 1;
                }
                _ => {}
            }
            if lists.entries + lists.refused > MOST {
                let message = format!("request.text: over {MOST} entries and refused lines");
                return Err(Error::new(Status::DataFormat, message));
            }
            Ok(())
        })
    }

    fn write_entry(&self, lists: &mut Lists, entry: &Entry, uri: &str) -> Result<()> {
        let username = entry.username();
        let mut warnings = entry.warnings();
        let sealed = match (&self.config.seal, bound_to(Some(username), None)) {
            (Some(keys), Some(_)) if lists.pass == Pass::Count => {
                lists.bytes += keys.sealed_length(uri.len());
                Some(Zeroizing::default())
            }
            (Some(keys), Some(bound_to)) => Some(keys.seal(uri, bound_to)?),
            (Some(_), None) => {
                warnings.push("sealed: missing, because it is sealed for a username".into());
                None
            }
            (None, _) => None,
        };
        let imported = Imported {
            username,
            issuer: entry.issuer(),
            totpsecret: uri,
            sealed: sealed.as_ref().map(|sealed| sealed.as_str()),
            warnings,
        };
        lists.push(lists.entries == 0, &imported)
    }
}

const BEGIN: &[u8] = b"{\"entries\":[";
const BETWEEN: &[u8] = b"],\"refused\":[";
const END: &[u8] = b"]}";

/// What is done with what is found.
#[derive(PartialEq, Eq)]
enum Pass {
    /// Nothing but to find how long it will be.
    Count,
    Entries,
    Refused,
}

/// Both lists of a response, of which one is written at a time.
struct Lists {
    pass: Pass,
    json: Wiped,
    /// The length of both, once they are counted.
    bytes: usize,
    entries: usize,
    refused: usize,
}

impl Lists {
    fn new(pass: Pass, json: Wiped) -> Self {
        Lists {
            pass,
            json,
            bytes: 0,
            entries: 0,
            refused: 0,
        }
    }

    fn push(&mut self, is_first: bool, element: &impl Serialize) -> Result<()> {
        if !is_first {
            self.json.push(b',');
        }
        let written = serde_json::to_writer(&mut self.json, element);
        written.map_err(|_| Error::internal("an entry could not be written as JSON"))?;
        if self.pass == Pass::Count {
            self.bytes += self.json.len();
            self.json.truncate(0);
        }
        Ok(())
    }
}
