//! A credential's record, and the form in which stores that several processes share keep it.
//!
//! The form is a text with a number, its format. A newer library reads older formats; an older one refuses
//! a newer one by name.

/// What a store keeps per credential.
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
}

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
    };
}

/// The format that is written.
const FORMAT: &str = "1";

/// In the place of what no record has yet: the numbers of used recovery codes, and the last request that
/// may be repeated.
const ROOM: &str = "0 -";

impl Record {
    /// `1 last_step last_code failures locked_until lock_s disabled attempt 0 -`, with -1 for no last code.
    pub(crate) fn to_text(self) -> String {
        let last_code = self.last_code.map_or(-1, i64::from);
        let (last_step, failures) = (self.last_step, self.failures);
        let (locked_until, lock_s) = (self.locked_until, self.lock_s);
        let (disabled, attempt) = (u8::from(self.disabled), self.attempt);
        format!(
            "{FORMAT} {last_step} {last_code} {failures} {locked_until} {lock_s} {disabled} {attempt} {ROOM}"
        )
    }

    /// `None` for anything that [`Record::to_text`] never writes.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let fields = text.strip_prefix(FORMAT)?.strip_prefix(' ')?;
        let mut fields = fields.strip_suffix(ROOM)?.strip_suffix(' ')?.split(' ');
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
        };
        fields.next().is_none().then_some(record)
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
            disabled: bool, attempt: u64,
        ) {
            let record = Record {
                last_step, last_code, failures, locked_until, lock_s, disabled, attempt,
            };
            prop_assert_eq!(Record::from_text(&record.to_text()), Some(record));
        }

        #[test]
        fn nothing_else_is_a_record(text in "[12]( -?[0-9]{0,2}){5,9}( -)?|.{0,30}") {
            if let Some(record) = Record::from_text(&text) {
                prop_assert_eq!(Record::from_text(&record.to_text()), Some(record));
            }
        }
    }

    /// Format 1 is a promise: files and servers have it.
    #[test]
    fn format_1_is_written_like_this() {
        let full = Record {
            last_step: 59_999_999,
            last_code: Some(7),
            failures: 6,
            locked_until: 1_800_000_060,
            lock_s: 60,
            disabled: true,
            attempt: u64::MAX,
        };
        for (record, text) in [
            (Record::NEW, "1 -1 -1 0 0 0 0 0 0 -"),
            (
                full,
                "1 59999999 7 6 1800000060 60 1 18446744073709551615 0 -",
            ),
        ] {
            assert_eq!(record.to_text(), text);
            for wrong in [
                text.replacen('1', "2", 1),
                text.replace(" 0 -", ""),
                text.replace(" 0 -", " 1 -"),
                format!("{text} "),
                text.replace(' ', "  "),
                text.to_uppercase().replace('-', "x"),
            ] {
                assert_eq!(Record::from_text(&wrong), None, "{wrong}");
            }
        }
    }
}
