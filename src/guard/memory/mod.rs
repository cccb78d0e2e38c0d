//! Records in the memory of one process: the embedded default. They are gone when it ends, and no
//! other process sees them; a forked child, which would have a copy, is refused.
//!
//! Bounded: when it is full, the clean record that was accepted longest ago makes room. A record
//! with failures never does, nor one whose code may still be typed again, nor that of a set of which a recovery
//! code was used, nor that of a counter; if there are only those, new credentials are refused.

mod kept;
mod key;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::collections::hash_map::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::guard::memory::kept::{ByName, Kept};
use crate::guard::memory::key::Key;
use crate::guard::{
    Attempt, Credential, Deadline, Policy, Record, Retry, Store, Subject, Verdict,
    store_unavailable,
};
use crate::sys::fork::ProcessMark;

const SHARDS: usize = 64;

/// The store: records by credential, in shards that are locked one at a time.
pub(super) struct MemoryStore {
    key: Key,
    shards: [CachePadded<Mutex<Shard>>; SHARDS],
    max_records: usize,
    /// How many records all shards have together.
    records: CachePadded<AtomicUsize>,
    /// The process that made it.
    process: ProcessMark,
}

/// Far enough from its neighbours that no two processor cores contend for one cache line.
#[repr(align(128))]
#[derive(Default)]
struct CachePadded<T>(T);

type Records = HashMap<Credential, Kept, ByName>;

#[derive(Default)]
struct Shard {
    records: Records,
    /// Of those records that have one.
    retries: HashMap<Credential, Retry, ByName>,
    /// In which order to evict: clean credentials, with the step that made them so, oldest first.
    /// Stale entries are skipped.
    clean: VecDeque<(Credential, i64)>,
}

