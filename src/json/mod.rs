//! The one strict JSON reader, for settings, requests and session data.
//!
//! C callers build JSON with `snprintf`, so nothing is forgiven: duplicate members at any depth,
//! unknown members, trailing bytes, nesting deeper than eight levels, lone surrogates, and numbers
//! such as `1.0` or `1e1` where an integer is asked for.
//!
//! Beside it, `foreign` reads what other programs have written, and forgives.
//!
//! serde_json checks the grammar and cuts the text into raw values; strings are then borrowed from
//! it, or unescaped into memory that is wiped. So no secret stays behind in a parser's buffer.

mod foreign;
mod members;
mod names;
mod object;
mod path;
mod text;

pub(crate) use foreign::each_part;
pub(crate) use object::{Data, Names, Object, Statuses};
pub(crate) use path::find;
pub(crate) use text::{Text, shown};
