//! One-time passwords: the codes, and what both sides agree on to compute them.

mod code;
mod scheme;

pub(crate) use code::Code;
pub(crate) use scheme::Scheme;
