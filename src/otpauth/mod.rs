//! otpauth URIs, and what apps make of them.

pub(crate) mod apps;
mod write;

pub(crate) use write::provisioning_uri;
