//! What safe Rust cannot ask of the system. Beside `capi`, the only room with unsafe code.

#![allow(unsafe_code)]

pub(crate) mod clock;
#[cfg(feature = "sqlite")]
pub(crate) mod file_size_signal;
#[cfg(feature = "sqlite")]
pub(crate) mod file_system;
pub(crate) mod fork;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_calls;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_connection;
#[cfg(any(feature = "sqlite", feature = "redis-tls"))]
pub(crate) mod user;
