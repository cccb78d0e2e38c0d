//! The database's file: where it is, and who else could write to it.
//!
//! It is looked at by name only. To open and close it would drop every lock that SQLite has on it
//! in this process.

use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::capi::process::effective_user;
use crate::error::{Failure, Result};
use crate::guard::store_unavailable;

/// Tells one file from any other, as long as it is open somewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// The path with its folder made absolute and free of symbolic links, which SQLite would refuse.
pub(super) fn locate(path: &str) -> Result<PathBuf> {
    let path = Path::new(path);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(refused("names no file"));
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let folder = fs::canonicalize(folder).map_err(|error| unreachable("its folder", &error))?;
    Ok(folder.join(name))
}

/// Makes an empty file that only this user may read and write, if there is none. No other thread
/// may open it through SQLite meanwhile.
pub(super) fn create(path: &Path) -> Result<()> {
    check_folder(path)?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        // Whatever the process's umask has taken away.
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)));
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(refused(&format!("cannot be created: {error}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a file that somebody else could change or exchange.
pub(super) fn check(path: &Path) -> Result<Identity> {
    check_folder(path)?;
    let file = fs::symlink_metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => refused(
            "there is no such file; only factor2_authenticator_new makes one, with \"create\":true",
        ),
        _ => unreachable("the file", &error),
    })?;
    if !file.is_file() {
        return Err(refused(
            "must be a regular file, not a symbolic link to one",
        ));
    }
    if file.nlink() > 1 {
        return Err(refused("the file has another name, a hard link"));
    }
    check_writers(&file, "the file")?;
    Ok(Identity {
        device: file.dev(),
        inode: file.ino(),
    })
}

fn check_folder(path: &Path) -> Result<()> {
    // `locate` gave it a folder.
    let folder = path.parent().unwrap_or(Path::new("/"));
    let folder = fs::metadata(folder).map_err(|error| unreachable("its folder", &error))?;
    check_writers(&folder, "its folder")
}

/// Only this user and root may write.
fn check_writers(metadata: &Metadata, what: &str) -> Result<()> {
    if ![0, effective_user()].contains(&metadata.uid()) {
        return Err(refused(&format!("{what} belongs to another user")));
    }
    if metadata.mode() & 0o022 != 0 {
        let message = format!("{what} may be written by others: chmod go-w");
        return Err(refused(&message));
    }
    Ok(())
}

fn unreachable(what: &str, error: &io::Error) -> Failure {
    refused(&format!("{what} cannot be looked up: {error}"))
}

fn refused(why: &str) -> Failure {
    store_unavailable(format!(
        "the guard's store \"sqlite\": config.guard.path: {why}"
    ))
}
