//! otpauth URIs.

mod read;
mod write;

pub(crate) use read::{is_uri, read_uri};
pub(crate) use write::provisioning_uri;
