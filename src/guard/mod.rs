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
#[cfg(any(feature = "sqlite", feature = "redis"))]
mod deadline;
mod memory;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;

use std::fmt;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::status::Status;
use credential::Credential;
pub(crate) use record::Record;
pub(crate) use settings::GuardSettings;
pub(crate) use state::{Attempt, Policy, Verdict};

/// A place that keeps the records of credentials, and changes one at a time.
pub(crate) trait Store: Send + Sync {
    /// What the store calls the credential that has this secret and period.
    fn credential(&self, secret: &Secret, period: u64) -> Result<Credential> {
        Credential::of(secret, period)
    }

    /// Judges an attempt and keeps the changed record, as one step that nobody comes between.
    fn judge(&self, credential: &Credential, attempt: Attempt, policy: &Policy) -> Result<Verdict>;

    /// The record as it is.
    fn inspect(&self, credential: &Credential) -> Result<Record>;

    /// Forgets the wrong codes, and gives the record that is left.
    fn reset(&self, credential: &Credential) -> Result<Record>;
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

    /// The credential that has this secret and period.
    pub(crate) fn credential(&self, secret: &Secret, period: u64) -> Result<GuardedCredential<'_>> {
        let record = match self.store.as_deref() {
            Some(store) => Some((store, store.credential(secret, period)?)),
            None => None,
        };
        Ok(GuardedCredential {
            policy: &self.settings.policy,
            record,
        })
    }
}

/// A credential with the record that its guard keeps.
pub(crate) struct GuardedCredential<'a> {
    policy: &'a Policy,
    /// Who keeps the record, and under which name; none when the caller does.
    record: Option<(&'a dyn Store, Credential)>,
}

impl GuardedCredential<'_> {
    /// Judges a code.
    pub(crate) fn judge(&self, attempt: Attempt) -> Result<Verdict> {
        match &self.record {
            None => {
                let mut record = Record::NEW;
                Ok(record.judge(&attempt, self.policy))
            }
            Some((store, credential)) => store.judge(credential, attempt, self.policy),
        }
    }

    /// The record as it is.
    pub(crate) fn inspect(&self) -> Result<Record> {
        let (store, credential) = self.kept()?;
        store.inspect(credential)
    }

    /// Forgets the wrong codes, and gives the record that is left.
    pub(crate) fn reset(&self) -> Result<Record> {
        let (store, credential) = self.kept()?;
        store.reset(credential)
    }

    fn kept(&self) -> Result<&(&dyn Store, Credential)> {
        self.record.as_ref().ok_or_else(|| {
            Error::configuration("config.guard.store: with \"none\" you keep the state yourself")
        })
    }
}

/// The refusal of every store that cannot answer.
pub(crate) fn store_unavailable(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Status::StoreUnavailable, message)
}
