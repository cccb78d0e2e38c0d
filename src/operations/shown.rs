//! What an authenticator shows: one code, or two in a row.

use crate::error::Result;
use crate::otp::{Code, Scheme};
use crate::secret::Secret;

/// The code that it shows, and the one that it showed before, if that is known.
pub(super) struct Shown {
    pub(super) before: Option<Code>,
    pub(super) code: Code,
}

impl Shown {
    /// The counters, among these, at which it shows this. Each one is computed, whichever matches.
    pub(super) fn find(
        &self,
        scheme: &Scheme,
        secret: &Secret,
        mut counters: impl Iterator<Item = u64>,
    ) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        while let Some(counter) = scheme.first_match(secret, &self.code, counters.by_ref())? {
            let fits = match (&self.before, counter.checked_sub(1)) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(before), previous) => {
                    let previous = scheme.first_match(secret, before, previous.into_iter())?;
                    previous.is_some()
                }
            };
            if fits {
                found.push(counter);
            }
        }
        Ok(found)
    }

    /// The probability that a wrong code, or pair of codes, of so many digits is found among so many counters.
    pub(super) fn chance(&self, digits: u8, counters: u64) -> f64 {
        let codes = if self.before.is_some() { 2 } else { 1 };
        let one = 10f64.powi(-codes * i32::from(digits));
        // 1 - (1 - one)^counters, without losing the small difference.
        -f64::exp_m1(counters as f64 * f64::ln_1p(-one))
    }
}

#[cfg(test)]
mod tests {
    use totp_rs::Algorithm;

    use super::*;

    fn shown(before: Option<&str>, code: &str, digits: u8) -> Shown {
        Shown {
            before: before.map(|before| Code::typed(before, digits).unwrap()),
            code: Code::typed(code, digits).unwrap(),
        }
    }

    /// A simulation: how often random codes are found by chance is what is told.
    #[test]
    fn the_chance_is_how_often_wrong_codes_are_found() {
        let secret = Secret::from_base32("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").unwrap();
        let scheme = Scheme {
            algorithm: Algorithm::SHA1,
            digits: 6,
            period: 30,
        };
        let (tries, counters) = (400u32, 5761);
        let mut hits = 0;
        for n in 0..tries {
            // Every 2500th of the codes, whatever the secret.
            let wrong = shown(None, &format!("{:06}", n * 2500 + 17), 6);
            let found = wrong
                .find(&scheme, &secret, 60_000_000..60_000_000 + counters)
                .unwrap();
            hits += u32::from(!found.is_empty());
        }
        let expected = wrong_chance(6, counters) * f64::from(tries);
        // Mean 2.3: more than 9 or none at all of so many comes once in ten thousand, or once in ten.
        assert!(f64::from(hits) < expected + 7.0, "{hits} of {expected}");
        assert!((wrong_chance(6, 1) - 1e-6).abs() < 1e-18);
        assert!((wrong_chance(6, 5761) - 0.005_744_436).abs() < 1e-8);
        let pair = shown(Some("123456"), "234567", 6);
        assert!((pair.chance(6, 2001) / 2001e-12 - 1.0).abs() < 1e-6);
    }

    fn wrong_chance(digits: u8, counters: u64) -> f64 {
        shown(None, "12345678".get(..digits.into()).unwrap(), digits).chance(digits, counters)
    }

    #[test]
    fn two_codes_are_found_in_a_row_alone() {
        let secret = Secret::from_base32("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").unwrap();
        let scheme = Scheme {
            algorithm: Algorithm::SHA256,
            digits: 8,
            period: 30,
        };
        let code = |counter| scheme.code(&secret, counter);
        let find = |before: u64, after: u64| {
            let shown = shown(Some(&code(before)), &code(after), 8);
            shown.find(&scheme, &secret, 0..100).unwrap()
        };
        assert_eq!(find(7, 8), [8]);
        assert_eq!(find(0, 1), [1]);
        assert!(find(7, 9).is_empty());
        assert!(find(8, 7).is_empty());
        assert!(find(99, 100).is_empty());
    }
}
