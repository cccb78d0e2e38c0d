//! Records in an SQLite database: a file that all processes of one machine share.
//!
//! `database.rs` is a connection to it, `format.rs` tells whose it is, `table.rs` what stands in it, and
//! `chain.rs` whether a record is missing. `file.rs` decides whether the file can be trusted, with
//! `file_system.rs`; `rights.rs` tells why it was once and is no more, and `fork.rs` keeps SQLite out of
//! `fork`.

mod chain;
mod database;
mod file;
mod file_system;
mod fork;
mod format;
mod question;
mod rights;
mod settings;
mod table;

use std::mem;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::guard::deadline::{Backoff, Deadline};
use crate::guard::queue::{Queue, Turn};
use crate::guard::sqlite::database::Database;
use crate::guard::sqlite::file::{Identity, Trust};
use crate::guard::sqlite::fork::Access;
use crate::guard::sqlite::question::{Answer, Question, What};
use crate::guard::sqlite::rights::Rights;
pub(crate) use crate::guard::sqlite::settings::SqliteSettings;
use crate::guard::sqlite::settings::Synchronous;
use crate::guard::{Attempt, Credential, Policy, Record, Store, Verdict, store_unavailable};
use crate::sys::file_size_signal::NoFileSizeSignal;
use crate::sys::sqlite_calls::Files;

/// One file is opened at a time: a file that is just being created must not be open elsewhere in
/// this process. Locked only inside.
static OPENING: Mutex<()> = Mutex::new(());

/// How long closing may wait, for a fork of another thread.
const LONGEST_CLOSE: Duration = Duration::from_secs(1);

/// The store: one connection, which threads use in turn; those who wait are answered together, in one transaction.
/// After trouble it is closed, and the next call opens another.
pub(crate) struct SqliteStore {
    turns: Queue<Question, Answer>,
    path: PathBuf,
    /// Of the file that was there at first; no other is taken for it, until a restart.
    identity: Identity,
    /// With which it was opened at first.
    rights: Rights,
    trust: Trust,
    synchronous: Synchronous,
    connection: Arc<Mutex<Option<Database>>>,
}

impl SqliteStore {
    pub(crate) fn open(settings: &SqliteSettings, deadline: Deadline) -> Result<Self> {
        let _no_signal = NoFileSizeSignal::hold_off();
        let backoff = &mut Backoff::until(deadline);
        let _access = Access::enter(backoff)?;
        let _opening = lock(&OPENING, backoff)?;
        let path = file::locate(&settings.path)?;
        if settings.create {
            file::create(&path, settings.trust)?;
        }
        let identity = file::check(&path, settings.trust, backoff)?;
        let synchronous = settings.synchronous;
        let database = Database::open(&path, synchronous, settings.create, backoff)?;
        Ok(SqliteStore {
            turns: Queue::new(1),
            path,
            identity,
            rights: Rights::now(),
            trust: settings.trust,
            synchronous,
            connection: Arc::new(Mutex::new(Some(database))),
        })
    }

    /// Opens the file again, which must be the same.
    fn reopen(&self, backoff: &mut Backoff) -> Result<Database> {
        let _opening = lock(&OPENING, backoff)?;
        if file::check(&self.path, self.trust, backoff)? != self.identity {
            return Err(replaced());
        }
        Database::open(&self.path, self.synchronous, false, backoff)
    }

    fn ask(&self, credential: &Credential, what: What, deadline: Deadline) -> Result<Answer> {
        let _no_signal = NoFileSizeSignal::hold_off();
        let _access = Access::enter(&mut Backoff::until(deadline))?;
        let question = Question {
            credential: *credential,
            what,
        };
        let lead = |turn: &mut Turn<_, _>| self.lead(question, deadline, turn);
        let answer = self.turns.ask(question, deadline, lead);
        answer.unwrap_or_else(|| Err(busy()))
    }

