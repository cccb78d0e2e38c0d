//! The keys of records in memory.
//!
//! A credential's id is for stores that others read as well, and takes four compressions of SHA-256.
//! Within one process it is enough to tell secrets apart: a key is SHA-256's compression of the secret,
//! from a random state, the store's own; as HMAC has it at its heart. The secret is filled up with
//! zeros as HMAC fills up its keys, so that secrets with one key have the same codes.
//!
//! Who does not know the state can find no two secrets with the same key, nor with keys that meet in a
//! table: so a key is its own hash. Who knows it, from a dump of the memory, cannot get from a key
//! to its secret.

use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::slice;

use sha2::block_api::compress256;
use zeroize::Zeroizing;

use crate::error::{Failure, Result, Status};
use crate::secret::Secret;

/// What stands for a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Picks the shard.
    pub(super) shard: u64,
    /// Picks the place in the shard's table.
    place: u64,
}

/// Makes the keys of one store.
pub(super) struct KeyMaker(Zeroizing<[u32; 8]>);

impl KeyMaker {
    pub(super) fn new() -> Result<Self> {
        let mut random = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *random).map_err(|_| {
            Failure::new(
                Status::RandomUnavailable,
                "the operating system gave no randomness",
            )
        })?;
        let mut state = Zeroizing::new([0; 8]);
        for (word, bytes) in state.iter_mut().zip(random.as_chunks().0) {
            *word = u32::from_ne_bytes(*bytes);
        }
        Ok(KeyMaker(state))
    }

    pub(super) fn key(&self, secret: &Secret) -> Key {
        // No secret is longer than the block.
        let mut block = Zeroizing::new([0; 64]);
        for (place, byte) in block.iter_mut().zip(secret.as_bytes()) {
            *place = *byte;
        }
        let mut state = *self.0;
        compress256(&mut state, slice::from_ref(&*block));
        let [a, b, c, d, ..] = state.map(u64::from);
        Key {
            shard: a << 32 | b,
            place: c << 32 | d,
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.place);
    }
}

/// For maps by [`Key`]: takes it as it is.
pub(super) type AsItIs = BuildHasherDefault<Identity>;

#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn write_u64(&mut self, place: u64) {
        self.0 = place;
    }

    /// Keys never come here.
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn a_secret_has_one_key_in_a_store_and_another_in_the_next() {
        let (here, there) = (KeyMaker::new().unwrap(), KeyMaker::new().unwrap());
        for bytes in [10, 20, 55, 56, 63, 64] {
            let secret = Secret::generate(bytes).unwrap();
            let again = Secret::from_base32(&secret.to_base32()).unwrap();
            assert_eq!(here.key(&secret), here.key(&again));
            let (here, there) = (here.key(&secret), there.key(&secret));
            assert!(here.shard != there.shard && here.place != there.place);
        }
    }

    #[test]
    fn secrets_with_the_same_codes_have_the_same_key() {
        let keys = KeyMaker::new().unwrap();
        let key_of = |bytes: &[u8]| {
            let text = data_encoding::BASE32_NOPAD.encode(bytes);
            keys.key(&Secret::from_base32(&text).unwrap())
        };
        let filled_up: [u8; 21] = std::array::from_fn(|n| if n < 20 { 7 } else { 0 });
        assert_eq!(key_of(&[7; 20]), key_of(&filled_up));
        assert_ne!(key_of(&[7; 20]), key_of(&[7; 21]));
    }

    /// The low bits and the highest seven are what a table looks at.
    #[test]
    fn keys_of_similar_secrets_spread_over_shards_and_places() {
        let keys = KeyMaker::new().unwrap();
        let secrets = (0..4096u32).map(|n| {
            let symbols = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
            let tail = (0..4).map(|at| char::from(symbols[(n >> (5 * at)) as usize % 32]));
            let text = format!("GUTCCIS2GHGBRKVLPSQV2ZTZNSHS{}", tail.collect::<String>());
            Secret::from_base32(&text).unwrap()
        });
        let keys: Vec<Key> = secrets.map(|secret| keys.key(&secret)).collect();
        let hashes: Vec<u64> = keys.iter().map(|k| AsItIs::default().hash_one(k)).collect();
        assert_eq!(hashes, keys.iter().map(|k| k.place).collect::<Vec<_>>());
        for bits in [
            |key: &Key| key.shard % 64,
            |key: &Key| key.place % 64,
            |key: &Key| key.place >> 58,
        ] {
            let mut counts = [0u32; 64];
            keys.iter().for_each(|key| counts[bits(key) as usize] += 1);
            // 64 each, and eight standard deviations.
            assert!(counts.iter().all(|&n| n.abs_diff(64) <= 64), "{counts:?}");
        }
        assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), 4096);
    }
}
