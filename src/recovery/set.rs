//! A set of recovery codes as it is stored: without the codes.
//!
//! `f2r1.` and, in base64url without padding, the set's random id (16 bytes), then for each number n from 1 the
//! first 16 bytes of SHA-256(id, byte n, the code's 15 bytes). 120 random bits need no slow hash: NIST SP
//! 800-63B-4 asks for one below 112.

use std::array;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::error::{Error, Result};
use crate::recovery::code::BYTES;
use crate::recovery::{Numbers, RecoveryCode};
use crate::status::Status;
use crate::wiped::Wiped;

/// As many as a record has bits for.
pub(crate) const MAX_CODES: u8 = 32;

const FORMAT: &str = "f2r1.";

type Hash = [u8; 16];

/// What is stored of a set.
pub(crate) struct RecoverySet {
    id: [u8; 16],
    hashes: Vec<Hash>,
}

impl RecoverySet {
    /// A new set, with its codes, from the operating system's randomness.
    pub(crate) fn create(count: u8) -> Result<(Self, Vec<RecoveryCode>)> {
        let mut id = [0; 16];
        let mut bytes = Wiped::zeroed(usize::from(count) * BYTES);
        for random in [&mut id[..], &mut bytes] {
            getrandom::fill(random).map_err(|_| Error::no_randomness())?;
        }
        let (codes, _) = bytes.as_chunks();
        let codes: Vec<RecoveryCode> = codes.iter().map(RecoveryCode::from_bytes).collect();
        let numbered = codes.iter().zip(1..);
        let hashes = numbered
            .map(|(code, number)| hash(&id, number, code))
            .collect();
        Ok((RecoverySet { id, hashes }, codes))
    }

    /// Reads what [`RecoverySet::to_text`] wrote, and nothing else.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let unreadable = || {
            let message = "request.recovery: must be what factor2_create_recovery_codes made";
            Error::new(Status::DataFormat, message)
        };
        let bytes = text.strip_prefix(FORMAT).ok_or_else(unreadable)?;
        let bytes = BASE64.decode(bytes).map_err(|_| unreadable())?;
        let (id, hashes) = bytes.split_first_chunk().ok_or_else(unreadable)?;
        match hashes.as_chunks() {
            (hashes, []) if (1..=usize::from(MAX_CODES)).contains(&hashes.len()) => {
                Ok(RecoverySet {
                    id: *id,
                    hashes: hashes.to_vec(),
                })
            }
            _ => Err(unreadable()),
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut bytes = self.id.to_vec();
        bytes.extend(self.hashes.as_flattened());
        let mut text = FORMAT.to_owned();
        BASE64.encode_string(bytes, &mut text);
        text
    }

    pub(crate) fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// How many codes are left when these are used.
    pub(crate) fn remaining(&self, used: Numbers) -> usize {
        let numbers = self.hashes.iter().zip(1..).map(|(_, number)| number);
        numbers.filter(|number| !used.contains(*number)).count()
    }

    /// The number of a code, which must be the `demanded` one if there is such. All are compared, in constant time.
    pub(crate) fn number_of(&self, code: &RecoveryCode, demanded: Option<u8>) -> Option<u8> {
        let mut found = 0u8;
        for (kept, number) in self.hashes.iter().zip(1u8..) {
            let is_allowed = demanded.is_none_or(|demanded| demanded == number);
            let hit = hash(&self.id, number, code).ct_eq(kept) & u8::from(is_allowed).ct_eq(&1);
            found.conditional_assign(&number, hit);
        }
        (found != 0).then_some(found)
    }
}

fn hash(id: &[u8; 16], number: u8, code: &RecoveryCode) -> Hash {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(id)
        .chain_update([number])
        .chain_update(code.as_bytes())
        .finalize()
        .into();
    array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    /// Made by another implementation.
    fn vectors() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/vectors/recovery.json")).unwrap()
    }

    #[test]
    fn a_set_of_another_implementation_is_read() {
        let vectors = vectors();
        let text = vectors["recovery"].as_str().unwrap();
        let set = RecoverySet::read(text).unwrap();
        assert_eq!(
            (set.remaining(Numbers::NONE), set.to_text().as_str()),
            (10, text)
        );
        for list in ["codes", "also_accepted"] {
            for row in vectors[list].as_array().unwrap() {
                let code = RecoveryCode::typed(row["code"].as_str().unwrap()).unwrap();
                let number = u8::try_from(row["number"].as_u64().unwrap()).unwrap();
                assert_eq!(set.number_of(&code, None), Some(number));
                assert_eq!(set.number_of(&code, Some(number)), Some(number));
                assert_eq!(set.number_of(&code, Some(number % 10 + 1)), None);
            }
        }
        for code in vectors["refused"].as_array().unwrap() {
            let code = RecoveryCode::typed(code.as_str().unwrap());
            assert!(code.is_none_or(|code| set.number_of(&code, None).is_none()));
        }
        for text in vectors["bad_records"].as_array().unwrap() {
            let error = RecoverySet::read(text.as_str().unwrap()).err().unwrap();
            assert_eq!(error.status, Status::DataFormat);
        }
    }

    #[test]
    fn no_code_comes_twice() {
        let sets = (0..3125).map(|_| RecoverySet::create(MAX_CODES).unwrap());
        let codes = sets.flat_map(|(_, codes)| codes);
        let all: HashSet<[u8; BYTES]> = codes.map(|code| *code.as_bytes()).collect();
        assert_eq!(all.len(), 100_000);
    }

    proptest! {
        #[test]
        fn each_code_of_a_new_set_has_its_number(count in 1..=MAX_CODES) {
            let (set, codes) = RecoverySet::create(count).unwrap();
            let set = RecoverySet::read(&set.to_text()).unwrap();
            prop_assert_eq!((set.remaining(Numbers::NONE), codes.len()), (count.into(), count.into()));
            for (code, number) in codes.iter().zip(1..) {
                let typed = RecoveryCode::typed(&code.to_text()).unwrap();
                prop_assert_eq!(set.number_of(&typed, None), Some(number));
            }
            prop_assert_eq!(set.number_of(&RecoveryCode::none(), None), None);
        }
    }
}
