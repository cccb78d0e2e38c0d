//! The records of one shard, by credential.
//!
//! It is a hash table with open addressing: a record stands at the place that its credential's name
//! gives, or behind it at the first one that was free. The names are random to everybody outside
//! (`key.rs`), so a name is its own hash, and nobody can make two meet.
//!
//! The standard library's map is no different; but it does not tell where a record will be looked for,
//! and so nobody can have that memory fetched while there is something else to do. With many records
//! that wait is longer than all else here.

use std::hint::black_box;
use std::num::NonZeroU64;

use crate::capi::processor;
use crate::guard::{Credential, Record};

/// The first table is so large; each further one twice as large as the one before.
const FIRST_PLACES: usize = 32;

/// Records by credential.
#[derive(Default)]
pub(super) struct Table {
    /// A power of two of them, or none yet. At least a quarter is free, so that every search ends.
    places: Box<[Option<Entry>]>,
    records: usize,
}

/// A record and whose it is, in half a cache line. It has no attempt's id, for here no call is asked
/// twice.
#[repr(align(32))]
#[derive(Clone, Copy)]
struct Entry {
    last_step: i64,
    locked_until: u64,
    name: u64,
    /// The rest of the name and the small fields of the record, each in as many bits as it may need.
    /// The lowest bit is always set, so that `None` needs no room of its own.
    packed: NonZeroU64,
}

const _: () = assert!(size_of::<Option<Entry>>() == 32);

/// What tells a shard's credentials apart: 75 random bits, after the 6 that pick the shard. That any
/// two of 100,000 credentials share a record has a chance of 2 in 10^15; of the most that the settings allow,
/// a thousand million, 1 in 5 million. Whoever shares one is refused codes, and never let in by them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    head: u64,
    /// Of [`TAIL`]'s width.
    tail: u64,
}

/// A field of [`Entry::packed`].
struct Bits {
    from: u32,
    width: u32,
}

const TAIL: Bits = Bits { from: 1, width: 11 };
/// At most 100, by the policy.
const FAILURES: Bits = Bits { from: 12, width: 7 };
/// At most 86,400, by the policy.
const LOCK_S: Bits = Bits {
    from: 19,
    width: 17,
};
/// Of eight digits at most; or all ones, which no code is, for none.
const LAST_CODE: Bits = Bits {
    from: 36,
    width: 27,
};
const DISABLED: Bits = Bits { from: 63, width: 1 };

impl Bits {
    const fn most(&self) -> u64 {
        !(u64::MAX << self.width)
    }

    fn put(&self, value: u64) -> u64 {
        value.min(self.most()) << self.from
    }

    fn get(&self, packed: NonZeroU64) -> u64 {
        packed.get() >> self.from & self.most()
    }
}

impl Entry {
    fn new(name: Name, record: &Record) -> Self {
        let fields = TAIL.put(name.tail)
            | FAILURES.put(record.failures.into())
            | LOCK_S.put(record.lock_s)
            | LAST_CODE.put(record.last_code.map_or(LAST_CODE.most(), u64::from))
            | DISABLED.put(record.disabled.into());
        Entry {
            last_step: record.last_step,
            locked_until: record.locked_until,
            name: name.head,
            packed: NonZeroU64::MIN | fields,
        }
    }

    fn name(&self) -> Name {
        Name {
            head: self.name,
            tail: TAIL.get(self.packed),
        }
    }

