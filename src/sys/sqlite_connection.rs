//! SQLite connections that share nothing with anybody else in the process.

use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::path::Path;
use std::rc::Rc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, FileControl, OpenFlags, Params, PrepFlags, Row, Statement};

use crate::sys::sqlite_calls::{Descriptors, Files, VFS};

/// A connection with locks and descriptors of its own.
pub(crate) struct PrivateConnection {
    opened: ManuallyDrop<Opened>,
    descriptors: Descriptors,
}

/// What is used while the calls are watched.
pub(crate) struct Opened {
    /// Of the connection below. Fields are dropped in this order.
    statements: Vec<Statement<'static>>,
    connection: Rc<Connection>,
}

// SAFETY: nobody else has a part of it, and it goes to another thread as a whole.
unsafe impl Send for Opened {}

/// A statement that an [`Opened`] keeps ready: to look one up by its text takes as long as to run it.
#[derive(Clone, Copy)]
pub(crate) struct Prepared(usize);

impl PrivateConnection {
    pub(crate) fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Self> {
        let mut descriptors = Descriptors::new();
        let connection =
            descriptors.watch(|| Connection::open_with_flags_and_vfs(path, flags, VFS))?;
        Ok(PrivateConnection {
            opened: ManuallyDrop::new(Opened {
                statements: Vec::new(),
                connection: Rc::new(connection),
            }),
            descriptors,
        })
    }

    pub(crate) fn with<T>(&mut self, work: impl FnOnce(&mut Opened) -> T) -> T {
        let opened = &mut self.opened;
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
    pub(crate) fn prepare(&mut self, text: &str) -> rusqlite::Result<Prepared> {
        let flags = PrepFlags::SQLITE_PREPARE_PERSISTENT;
        let statement = self.connection.prepare_with_flags(text, flags)?;
        // SAFETY: it borrows the connection, which stays where it is and lives longer.
        let statement = unsafe { mem::transmute::<Statement<'_>, Statement<'static>>(statement) };
        self.statements.push(statement);
        Ok(Prepared(self.statements.len() - 1))
    }

    pub(crate) fn execute(
        &mut self,
        Prepared(number): Prepared,
        values: impl Params,
    ) -> rusqlite::Result<()> {
        self.statements[number].execute(values).map(|_| ())
    }

    pub(crate) fn query_row<T>(
        &mut self,
        Prepared(number): Prepared,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.statements[number].query_row(values, read)
    }
}

impl Deref for Opened {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}
