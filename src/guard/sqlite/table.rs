//! The table of records: a row for each, with a checksum.

use rusqlite::{Connection, Params, ffi};
use sha2::{Digest, Sha256};

use crate::guard::Record;
use crate::sys::sqlite_connection::{Opened, Prepared};

/// The table of format 1, and that of format 2, which differs in its name alone: its records may have what
/// those of format 1 have not. So a process which has the file open while a newer library changes its format
/// finds the table gone.
const FORMAT_1: &str = "CREATE TABLE credential_1 (id BLOB PRIMARY KEY, next BLOB NOT NULL, \
    record TEXT NOT NULL, turn INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID, STRICT";
const TO_FORMAT_2: &str = "ALTER TABLE credential_1 RENAME TO credential_2";

/// What SQLite makes of format 2.
const FORMAT_2: &str = "CREATE TABLE \"credential_2\" (id BLOB PRIMARY KEY, next BLOB NOT NULL, \
    record TEXT NOT NULL, turn INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID, STRICT";

/// What stands in the schema of a file of format 1, 2 and so on.
pub(super) const SCHEMAS: [&str; 2] = [FORMAT_1, FORMAT_2];

const FIND: &str = "SELECT id, next, record, turn, checksum FROM credential_2 WHERE id <= ?1 \
    ORDER BY id DESC LIMIT 1";

const KEEP: &str = "REPLACE INTO credential_2 VALUES (?1, ?2, ?3, ?4, ?5)";

/// The statements above.
pub(super) struct Statements {
    find: Prepared,
    keep: Prepared,
}

pub(super) type Id = [u8; 16];

/// A row.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) id: Id,
    /// The id of the row behind it, see `chain.rs`.
    pub(super) next: Id,
    pub(super) record: Record,
    /// Another one each time that the row is kept, because SQLite does not write what has not changed.
    turn: bool,
}

/// Makes the table of format 1, with a first row.
pub(super) fn create(connection: &Connection, first: &Row) -> rusqlite::Result<()> {
    connection.execute_batch(FORMAT_1)?;
    let keep = "INSERT INTO credential_1 VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.execute(keep, first.columns())?;
    Ok(())
}

/// Makes it that of format 2.
pub(super) fn move_to_format_2(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TO_FORMAT_2)
}

impl Statements {
    pub(super) fn prepare(connection: &mut Opened) -> rusqlite::Result<Self> {
        Ok(Statements {
            find: connection.prepare(FIND)?,
            keep: connection.prepare(KEEP)?,
        })
    }

    /// The row with this id or, if there is none, the one before.
    pub(super) fn find(&self, connection: &mut Opened, id: &Id) -> rusqlite::Result<Row> {
        connection.query_row(self.find, [id], |columns| {
            let (id, next, turn) = (columns.get(0)?, columns.get(1)?, columns.get(3)?);
            let text = columns.get_ref(2)?.as_str()?;
            if columns.get::<_, i64>(4)? != checksum(&id, &next, text, turn) {
                return Err(corrupt());
            }
            let record = Record::from_text(text).ok_or_else(corrupt)?;
            Ok(Row {
                id,
                next,
                record,
                turn,
            })
        })
    }

    pub(super) fn keep(&self, connection: &mut Opened, row: Row) -> rusqlite::Result<()> {
        let turn = !row.turn;
        connection.execute(self.keep, Row { turn, ..row }.columns())
    }
}

impl Row {
    /// One that is not there yet.
    pub(super) fn new(id: Id, next: Id) -> Self {
        Row {
            id,
            next,
            record: Record::NEW,
            turn: false,
        }
    }

    /// In the order of the table.
    fn columns(&self) -> impl Params {
        let record = self.record.to_text();
        let checksum = checksum(&self.id, &self.next, &record, self.turn);
        (self.id, self.next, record, self.turn, checksum)
    }
}

fn checksum(id: &Id, next: &Id, record: &str, turn: bool) -> i64 {
    let digest = Sha256::new()
        .chain_update(id)
        .chain_update(next)
        .chain_update([u8::from(turn)])
        .chain_update(record)
        .finalize();
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(digest);
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

pub(super) fn corrupt() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None)
}
