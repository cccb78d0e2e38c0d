//! otpauth URIs, and what apps make of them.

pub(crate) mod apps;
mod names;
mod percent;
mod read;
mod write;

pub(crate) use percent::decode;
pub(crate) use read::{MAX_COUNTER, algorithm_of, is_uri, read_uri};
pub(crate) use write::provisioning_uri;
