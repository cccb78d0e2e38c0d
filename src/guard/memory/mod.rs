//! Records in the memory of one process: the embedded default. They are gone when it ends, and no
//! other process sees them; a forked child, which would have a copy, is refused.
//!
//! Bounded: when it is full, the clean record that was accepted longest ago makes room. A record
//! with failures never does, nor one whose code may still be typed again; if there are only those,
//! new credentials are refused.

mod key;
#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capi::process::ProcessMark;
use crate::error::Result;
use crate::guard::memory::key::{AsItIs, Key, KeyMaker};
use crate::guard::{Attempt, Policy, Record, Store, Verdict, store_unavailable};
use crate::secret::Secret;

const SHARDS: usize = 64;

/// A shard starts with room for so many records, for small tables grow often.
const FIRST_RECORDS: usize = 28;

/// The store: records by key, in shards that are locked one at a time.
pub(super) struct MemoryStore {
    keys: KeyMaker,
    shards: [Apart<Mutex<Shard>>; SHARDS],
    max_records: usize,
    /// How many records all shards have together.
    records: AtomicUsize,
    /// The process that made it.
    process: ProcessMark,
}

/// Far enough from its neighbours that no two processor cores contend for one cache line.
#[repr(align(128))]
#[derive(Default)]
struct Apart<T>(T);

/// A record in less room: here no call is ever asked twice, so none has an id.
#[derive(Clone, Copy)]
struct Kept {
    last_step: i64,
    locked_until: u64,
    failures: u32,
    disabled: bool,
}

impl From<Record> for Kept {
    fn from(record: Record) -> Self {
        Kept {
            last_step: record.last_step,
            locked_until: record.locked_until,
            failures: record.failures,
            disabled: record.disabled,
        }
    }
}

impl From<Kept> for Record {
    fn from(kept: Kept) -> Self {
        Record {
            last_step: kept.last_step,
            failures: kept.failures,
            locked_until: kept.locked_until,
            disabled: kept.disabled,
            attempt: 0,
        }
    }
}

#[derive(Default)]
struct Shard {
    records: HashMap<Key, Kept, AsItIs>,
    /// Who became clean, and by which step, oldest first. Entries that no longer hold are passed over.
    clean: VecDeque<(Key, i64)>,
}

impl MemoryStore {
    pub(super) fn new(max_records: usize) -> Result<Self> {
        Ok(MemoryStore {
            keys: KeyMaker::new()?,
            shards: std::array::from_fn(|_| Apart::default()),
            max_records,
            records: AtomicUsize::new(0),
            process: ProcessMark::new(),
        })
    }

    /// Locks the shard of a key; refused in a forked child, before it could meet a lock that
    /// another thread held when it was forked.
    fn shard(&self, key: Key) -> Result<MutexGuard<'_, Shard>> {
        if !self.process.is_here() {
            return Err(store_unavailable(
                "the guard's store \"memory\" is one process's: a forked child needs an \
                 authenticator of its own, or the stores \"sqlite\" or \"redis\", which can be shared",
            ));
        }
        match self.shards.get(key.shard as usize % SHARDS) {
            Some(shard) => Ok(shard.lock()),
            None => Err(store_unavailable(
                "the guard's store \"memory\" has no shards",
            )),
        }
    }

    /// Counts one record more, if that is allowed.
    fn reserve(&self) -> bool {
        let more = |records: usize| records.checked_add(1).filter(|&n| n <= self.max_records);
        self.records
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// Evicts the clean record that was accepted longest ago, if it may go.
    fn make_room(&self, oldest: i64) -> Result<()> {
        let idle = |shard: &Apart<Mutex<Shard>>| shard.lock().longest_idle();
        let longest = self
            .shards
            .iter()
            .filter_map(|shard| Some((idle(shard)?, shard)));
        match longest.min_by_key(|(last_step, _)| *last_step) {
            Some((last_step, shard)) if last_step < oldest => {
                // If another thread was faster, the caller comes again.
                if shard.lock().evict(oldest) {
                    self.records.fetch_sub(1, Ordering::Relaxed);
                }
                Ok(())
            }
            _ => {
                let max = self.max_records;
                Err(store_unavailable(format!(
                    "the guard's store \"memory\" is full: all of its {max} records \
                     (config.guard.max_records) have wrong codes, or codes that could still be replayed"
                )))
            }
        }
    }
}

