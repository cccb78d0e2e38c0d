//! One connection to the database, and what is in it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags, ffi};

use crate::error::{Error, Result};
use crate::guard::deadline::Backoff;
use crate::guard::sqlite::Synchronous;
use crate::guard::sqlite::chain::Found;
use crate::guard::sqlite::format::{self, Content};
use crate::guard::sqlite::question::{Answer, Question};
use crate::guard::sqlite::table;
use crate::guard::{Credential, Record, store_unavailable};
use crate::sys::sqlite_calls::Files;
use crate::sys::sqlite_connection::{Opened, Prepared, PrivateConnection};

pub(super) struct Database {
    connection: PrivateConnection,
    statements: Statements,
}

struct Statements {
    begin: Prepared,
    table: table::Statements,
    commit: Prepared,
}

impl Database {
    /// Opens the file, which exists. An empty one is made a database only if `create` says so.
    pub(super) fn open(
        path: &Path,
        synchronous: Synchronous,
        create: bool,
        backoff: &mut Backoff,
    ) -> Result<Self> {
        // What is not ours is not even locked: SQLite might recover it, or leave files beside it.
        if let Ok(content) = peek(path) {
            content.check(create)?;
        }
        let mut connection =
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|error| refusal(&error))?;
        let statements = connection.with(|connection| {
            prepare(connection, synchronous, create, backoff)?;
            Statements::prepare(connection).map_err(|error| refusal(&error))
        })?;
        Ok(Database {
            connection,
            statements,
        })
    }

    /// Whether its files are still its own. Asked before each use.
    pub(super) fn files(&self) -> Files {
        self.connection.files()
    }

    /// Whether the file has another name now, or none.
    pub(super) fn has_moved(&self) -> bool {
        self.connection.has_moved()
    }

    /// Whether a transaction was left open. None ever is, unless something went very wrong.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.connection.is_in_transaction()
    }

    pub(super) fn find(
        &mut self,
        credential: &Credential,
        backoff: &mut Backoff,
    ) -> rusqlite::Result<Record> {
        let statements = &self.statements.table;
        self.connection.with(|connection| {
            let found = retry(backoff, || Found::find(connection, statements, credential))?;
            Ok(found.record())
        })
    }

    /// Answers a question, and the others that there are by then, while nobody else can change a record. What was
    /// not committed never happened.
    pub(super) fn answer(
        &mut self,
        question: &Question,
        others: impl FnOnce() -> Vec<Question>,
        backoff: &mut Backoff,
    ) -> rusqlite::Result<(Answer, Vec<Answer>)> {
        let statements = &self.statements;
        self.connection.with(|connection| {
            retry(backoff, || connection.execute(statements.begin, []))?;
            let outcome = answer_alone(connection, statements, question, others, backoff);
            if outcome.is_err() && !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            outcome
        })
    }
}

impl Statements {
    fn prepare(connection: &mut Opened) -> rusqlite::Result<Self> {
        Ok(Statements {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            table: table::Statements::prepare(connection)?,
            commit: connection.prepare("COMMIT")?,
        })
    }
}

fn answer_alone(
    connection: &mut Opened,
    statements: &Statements,
    question: &Question,
    others: impl FnOnce() -> Vec<Question>,
    backoff: &Backoff,
) -> rusqlite::Result<(Answer, Vec<Answer>)> {
    let mut answer_one = |question: &Question| {
        let found = Found::find(connection, &statements.table, &question.credential)?;
        let mut record = found.record();
        let answer = question.answer(&mut record);
        found.keep(connection, &statements.table, record)?;
        Ok(answer)
    };
    let answer = answer_one(question)?;
    let answers = others()
        .iter()
        .map(answer_one)
        .collect::<rusqlite::Result<_>>()?;
    // The last moment to give up: how long the disk takes to commit is not ours to say.
    if backoff.was_used_up() {
        return Err(too_late());
    }
    connection.execute(statements.commit, [])?;
    Ok((answer, answers))
}

