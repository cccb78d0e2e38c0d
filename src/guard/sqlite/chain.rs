//! Rows that miss each other.
//!
//! SQLite does not notice when bits of its file change, and a record that is not found is that of a
//! new user. So every row has the id of the next one: a record that vanishes, or whose own id
//! changes, is missed by the one before it. Whoever does not ask what a damaged file does may skip this.

use rusqlite::Connection;

use crate::guard::sqlite::table::{self, Id, Row, Statements, corrupt};
use crate::guard::{Credential, Record};
use crate::sys::sqlite_connection::Opened;

/// Before the first record and behind the last one. No credential has this name.
const END: Id = [0; 16];

/// Makes the table, with the row before the first record.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    table::create(connection, &Row::new(END, END))
}

/// A credential's record, with what it takes to keep it when it has changed.
pub(super) struct Found {
    row: Row,
    /// The one before, when there is no record yet.
    before: Option<Row>,
}

impl Found {
    pub(super) fn find(
        connection: &mut Opened,
        table: &Statements,
        credential: &Credential,
    ) -> rusqlite::Result<Self> {
        let id = *credential.as_bytes();
        let nearest = table.find(connection, &id)?;
        if nearest.id == id {
            return Ok(Found {
                row: nearest,
                before: None,
            });
        }
        if nearest.next <= id && nearest.next != END {
            return Err(corrupt());
        }
        Ok(Found {
            row: Row::new(id, nearest.next),
            before: Some(nearest),
        })
    }

    pub(super) fn record(&self) -> Record {
        self.row.record
    }

    /// Writes, whether or not the record has changed: time must not tell who is locked, or who has a
    /// record at all. A new one that says nothing is not kept; the row before it is, in its place.
    pub(super) fn keep(
        self,
        connection: &mut Opened,
        table: &Statements,
        record: Record,
    ) -> rusqlite::Result<()> {
        let mut row = self.row;
        row.record = record;
        let Some(mut before) = self.before else {
            return table.keep(connection, row);
        };
        if record == Record::NEW {
            return table.keep(connection, before);
        }
        before.next = row.id;
        table.keep(connection, before)?;
        table.keep(connection, row)
    }
}