impl MemoryStore {
    pub(super) fn new(max_records: usize) -> Result<Self> {
        Ok(MemoryStore {
            key: Key::new()?,
            shards: std::array::from_fn(|_| CachePadded::default()),
            max_records,
            records: CachePadded::default(),
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
        let [first, ..] = credential.as_bytes();
        Ok(self.shards[usize::from(*first) % SHARDS].lock())
    }

    /// Counts one record more, if that is allowed.
    fn reserve(&self) -> bool {
        let more = |records| (records < self.max_records).then_some(records + 1);
        self.records
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// Evicts the clean record that was accepted longest ago, if it may go.
    fn make_room(&self, attempt: &Attempt) -> Result<()> {
        let is_over = |kept: Kept| kept.is_over(attempt.past, attempt.now);
        let idle = |shard: &CachePadded<Mutex<Shard>>| shard.lock().longest_idle();
        let longest = self
            .shards
            .iter()
            .filter_map(|shard| Some((idle(shard)?, shard)));
        match longest.min_by_key(|(kept, _)| kept.accepted_for()) {
            Some((kept, shard)) if is_over(kept) => {
                // If another thread was faster, the caller comes again.
                if shard.lock().evict(is_over) {
                    self.records.0.fetch_sub(1, Ordering::Relaxed);
                }
                Ok(())
            }
            _ => {
                let max = self.max_records;
                Err(store_unavailable(format!(
                    "the guard's store \"memory\" is full: all of its {max} records \
                     (config.guard.max_records) have wrong codes, used recovery codes, counters, or codes that \
                     could still be replayed"
                )))
            }
        }
    }
}

impl Store for MemoryStore {
    fn credential(&self, subject: &Subject) -> Result<Credential> {
        Ok(self.key.credential(subject))
    }

    fn judge(
        &self,
        credential: &Credential,
        attempt: Attempt,
        policy: &Policy,
        _: Deadline,
    ) -> Result<Verdict> {
        loop {
            let mut shard = self.shard(credential)?;
            if let Some(verdict) = shard.judge(credential, &attempt, policy, || self.reserve()) {
                return Ok(verdict);
            }
            drop(shard);
            self.make_room(&attempt)?;
        }
    }

    fn inspect(&self, credential: &Credential, _: Deadline) -> Result<Record> {
        let shard = self.shard(credential)?;
        Ok(shard.record(credential).unwrap_or(Record::NEW))
    }

    fn reset(&self, credential: &Credential, _: Deadline) -> Result<Record> {
        let mut shard = self.shard(credential)?;
        let Some(kept) = shard.records.get(credential).copied() else {
            return Ok(Record::NEW);
        };
        let before = shard.record(credential).unwrap_or(Record::NEW);
        let mut left = before;
        left.reset();
        let kept = Kept::new(left, kept.period());
        shard.records.insert(*credential, kept);
        shard.note_if_clean(credential, &before, kept);
        Ok(left)
    }
}

impl CachePadded<Mutex<Shard>> {
    /// A thread that panicked with the lock left nothing half-done: records change in one assignment.
    fn lock(&self) -> MutexGuard<'_, Shard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn record(&self, credential: &Credential) -> Option<Record> {
        let kept = self.records.get(credential)?;
        Some(Record {
            retry: self.retries.get(credential).copied(),
            ..Record::from(*kept)
        })
    }

    /// Judges an attempt and keeps the changed record; `None` if there is no room for a new one.
    fn judge(
        &mut self,
        credential: &Credential,
        attempt: &Attempt,
        policy: &Policy,
        reserve: impl FnOnce() -> bool,
    ) -> Option<Verdict> {
        let kept = self.records.get_mut(credential);
        let mut before = kept
            .as_ref()
            .map_or(Record::NEW, |kept| Record::from(**kept));
        before.retry = self.retries.get(credential).copied();
        let mut record = before;
        let verdict = record.judge(attempt, policy);
        let changed = record != before;
        let keeps = Kept::new(record, attempt.period);
        match kept {
            // Written even when it is the same: time must not tell who is locked, or who has a record at all.
            Some(kept) => *kept = black_box(keeps),
            None if !changed => {
                black_box(keeps);
            }
            None if !reserve() => return None,
            None => {
                self.records.insert(*credential, keeps);
            }
        }
        if record.retry != before.retry {
            self.keep_retry(credential, record.retry);
        }
        self.note_if_clean(credential, &before, keeps);
        Some(verdict)
    }

    fn keep_retry(&mut self, credential: &Credential, retry: Option<Retry>) {
        match retry {
            Some(retry) => self.retries.insert(*credential, retry),
            None => self.retries.remove(credential),
        };
    }

    fn note_if_clean(&mut self, credential: &Credential, before: &Record, after: Kept) {
        let last_step = Record::from(after).last_step;
        let is_noted = before.is_clean() && before.last_step == last_step;
        if after.may_go() && !is_noted {
            self.clean.push_back((*credential, last_step));
        }
        // Every login adds an entry, and at most one for each record is not stale: to drop the stale ones
        // once they are the majority costs O(1) per login.
        if self.clean.len() > 2 * self.records.len() + 16 {
            let records = &self.records;
            self.clean.retain(|entry| holds(records, entry));
        }
    }

    /// The record that has been clean the longest.
    fn longest_idle(&mut self) -> Option<Kept> {
        while let Some(entry) = self.clean.front() {
            if holds(&self.records, entry) {
                return self.records.get(&entry.0).copied();
            }
            self.clean.pop_front();
        }
        None
    }

    /// Drops the record that has been clean the longest; false when it may not go.
    fn evict(&mut self, is_over: impl Fn(Kept) -> bool) -> bool {
        if !self.longest_idle().is_some_and(is_over) {
            return false;
        }
        let Some((credential, _)) = self.clean.pop_front() else {
            return false;
        };
        self.retries.remove(&credential);
        self.records.remove(&credential).is_some()
    }
}

/// Whether the entry still tells the truth about its record.
fn holds(records: &Records, (credential, last_step): &(Credential, i64)) -> bool {
    let record = records.get(credential).map(|kept| Record::from(*kept));
    record.is_some_and(|record| record.is_clean() && record.last_step == *last_step)
}
