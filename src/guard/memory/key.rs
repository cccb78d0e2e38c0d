//! The names of credentials in memory.
//!
//! A name is SHA-256 over a random key, the store's own, and the secret, less the zero bytes at its end: HMAC
//! fills its keys up with zeros, and hashes one that is longer than a block, so secrets with one name
//! have the same codes. It is one compression of the hash for the usual secret; the name for stores that
//! others read as well takes four.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::guard::Credential;
use crate::guard::credential::{Subject, USUAL_PERIOD};

/// The block of SHA-1 and SHA-256, in bytes.
const BLOCK: usize = 64;

/// Names the credentials of one store.
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    pub(super) fn new() -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|_| Error::no_randomness())?;
        Ok(Key(key))
    }

    pub(super) fn credential(&self, subject: &Subject) -> Credential {
        match subject {
            Subject::Totp(secret, USUAL_PERIOD) => self.name_of(secret.as_bytes()),
            others => {
                let of_kind = Sha256::new()
                    .chain_update(&self.0[..])
                    .chain_update(others.kind().as_bytes());
                Key(Zeroizing::new(of_kind.finalize().into())).name_of(others.key())
            }
        }
    }

    fn name_of(&self, secret: &[u8]) -> Credential {
        let hashed;
        let secret = if secret.len() > BLOCK {
            hashed = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret)));
            &hashed[..]
        } else {
            secret
        };
        let zeros = secret.iter().rev().take_while(|&&byte| byte == 0).count();
        let digest = Sha256::new()
            .chain_update(&self.0[..])
            .chain_update(&secret[..secret.len() - zeros])
            .finalize();
        Credential::of_digest(digest.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::secret::Secret;

    impl Key {
        fn of(&self, secret: &Secret, period: u64) -> Credential {
            self.credential(&Subject::Totp(secret, period))
        }
    }

    #[test]
    fn a_secret_has_one_name_in_a_store_and_another_in_the_next() {
        let (here, there) = (Key::new().unwrap(), Key::new().unwrap());
        for bytes in [10, 20, 55, 56, 63, 64] {
            let secret = Secret::generate(bytes).unwrap();
            let again = Secret::from_base32(&secret.to_base32()).unwrap();
            assert_eq!(here.of(&secret, 30), here.of(&again, 30));
            let (here, there) = (here.of(&secret, 30), there.of(&secret, 30));
            for (here, there) in here.as_bytes().chunks(8).zip(there.as_bytes().chunks(8)) {
                assert_ne!(here, there);
            }
        }
    }

    #[test]
    fn each_period_has_a_name_of_its_own() {
        let key = Key::new().unwrap();
        let secret = Secret::generate(20).unwrap();
        let names: HashSet<_> = (15..=120).map(|n| key.of(&secret, n)).collect();
        assert_eq!(names.len(), 106);
        assert_eq!(key.of(&secret, 60), key.of(&secret, 60));
    }

    #[test]
    fn secrets_longer_than_a_block_differ_to_the_last_byte() {
        let key = Key::new().unwrap();
        let secrets = [65, 128, 129, 512].map(|bytes| vec![7; bytes]);
        let ends = secrets.iter().map(|secret| {
            let mut secret = secret.clone();
            *secret.last_mut().unwrap() ^= 1;
            secret
        });
        let all: Vec<Vec<u8>> = secrets.iter().cloned().chain(ends).collect();
        let names: HashSet<_> = all.iter().map(|bytes| key.name_of(bytes)).collect();
        assert_eq!(names.len(), 8);
        // As HMAC-SHA256 does it, so that here, too, secrets with the same codes have one name.
        let hashed = Sha256::digest(&all[0]);
        assert_eq!(key.name_of(&all[0]), key.name_of(&hashed));
    }

    #[test]
    fn a_recovery_set_is_no_secret_with_its_id() {
        let key = Key::new().unwrap();
        let id = [7; 16];
        let set = key.credential(&Subject::RecoverySet(&id));
        assert_eq!(set, key.credential(&Subject::RecoverySet(&id)));
        assert_ne!(set, key.credential(&Subject::RecoverySet(&[8; 16])));
        let secret = Secret::from_base32(&data_encoding::BASE32_NOPAD.encode(&id)).unwrap();
        for period in [30, 60] {
            assert_ne!(set, key.of(&secret, period));
            let (set, totp) = (Subject::RecoverySet(&id), Subject::Totp(&secret, period));
            assert_ne!(
                Credential::of(&set).unwrap(),
                Credential::of(&totp).unwrap()
            );
        }
    }

    #[test]
    fn secrets_with_the_same_codes_have_the_same_name() {
        let key = Key::new().unwrap();
        let name_of = |bytes: &[u8]| {
            let text = data_encoding::BASE32_NOPAD.encode(bytes);
            key.of(&Secret::from_base32(&text).unwrap(), 30)
        };
        let filled_up: [u8; 21] = std::array::from_fn(|n| if n < 20 { 7 } else { 0 });
        assert_eq!(name_of(&[7; 20]), name_of(&filled_up));
        assert_ne!(name_of(&[7; 20]), name_of(&[7; 21]));
    }

    /// A few bits of it pick the shard, and a few more the place in the shard's table.
    #[test]
    fn names_of_similar_secrets_differ_in_every_part() {
        let key = Key::new().unwrap();
        let names = (0..4096u32).map(|n| {
            let symbols = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
            let tail = (0..4).map(|at| char::from(symbols[(n >> (5 * at)) as usize % 32]));
            let text = format!("GUTCCIS2GHGBRKVLPSQV2ZTZNSHS{}", tail.collect::<String>());
            key.of(&Secret::from_base32(&text).unwrap(), 30)
        });
        let names: Vec<Credential> = names.collect();
        for at in 0..16 {
            let mut counts = [0u32; 64];
            for name in &names {
                counts[usize::from(name.as_bytes()[at] % 64)] += 1;
            }
            // 64 each, and eight standard deviations.
            assert!(counts.iter().all(|&n| n.abs_diff(64) <= 64), "{counts:?}");
        }
        let ends: HashSet<&[u8]> = names.iter().map(|name| &name.as_bytes()[8..]).collect();
        assert_eq!(ends.len(), 4096);
    }
}
