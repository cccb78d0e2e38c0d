//! The table of records.
//!
//! SQLite does not notice when bits of its file change, and a record that is not found is that of a
//! new user. So every record has a checksum, and the name of the next one: a record that vanishes,
//! or whose own name changes, is missed by the one before it.

use rusqlite::{Connection, Params, ffi};
use sha2::{Digest, Sha256};

use crate::guard::{Credential, Record};
use crate::sys::sqlite_connection::{Opened, Prepared};

/// The name has the file's format, so that a process which has the file open while a newer library
/// changes its format finds the table gone.
pub(super) const SCHEMA: &str = "CREATE TABLE credential_1 (id BLOB PRIMARY KEY, \
    next BLOB NOT NULL, last_step INTEGER NOT NULL, last_code INTEGER, failures INTEGER NOT NULL, \
    locked_until INTEGER NOT NULL, lock_s INTEGER NOT NULL, disabled INTEGER NOT NULL, \
    turn INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID, STRICT";

const FIND: &str = "SELECT id, next, last_step, last_code, failures, locked_until, lock_s, disabled, \
    turn, checksum FROM credential_1 WHERE id <= ?1 ORDER BY id DESC LIMIT 1";

const KEEP: &str = "REPLACE INTO credential_1 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

/// Before the first record and behind the last one. No credential has this name.
const END: [u8; 16] = [0; 16];

/// The statements above.
pub(super) struct Statements {
    find: Prepared,
    keep: Prepared,
}

impl Statements {
    pub(super) fn prepare(connection: &mut Opened) -> rusqlite::Result<Self> {
        Ok(Statements {
            find: connection.prepare(FIND)?,
            keep: connection.prepare(KEEP)?,
        })
    }
}

/// A row.
struct Row {
    id: [u8; 16],
    next: [u8; 16],
    record: Record,
    /// Another one each time that the row is kept, for SQLite does not write what has not changed.
    turn: bool,
}

/// Makes the table, with the row before the first record.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    let end = Row {
        id: END,
        next: END,
        record: Record::NEW,
        turn: false,
    };
    connection.execute(KEEP, end.values())?;
    Ok(())
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
        statements: &Statements,
        credential: &Credential,
    ) -> rusqlite::Result<Self> {
        let id = *credential.as_bytes();
        let nearest = Row::last_up_to(connection, statements, &id)?;
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
            row: Row {
                id,
                next: nearest.next,
                record: Record::NEW,
                turn: false,
            },
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
        statements: &Statements,
        record: Record,
    ) -> rusqlite::Result<()> {
        let mut keep = |row: Row| {
            let turn = !row.turn;
            connection.execute(statements.keep, Row { turn, ..row }.values())
        };
        let row = Row { record, ..self.row };
        let Some(before) = self.before else {
            return keep(row);
        };
        if record == Record::NEW {
            return keep(before);
        }
        let next = row.id;
        keep(Row { next, ..before })?;
        keep(row)
    }
}

impl Row {
    /// The row of an id or, if there is none, the one before.
    fn last_up_to(
        connection: &mut Opened,
        statements: &Statements,
        id: &[u8; 16],
    ) -> rusqlite::Result<Self> {
        connection.query_row(statements.find, [id], |columns| {
            let row = Row {
                id: columns.get(0)?,
                next: columns.get(1)?,
                record: Record {
                    last_step: columns.get(2)?,
                    last_code: columns.get(3)?,
                    failures: columns.get(4)?,
                    locked_until: columns.get::<_, i64>(5)?.cast_unsigned(),
                    lock_s: columns.get::<_, i64>(6)?.cast_unsigned(),
                    disabled: columns.get(7)?,
                    ..Record::NEW
                },
                turn: columns.get(8)?,
            };
            if columns.get::<_, i64>(9)? == row.checksum() {
                Ok(row)
            } else {
                Err(corrupt())
            }
        })
    }

    /// In the order of the columns.
    fn values(&self) -> impl Params {
        let record = &self.record;
        (
            self.id,
            self.next,
            record.last_step,
            record.last_code,
            record.failures,
            record.locked_until.cast_signed(),
            record.lock_s.cast_signed(),
            record.disabled,
            self.turn,
            self.checksum(),
        )
    }

    fn checksum(&self) -> i64 {
        let record = &self.record;
        let digest = Sha256::new()
            .chain_update(self.id)
            .chain_update(self.next)
            .chain_update(record.last_step.to_be_bytes())
            .chain_update(record.last_code.unwrap_or(u32::MAX).to_be_bytes())
            .chain_update(record.failures.to_be_bytes())
            .chain_update(record.locked_until.to_be_bytes())
            .chain_update(record.lock_s.to_be_bytes())
            .chain_update([u8::from(record.disabled), u8::from(self.turn)])
            .finalize();
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(digest);
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

fn corrupt() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None)
}
