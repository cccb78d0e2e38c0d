//! What the guard remembers of a credential or a set of recovery codes, and how an administrator clears it.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::guard::{Guarded, Record, Subject};
use crate::recovery::RecoverySet;
use crate::request::{self, WHOSE, Whose};
use crate::response::Response;

impl Authenticator {
    /// `{"totpsecret","username"?,"bind"?}` or `{"recovery"}` -> the guard's record of it.
    pub(crate) fn inspect(&self, request: &str) -> Result<Response> {
        self.with_record(request, |guarded| guarded.inspect())
    }

    /// The same -> the record that is left when its wrong codes are forgotten.
    pub(crate) fn reset(&self, request: &str) -> Result<Response> {
        self.with_record(request, |guarded| guarded.reset())
    }

    fn with_record(
        &self,
        request: &str,
        ask: impl FnOnce(&Guarded) -> Result<Record>,
    ) -> Result<Response> {
        let mut request = request::read(request, &[&["totpsecret", "recovery"], WHOSE])?;
        let recovery = request.text("recovery")?;
        let secret = request.text("totpsecret")?;
        let whose = Whose::read(&mut request)?;
        match (secret, recovery) {
            (Some(secret), None) => {
                request.finish()?;
                let stored = self.open_secret(&secret, whose.bound_to())?;
                let subject = Subject::of(&stored);
                describe_credential(&ask(&self.guard.guarded(&subject)?)?)
            }
            (None, Some(recovery)) => {
                request.finish()?;
                let set = RecoverySet::read(&recovery)?;
                let subject = Subject::RecoverySet(set.id());
                describe_set(&set, &ask(&self.guard.guarded(&subject)?)?)
            }
            (None, None) => Err(request.missing("totpsecret")),
            (Some(_), Some(_)) => Err(Error::bad_request(
                "request: totpsecret or recovery, and not both",
            )),
        }
    }
}

/// What records of both kinds say.
#[derive(Serialize)]
struct Wrong {
    failures: u32,
    /// 0 when it was never locked.
    locked_until: u64,
    disabled: bool,
}

impl Wrong {
    fn of(record: &Record) -> Self {
        Wrong {
            failures: record.failures,
            locked_until: record.locked_until,
            disabled: record.disabled,
        }
    }
}

fn describe_credential(record: &Record) -> Result<Response> {
    #[derive(Serialize)]
    struct Body {
        /// null when no code was accepted yet.
        last_step: Option<u64>,
        #[serde(flatten)]
        wrong: Wrong,
    }
    Response::new(&Body {
        last_step: u64::try_from(record.last_step).ok(),
        wrong: Wrong::of(record),
    })
}

fn describe_set(set: &RecoverySet, record: &Record) -> Result<Response> {
    #[derive(Serialize)]
    struct Body {
        used: Vec<u8>,
        remaining: usize,
        #[serde(flatten)]
        wrong: Wrong,
    }
    Response::new(&Body {
        used: record.used.iter().collect(),
        remaining: set.remaining(record.used),
        wrong: Wrong::of(record),
    })
}
