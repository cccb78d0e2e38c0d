//! What a database is asked about a record.

use crate::error::{Error, Result};
use crate::guard::{Attempt, Credential, Policy, Record, Verdict};

#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) credential: Credential,
    pub(super) what: What,
}

#[derive(Clone, Copy)]
pub(super) enum What {
    Judge(Attempt, Policy),
    Inspect,
    Reset,
}

pub(super) enum Answer {
    Verdict(Verdict),
    Record(Record),
}

impl Answer {
    pub(super) fn record(self) -> Result<Record> {
        match self {
            Answer::Record(record) => Ok(record),
            Answer::Verdict(_) => Err(Error::internal("a record was asked for")),
        }
    }

    pub(super) fn verdict(self) -> Result<Verdict> {
        match self {
            Answer::Verdict(verdict) => Ok(verdict),
            Answer::Record(_) => Err(Error::internal("a verdict was asked for")),
        }
    }
}

impl Question {
    /// Answers it, and changes the record accordingly.
    pub(super) fn answer(&self, record: &mut Record) -> Answer {
        match &self.what {
            What::Judge(attempt, policy) => Answer::Verdict(record.judge(attempt, policy)),
            What::Inspect => Answer::Record(*record),
            What::Reset => {
                record.reset();
                Answer::Record(*record)
            }
        }
    }
}
