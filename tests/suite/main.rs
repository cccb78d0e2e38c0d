//! The test suite: through the C ABI, with real compilers and tools.
//!
//! `make test` installs the tools (see tests/tools.sh) and runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)]
#![allow(clippy::string_slice)]

mod abi;
mod apps;
mod c_programs;
mod clock;
mod codes;
mod config;
mod cpp;
mod crowd;
mod dependencies;
mod diagnose;
mod fuzz;
mod go;
mod guard;
#[cfg(feature = "redis")]
mod guard_redis;
#[cfg(feature = "sqlite")]
mod guard_sqlite;
mod header;
mod header_compiles;
mod hotp;
mod import;
mod install;
mod json;
mod json_texts;
mod man_pages;
mod members;
mod old_records;
mod operations;
mod oracles;
mod packages;
mod pam;
mod people;
mod private_mounts;
mod qr;
mod qr_colours;
mod qr_logos;
mod qr_svg;
mod qr_symbols;
mod race;
mod readme;
mod recovery;
mod resync;
mod retries;
mod ruby;
mod sealed;
mod secrets;
mod several;
mod spellings;
mod stored;
mod stores;
mod support;
mod uris;
mod verification;
mod web;
