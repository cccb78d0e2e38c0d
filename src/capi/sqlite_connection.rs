//! SQLite connections that share nothing with anybody else in the process.

use std::ffi::{CStr, c_int};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::path::Path;
use std::ptr::{self, NonNull};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, FileControl, OpenFlags, ffi};

use crate::capi::sqlite_calls::{Descriptors, Files, VFS};

/// A connection with locks and descriptors of its own.
pub(crate) struct PrivateConnection {
    opened: ManuallyDrop<Opened>,
    descriptors: Descriptors,
}

/// What is used while the calls are watched. Fields are dropped in this order.
pub(crate) struct Opened {
    begin: Statement,
    commit: Statement,
    connection: Connection,
}

impl PrivateConnection {
    pub(crate) fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Self> {
        let mut descriptors = Descriptors::new();
        let opened = descriptors.watch(|| {
            let connection = Connection::open_with_flags_and_vfs(path, flags, VFS)?;
            Ok::<_, rusqlite::Error>(Opened {
                begin: Statement::prepare(&connection, c"BEGIN IMMEDIATE")?,
                commit: Statement::prepare(&connection, c"COMMIT")?,
                connection,
            })
        })?;
        Ok(PrivateConnection {
            opened: ManuallyDrop::new(opened),
            descriptors,
        })
    }

    pub(crate) fn with<T>(&mut self, work: impl FnOnce(&Opened) -> T) -> T {
        let opened = &self.opened;
        self.descriptors.watch(|| work(opened))
    }

    /// Whether a transaction is open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        !self.opened.connection.is_autocommit()
    }

    /// Asked before each use: nothing may be read, written or locked in somebody else's file.
    pub(crate) fn files(&self) -> Files {
        self.descriptors.files()
    }

    /// Whether the file has another name now, or none.
    pub(crate) fn has_moved(&self) -> bool {
        let mut moved = 0;
        let ask = FileControl::HasMoved(&mut moved);
        let asked = self.opened.connection.file_control::<&str>(None, ask);
        asked.is_err() || moved != 0
    }
}

impl Drop for PrivateConnection {
    fn drop(&mut self) {
        let is_whole = self.descriptors.let_go_of_lost_ones();
        let opened = &mut self.opened;
        self.descriptors.watch(|| {
            if !is_whole {
                // What is left to do then is to unmap, unlock and close.
                let without_checkpoint = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
                let _ = opened.connection.set_db_config(without_checkpoint, true);
            }
            // SAFETY: it is not used again.
            unsafe { ManuallyDrop::drop(opened) }
        });
    }
}

impl Opened {
    pub(crate) fn begin(&self) -> rusqlite::Result<()> {
        self.begin.run()
    }

    pub(crate) fn commit(&self) -> rusqlite::Result<()> {
        self.commit.run()
    }
}

impl Deref for Opened {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// A statement without parameters or rows, which lives beside its connection; one of rusqlite's cannot,
/// and to look it up each time would take longer than to run it.
struct Statement(NonNull<ffi::sqlite3_stmt>);

// SAFETY: it is used by the thread that uses the connection beside it, never by two at once.
unsafe impl Send for Statement {}

impl Statement {
    fn prepare(connection: &Connection, text: &CStr) -> rusqlite::Result<Self> {
        let mut statement = ptr::null_mut();
        // SAFETY: the connection is open; the text ends with NUL; the rest may be written or is NULL.
        let outcome = unsafe {
            ffi::sqlite3_prepare_v3(
                connection.handle(),
                text.as_ptr(),
                -1,
                ffi::SQLITE_PREPARE_PERSISTENT,
                &raw mut statement,
                ptr::null_mut(),
            )
        };
        NonNull::new(statement)
            .map(Statement)
            .ok_or_else(|| failure(outcome))
    }

    fn run(&self) -> rusqlite::Result<()> {
        // SAFETY: it is alive, and so is its connection.
        let outcome = unsafe {
            let outcome = ffi::sqlite3_step(self.0.as_ptr());
            ffi::sqlite3_reset(self.0.as_ptr());
            outcome
        };
        match outcome {
            ffi::SQLITE_DONE => Ok(()),
            outcome => Err(failure(outcome)),
        }
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: it is not used again, and its connection is still open.
        unsafe { ffi::sqlite3_finalize(self.0.as_ptr()) };
    }
}

fn failure(outcome: c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(outcome), None)
}
