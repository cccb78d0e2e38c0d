//! The response of an operation: JSON, sometimes bytes beside it, all of it wiped when it goes.

use std::cell::RefCell;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::json;
use crate::wiped::Wiped;

/// What `factor2_response` is to the caller.
pub(crate) struct Response {
    /// UTF-8, followed by one NUL.
    json: Wiped,
    data: Option<Wiped>,
    /// What was asked for as text: where it stands in the JSON, and a copy with a NUL behind it.
    texts: RefCell<Vec<(usize, Wiped)>>,
}

impl Response {
    /// JSON alone.
    pub(crate) fn new(value: &impl Serialize) -> Result<Self> {
        Response::with_room(value, 256)
    }

    /// The same, for JSON that is expected to take this many bytes.
    pub(crate) fn with_room(value: &impl Serialize, bytes: usize) -> Result<Self> {
        let mut buffer = Wiped::with_capacity(bytes);
        write(&mut buffer, value)?;
        Ok(Response::written(buffer))
    }

    /// JSON that is written already. It has room for one byte more.
    pub(crate) fn written(mut json: Wiped) -> Self {
        json.push(0);
        Response {
            json,
            data: None,
            texts: RefCell::default(),
        }
    }

    /// The same, with bytes beside it.
    pub(crate) fn with_data(self, data: Wiped) -> Self {
        Response {
            data: Some(data),
            ..self
        }
    }

    /// Of an operation that failed.
    pub(crate) fn of_error(error: &Error) -> Result<Self> {
        // The names need no escapes. To look for some in them would take a good part of a refusal's time.
        let mut json = Wiped::with_capacity(256);
        json.extend_from_slice(b"{\"error\":{\"code\":\"");
        json.extend_from_slice(error.status.name().as_bytes());
        json.extend_from_slice(b"\",\"http_status\":");
        write(&mut json, &error.status.http())?;
        json.extend_from_slice(b",\"message\":");
        write(&mut json, &error.message)?;
        if let Some(seconds) = error.retry_after_s {
            json.extend_from_slice(b",\"retry_after_s\":");
            write(&mut json, &seconds)?;
        }
        json.extend_from_slice(b"}}");
        Ok(Response::written(json))
    }

    /// The JSON with the NUL that ends it.
    pub(crate) fn json_with_nul(&self) -> *const [u8] {
        &raw const *self.json
    }

    /// One member as text, with the NUL that ends it: a string as it is, anything else as JSON writes
    /// it. It lives as long as the response, although the list of all of them may move.
    pub(crate) fn text_with_nul(&self, path: &str) -> Option<*const [u8]> {
        let json = str::from_utf8(self.json.strip_suffix(b"\0")?).ok()?;
        let (place, text) = json::find(json, path)?;
        let mut texts = self.texts.borrow_mut();
        if let Some((_, text)) = texts.iter().find(|(at, _)| *at == place) {
            return Some(&raw const **text);
        }
        let mut copy = Wiped::with_capacity(text.len() + 1);
        copy.extend_from_slice(text.as_bytes());
        copy.push(0);
        let copied: *const [u8] = &raw const *copy;
        texts.push((place, copy));
        Some(copied)
    }

    /// The bytes beside the JSON.
    pub(crate) fn data(&self) -> Option<&[u8]> {
        self.data.as_deref()
    }
}

fn write(json: &mut Wiped, value: &impl Serialize) -> Result<()> {
    let written = serde_json::to_writer(json, value);
    written.map_err(|_| Error::internal("the response could not be written as JSON"))
}
