//! The name under which a store keeps a credential's record.

use std::array;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// The period whose credentials have the shortest name, in seconds.
pub(super) const USUAL_PERIOD: u64 = 30;

/// Derived from the secret and the period alone: no spelling of a user's name can split a budget, made-up names
/// leave no trace, and a new enrollment starts afresh. It tells nothing about the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Credential([u8; 16]);

impl Credential {
    /// The name in every store that others read as well: the first 16 bytes of HMAC-SHA256(secret,
    /// "factor2 credential id"). Steps of another length than 30 seconds are other steps, so for them it
    /// is HMAC-SHA256(secret, "factor2 credential id, period N").
    pub(crate) fn of(secret: &Secret, period: u64) -> Result<Self> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .map_err(|_| Error::internal("HMAC takes no such key"))?;
        mac.update(b"factor2 credential id");
        if period != USUAL_PERIOD {
            mac.update(format!(", period {period}").as_bytes());
        }
        Ok(Credential::of_digest(mac.finalize().into_bytes().into()))
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
