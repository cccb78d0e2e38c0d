//! HOTP, RFC 4226, and TOTP, RFC 6238: which code a counter has, and to which one a code belongs. The counters of TOTP
//! are time steps.

use hmac::KeyInit;
use hmac::block_api::HmacCore;
use hmac::digest::Output;
use hmac::digest::block_api::{Buffer, FixedOutputCore};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, Builder};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::otp::Code;
use crate::secret::Secret;

/// What both sides agree on besides the secret.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scheme {
    pub(crate) algorithm: Algorithm,
    /// 6 to 8.
    pub(crate) digits: u8,
    /// Seconds that a code is valid, 15 to 120.
    pub(crate) period: u64,
}

impl Scheme {
    /// The step that the Unix time `now` falls into.
    pub(crate) fn step_at(&self, now: u64) -> u64 {
        now / self.period
    }

    /// How many seconds the code of `now` still has, 1 to the period.
    pub(crate) fn seconds_left(&self, now: u64) -> u64 {
        self.period - now % self.period
    }

    /// The code of one counter, as text.
    pub(crate) fn code(&self, secret: &Secret, counter: u64) -> Zeroizing<String> {
        // With steps of one second, totp-rs's time is the counter.
        let totp = Builder::new()
            .with_algorithm(self.algorithm)
            .with_digits(self.digits)
            .with_step_duration(1)
            .with_secret(secret.as_bytes())
            .build_noncompliant(); // build() would refuse the 80-bit secrets that we warn about
        Zeroizing::new(totp.generate(counter).to_string())
    }

    /// The first of `counters` whose code is `code`. Codes are compared in constant time. A hit ends the search: the
    /// answer to a right code names its counter anyway, and for a wrong one every counter is computed.
    pub(crate) fn first_match(
        &self,
        secret: &Secret,
        code: &Code,
        counters: impl Iterator<Item = u64>,
    ) -> Result<Option<u64>> {
        match self.algorithm {
            Algorithm::SHA1 => self.first::<HmacCore<Sha1>>(secret, code, counters),
            Algorithm::SHA256 => self.first::<HmacCore<Sha256>>(secret, code, counters),
            Algorithm::SHA512 => self.first::<HmacCore<Sha512>>(secret, code, counters),
            _ => Err(Error::internal("no setting has this algorithm")),
        }
    }

    /// As totp-rs would find it; but the key is prepared once for all counters, which is half the work.
    fn first<M: FixedOutputCore + KeyInit + Clone>(
        &self,
        secret: &Secret,
        code: &Code,
        counters: impl Iterator<Item = u64>,
    ) -> Result<Option<u64>> {
        let keyed = M::new_from_slice(secret.as_bytes())
            .map_err(|_| Error::internal("HMAC takes no such key"))?;
        let modulus = 10u32.pow(self.digits.into());
        for counter in counters {
            let mut mac = keyed.clone();
            let mut digest = Output::<M>::default();
            mac.finalize_fixed_core(&mut Buffer::<M>::new(&counter.to_be_bytes()), &mut digest);
            let value = truncated(&digest) % modulus;
            if value.ct_eq(&code.value()).into() {
                return Ok(Some(counter));
            }
        }
        Ok(None)
    }
}

/// Dynamic truncation, RFC 4226 section 5.3. A digest has 20 bytes or more.
fn truncated(digest: &[u8]) -> u32 {
    let offset = usize::from(digest[digest.len() - 1] & 0xF);
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| digest[offset + at]);
    u32::from_be_bytes([a & 0x7F, b, c, d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// totp-rs is the plain twin of the search.
        #[test]
        fn the_first_match_is_totp_rs_s(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 10..=64),
                proptest::collection::vec(any::<u8>(), 65..=512),
            ],
            algorithm in prop_oneof![
                Just(Algorithm::SHA1), Just(Algorithm::SHA256), Just(Algorithm::SHA512)
            ],
            digits in 6..=8u8,
            step in 0..u64::MAX - 9,
            drift in 0..9u64,
        ) {
            prop_assume!(bytes.iter().any(|&byte| byte != 0));
            let text = data_encoding::BASE32_NOPAD.encode(&bytes);
            let secret = Secret::from_base32(&text).unwrap();
            let scheme = Scheme { algorithm, digits, period: 30 };
            let text = scheme.code(&secret, step + drift);
            let code = Code::typed(&text, digits).unwrap();
            let window = (step..=step + 4).rev();
            let with_this_code = |at: &u64| scheme.code(&secret, *at) == text;
            let expected = window.clone().find(with_this_code);
            prop_assert_eq!(scheme.first_match(&secret, &code, window).unwrap(), expected);
        }
    }
}
