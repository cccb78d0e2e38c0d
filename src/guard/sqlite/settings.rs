//! The settings of the `sqlite` store.

use crate::error::Result;
use crate::guard::sqlite::file::Trust;
use crate::json::Object;

/// SQLite opens no longer ones.
const MAX_PATH_BYTES: usize = 504;

/// Everything below `guard` in the settings that is this store's.
#[derive(Debug)]
pub(crate) struct SqliteSettings {
    pub(super) path: String,
    pub(super) create: bool,
    pub(super) synchronous: Synchronous,
    pub(super) trust: Trust,
}

/// When a change is on the disk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Synchronous {
    /// Before it is answered.
    Full,
    /// Before the log is used up.
    Normal,
}

impl Synchronous {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        }
    }
}

impl SqliteSettings {
    pub(crate) fn read(guard: &mut Object) -> Result<Self> {
        let path = guard.required_text("path")?;
        let fits = (1..=MAX_PATH_BYTES).contains(&path.len());
        if !fits || path.chars().any(char::is_control) {
            let expected = format!("1 to {MAX_PATH_BYTES} bytes without control characters");
            return Err(guard.wrong("path", &expected));
        }
        let trust = [("refuse", false), ("trust", true)];
        let synchronous = [("FULL", Synchronous::Full), ("NORMAL", Synchronous::Normal)];
        Ok(SqliteSettings {
            path: path.to_owned(),
            create: guard.boolean("create")?.unwrap_or(false),
            synchronous: guard
                .choice("synchronous", &synchronous)?
                .unwrap_or(Synchronous::Full),
            trust: Trust {
                group: guard.choice("group", &trust)?.unwrap_or(false),
                file_system: guard.choice("filesystem", &trust)?.unwrap_or(false),
            },
        })
    }
}
