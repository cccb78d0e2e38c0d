//! factor2: a second factor in one C library.
//!
//! The product is the C ABI in [`capi`], specified by `include/factor2.h`. Everything beneath it is
//! safe Rust: [`capi`] turns pointers into text, calls one method of the authenticator, and turns
//! the answer into a status and a response.

#![deny(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod answer;
mod authenticator;
pub mod capi;
mod config;
mod enrolment;
mod error;
mod guard;
mod json;
mod name;
mod pasted;
mod qr;
mod secret;
mod totp;
mod uri;
mod verification;
mod wiped;

pub use error::Status;