    /// Answers a question whose turn it is, and with it those that wait.
    fn lead(
        &self,
        question: Question,
        deadline: Deadline,
        turn: &mut Turn<Question, Answer>,
    ) -> Result<Answer> {
        if matches!(question.what, What::Inspect) {
            return self.with_database(deadline, |database, backoff| {
                let record = database.find(&question.credential, backoff)?;
                Ok(Answer::Record(record))
            });
        }
        let mut others = Vec::new();
        let answered = self.with_database(deadline, |database, backoff| {
            let take_along = || {
                others = turn.take_along();
                others.iter().map(|(question, _)| *question).collect()
            };
            database.answer(&question, take_along, backoff)
        });
        match answered {
            Ok((answer, answers)) => {
                turn.answer(answers.into_iter().map(Ok));
                Ok(answer)
            }
            Err(error) if others.is_empty() => Err(error),
            // What is wrong with one of them must not be the others' trouble.
            Err(_) => {
                let answer = self.answer_alone(question, deadline);
                let alone = |(question, deadline)| self.answer_alone(question, deadline);
                turn.answer(others.into_iter().map(alone));
                answer
            }
        }
    }

    fn answer_alone(&self, question: Question, deadline: Deadline) -> Result<Answer> {
        self.with_database(deadline, |database, backoff| {
            let (answer, _) = database.answer(&question, Vec::new, backoff)?;
            Ok(answer)
        })
    }

    /// Uses the connection.
    fn with_database<T>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&mut Database, &mut Backoff) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let backoff = &mut Backoff::until(deadline);
        let mut connection = lock(&self.connection, backoff)?;
        let files = connection.as_ref().map(Database::files);
        if files == Some(Files::Closed)
            || connection.as_ref().is_some_and(Database::is_in_transaction)
        {
            *connection = None;
        }
        let database = match connection.take() {
            Some(database) => database,
            None => {
                let opened = self.reopen(backoff);
                opened.map_err(|refusal| self.rights.explain(refusal))?
            }
        };
        // A file that has lost its name stays open, so that no other can get its identity.
        let database = connection.insert(database);
        if files == Some(Files::Deleted) || database.has_moved() {
            return Err(self.rights.explain(replaced()));
        }
        work(database, backoff).map_err(|error| {
            if !database::is_harmless(&error) {
                *connection = None;
            }
            database::refusal(&error)
        })
    }
}

impl Store for SqliteStore {
    fn judge(
        &self,
        credential: &Credential,
        attempt: Attempt,
        policy: &Policy,
        deadline: Deadline,
    ) -> Result<Verdict> {
        let what = What::Judge(attempt, *policy);
        self.ask(credential, what, deadline)?.verdict()
    }

    fn inspect(&self, credential: &Credential, deadline: Deadline) -> Result<Record> {
        self.ask(credential, What::Inspect, deadline)?.record()
    }

    fn reset(&self, credential: &Credential, deadline: Deadline) -> Result<Record> {
        self.ask(credential, What::Reset, deadline)?.record()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let _no_signal = NoFileSizeSignal::hold_off();
        let backoff = &mut Backoff::until(Deadline::after(LONGEST_CLOSE));
        let access = Access::enter(backoff);
        match (&access, lock(&self.connection, backoff)) {
            (Ok(_), Ok(mut connection)) => *connection = None,
            // Rather leaked than closed where SQLite may not be used.
            _ => mem::forget(Arc::clone(&self.connection)),
        }
    }
}

/// Takes a lock when it is free, within the time that there is.
fn lock<'a, T>(mutex: &'a Mutex<T>, backoff: &mut Backoff) -> Result<MutexGuard<'a, T>> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if backoff.wait() => {}
            Err(TryLockError::WouldBlock) => {
                return Err(busy());
            }
        }
    }
}

fn busy() -> Error {
    store_unavailable("the guard's store \"sqlite\": this process's other threads kept it busy")
}

fn replaced() -> Error {
    store_unavailable(
        "the guard's store \"sqlite\": config.guard.path: the file was moved, deleted or replaced \
         while it was in use, or its -wal or -shm file was deleted",
    )
}
