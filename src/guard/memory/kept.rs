//! A record as it lies in memory: half of its size, because a million of them do not fit into a
//! processor's caches.

use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU32;

use crate::guard::Record;
use crate::recovery::Numbers;

/// It has no attempt's id, because no call is asked twice here. Requests that may be repeated are kept
/// beside it, because few are.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    last_step: i64,
    locked_until: u64,
    /// One more than the code, so that none takes no room of its own.
    last_code: Option<NonZeroU32>,
    used: Numbers,
    /// At most 86,400, by the policy.
    lock_s: u32,
    /// At most 100, by the policy: then nothing is counted any more.
    failures: u8,
    disabled: bool,
    /// Seconds of a step, at most 120; 0 for counters and for recovery codes, which have none.
    period: u8,
}

const _: () = assert!(size_of::<Kept>() == 32);

impl Kept {
    pub(super) fn new(record: Record, period: u64) -> Self {
        Kept {
            period: period as u8,
            last_step: record.last_step,
            locked_until: record.locked_until,
            last_code: record.last_code.and_then(|code| NonZeroU32::new(code + 1)),
            used: record.used,
            lock_s: record.lock_s as u32,
            failures: record.failures as u8,
            disabled: record.disabled,
        }
    }

    pub(super) fn period(self) -> u64 {
        self.period.into()
    }

    /// Whether it may go once its last accepted code is none any more. A counter's codes never expire.
    pub(super) fn may_go(self) -> bool {
        let is_of_counter = self.period == 0 && self.last_step >= 0;
        Record::from(self).is_clean() && !is_of_counter
    }

    /// When its last accepted step began, in Unix seconds.
    pub(super) fn accepted_for(self) -> i128 {
        i128::from(self.last_step) * i128::from(self.period)
    }

    /// Whether its last accepted code is none any more at this time, where that many steps before the current one
    /// are accepted.
    pub(super) fn is_over(self, past: u64, now: u64) -> bool {
        match now.checked_div(self.period()) {
            Some(current) => i128::from(self.last_step) + i128::from(past) < i128::from(current),
            None => true,
        }
    }
}

impl From<Kept> for Record {
    fn from(kept: Kept) -> Self {
        Record {
            last_step: kept.last_step,
            last_code: kept.last_code.map(|code| code.get() - 1),
            failures: kept.failures.into(),
            locked_until: kept.locked_until,
            lock_s: kept.lock_s.into(),
            disabled: kept.disabled,
            used: kept.used,
            ..Record::NEW
        }
    }
}

/// Names are random to everybody outside (`key.rs`), so a part of one is its hash.
#[derive(Clone, Default)]
pub(super) struct ByName(u64);

impl BuildHasher for ByName {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        ByName(0)
    }
}

impl Hasher for ByName {
    fn write(&mut self, bytes: &[u8]) {
        // Not the first byte, which picks the shard.
        if let Some(part) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*part);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let most = Record {
            last_step: i64::MAX,
            last_code: Some(99_999_999),
            failures: 100,
            locked_until: u64::MAX,
            lock_s: 86_400,
            disabled: true,
            used: Numbers::from_bits(u32::MAX),
            ..Record::NEW
        };
        let zero = Record {
            last_code: Some(0),
            ..Record::NEW
        };
        for record in [Record::NEW, zero, most] {
            for period in [0, 15, 120] {
                let kept = Kept::new(record, period);
                assert_eq!((Record::from(kept), kept.period()), (record, period));
            }
        }
    }
}
