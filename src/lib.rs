//! factor2: a second factor in one C library.
//!
//! The product is the C ABI in [`capi`], specified by `include/factor2.h`. It turns pointers into text,
//! calls one method of the authenticator (`operations`), and turns the result into a status and a response. Everything
//! beneath it is safe Rust, but for what only the system can be asked (`sys`).

#![deny(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::unreachable
    )
)]

mod authenticator;
pub mod capi;
mod config;
mod data_uri;
mod error;
mod guard;
mod json;
mod name;
mod operations;
mod otp;
mod otpauth;
mod pasted;
mod qr;
mod recovery;
mod request;
mod response;
mod secret;
mod status;
mod sys;
mod transfer;
mod wiped;

pub use status::Status;
