//! Why a question has no answer, in words.
//!
//! They end up in messages: never a server's own, nor an address.

use std::{error, fmt, io};

use super::resp::ErrorReply;
use super::script::SCRIPT;
use super::url::Address;
use crate::error::Error;
use crate::guard::store_unavailable;

/// Why there is no answer.
pub(super) enum CallError {
    /// The script did not run, and may next time.
    NotRun(String),
    /// It may have run.
    AnswerLost(String),
    /// Asking again would not help.
    Final(String),
    /// The record is at another node; for this question only, or from now on.
    Redirected { to: Address, once: bool },
}

pub(super) const NONSENSE: &str = "gave an answer that is none";

pub(super) fn unavailable(error: &str) -> Error {
    store_unavailable(format!("the guard's store \"redis\" {error}"))
}

impl CallError {
    pub(super) fn nonsense() -> CallError {
        CallError::Final(NONSENSE.to_owned())
    }

    /// No connection, so nothing was asked.
    pub(super) fn connecting(error: &io::Error) -> CallError {
        match Reason::of(error) {
            Some(reason) => CallError::Final(format!("cannot be reached: {reason}")),
            None => CallError::NotRun(format!("cannot be reached: {}", error.kind())),
        }
    }

    /// A connection, but not yet for the script.
    pub(super) fn logging_in(error: &io::Error) -> CallError {
        match CallError::asking(error) {
            CallError::AnswerLost(reason) => CallError::NotRun(reason),
            other => other,
        }
    }

    pub(super) fn asking(error: &io::Error) -> CallError {
        match error.kind() {
            _ if Reason::of(error).is_some() => CallError::connecting(error),
            io::ErrorKind::InvalidData => CallError::nonsense(),
            io::ErrorKind::TimedOut => CallError::AnswerLost("did not answer in time".to_owned()),
            kind => CallError::AnswerLost(format!("did not answer: {kind}")),
        }
    }

    /// The error that the server at `address` answered with.
    pub(super) fn reported(error: &ErrorReply, address: &Address, to: &str) -> CallError {
        let (code, details) = (error.code.as_str(), error.details.as_str());
        match code {
            "MOVED" | "ASK" => match redirect(details, address) {
                Some(to) => CallError::Redirected {
                    to,
                    once: code == "ASK",
                },
                None => CallError::nonsense(),
            },
            "ERR" if details.starts_with("max number of clients") => {
                CallError::NotRun("answered \"max number of clients reached\"".to_owned())
            }
            // All of these may pass, and none of them comes after a write.
            "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MISCONF" | "NOREPLICAS"
            | "OOM" | "READONLY" | "TRYAGAIN" => {
                CallError::NotRun(format!("answered {code} to {to}"))
            }
            "FOREIGN" | "WRONGTYPE" => CallError::Final(
                "has a record of another program, or of a newer version of this one".to_owned(),
            ),
            _ if code == "NOPERM" || is_refused_in_script(details) => {
                let right = right_that_lacks(details).unwrap_or("a right");
                CallError::Final(format!("answered NOPERM to {to}: its user lacks {right}"))
            }
            _ if code.len() <= 24 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                CallError::Final(format!("answered {code} to {to}"))
            }
            _ => CallError::Final(format!("answered an error to {to}")),
        }
    }

    /// The same, with a word on who it was that was asked.
    pub(super) fn of(self, who: &str) -> CallError {
        match self {
            CallError::NotRun(reason) => CallError::NotRun(format!("{reason} ({who})")),
            CallError::AnswerLost(reason) => CallError::AnswerLost(format!("{reason} ({who})")),
            CallError::Final(reason) => CallError::Final(format!("{reason} ({who})")),
            redirected @ CallError::Redirected { .. } => redirected,
        }
    }
}

/// Reads `slot host:port`; without a host, it is the one that said so.
fn redirect(details: &str, asked: &Address) -> Option<Address> {
    let (_, place) = details.split_once(' ')?;
    let (host, port) = place.rsplit_once(':')?;
    let host = match (host, asked) {
        ("", Address::Tcp(host, _)) => host,
        ("" | "?", _) => return None,
        (host, _) => host,
    };
    Some(Address::Tcp(host.to_owned(), port.parse().ok()?))
}

/// Servers report what a command within the script may not do as an error like any other.
fn is_refused_in_script(details: &str) -> bool {
    details.starts_with("The user executing the script")
        || details.starts_with("ACL failure in script")
}

/// What must be added to the user's rights.
fn right_that_lacks(details: &str) -> Option<&'static str> {
    const RIGHTS: [&str; 9] = [
        "+asking",
        "+cluster",
        "+eval",
        "+evalsha",
        "+get",
        "+select",
        "+sentinel",
        "+set",
        "+time",
    ];
    if details.contains("key") {
        return Some("~prefix*");
    }
    // Some versions name the line only.
    let line = details.split_once("user_script:").and_then(|(_, number)| {
        let end = number.find(|c: char| !c.is_ascii_digit());
        let number: usize = number.get(..end.unwrap_or(number.len()))?.parse().ok()?;
        SCRIPT.lines().nth(number.checked_sub(1)?)
    });
    let text = line.unwrap_or(details);
    let (_, command) = text.split_once('\'')?;
    let (command, _) = command.split_once(['\'', '|'])?;
    let mut rights = RIGHTS.into_iter();
    rights.find(|right| right.trim_start_matches('+').eq_ignore_ascii_case(command))
}

/// An error whose text may be shown, and which trying again would not change.
#[derive(Debug)]
pub(super) struct Reason(String);

impl Reason {
    pub(super) fn error(text: impl Into<String>) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Reason(text.into()))
    }

    fn of(error: &io::Error) -> Option<&Reason> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Reason {}
