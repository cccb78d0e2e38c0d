//! otpauth URIs, one a line. They are written anew: in the one form that all apps read, without parameters that
//! nobody verifies by.

use std::borrow::Cow;
use std::mem;

use crate::otpauth::read_uri;
use crate::transfer::fields::why;
use crate::transfer::{Entry, Why};

const MIGRATION: &str = "otpauth-migration:";

/// A line.
pub(super) fn read(line: &str) -> Option<Result<Entry<'_>, Why>> {
    Some(entry(line))
}

fn entry(line: &str) -> Result<Entry<'static>, Why> {
    let begin = line.get(..MIGRATION.len()).unwrap_or_default();
    if begin.eq_ignore_ascii_case(MIGRATION) {
        return Err("an otpauth-migration URI, which is another format".into());
    }
    let mut read = read_uri(line).map_err(why)?;
    let differs = "issuer: the URI's label has another one, which is not kept";
    let differs = read.names.label_issuer.is_some().then_some(differs);
    Ok(Entry {
        username: Cow::Owned(mem::take(&mut *read.names.account)),
        issuer: Cow::Owned(mem::take(&mut *read.names.issuer)),
        secret: read.secret,
        scheme: read.scheme,
        counter: read.counter,
        warnings: differs.into_iter().map(Cow::Borrowed).collect(),
    })
}
