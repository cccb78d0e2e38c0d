//! The name under which a store keeps a credential's record.

use std::array;
use std::borrow::Cow;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::guard::RetryKey;
use crate::secret::{Secret, Stored};

/// The period whose credentials have the shortest name, in seconds.
pub(super) const USUAL_PERIOD: u64 = 30;

/// What a record is kept of.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A secret whose codes are of time steps, this many seconds long. Steps of another length are other steps.
    Totp(&'a Secret, u64),
    /// A secret whose codes are of counters, which are no steps.
    Hotp(&'a Secret),
    /// The random id of a set of recovery codes.
    RecoverySet(&'a [u8; 16]),
}

/// The name of a record, derived from the secret and the period, or from a set's id, alone: no spelling of a user's name
/// can split a budget, made-up names leave no trace, and a new enrollment starts afresh. It tells nothing
/// about the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Credential([u8; 16]);

impl<'a> Subject<'a> {
    pub(crate) fn of(stored: &'a Stored) -> Self {
        match stored.counter {
            None => Subject::Totp(&stored.secret, stored.scheme.period),
            Some(_) => Subject::Hotp(&stored.secret),
        }
    }

    pub(super) fn key(&self) -> &[u8] {
        match self {
            Subject::Totp(secret, _) | Subject::Hotp(secret) => secret.as_bytes(),
            Subject::RecoverySet(id) => *id,
        }
    }

    /// What tells it from others that have the same key.
    pub(super) fn kind(&self) -> Cow<'static, str> {
        match self {
            Subject::Totp(_, USUAL_PERIOD) => "factor2 credential id".into(),
            Subject::Totp(_, period) => format!("factor2 credential id, period {period}").into(),
            Subject::Hotp(_) => "factor2 credential id, hotp".into(),
            Subject::RecoverySet(_) => "factor2 recovery set id".into(),
        }
    }
}

impl Subject<'_> {
    /// A request's `retry_key` as a record keeps it: the first 16 bytes of HMAC-SHA256(secret, "factor2 retry
    /// key", a zero byte, the key). Who reads a store learns nothing about sessions.
    pub(crate) fn retry_key(&self, key: &str) -> Result<RetryKey> {
        let digest = hmac(self.key(), &[b"factor2 retry key\0", key.as_bytes()])?;
        Ok(Credential::of_digest(digest).0)
    }
}

impl Credential {
    /// The name in every store that others read as well: the first 16 bytes of HMAC-SHA256 of the kind.
    pub(crate) fn of(subject: &Subject) -> Result<Self> {
        let digest = hmac(subject.key(), &[subject.kind().as_bytes()])?;
        Ok(Credential::of_digest(digest))
    }

    /// Its first half.
    pub(super) fn of_digest(digest: [u8; 32]) -> Self {
        Credential(array::from_fn(|at| digest[at]))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Appends the name in lower-case hex.
    pub(crate) fn write_hex(&self, text: &mut String) {
        HEXLOWER.encode_append(&self.0, text);
    }
}

fn hmac(key: &[u8], texts: &[&[u8]]) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| Error::internal("HMAC takes no such key"))?;
    for text in texts {
        mac.update(text);
    }
    Ok(mac.finalize().into_bytes().into())
}
