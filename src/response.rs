//! The response of an operation: JSON, sometimes bytes beside it, all of it wiped when it goes.

use std::cell::RefCell;
use std::io;

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
        let mut buffer = Growing(Wiped::with_capacity(bytes));
        let written = serde_json::to_writer(&mut buffer, value);
        if written.is_err() || io::Write::write_all(&mut buffer, b"\0").is_err() {
            let message = "the response could not be written as JSON";
            return Err(Error::internal(message));
        }
        Ok(Response {
            json: buffer.0,
            data: None,
            texts: RefCell::default(),
        })
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
        #[derive(Serialize)]
        struct Body<'a> {
            error: Detail<'a>,
        }
        #[derive(Serialize)]
        struct Detail<'a> {
            code: &'a str,
            http_status: i32,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            retry_after_s: Option<u64>,
        }
        Response::new(&Body {
            error: Detail {
                code: error.status.name(),
                http_status: error.status.http(),
                message: &error.message,
                retry_after_s: error.retry_after_s,
            },
        })
    }

    /// The JSON with the NUL that ends it.
    pub(crate) fn json_with_nul(&self) -> *const [u8] {
        self.json.as_slice()
    }

    /// One member as text, with the NUL that ends it: a string as it is, anything else as JSON writes
    /// it. It lives as long as the response, although the list of all of them may move.
    pub(crate) fn text_with_nul(&self, path: &str) -> Option<*const [u8]> {
        let json = str::from_utf8(self.json.strip_suffix(b"\0")?).ok()?;
        let (place, text) = json::find(json, path)?;
        let mut texts = self.texts.borrow_mut();
        if let Some((_, text)) = texts.iter().find(|(at, _)| *at == place) {
            return Some(text.as_slice());
        }
        let mut copy = Wiped::with_capacity(text.len() + 1);
        copy.extend_from_slice(text.as_bytes());
        copy.push(0);
        let copied: *const [u8] = copy.as_slice();
        texts.push((place, copy));
        Some(copied)
    }

    /// The bytes beside the JSON.
    pub(crate) fn data(&self) -> Option<&[u8]> {
        self.data.as_ref().map(|data| data.as_slice())
    }
}

/// A buffer that wipes what it leaves behind when it grows.
struct Growing(Wiped);

impl Growing {
    #[cold]
    fn grow(&mut self, more: usize) {
        let needed = self.0.len().saturating_add(more);
        let room = needed.max(self.0.capacity().saturating_mul(2));
        let mut larger = Wiped::with_capacity(room);
        larger.extend_from_slice(&self.0);
        self.0 = larger;
    }
}

impl io::Write for Growing {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.0.capacity().saturating_sub(self.0.len());
        if bytes.len() > room {
            self.grow(bytes.len());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).map(|_| ())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
