//! Whose file it is, and of which format.
//!
//! The file's header has the number of its format. Opening moves an older one on, in one transaction; a newer
//! one is refused by name.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::Result;
use crate::guard::sqlite::chain;
use crate::guard::sqlite::table::{SCHEMAS, move_to_format_2};
use crate::guard::store_unavailable;

/// "fac2", in the file's header.
const APPLICATION: i64 = 0x6661_6332;

/// Makes the next format of one, in a transaction.
type Step = fn(&Connection) -> rusqlite::Result<()>;

/// What makes format 1 of an empty file, format 2 of format 1, and so on.
const STEPS: [Step; SCHEMAS.len()] = [chain::create, move_to_format_2];

/// The format of this library.
const FORMAT: i64 = STEPS.len() as i64;

/// Whose database it is.
pub(super) enum Content {
    Ours,
    /// Of an older library.
    Older,
    Newer,
    Foreign,
    /// An empty file.
    Nothing,
    /// An empty file, beside a log that is not its own.
    Emptied,
}

impl Content {
    /// As of one moment.
    pub(super) fn of(transaction: &Transaction) -> rusqlite::Result<Self> {
        let schema = "SELECT group_concat(sql, ';') FROM sqlite_schema";
        let schema: Option<String> = transaction.query_one(schema, [], |row| row.get(0))?;
        let application = number(transaction, "application_id")?;
        let format = number(transaction, "user_version")?;
        let known = SCHEMAS.iter().zip(1..).find(|(_, known)| *known == format);
        let content = match (application, schema) {
            (APPLICATION, _) if format > FORMAT => Content::Newer,
            (APPLICATION, Some(schema)) if known.is_some_and(|(known, _)| *known == schema) => {
                match format {
                    FORMAT => Content::Ours,
                    _ => Content::Older,
                }
            }
            (0, None) if format == 0 => Content::Nothing,
            _ => Content::Foreign,
        };
        Ok(content)
    }

    /// Refuses what is not ours. An empty file is ours if it may become so.
    pub(super) fn check(self, create: bool) -> Result<()> {
        let why = match self {
            Content::Ours | Content::Older => return Ok(()),
            Content::Nothing if create => return Ok(()),
            Content::Nothing => "is empty; only \"create\":true makes a database of it",
            Content::Emptied => {
                "is empty, but a -wal file stands beside it, with the end of another one"
            }
            Content::Foreign => "is not a database of factor2's",
            Content::Newer => "was made by a newer factor2, whose format this one does not know",
        };
        let message = format!("the guard's store \"sqlite\": config.guard.path: the file {why}");
        Err(store_unavailable(message))
    }
}

/// Makes this library's format of what an empty or an older file has.
pub(super) fn move_on(connection: &Connection) -> rusqlite::Result<Content> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    if matches!(
        Content::of(&transaction)?,
        Content::Nothing | Content::Older
    ) {
        take_steps(&transaction, &STEPS)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    let content = Content::of(&transaction)?;
    transaction.commit()?;
    Ok(content)
}

/// Those that are left from the file's format on.
fn take_steps(connection: &Connection, steps: &[Step]) -> rusqlite::Result<()> {
    let taken = number(connection, "user_version")?;
    for (step, format) in steps.iter().zip(1..).filter(|(_, format)| *format > taken) {
        step(connection)?;
        connection.pragma_update(None, "user_version", format)?;
    }
    Ok(())
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("DELETE FROM credential_1; CREATE TABLE credential_1 (x)")
    }

    fn count(connection: &Connection, table: &str) -> rusqlite::Result<i64> {
        let count = format!("SELECT count(*) FROM {table}");
        connection.query_one(&count, [], |row| row.get(0))
    }

    #[test]
    fn an_older_format_is_moved_on_step_by_step_or_not_at_all() {
        let connection = Connection::open_in_memory().unwrap();
        assert!(matches!(move_on(&connection).unwrap(), Content::Ours));
        assert_eq!(number(&connection, "user_version").unwrap(), FORMAT);
        assert!(matches!(move_on(&connection).unwrap(), Content::Ours));
        connection
            .pragma_update(None, "user_version", FORMAT + 1)
            .unwrap();
        assert!(matches!(move_on(&connection).unwrap(), Content::Newer));

        let connection = Connection::open_in_memory().unwrap();
        take_steps(&connection, &STEPS[..1]).unwrap();
        connection
            .pragma_update(None, "application_id", APPLICATION)
            .unwrap();
        let transaction = connection.unchecked_transaction().unwrap();
        take_steps(&transaction, &[STEPS[0], STEPS[1], fails]).unwrap_err();
        drop(transaction);
        assert_eq!(number(&connection, "user_version").unwrap(), 1);
        assert_eq!(count(&connection, "credential_1").unwrap(), 1);
        let transaction = connection.unchecked_transaction().unwrap();
        assert!(matches!(Content::of(&transaction).unwrap(), Content::Older));
        drop(transaction);
        assert!(matches!(move_on(&connection).unwrap(), Content::Ours));
        assert_eq!(count(&connection, "credential_2").unwrap(), 1);
    }
}
