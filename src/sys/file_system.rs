//! What the system tells of file systems, and safe Rust does not ask.

use std::io;
use std::path::Path;

/// The type of the file system that holds `path`, as Linux numbers them; none on other systems.
#[cfg(target_os = "linux")]
pub(crate) fn file_system_type(path: &Path) -> io::Result<Option<u32>> {
    use std::mem::MaybeUninit;
    let path = c_path(path)?;
    let mut found = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: a NUL-terminated path, and a place that may be written.
    if unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was filled; and all bytes zero are a value as well.
    let found = unsafe { found.assume_init() };
    // The numbers have 32 bits; the field is wider on some machines, and signed on others.
    Ok(Some(found.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn file_system_type(_: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

/// Whether something is mounted at exactly this path. None where the system cannot tell, as before
/// Linux 5.8.
#[cfg(target_os = "linux")]
pub(crate) fn is_mount_root(path: &Path) -> Option<bool> {
    use std::mem::MaybeUninit;
    let path = c_path(path).ok()?;
    let mut found = MaybeUninit::<libc::statx>::zeroed();
    let flags = libc::AT_SYMLINK_NOFOLLOW;
    // SAFETY: a NUL-terminated path, and a place that may be written.
    let found = unsafe {
        let place = found.as_mut_ptr();
        if libc::statx(libc::AT_FDCWD, path.as_ptr(), flags, 0, place) != 0 {
            return None;
        }
        found.assume_init()
    };
    let bit = u64::from(libc::STATX_ATTR_MOUNT_ROOT.cast_unsigned());
    let is_known = found.stx_attributes_mask & bit != 0;
    is_known.then_some(found.stx_attributes & bit != 0)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_mount_root(_: &Path) -> Option<bool> {
    None
}

#[cfg(target_os = "linux")]
fn c_path(path: &Path) -> io::Result<std::ffi::CString> {
    std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).map_err(io::Error::other)
}
