//! otpauth URIs.

mod names;
mod percent;
mod read;
mod write;

pub(crate) use read::{is_uri, read_uri};
pub(crate) use write::provisioning_uri;
