//! TOTP, RFC 6238: which steps a code belongs to, and which code a step has.

use std::fmt::Write;
use std::ops::RangeInclusive;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The longest code, in digits.
const MAX_DIGITS: usize = 8;

/// What both sides agree on besides the secret.
#[derive(Clone, Copy, Debug)]
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
        now.checked_div(self.period).unwrap_or(0)
    }

    /// How many seconds the code of `now` still has, 1 to the period.
    pub(crate) fn seconds_left(&self, now: u64) -> u64 {
        let elapsed = now.checked_rem(self.period).unwrap_or(0);
        self.period.saturating_sub(elapsed)
    }

    /// The code of one step.
    pub(crate) fn code(&self, secret: &Secret, step: u64) -> Code {
        Code::of_step(&self.keyed(secret), step)
    }

    /// The newest of `steps` whose code is `code`: two adjacent steps may share one. Every step is
    /// computed and compared in constant time, whichever matches.
    pub(crate) fn newest_match(
        &self,
        secret: &Secret,
        code: &Code,
        steps: RangeInclusive<u64>,
    ) -> Option<u64> {
        let keyed = self.keyed(secret);
        let mut newest = 0;
        let mut found = Choice::from(0);
        for step in steps {
            let hit = Code::of_step(&keyed, step)
                .0
                .as_slice()
                .ct_eq(code.0.as_slice());
            newest.conditional_assign(&step, hit);
            found |= hit;
        }
        bool::from(found).then_some(newest)
    }

    /// totp-rs for one secret. A step of one second makes its time the step's number.
    fn keyed(&self, secret: &Secret) -> Totp {
        Builder::new()
            .with_algorithm(self.algorithm)
            .with_digits(self.digits)
            .with_step_duration(1)
            .with_secret(secret.as_bytes())
            .build_noncompliant() // build() would refuse the 80-bit secrets that we warn about
    }
}

/// A code's digits in ASCII, followed by zeros.
pub(crate) struct Code(Zeroizing<[u8; MAX_DIGITS]>);

impl Code {
    fn of_step(keyed: &Totp, step: u64) -> Self {
        let mut code = Code(Zeroizing::new([0; MAX_DIGITS]));
        let mut writer = Digits {
            left: code.0.as_mut_slice(),
        };
        // Never fails: the settings allow MAX_DIGITS digits at most.
        let _ = write!(writer, "{}", keyed.generate(step));
        code
    }

    /// What a person typed: spaces and hyphens are dropped, and what remains must be exactly
    /// `digits` ASCII digits.
    pub(crate) fn typed(text: &str, digits: u8) -> Option<Self> {
        let mut code = Code(Zeroizing::new([0; MAX_DIGITS]));
        let mut places = code.0.iter_mut().take(usize::from(digits));
        for byte in text.bytes().filter(|&b| b != b' ' && b != b'-') {
            if !byte.is_ascii_digit() {
                return None;
            }
            *places.next()? = byte;
        }
        places.next().is_none().then_some(code)
    }

    /// The digits as text.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let digits = self.0.iter().filter(|&&b| b != 0);
        Zeroizing::new(digits.map(|&b| char::from(b)).collect())
    }
}

/// Writes into a fixed place, and refuses what does not fit.
struct Digits<'a> {
    left: &'a mut [u8],
}

impl Write for Digits<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let left = std::mem::take(&mut self.left);
        let (place, rest) = left
            .split_at_mut_checked(text.len())
            .ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.left = rest;
        Ok(())
    }
}
