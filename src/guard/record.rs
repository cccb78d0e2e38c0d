//! A credential's record, and the form in which stores that several processes share keep it.
//!
//! The form is a text with a number, its format. A newer library reads older formats; an older one refuses
//! a newer one by name.

use crate::recovery::Numbers;

/// What a store keeps per credential, or per set of recovery codes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Record {
    /// Highest accepted step, or -1. Only grows.
    pub(crate) last_step: i64,
    /// The code that was accepted last.
    pub(crate) last_code: Option<u32>,
    /// Consecutive wrong codes.
    pub(crate) failures: u32,
    /// Unix seconds; 0 when not locked.
    pub(crate) locked_until: u64,
    /// Seconds that the last lock was set for.
    pub(crate) lock_s: u64,
    /// Whether the hard limit was reached.
    pub(crate) disabled: bool,
    /// The id of the last attempt that changed the record; 0 when there was none.
    pub(crate) attempt: u64,
    /// The recovery codes that were used.
    pub(crate) used: Numbers,
    /// The last accepted request, if it may be repeated.
    pub(crate) retry: Option<Retry>,
}

/// An accepted request that gets the same answer again.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Retry {
    pub(crate) key: RetryKey,
    /// When it was accepted, in Unix seconds.
    pub(crate) accepted_at: u64,
    /// How often it was repeated.
    pub(crate) repeated: u32,
}

/// A request's `retry_key`, hashed with the secret.
pub(crate) type RetryKey = [u8; 16];

impl Record {
    /// The record of a credential that was never tried.
    pub(crate) const NEW: Record = Record {
        last_step: -1,
        last_code: None,
        failures: 0,
        locked_until: 0,
        lock_s: 0,
        disabled: false,
        attempt: 0,
        used: Numbers::NONE,
        retry: None,
    };

    /// Whether all that it says is when a code was accepted.
    pub(crate) fn is_clean(&self) -> bool {
        self.failures == 0 && self.used == Numbers::NONE
    }

    /// `1 last_step last_code failures locked_until lock_s disabled attempt 0 -`, with -1 for no last code.
    /// Format 2 has the used recovery codes and the last request for the last two; it is written only where
    /// there are any, so that libraries of before can read all that they can understand.
    pub(crate) fn to_text(self) -> String {
        let last_code = self.last_code.map_or(-1, i64::from);
        let (last_step, failures) = (self.last_step, self.failures);
        let (locked_until, lock_s) = (self.locked_until, self.lock_s);
        let (disabled, attempt) = (u8::from(self.disabled), self.attempt);
        let (format, used) = (if self.is_format_1() { 1 } else { 2 }, self.used.to_bits());
        let retry = self.retry.map_or("-".to_owned(), Retry::to_text);
        format!(
            "{format} {last_step} {last_code} {failures} {locked_until} {lock_s} {disabled} {attempt} {used} {retry}"
        )
    }

    fn is_format_1(self) -> bool {
        self.used == Numbers::NONE && self.retry.is_none()
    }

    /// `None` for anything that [`Record::to_text`] never writes.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut fields = text.split(' ');
        let format = fields.next()?;
        let record = Record {
            last_step: fields.next()?.parse().ok()?,
            last_code: match fields.next()? {
                "-1" => None,
                code => Some(code.parse().ok()?),
            },
            failures: fields.next()?.parse().ok()?,
            locked_until: fields.next()?.parse().ok()?,
            lock_s: fields.next()?.parse().ok()?,
            disabled: match fields.next()? {
                "0" => false,
                "1" => true,
                _ => return None,
            },
            attempt: fields.next()?.parse().ok()?,
            used: Numbers::from_bits(fields.next()?.parse().ok()?),
            retry: match fields.next()? {
                "-" => None,
                retry => Some(Retry::from_text(retry)?),
            },
        };
        let expected = if record.is_format_1() { "1" } else { "2" };
        (fields.next().is_none() && format == expected).then_some(record)
    }
}

impl Retry {
    /// `key:accepted_at:repeated`, the key in hex.
    fn to_text(self) -> String {
        let key = u128::from_be_bytes(self.key);
        format!("{key:032x}:{}:{}", self.accepted_at, self.repeated)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut fields = text.split(':');
        let key = u128::from_str_radix(fields.next()?, 16).ok()?;
        let retry = Retry {
            key: key.to_be_bytes(),
            accepted_at: fields.next()?.parse().ok()?,
            repeated: fields.next()?.parse().ok()?,
        };
        // There are other spellings of numbers, which are never written.
        (retry.to_text() == text).then_some(retry)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was(
            last_step: i64, last_code: Option<u32>, failures: u32, locked_until: u64, lock_s: u64,
            disabled: bool, attempt: u64, used: u32, retry: Option<([u8; 16], u64, u32)>,
        ) {
            let retry = retry.map(|(key, accepted_at, repeated)| Retry { key, accepted_at, repeated });
            let used = Numbers::from_bits(used);
            let record = Record {
                last_step, last_code, failures, locked_until, lock_s, disabled, attempt, used, retry,
            };
            prop_assert_eq!(Record::from_text(&record.to_text()), Some(record));
        }

        #[test]
        fn nothing_else_is_a_record(text in "[123]( -?[0-9]{0,2}){7,9}( -| ([0-9a-f]{32}:?){1,2}[0-9]:[0-9])?|.{0,30}") {
            if let Some(record) = Record::from_text(&text) {
                prop_assert_eq!(Record::from_text(&record.to_text()), Some(record));
            }
        }
    }

    /// The formats are a promise: files and servers have them.
    #[test]
    fn formats_1_and_2_are_written_like_this() {
        let full = Record {
            last_step: 59_999_999,
            last_code: Some(7),
            failures: 6,
            locked_until: 1_800_000_060,
            lock_s: 60,
            disabled: true,
            attempt: u64::MAX,
            ..Record::NEW
        };
        let used = Record {
            used: Numbers::from_iter([1, 32]),
            ..Record::NEW
        };
        let repeated = Record {
            retry: Some(Retry {
                key: *b"0123456789abcdef",
                accepted_at: 1_800_000_000,
                repeated: 3,
            }),
            ..full
        };
        for (record, text) in [
            (Record::NEW, "1 -1 -1 0 0 0 0 0 0 -"),
            (
                full,
                "1 59999999 7 6 1800000060 60 1 18446744073709551615 0 -",
            ),
            (used, "2 -1 -1 0 0 0 0 0 2147483649 -"),
            (
                repeated,
                "2 59999999 7 6 1800000060 60 1 18446744073709551615 0 \
                 30313233343536373839616263646566:1800000000:3",
            ),
        ] {
            assert_eq!(record.to_text(), text);
            let (format, fields) = text.split_once(' ').unwrap();
            let other = if format == "1" { "2" } else { "1" };
            for wrong in [
                format!("{other} {fields}"),
                format!("3 {fields}"),
                format!("{text} "),
                format!("{text} 0"),
                format!("{text}:0"),
                text.replace(' ', "  "),
                text.replace(" 0 ", " x "),
                text.rsplit_once(' ').unwrap().0.to_owned(),
            ] {
                assert_eq!(Record::from_text(&wrong), None, "{wrong}");
            }
        }
    }
}
