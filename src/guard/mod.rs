//! The guard: one code is accepted once, and guessing is throttled.
//!
//! `state.rs` has the rules and `record.rs` what is kept; the other files are the stores that keep the records: `none` (the
//! caller does), `memory` (one process), `sqlite` (one machine), `redis` (a fleet). A store that
//! cannot answer for certain refuses; there is no switch to let users in without it.

// Each store left out leaves something unused.
#![cfg_attr(
    not(all(feature = "sqlite", feature = "redis")),
    allow(dead_code, unused_imports)
)]

mod credential;
mod deadline;
mod memory;
#[cfg(any(feature = "sqlite", feature = "redis"))]
mod queue;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod several;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;

use std::fmt;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::status::Status;
use credential::Credential;
pub(crate) use credential::Subject;
use deadline::Deadline;
use record::Retry;
pub(crate) use record::{Record, RetryKey};
pub(crate) use settings::GuardSettings;
pub(crate) use several::{Candidate, judge_several};
pub(crate) use state::{Attempt, Match, Policy, Verdict};

/// A place that keeps the records of credentials, and changes one at a time.
pub(crate) trait Store: Send + Sync {
    /// What the store calls the record of this.
    fn credential(&self, subject: &Subject) -> Result<Credential> {
        Credential::of(subject)
    }

    /// Judges an attempt and keeps the changed record, as one step that nobody comes between.
    fn judge(
        &self,
        credential: &Credential,
        attempt: Attempt,
        policy: &Policy,
        deadline: Deadline,
    ) -> Result<Verdict>;

    /// The record as it is.
    fn inspect(&self, credential: &Credential, deadline: Deadline) -> Result<Record>;

    /// Forgets the wrong codes, and gives the record that is left.
    fn reset(&self, credential: &Credential, deadline: Deadline) -> Result<Record>;
}

/// A store with the policy that it applies.
pub(crate) struct Guard {
    settings: GuardSettings,
    /// None when the caller keeps the records.
    store: Option<Box<dyn Store>>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.settings).finish()
    }
}

/// What a description says of a guard.
#[derive(Serialize)]
pub(crate) struct GuardDescription {
    store: &'static str,
    /// Who shares the records: the process, the machine, the fleet, or nobody but the caller.
    scope: &'static str,
    #[serde(flatten)]
    policy: Option<Policy>,
}

impl Guard {
    pub(crate) fn open(settings: GuardSettings) -> Result<Self> {
        let store = settings.open_store()?;
        Ok(Guard { settings, store })
    }

    pub(crate) fn describe(&self) -> GuardDescription {
        let (store, scope) = self.settings.store_and_scope();
        GuardDescription {
            store,
            scope,
            policy: self.store.is_some().then_some(self.settings.policy),
        }
    }

    /// Whether it is not the caller who keeps the records.
    pub(crate) fn keeps_records(&self) -> bool {
        self.store.is_some()
    }

    /// Whether accepted requests may be repeated.
    pub(crate) fn repeats(&self) -> bool {
        self.settings.policy.retry.is_some()
    }

    /// The record of this, for a call that begins now.
    pub(crate) fn guarded(&self, subject: &Subject) -> Result<Guarded<'_>> {
        let kept = match self.store.as_deref() {
            Some(store) => Some(Kept {
                store,
                credential: store.credential(subject)?,
                deadline: self.settings.deadline(),
            }),
            None => None,
        };
        Ok(Guarded {
            policy: &self.settings.policy,
            kept,
        })
    }
}

/// A credential, or a set of recovery codes, with the record that its guard keeps.
pub(crate) struct Guarded<'a> {
    policy: &'a Policy,
    /// None when the caller keeps the record.
    kept: Option<Kept<'a>>,
}

/// Who keeps a record, under which name, and when the answer must be there.
struct Kept<'a> {
    store: &'a dyn Store,
    credential: Credential,
    deadline: Deadline,
}

impl Guarded<'_> {
    /// Judges a code.
    pub(crate) fn judge(&self, attempt: Attempt) -> Result<Verdict> {
        match &self.kept {
            None => {
                let mut record = Record::NEW;
                Ok(record.judge(&attempt, self.policy))
            }
            Some(kept) => {
                let Kept {
                    store,
                    credential,
                    deadline,
                } = kept;
                store.judge(credential, attempt, self.policy, *deadline)
            }
        }
    }

    /// The record as it is.
    pub(crate) fn inspect(&self) -> Result<Record> {
        let kept = self.kept()?;
        kept.store.inspect(&kept.credential, kept.deadline)
    }

    /// Forgets the wrong codes, and gives the record that is left.
    pub(crate) fn reset(&self) -> Result<Record> {
        let kept = self.kept()?;
        kept.store.reset(&kept.credential, kept.deadline)
    }

    /// The record, new when the caller keeps it.
    pub(crate) fn record(&self) -> Result<Record> {
        match &self.kept {
            None => Ok(Record::NEW),
            Some(_) => self.inspect(),
        }
    }

    fn name(&self) -> Option<&Credential> {
        self.kept.as_ref().map(|kept| &kept.credential)
    }

    fn kept(&self) -> Result<&Kept<'_>> {
        self.kept.as_ref().ok_or_else(|| {
            Error::configuration("config.guard.store: with \"none\" you keep the state yourself")
        })
    }
}

/// The refusal of every store that cannot answer.
pub(crate) fn store_unavailable(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Status::StoreUnavailable, message)
}
