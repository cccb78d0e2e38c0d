//! Records in the memory of one process: the embedded default. They are gone when it ends, and no
//! other process sees them; a forked child, which would have a copy, is refused.
//!
//! Bounded: when it is full, the clean record that was accepted longest ago makes room. A record
//! with failures never does, nor one whose code may still be typed again; if there are only those,
//! new credentials are refused.

use std::collections::{HashMap, VecDeque};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::guard::{Attempt, Credential, Policy, Record, Store, Verdict, store_unavailable};

/// A power of two that a byte can count.
const SHARDS: usize = 64;

/// The store: records by credential, in shards that are locked one at a time.
pub(super) struct MemoryStore {
    shards: Vec<Mutex<Shard>>,
    max_records: usize,
    /// How many records all shards have together.
    records: AtomicUsize,
    /// The process that made it.
    process: u32,
}

#[derive(Default)]
struct Shard {
    records: HashMap<Credential, Record>,
    /// Who became clean, and by which step, oldest first. Entries that no longer hold are passed over.
    clean: VecDeque<(Credential, i64)>,
}

impl MemoryStore {
    pub(super) fn new(max_records: usize) -> Self {
        MemoryStore {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            max_records,
            records: AtomicUsize::new(0),
            process: process::id(),
        }
    }

    /// Locks the shard of a credential; refused in a forked child, before it could meet a lock that
    /// another thread held when it was forked.
    fn shard(&self, credential: &Credential) -> Result<MutexGuard<'_, Shard>> {
        if process::id() != self.process {
            return Err(store_unavailable(
                "the guard's store \"memory\" is one process's: a forked child needs an \
                 authenticator of its own, or the stores \"sqlite\" or \"redis\", which can be shared",
            ));
        }
        let [first, ..] = credential.as_bytes();
        let index = usize::from(*first) % SHARDS;
        match self.shards.get(index) {
            Some(shard) => Ok(lock(shard)),
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

    /// Evicts one clean record, if there is any.
    fn make_room(&self, oldest: i64) -> Result<()> {
        if self.shards.iter().any(|shard| lock(shard).evict(oldest)) {
            self.records.fetch_sub(1, Ordering::Relaxed);
            return Ok(());
        }
        let max = self.max_records;
        Err(store_unavailable(format!(
            "the guard's store \"memory\" is full: all of its {max} records (config.guard.max_records) \
             have wrong codes, or codes that could still be replayed"
        )))
    }
}

impl Store for MemoryStore {
    fn judge(&self, credential: &Credential, attempt: Attempt, policy: &Policy) -> Result<Verdict> {
        loop {
            let mut shard = self.shard(credential)?;
            let known = shard.records.get(credential).copied();
            let mut record = known.unwrap_or(Record::NEW);
            let verdict = record.judge(&attempt, policy);
            let unchanged = record == known.unwrap_or(Record::NEW);
            if unchanged || known.is_some() || self.reserve() {
                if !unchanged {
                    shard.keep(credential, record);
                }
                return Ok(verdict);
            }
            drop(shard);
            self.make_room(attempt.oldest)?;
        }
    }

    fn inspect(&self, credential: &Credential) -> Result<Record> {
        let shard = self.shard(credential)?;
        Ok(shard
            .records
            .get(credential)
            .copied()
            .unwrap_or(Record::NEW))
    }

    fn reset(&self, credential: &Credential) -> Result<Record> {
        let mut shard = self.shard(credential)?;
        let Some(mut record) = shard.records.get(credential).copied() else {
            return Ok(Record::NEW);
        };
        record.reset();
        shard.keep(credential, record);
        Ok(record)
    }
}

impl Shard {
    fn keep(&mut self, credential: &Credential, record: Record) {
        self.records.insert(*credential, record);
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

    /// Drops the record that has been clean the longest; false when none may go.
    fn evict(&mut self, oldest: i64) -> bool {
        while let Some(entry) = self.clean.pop_front() {
            if !holds(&self.records, &entry) {
                continue;
            }
            let (credential, last_step) = entry;
            if last_step >= oldest {
                // All others became clean later.
                self.clean.push_front(entry);
                return false;
            }
            return self.records.remove(&credential).is_some();
        }
        false
    }
}

/// Whether the entry still tells the truth about its record.
fn holds(records: &HashMap<Credential, Record>, entry: &(Credential, i64)) -> bool {
    let (credential, last_step) = entry;
    let record = records.get(credential);
    record.is_some_and(|record| record.failures == 0 && record.last_step == *last_step)
}

/// A thread that panicked with the lock left nothing half-done: records change in one assignment.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