impl Store for MemoryStore {
    fn judge(&self, secret: &Secret, attempt: Attempt, policy: &Policy) -> Result<Verdict> {
        let key = self.keys.key(secret);
        loop {
            let mut shard = self.shard(key)?;
            if let Some(verdict) = shard.judge(key, &attempt, policy, || self.reserve()) {
                return Ok(verdict);
            }
            drop(shard);
            self.make_room(attempt.oldest)?;
        }
    }

    fn inspect(&self, secret: &Secret) -> Result<Record> {
        let key = self.keys.key(secret);
        let shard = self.shard(key)?;
        Ok(shard.record(&key).unwrap_or(Record::NEW))
    }

    fn reset(&self, secret: &Secret) -> Result<Record> {
        let key = self.keys.key(secret);
        let mut shard = self.shard(key)?;
        let Some(mut record) = shard.record(&key) else {
            return Ok(Record::NEW);
        };
        record.reset();
        shard.records.insert(key, record.into());
        shard.note_if_clean(key, &record);
        Ok(record)
    }
}

impl Apart<Mutex<Shard>> {
    /// A thread that panicked with the lock left nothing half-done: records change in one assignment.
    fn lock(&self) -> MutexGuard<'_, Shard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// Judges an attempt and keeps the changed record; `None` if there is no room for a new one.
    fn judge(
        &mut self,
        key: Key,
        attempt: &Attempt,
        policy: &Policy,
        reserve: impl FnOnce() -> bool,
    ) -> Option<Verdict> {
        if self.records.capacity() == 0 {
            self.records.reserve(FIRST_RECORDS);
            self.clean.reserve(FIRST_RECORDS);
        }
        let place = self.records.entry(key);
        let before = match &place {
            Entry::Occupied(place) => Record::from(*place.get()),
            Entry::Vacant(_) => Record::NEW,
        };
        let mut record = before;
        let verdict = record.judge(attempt, policy);
        if record == before {
            return Some(verdict);
        }
        if matches!(place, Entry::Vacant(_)) && !reserve() {
            return None;
        }
        place.insert_entry(record.into());
        self.note_if_clean(key, &record);
        Some(verdict)
    }

    fn record(&self, key: &Key) -> Option<Record> {
        self.records.get(key).map(|kept| Record::from(*kept))
    }

    fn note_if_clean(&mut self, key: Key, record: &Record) {
        if record.failures == 0 {
            self.clean.push_back((key, record.last_step));
        }
        // Every login adds an entry: without those that no longer hold there are never more than
        // records, so dropping them once they are the majority costs O(1) per login.
        if self.clean.len() > self.records.len().saturating_mul(2).saturating_add(16) {
            let records = &self.records;
            self.clean.retain(|entry| holds(records, entry));
        }
    }

    /// The step of the record that has been clean the longest.
    fn longest_idle(&mut self) -> Option<i64> {
        while let Some(entry) = self.clean.front() {
            if holds(&self.records, entry) {
                return Some(entry.1);
            }
            self.clean.pop_front();
        }
        None
    }

    /// Drops the record that has been clean the longest; false when it may not go.
    fn evict(&mut self, oldest: i64) -> bool {
        if self
            .longest_idle()
            .is_none_or(|last_step| last_step >= oldest)
        {
            return false;
        }
        let entry = self.clean.pop_front();
        entry.is_some_and(|(key, _)| self.records.remove(&key).is_some())
    }
}

/// Whether the entry still tells the truth about its record.
fn holds(records: &HashMap<Key, Kept, AsItIs>, entry: &(Key, i64)) -> bool {
    let (key, last_step) = entry;
    let record = records.get(key);
    record.is_some_and(|record| record.failures == 0 && record.last_step == *last_step)
}
