//! otpauth URIs.

mod write;

pub(crate) use write::provisioning_uri;
