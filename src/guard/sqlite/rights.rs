//! As whom a process opens files, and below which root. Many servers start as root and give that up:
//! what they had opened before, they cannot open again.

use std::borrow::Cow;
use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::error::Error;
use crate::status::Status;
use crate::sys::user::{effective_group, effective_user, supplementary_groups};

#[derive(PartialEq, Eq)]
pub(super) struct Rights {
    user: u32,
    group: u32,
    groups: Vec<u32>,
    /// The device and inode of the root folder, if it can be looked up.
    root: Option<(u64, u64)>,
}

impl Rights {
    pub(super) fn now() -> Self {
        let root = fs::metadata("/").ok();
        Rights {
            user: effective_user(),
            group: effective_group(),
            groups: supplementary_groups(),
            root: root.map(|root| (root.dev(), root.ino())),
        }
    }

    /// The refusal of a file, with the change of rights since these ones, if there was one: it is why.
    pub(super) fn explain(&self, refusal: Error) -> Error {
        let Some(change) = self.change(&Rights::now()) else {
            return refusal;
        };
        let message = format!(
            "the guard's store \"sqlite\": config.guard.path: {change}: make the authenticator after \
             dropping rights ({})",
            without_prefix(&refusal.message)
        );
        Error::new(Status::StoreUnavailable, message)
    }

    fn change(&self, now: &Rights) -> Option<Cow<'static, str>> {
        let was_and_is = |what, was, is| format!("opened as {what} {was}, now {what} {is}").into();
        if self.user != now.user {
            Some(was_and_is("user", self.user, now.user))
        } else if self.root != now.root {
            Some("opened below another root folder, before a chroot".into())
        } else if self.group != now.group {
            Some(was_and_is("group", self.group, now.group))
        } else if self.groups != now.groups {
            Some("opened with other supplementary groups".into())
        } else {
            None
        }
    }
}

/// What a refusal's message says besides where.
fn without_prefix(message: &str) -> &str {
    let prefixes = ["the guard's store \"sqlite\": ", "config.guard.path: "];
    prefixes.iter().fold(message, |message, prefix| {
        message.strip_prefix(prefix).unwrap_or(message)
    })
}
