//! The store beside a plain twin: one list of records, searched from the beginning.

use data_encoding::BASE32_NOPAD;
use proptest::prelude::*;

use super::*;
use crate::guard::Match;
use crate::guard::state::RetryLimits;
use crate::secret::Secret;

const POLICY: Policy = Policy {
    soft: 3,
    hard: 5,
    base_delay_s: 30,
    max_delay_s: 60,
    retry: Some(RetryLimits {
        ttl_s: 60,
        limit: 2,
    }),
};

/// Steps whose codes are accepted beside the current one.
const WINDOW: u64 = 1;

fn credential(store: &MemoryStore, number: u8) -> Credential {
    let secret = Secret::from_base32(&BASE32_NOPAD.encode(&[number; 20])).unwrap();
    store.credential(&Subject::Totp(&secret, 30)).unwrap()
}

fn code_of(step: i64) -> u32 {
    1 + u32::try_from(step).unwrap() % 999_999
}

/// All records, with their secrets' numbers.
struct Plain {
    records: Vec<(u8, Record)>,
    max_records: usize,
}

impl Plain {
    fn record(&self, number: u8) -> Option<Record> {
        let found = self.records.iter().find(|(other, _)| *other == number);
        found.map(|(_, record)| *record)
    }

    fn keep(&mut self, number: u8, record: Record) {
        self.records.retain(|(other, _)| *other != number);
        self.records.push((number, record));
    }

    /// None when there is no room.
    fn judge(&mut self, number: u8, attempt: Attempt) -> Option<Verdict> {
        let known = self.record(number);
        let mut record = known.unwrap_or(Record::NEW);
        let verdict = record.judge(&attempt, &POLICY);
        if record == known.unwrap_or(Record::NEW) {
            return Some(verdict);
        }
        if known.is_none() && self.records.len() == self.max_records {
            let clean = self.records.iter().filter(|(_, r)| r.is_clean());
            let longest = clean.min_by_key(|(_, record)| record.last_step)?;
            let oldest = (attempt.now / 30 - attempt.past).cast_signed();
            if longest.1.last_step >= oldest {
                return None;
            }
            let evicted = longest.0;
            self.records.retain(|(other, _)| *other != evicted);
        }
        self.keep(number, record);
        Some(verdict)
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Right(u8),
    Wrong(u8),
    /// The code that was accepted last, if any was.
    Again(u8),
    /// The first recovery code.
    Recover(u8),
    Wait(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (1..40u8).prop_map(Event::Right),
        1 => (1..40u8).prop_map(Event::Wrong),
        1 => (1..40u8).prop_map(Event::Again),
        1 => (1..40u8).prop_map(Event::Recover),
        1 => (0..4i64).prop_map(Event::Wait),
    ];
    proptest::collection::vec(event, 1..300)
}

proptest! {
    /// The same verdicts, the same records, and the same ones evicted: of those without wrong codes the
    /// one that was accepted longest ago.
    #[test]
    fn it_is_its_plain_twin(events in events(), max_records in 1..40usize) {
        let store = MemoryStore::new(max_records).unwrap();
        let mut plain = Plain { records: Vec::new(), max_records };
        let mut step = 60_000_000;
        for event in events {
            let (number, matched, code) = match event {
                Event::Wait(steps) => { step += steps; continue }
                // A step of its own for each, so that it is clear which was accepted longest ago.
                Event::Right(number) => { step += 1; (number, Match::Step(step), code_of(step)) }
                Event::Wrong(number) => (number, Match::Nothing, 0),
                Event::Recover(number) => (number, Match::Number(1), 0),
                Event::Again(number) => {
                    let known = plain.record(number).unwrap_or(Record::NEW);
                    (number, Match::Nothing, known.last_code.unwrap_or(0))
                }
            };
            let now = step.cast_unsigned() * 30;
            let attempt = Attempt {
                code, matched, retry_key: (number % 2 == 0).then_some([7; 16]),
                past: WINDOW, period: 30, now, time_is_fixed: true, id: 0,
            };
            let verdict = store.judge(&credential(&store, number), attempt, &POLICY, Deadline::NEVER);
            prop_assert_eq!(verdict.ok(), plain.judge(number, attempt));
            for number in 1..40 {
                let expected = plain.record(number).unwrap_or(Record::NEW);
                prop_assert_eq!(store.inspect(&credential(&store, number), Deadline::NEVER).unwrap(), expected);
            }
        }
    }
}

#[test]
fn reset_leaves_what_was_accepted_alone_and_of_an_unknown_credential_no_trace() {
    let store = MemoryStore::new(1).unwrap();
    let attempt = |matched: Option<i64>| Attempt {
        code: matched.map_or(0, code_of),
        matched: matched.map_or(Match::Nothing, Match::Step),
        retry_key: None,
        past: 0,
        period: 30,
        now: 1_800_000_000,
        time_is_fixed: true,
        id: 0,
    };
    let (known, unknown) = (credential(&store, 1), credential(&store, 2));
    for matched in [Some(60_000_000), None, None] {
        store
            .judge(&known, attempt(matched), &POLICY, Deadline::NEVER)
            .unwrap();
    }
    assert_eq!(store.inspect(&known, Deadline::NEVER).unwrap().failures, 2);
    assert_eq!(store.reset(&unknown, Deadline::NEVER).unwrap(), Record::NEW);
    let left = Record {
        last_step: 60_000_000,
        last_code: Some(code_of(60_000_000)),
        ..Record::NEW
    };
    assert_eq!(store.reset(&known, Deadline::NEVER).unwrap(), left);
    assert_eq!(store.inspect(&known, Deadline::NEVER).unwrap(), left);
}
