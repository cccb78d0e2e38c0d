//! The refusals that codes of both kinds can meet.

use crate::error::{Error, Result};
use crate::guard::Verdict;
use crate::json::Object;
use crate::status::Status;

/// What a refusal says, where it depends on what was tried.
pub(super) struct Texts {
    pub(super) wrong: &'static str,
    pub(super) reused: &'static str,
    pub(super) disabled: &'static str,
}

/// The error of a verdict that lets nobody in. An accepted one without a step or number cannot be, and would be
/// a wrong code.
pub(super) fn refused(verdict: Verdict, texts: &Texts) -> Error {
    let (status, message, retry_after_s) = match verdict {
        Verdict::Reused { .. } => (Status::TokenReused, texts.reused, None),
        Verdict::Throttled(wait) => {
            let message =
                "too many wrong codes: this one was not looked at, wait retry_after_s seconds";
            (Status::Throttled, message, Some(wait))
        }
        Verdict::Disabled => (Status::Disabled, texts.disabled, None),
        Verdict::WrongAndLocked(wait) => (Status::InvalidToken, texts.wrong, Some(wait)),
        Verdict::Wrong | Verdict::Accepted { .. } | Verdict::Repeated { .. } => {
            (Status::InvalidToken, texts.wrong, None)
        }
    };
    Error {
        retry_after_s,
        ..Error::new(status, message)
    }
}

/// crossauth takes a missing secret or code for a wrong one, so it never means "no second factor".
pub(super) fn given<T>(request: &Object, name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error {
        status: Status::InvalidToken,
        ..request.missing(name)
    })
}