/// Makes a connection ready for use, if the file is ours or may become so.
fn prepare(
    connection: &Connection,
    synchronous: Synchronous,
    create: bool,
    backoff: &mut Backoff,
) -> Result<()> {
    let trouble = |error| refusal(&error);
    let set_up = || {
        // Until it is known to be ours, closing it must not write into it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.execute_batch(
            "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON",
        )
    };
    set_up().map_err(trouble)?;
    let mut content = retry(backoff, || content(connection)).map_err(trouble)?;
    let is_to_be_made = create && matches!(content, Content::Nothing);
    if is_to_be_made || matches!(content, Content::Older) {
        content = retry(backoff, || format::move_on(connection)).map_err(trouble)?;
    }
    content.check(create)?;
    let set_up = || {
        let mode: String =
            connection.query_one("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", synchronous.as_str())?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(mode)
    };
    match retry(backoff, set_up).map_err(trouble)?.as_str() {
        "wal" => Ok(()),
        _ => Err(store_unavailable(
            "the guard's store \"sqlite\": no write-ahead log is possible where the file is",
        )),
    }
}

/// Looks at a file without touching it: no locks, no recovery, no files beside it. What stands only
/// in its write-ahead log is not seen, but a new database's content never does.
fn peek(path: &Path) -> rusqlite::Result<Content> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = fs::symlink_metadata(log).is_ok();
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'%' | b'?' | b'#' => uri.extend(format!("%{byte:02X}").bytes()),
            byte => uri.push(*byte),
        }
    }
    uri.extend(b"?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let mut connection = connect(Path::new(&*String::from_utf8_lossy(&uri)), flags)?;
    let content =
        connection.with(|connection| Content::of(&connection.unchecked_transaction()?))?;
    match content {
        // SQLite would delete it: what is left of a database that somebody emptied or replaced.
        Content::Nothing if has_log => Ok(Content::Emptied),
        content => Ok(content),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<PrivateConnection> {
    let always = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = PrivateConnection::open(path, flags | always)?;
    // `retry` knows better how long to wait.
    connection.with(|connection| connection.busy_timeout(Duration::ZERO))?;
    Ok(connection)
}

fn content(connection: &Connection) -> rusqlite::Result<Content> {
    let was_empty = is_empty(connection);
    match Content::of(&connection.unchecked_transaction()?)? {
        // SQLite takes any file that is shorter than a page for empty. But this one may be empty
        // only now: what a crash had left half-made, it has undone.
        Content::Nothing if !was_empty && !is_empty(connection) => Ok(Content::Foreign),
        content => Ok(content),
    }
}

fn is_empty(connection: &Connection) -> bool {
    let file = connection.path().and_then(|path| fs::metadata(path).ok());
    file.is_some_and(|file| file.len() == 0)
}

/// Tries again as long as another connection is in the way, and there is time.
fn retry<T>(
    backoff: &mut Backoff,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && backoff.wait() => {}
            outcome => return outcome,
        }
    }
}

/// The call has used up its time, waiting.
fn too_late() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None)
}

/// Whether another connection was in the way.
fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Whether the connection is as good as it was.
pub(super) fn is_harmless(error: &rusqlite::Error) -> bool {
    is_busy(error) || error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// What a caller is told when SQLite failed.
pub(super) fn refusal(error: &rusqlite::Error) -> Error {
    let why = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => "other processes kept the database locked (SQLITE_BUSY)",
        Some(ErrorCode::OperationInterrupted) => {
            return store_unavailable(
                "the guard's store \"sqlite\": others kept it busy until the time of the budget was over",
            );
        }
        Some(ErrorCode::DiskFull) => "the disk is full (SQLITE_FULL)",
        Some(ErrorCode::ReadOnly) => "the database may not be written (SQLITE_READONLY)",
        Some(ErrorCode::CannotOpen) => {
            "the database, or its -wal or -shm file, cannot be opened (SQLITE_CANTOPEN)"
        }
        Some(ErrorCode::NotADatabase) => "the file is not a database (SQLITE_NOTADB)",
        Some(ErrorCode::DatabaseCorrupt) => "the database is corrupt (SQLITE_CORRUPT)",
        Some(ErrorCode::SystemIoFailure) => "reading or writing failed (SQLITE_IOERR)",
        Some(ErrorCode::OutOfMemory) => "no memory (SQLITE_NOMEM)",
        Some(_) => "SQLite failed",
        None => "a record is corrupt",
    };
    let code = match error.sqlite_error() {
        Some(error) => format!(", code {}", error.extended_code),
        None => String::new(),
    };
    store_unavailable(format!("the guard's store \"sqlite\": {why}{code}"))
}
