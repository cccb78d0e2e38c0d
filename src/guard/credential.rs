//! The name under which stores keep a credential's record.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// Derived from the secret alone: no spelling of a user's name can split a budget, made-up names
/// leave no trace, and a new enrolment starts afresh. It tells nothing about the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Credential([u8; 16]);

impl Credential {
    /// The first 16 bytes of HMAC-SHA256(secret, "factor2 credential id").
    pub(crate) fn of(secret: &Secret) -> Self {
        let mut id = [0; 16];
        // Never fails: HMAC takes keys of any length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
            mac.update(b"factor2 credential id");
            let digest = mac.finalize().into_bytes();
            for (byte, from) in id.iter_mut().zip(digest) {
                *byte = from;
            }
        }
        Credential(id)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Lower-case hex.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