    fn record(&self) -> Record {
        let last_code = LAST_CODE.get(self.packed);
        Record {
            last_step: self.last_step,
            last_code: match u32::try_from(last_code) {
                Ok(code) if last_code != LAST_CODE.most() => Some(code),
                _ => None,
            },
            failures: u32::try_from(FAILURES.get(self.packed)).unwrap_or(u32::MAX),
            locked_until: self.locked_until,
            lock_s: LOCK_S.get(self.packed),
            disabled: DISABLED.get(self.packed) != 0,
            attempt: 0,
        }
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// Has the memory fetched that the other calls will need for this credential, and does not wait.
    pub(super) fn fetch(&self, credential: &Credential) {
        let place = self.first_place(&name_of(credential));
        if let Some(place) = self.places.get(place) {
            processor::prefetch(place);
        }
    }

    pub(super) fn get(&self, credential: &Credential) -> Option<Record> {
        let entry = self.places.get(self.find(&name_of(credential)))?;
        entry.as_ref().map(Entry::record)
    }

    /// Gives the record, if there is one, to `change`; keeps what comes back, if anything does, and
    /// gives it on.
    pub(super) fn change(
        &mut self,
        credential: &Credential,
        change: impl FnOnce(Option<Record>) -> Option<Record>,
    ) -> Option<Record> {
        let places = self.places.len();
        if self.records >= places.saturating_sub(places >> 2) {
            self.grow();
        }
        let name = name_of(credential);
        let place = self.find(&name);
        let place = self.places.get_mut(place)?;
        let known = place.as_ref().map(Entry::record);
        let kept = change(known);
        // Written even when nothing is kept: time must not tell who is locked.
        let entry = kept.map_or(*place, |record| Some(Entry::new(name, &record)));
        *place = black_box(entry);
        if known.is_none() && kept.is_some() {
            self.records = self.records.saturating_add(1);
        }
        kept
    }

    /// Whether there was such a record.
    pub(super) fn remove(&mut self, credential: &Credential) -> bool {
        let mut place = self.find(&name_of(credential));
        if self.take(place).is_none() {
            return false;
        }
        self.records = self.records.saturating_sub(1);
        // Those behind it may stand there only because this place was taken.
        loop {
            place = self.behind(place);
            match self.take(place) {
                Some(entry) => self.put(entry),
                None => return true,
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let places = self.places.len().saturating_mul(2).max(FIRST_PLACES);
        let larger = vec![None; places].into_boxed_slice();
        for entry in std::mem::replace(&mut self.places, larger)
            .into_iter()
            .flatten()
        {
            self.put(entry);
        }
    }

    fn put(&mut self, entry: Entry) {
        let place = self.find(&entry.name());
        if let Some(place) = self.places.get_mut(place) {
            *place = Some(entry);
        }
    }

    fn take(&mut self, place: usize) -> Option<Entry> {
        self.places.get_mut(place)?.take()
    }

    /// The place of the entry with this name or, if there is none, the free one where it would be.
    fn find(&self, name: &Name) -> usize {
        let mut place = self.first_place(name);
        loop {
            match self.places.get(place) {
                Some(Some(entry)) if entry.name() != *name => place = self.behind(place),
                _ => return place,
            }
        }
    }

    fn first_place(&self, name: &Name) -> usize {
        name.head as usize & self.places.len().wrapping_sub(1)
    }

    fn behind(&self, place: usize) -> usize {
        place.wrapping_add(1) & self.places.len().wrapping_sub(1)
    }
}

/// Of the bytes that do not pick the shard.
fn name_of(credential: &Credential) -> Name {
    let [_, _, _, _, _, _, tail @ .., a, b, c, d, e, f, g, h] = *credential.as_bytes();
    Name {
        head: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        tail: u64::from(u16::from_le_bytes(tail)) & TAIL.most(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Event {
        Keep(u8, i64),
        Look(u8),
        Remove(u8),
    }

    /// Few names, which begin at few places, the last ones of a table among them.
    fn credential(number: u8) -> Credential {
        let mut bytes = [0; 16];
        bytes[8] = [0, 1, 30, 31][usize::from(number % 4)];
        bytes[15] = number;
        Credential::new(bytes)
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            3 => (any::<u8>(), any::<i64>()).prop_map(|(number, step)| Event::Keep(number, step)),
            1 => any::<u8>().prop_map(Event::Look),
            2 => any::<u8>().prop_map(Event::Remove),
        ];
        proptest::collection::vec(event, 0..400)
    }

    proptest! {
        #[test]
        fn it_keeps_what_a_map_keeps(events in events()) {
            let mut table = Table::default();
            let mut map: HashMap<u8, Record> = HashMap::new();
            for event in events {
                match event {
                    Event::Keep(number, last_step) => {
                        let failures = u32::from(number % 101);
                        let record = Record { last_step, failures, ..Record::NEW };
                        let kept = table.change(&credential(number), |known| {
                            assert_eq!(known, map.get(&number).copied());
                            Some(record)
                        });
                        prop_assert_eq!(kept, Some(record));
                        map.insert(number, record);
                    }
                    Event::Look(number) => {
                        let kept = table.change(&credential(number), |known| {
                            assert_eq!(known, map.get(&number).copied());
                            None
                        });
                        prop_assert_eq!(kept, None);
                    }
                    Event::Remove(number) => {
                        let removed = table.remove(&credential(number));
                        prop_assert_eq!(removed, map.remove(&number).is_some());
                    }
                }
                prop_assert_eq!(table.len(), map.len());
            }
            for number in 0..=u8::MAX {
                table.fetch(&credential(number));
                prop_assert_eq!(table.get(&credential(number)), map.get(&number).copied());
            }
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let least = Record::NEW;
        let most = Record {
            last_step: i64::MAX,
            last_code: Some(99_999_999),
            failures: 100,
            locked_until: u64::MAX,
            lock_s: 86_400,
            disabled: true,
            attempt: 0,
        };
        let name = Name {
            head: 7,
            tail: TAIL.most(),
        };
        for record in [
            least,
            most,
            Record {
                last_code: Some(0),
                ..least
            },
            Record {
                last_code: None,
                ..most
            },
            Record {
                failures: 0,
                ..most
            },
            Record { lock_s: 0, ..most },
            Record {
                disabled: false,
                ..most
            },
        ] {
            let entry = Entry::new(name, &record);
            assert_eq!(entry.record(), record);
            assert!(entry.name() == name);
            let other = Name { tail: 0, ..name };
            assert!(Entry::new(other, &record).name() == other);
        }
    }

    #[test]
    fn the_fields_of_an_entry_do_not_overlap() {
        let fields = [TAIL, FAILURES, LOCK_S, LAST_CODE, DISABLED];
        let mut from = 1;
        for field in fields {
            assert_eq!(field.from, from);
            from += field.width;
        }
        assert_eq!(from, 64);
    }
}
