//! Records in the memory of one process: the embedded default. They are gone when it ends, and no
//! other process sees them; a forked child, which would have a copy, is refused.
//!
//! Bounded: when it is full, the clean record that was accepted longest ago makes room. A record
//! with failures never does, nor one whose code may still be typed again; if there are only those,
//! new credentials are refused.

mod key;
mod table;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capi::process_mark::ProcessMark;
use crate::error::Result;
use crate::guard::memory::key::Key;
use crate::guard::memory::table::Table;
use crate::guard::{Attempt, Credential, Policy, Record, Store, Verdict, store_unavailable};
use crate::secret::Secret;

const SHARDS: usize = 64;

/// The store: records by credential, in shards that are locked one at a time.
pub(super) struct MemoryStore {
    key: Key,
    shards: [Apart<Mutex<Shard>>; SHARDS],
    max_records: usize,
    /// How many records all shards have together. Apart from what every call reads and none changes.
    records: Apart<AtomicUsize>,
    /// The process that made it.
    process: ProcessMark,
}

/// Far enough from its neighbours that no two processor cores contend for one cache line.
#[repr(align(128))]
#[derive(Default)]
struct Apart<T>(T);

#[derive(Default)]
struct Shard {
    records: Table,
    /// Who became clean, and by which step, oldest first. Entries that no longer hold are passed over.
    clean: VecDeque<(Credential, i64)>,
}

impl MemoryStore {
    pub(super) fn new(max_records: usize) -> Result<Self> {
        Ok(MemoryStore {
            key: Key::new()?,
            shards: std::array::from_fn(|_| Apart::default()),
            max_records,
            records: Apart::default(),
            process: ProcessMark::new(),
        })
    }

    /// Locks a credential's shard; refused in a forked child, before it could meet a lock that
    /// another thread held when it was forked.
    fn shard(&self, credential: &Credential) -> Result<MutexGuard<'_, Shard>> {
        if !self.process.is_here() {
            return Err(store_unavailable(
                "the guard's store \"memory\" is one process's: a forked child needs an \
                 authenticator of its own, or the stores \"sqlite\" or \"redis\", which can be shared",
            ));
        }
        match self.shard_of(credential) {
            Some(shard) => Ok(shard.lock()),
            None => Err(store_unavailable(
                "the guard's store \"memory\" has no shards",
            )),
        }
    }

    fn shard_of(&self, credential: &Credential) -> Option<&Apart<Mutex<Shard>>> {
        let [first, ..] = credential.as_bytes();
        self.shards.get(usize::from(*first) % SHARDS)
    }

    /// Counts one record more, if that is allowed.
    fn reserve(&self) -> bool {
        let more = |records: usize| records.checked_add(1).filter(|&n| n <= self.max_records);
        self.records
            .0
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
                    self.records.0.fetch_sub(1, Ordering::Relaxed);
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
    fn credential(&self, secret: &Secret, period: u64) -> Credential {
        let credential = self.key.credential(secret, period);
        // If another thread has the shard, this is not worth waiting for.
        let shard = self.shard_of(&credential);
        if let Some(Ok(shard)) = shard.map(|shard| shard.0.try_lock()) {
            shard.records.fetch(&credential);
        }
        credential
    }

    fn judge(&self, credential: &Credential, attempt: Attempt, policy: &Policy) -> Result<Verdict> {
        loop {
            let mut shard = self.shard(credential)?;
            if let Some(verdict) = shard.judge(credential, &attempt, policy, || self.reserve()) {
                return Ok(verdict);
            }
            drop(shard);
            self.make_room(attempt.oldest)?;
        }
    }

    fn inspect(&self, credential: &Credential) -> Result<Record> {
        let shard = self.shard(credential)?;
        Ok(shard.records.get(credential).unwrap_or(Record::NEW))
    }

    fn reset(&self, credential: &Credential) -> Result<Record> {
        let mut shard = self.shard(credential)?;
        let left = shard.records.change(credential, |known| {
            let mut record = known?;
            record.reset();
            Some(record)
        });
        if let Some(record) = &left {
            shard.note_if_clean(credential, record);
        }
        Ok(left.unwrap_or(Record::NEW))
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
        credential: &Credential,
        attempt: &Attempt,
        policy: &Policy,
        reserve: impl FnOnce() -> bool,
    ) -> Option<Verdict> {
        let mut verdict = None;
        let kept = self.records.change(credential, |known| {
            let before = known.unwrap_or(Record::NEW);
            let mut record = before;
            let judged = record.judge(attempt, policy);
            let changed = record != before;
            if changed && known.is_none() && !reserve() {
                return None;
            }
            verdict = Some(judged);
            changed.then_some(record)
        });
        if let Some(record) = kept {
            self.note_if_clean(credential, &record);
        }
        verdict
    }

    fn note_if_clean(&mut self, credential: &Credential, record: &Record) {
        if record.failures == 0 {
            self.clean.push_back((*credential, record.last_step));
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
        entry.is_some_and(|(credential, _)| self.records.remove(&credential))
    }
}

/// Whether the entry still tells the truth about its record.
fn holds(records: &Table, (credential, last_step): &(Credential, i64)) -> bool {
    let record = records.get(credential);
    record.is_some_and(|record| record.failures == 0 && record.last_step == *last_step)
}
