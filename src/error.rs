//! The error that every fallible step inside the library ends in.

use std::borrow::Cow;

use crate::status::Status;

/// Why an operation did not succeed. The message never holds a secret, a code, or any other value
/// that the caller passed.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) status: Status,
    pub(crate) message: Cow<'static, str>,
    /// After how many seconds another attempt is evaluated.
    pub(crate) retry_after_s: Option<u64>,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<Cow<'static, str>>) -> Self {
        Error {
            status,
            message: message.into(),
            retry_after_s: None,
        }
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Status::BadRequest, message)
    }

    /// What cannot happen.
    pub(crate) fn internal(message: &'static str) -> Self {
        Error::new(Status::UnknownError, message)
    }

    pub(crate) fn no_randomness() -> Self {
        let message = "the operating system gave no randomness";
        Error::new(Status::RandomUnavailable, message)
    }

    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Status::Configuration, message)
    }
}

/// The result of every fallible step inside the library.
pub(crate) type Result<T> = std::result::Result<T, Error>;
