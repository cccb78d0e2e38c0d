//! The database's file: where it is, and who else could write to it or lose it.
//!
//! It is looked at by name only. To open and close it would drop every lock that SQLite has on it
//! in this process.

use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::guard::deadline::Backoff;
use crate::guard::sqlite::file_system::shared_by_machines;
use crate::guard::store_unavailable;
use crate::sys::file_system::{file_system_type, is_mount_root};
use crate::sys::user::{effective_group, effective_user, supplementary_groups};

/// What the settings let pass that is refused otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    /// A group that this process is in may write.
    pub(super) group: bool,
    /// The file system may be one that machines share.
    pub(super) file_system: bool,
}

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

/// Makes an empty file, if there is none, for those who may write into its folder. No other thread
/// may open it through SQLite meanwhile.
pub(super) fn create(path: &Path, trust: Trust) -> Result<()> {
    let folder = check_folder(path, trust)?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|file| {
            let is_folder_group = file.metadata()?.gid() == folder.gid();
            let is_shared = is_folder_group && is_group_writable(&folder);
            // Whatever the process's umask has taken away.
            let mode = if is_shared { 0o660 } else { 0o600 };
            file.set_permissions(Permissions::from_mode(mode))
        });
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(refused(&format!("cannot be created: {error}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a file that somebody else could change or exchange, that has another name, or that has
/// lost its log.
pub(super) fn check(path: &Path, trust: Trust, backoff: &mut Backoff) -> Result<Identity> {
    check_folder(path, trust)?;
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
    if is_mount_root(path) == Some(true) {
        return Err(refused(
            "the file is mounted by itself, so the files beside it are not those of others who use it: \
             mount its folder instead",
        ));
    }
    check_writers(&file, "the file", trust)?;
    // Who put it there could write into the folder. A group that is trusted has members of many names.
    let is_members = trust.group && is_group_writable(&file) && is_our_group(file.gid());
    if !is_members {
        check_owner(&file, "the file")?;
    }
    check_log(path, backoff)?;
    Ok(Identity {
        device: file.dev(),
        inode: file.ino(),
    })
}

fn check_folder(path: &Path, trust: Trust) -> Result<Metadata> {
    // `locate` gave it a folder.
    let path = path.parent().unwrap_or(Path::new("/"));
    let folder = fs::metadata(path).map_err(|error| unreachable("its folder", &error))?;
    check_owner(&folder, "its folder")?;
    check_writers(&folder, "its folder", trust)?;
    if !trust.file_system {
        check_file_system(path)?;
    }
    Ok(folder)
}

/// Only this user and root may own it.
fn check_owner(metadata: &Metadata, what: &str) -> Result<()> {
    if [0, effective_user()].contains(&metadata.uid()) {
        return Ok(());
    }
    Err(refused(&format!("{what} belongs to another user")))
}

/// Only its owner may write, and a group that is trusted.
fn check_writers(metadata: &Metadata, what: &str, trust: Trust) -> Result<()> {
    let (mode, group) = (metadata.mode(), metadata.gid());
    let is_ours = is_our_group(group);
    let advice = if mode & 0o1002 == 0o1002 {
        "as /tmp may: make a folder of its own for it".to_owned()
    } else if mode & 0o002 != 0 {
        "chmod go-w".to_owned()
    } else if !is_group_writable(metadata) || (trust.group && is_ours) {
        return Ok(());
    } else if is_ours {
        format!("by group {group}: chmod g-w, or \"group\":\"trust\" if all of the group may")
    } else {
        format!("by group {group}, which this process is not in: chmod g-w")
    };
    let message = format!("{what} may be written by others, {advice}");
    Err(refused(&message))
}

fn is_group_writable(metadata: &Metadata) -> bool {
    metadata.mode() & 0o020 != 0
}

fn is_our_group(group: u32) -> bool {
    group == effective_group() || supplementary_groups().contains(&group)
}

fn check_file_system(folder: &Path) -> Result<()> {
    let found = file_system_type(folder)
        .map_err(|error| unreachable("its folder's file system", &error))?;
    let Some(name) = found.and_then(shared_by_machines) else {
        return Ok(());
    };
    Err(refused(&format!(
        "its folder is on {name}, where locks may not hold for all who mount it: take a folder on a \
         local disk, or \"filesystem\":\"trust\" if only this machine uses it"
    )))
}

/// Refuses a file whose log somebody has deleted, if that can be told: SQLite makes the -wal file before
/// the -shm file and deletes it after that one, so the -shm file is never alone.
fn check_log(path: &Path, backoff: &mut Backoff) -> Result<()> {
    let there_is = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        fs::symlink_metadata(name).is_ok()
    };
    // Between the two looks, another process may have deleted both.
    for _ in 0..LOOKS {
        if !there_is("-shm") || there_is("-wal") || !there_is("-shm") {
            return Ok(());
        }
        backoff.wait();
    }
    Err(refused(
        "its -wal file was deleted, and with it perhaps the last accepted codes, which would work again. To \
         go on all the same, delete the -shm file as well",
    ))
}

/// Far more than coincidence allows.
const LOOKS: u32 = 30;

fn unreachable(what: &str, error: &io::Error) -> Error {
    refused(&format!("{what} cannot be looked up: {error}"))
}

fn refused(why: &str) -> Error {
    store_unavailable(format!(
        "the guard's store \"sqlite\": config.guard.path: {why}"
    ))
}
