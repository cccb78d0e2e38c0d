//! What an operation answers: JSON, sometimes bytes beside it, all of it wiped when it goes.

use serde::Serialize;

use crate::error::{Failure, Result, Status};
use crate::wiped::Wiped;

/// An answer on its way to the caller.
pub(crate) struct Answer {
    /// UTF-8, followed by one NUL.
    json: Wiped,
    data: Option<Wiped>,
}

impl Answer {
    /// An answer of JSON alone.
    pub(crate) fn new(value: &impl Serialize) -> Result<Self> {
        Answer::with_room(value, 256)
    }

    /// An answer whose JSON is expected to take so many bytes.
    pub(crate) fn with_room(value: &impl Serialize, bytes: usize) -> Result<Self> {
        let mut buffer = Wiped::with_capacity(bytes);
        let written = serde_json::to_writer(&mut buffer, value);
        if written.is_err() {
            return Err(Failure::new(
                Status::UnknownError,
                "the answer could not be written as JSON",
            ));
        }
        buffer.push(0);
        Ok(Answer {
            json: buffer,
            data: None,
        })
    }

    /// The answer with bytes beside it.
    pub(crate) fn with_data(self, data: Wiped) -> Self {
        Answer {
            data: Some(data),
            ..self
        }
    }

    /// What a failed operation answers.
    pub(crate) fn of_failure(failure: &Failure) -> Result<Self> {
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
        Answer::new(&Body {
            error: Detail {
                code: failure.status.name(),
                http_status: failure.status.http(),
                message: &failure.message,
                retry_after_s: failure.retry_after_s,
            },
        })
    }

    /// The JSON with the NUL that ends it.
    pub(crate) fn json_with_nul(&self) -> &[u8] {
        &self.json
    }

    /// The bytes beside the JSON.
    pub(crate) fn data(&self) -> Option<&[u8]> {
        self.data.as_deref()
    }
}
