//! The test suite: through the C ABI, with real compilers and tools.
//!
//! `make test` installs the tools (see tests/tools.sh) and runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod abi;
mod clock;
mod guard;
#[cfg(feature = "sqlite")]
mod guard_sqlite;
mod header;
mod header_compiles;
mod install;
mod qr_colours;
mod readme;
mod support;
