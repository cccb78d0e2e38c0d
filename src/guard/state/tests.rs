//! The rules, told apart from how `judge` follows them.

use proptest::prelude::*;

use super::*;

const POLICY: Policy = Policy {
    soft: 5,
    hard: 33,
    base_delay_s: 30,
    max_delay_s: 3600,
    retry: Some(RetryLimits {
        ttl_s: 30,
        limit: 3,
    }),
};

const ACCEPTED: Verdict = Verdict::Accepted {
    used: Numbers::NONE,
};

/// The code of no step.
const WRONG: u32 = 0;

fn wrong(now: u64) -> Attempt {
    Attempt {
        code: WRONG,
        matched: Match::Nothing,
        retry_key: None,
        past: 1,
        period: 30,
        now,
        time_is_fixed: true,
        id: 0,
    }
}

fn right(step: i64, now: u64) -> Attempt {
    Attempt {
        code: code_of(step),
        matched: Match::Step(step),
        ..wrong(now)
    }
}

/// Every seventh step has the same code.
fn code_of(step: i64) -> u32 {
    u32::try_from(step.rem_euclid(7)).unwrap() + 1
}

#[test]
fn locks_double_up_to_the_cap_and_end_in_disabled() {
    let mut record = Record::NEW;
    let mut now = 1_800_000_000;
    let mut waits = Vec::new();
    loop {
        match record.judge(&wrong(now), &POLICY) {
            Verdict::Wrong => waits.push(0),
            Verdict::WrongAndLocked(wait) => {
                assert_eq!(record.judge(&wrong(now), &POLICY), Verdict::Throttled(wait));
                let almost = now + wait - 1;
                assert_eq!(
                    record.judge(&right(1, almost), &POLICY),
                    Verdict::Throttled(1)
                );
                waits.push(wait);
                now += wait;
            }
            Verdict::Disabled => break,
            other => unreachable!("{other:?}"),
        }
    }
    assert_eq!(waits[..11], [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920]);
    assert!(waits[11..].iter().all(|&wait| wait == 3600));
    assert_eq!(waits.len(), 32);
    assert_eq!(record.failures, 33);
    assert_eq!(
        record.judge(&right(9, now + 10_000), &POLICY),
        Verdict::Disabled
    );
    record.reset();
    assert_eq!(record.judge(&right(9, now), &POLICY), ACCEPTED);
}

#[test]
fn delays_saturate() {
    let endless = Policy {
        hard: u32::MAX,
        ..POLICY
    };
    assert_eq!(endless.delay_after(u32::MAX), 3600);
    let mut record = Record {
        failures: u32::MAX - 1,
        ..Record::NEW
    };
    let now = u64::MAX - 5;
    assert_eq!(record.judge(&wrong(now), &POLICY), Verdict::Disabled);
    assert_eq!(record.failures, u32::MAX);
    assert_eq!(record.judge(&wrong(now), &endless), Verdict::Disabled);
}

#[test]
fn a_clock_set_back_never_makes_a_lock_longer_than_it_was_set_for() {
    let now = 1_800_000_000;
    for (failures, length) in [(4, 30), (5, 60), (20, 3600)] {
        let mut record = Record {
            failures,
            ..Record::NEW
        };
        let verdict = record.judge(&wrong(now), &POLICY);
        assert_eq!(verdict, Verdict::WrongAndLocked(length));
        let year_before = now - 31_536_000;
        let verdict = record.judge(&wrong(year_before), &POLICY);
        assert_eq!(verdict, Verdict::Throttled(length));
        let verdict = record.judge(&right(7, year_before + length), &POLICY);
        assert_eq!(verdict, ACCEPTED);
    }
}

#[test]
fn the_policy_of_another_service_neither_shortens_a_lock_nor_extends_it() {
    let policy = |max_delay_s| Policy {
        max_delay_s,
        base_delay_s: max_delay_s,
        ..POLICY
    };
    for (length, other) in [(30, 1), (3600, 1), (1, 86_400)] {
        let mut record = Record {
            failures: 4,
            ..Record::NEW
        };
        record.judge(&wrong(1000), &policy(length));
        let locked = record;
        let verdict = record.judge(&right(7, 1000), &policy(other));
        assert_eq!(verdict, Verdict::Throttled(length));
        assert_eq!(record, locked);
        let verdict = record.judge(&right(7, 1000 + length), &policy(other));
        assert_eq!(verdict, ACCEPTED);
    }
}

#[test]
fn the_code_that_was_accepted_last_is_never_a_guess() {
    let mut record = Record::NEW;
    record.judge(&right(7, 0), &POLICY);
    record.judge(&right(9, 0), &POLICY);
    let again = |step, now| Attempt {
        matched: Match::Nothing,
        ..right(step, now)
    };
    let reused = Verdict::Reused { last_step: 9 };
    let accepted = record;
    for now in [0, 1000, u64::MAX] {
        assert_eq!(record.judge(&again(9, now), &POLICY), reused);
    }
    assert_eq!(record, accepted);
    // The one before that is one, and does not make the last one a guess.
    assert_eq!(record.judge(&again(7, 0), &POLICY), Verdict::Wrong);
    assert_eq!(record.judge(&again(9, 0), &POLICY), reused);
    assert_eq!(record.failures, 1);
    record.reset();
    assert_eq!(record.judge(&again(9, 0), &POLICY), reused);
    // A lock and the end come first.
    record.locked_until = 30;
    record.lock_s = 30;
    assert_eq!(record.judge(&again(9, 0), &POLICY), Verdict::Throttled(30));
    record.disabled = true;
    assert_eq!(record.judge(&again(9, 60), &POLICY), Verdict::Disabled);
    record.reset();
    // What a newer step has again is new.
    assert_eq!(record.judge(&right(16, 60), &POLICY), ACCEPTED);
    assert_eq!(code_of(16), code_of(9));
}

#[test]
fn the_same_attempt_gets_the_same_answer_again() {
    for matched in [Match::Step(7), Match::Number(7), Match::Nothing] {
        for failures in [0, 3, 4, 31, 32] {
            let mut record = Record {
                failures,
                ..Record::NEW
            };
            let attempt = Attempt {
                matched,
                id: 99,
                ..wrong(1000)
            };
            let first = record.judge(&attempt, &POLICY);
            let after = record;
            assert_eq!(record.judge(&attempt, &POLICY), first);
            assert_eq!(record, after);
            let other = Attempt { id: 98, ..attempt };
            if matched != Match::Nothing {
                let last_step = record.last_step;
                let reused = Verdict::Reused { last_step };
                assert_eq!(record.judge(&other, &POLICY), reused);
            }
        }
    }
}

#[test]
fn a_lost_answer_to_a_repeated_request_is_given_again() {
    let attempt = |id| Attempt {
        retry_key: Some([1; 16]),
        id,
        ..right(7, 1000)
    };
    let mut record = Record::NEW;
    assert_eq!(record.judge(&attempt(1), &POLICY), ACCEPTED);
    assert_eq!(record.judge(&attempt(1), &POLICY), ACCEPTED);
    let repeated = record.judge(&attempt(2), &POLICY);
    let accepted_at = 1000;
    let last_step = 7;
    assert_eq!(
        repeated,
        Verdict::Repeated {
            last_step,
            accepted_at
        }
    );
    let after = record;
    assert_eq!(record.judge(&attempt(2), &POLICY), repeated);
    assert_eq!(record, after);
}

#[test]
fn each_recovery_code_is_used_once_in_any_order() {
    let mut record = Record::NEW;
    let number = |number| Attempt {
        matched: Match::Number(number),
        ..wrong(1000)
    };
    let mut used = Numbers::NONE;
    for n in [32, 1, 7, 31] {
        record.judge(&wrong(1000), &POLICY);
        used = used.with(n);
        let verdict = record.judge(&number(n), &POLICY);
        assert_eq!(verdict, Verdict::Accepted { used });
        let reused = Verdict::Reused { last_step: -1 };
        assert_eq!(record.judge(&number(n), &POLICY), reused);
        assert_eq!((record.failures, record.used), (0, used));
    }
    record.reset();
    assert_eq!(record.used, used);
}

#[derive(Clone, Debug)]
enum Event {
    /// With the key of a request, if it is not 0.
    Right(i64, u8),
    Wrong(u32, u8),
    Wait(i64),
    Reset,
}

fn events() -> impl Strategy<Value = Vec<(Event, bool)>> {
    let event = prop_oneof![
        2 => (-1i64..40, 0..3u8).prop_map(|(step, key)| Event::Right(step, key)),
        4 => (0..8u32, 0..3u8).prop_map(|(code, key)| Event::Wrong(code, key)),
        2 => (-4000i64..8000).prop_map(Event::Wait),
        1 => (-20i64..40).prop_map(Event::Wait),
        1 => Just(Event::Reset),
    ];
    proptest::collection::vec((event, any::<bool>()), 1..120)
}

/// Of another service with the same store.
const HASTY: Policy = Policy {
    base_delay_s: 1,
    max_delay_s: 5,
    retry: None,
    ..POLICY
};

proptest! {
    /// What must hold whatever happens, told apart from how `judge` does it.
    #[test]
    fn promises_hold_over_any_history(events in events()) {
        let mut record = Record::NEW;
        let mut now = 1_800_000_000i64;
        let mut newest_accepted = -1;
        let mut last_code = None;
        let mut wrong_in_a_row = 0;
        // The key of the last accepted request, when it was, and how often it was repeated.
        let mut request: Option<(u8, i64, u32)> = None;
        // When the lock ends, by a clock that never goes back: all that it was set for must pass.
        let mut locked_until = now;
        let mut lock_s = 0;
        for (event, hasty) in events {
            let policy = if hasty { &HASTY } else { &POLICY };
            let before = record;
            let (matched, code, key) = match event {
                Event::Wait(seconds) => { now += seconds; continue }
                Event::Reset => {
                    record.reset();
                    wrong_in_a_row = 0;
                    locked_until = now;
                    lock_s = 0;
                    prop_assert_eq!(record.last_step, before.last_step);
                    prop_assert_eq!(record.last_code, before.last_code);
                    prop_assert_eq!(record.retry, before.retry);
                    continue
                }
                Event::Right(step, key) => (Match::Step(step), code_of(step), key),
                Event::Wrong(code, key) => (Match::Nothing, code, key),
            };
            let clock = u64::try_from(now).unwrap();
            let retry_key = (key != 0).then_some([key; 16]);
            let attempt = Attempt { code, matched, retry_key, ..wrong(clock) };
            let verdict = record.judge(&attempt, policy);
            locked_until = locked_until.min(now + lock_s);
            let is_locked = locked_until > now && !before.disabled;
            prop_assert_eq!(matches!(verdict, Verdict::Throttled(_)), is_locked);
            let is_repeated = !is_locked && !before.disabled && !hasty && last_code == Some(code)
                && request.is_some_and(|(same, at, times)| {
                    same == key && (now - at).abs() <= 30 && times < 3
                });
            prop_assert_eq!(matches!(verdict, Verdict::Repeated { .. }), is_repeated);
            match verdict {
                Verdict::Accepted { used } => {
                    let Match::Step(step) = matched else { unreachable!() };
                    prop_assert!(step > newest_accepted);
                    prop_assert_eq!(used, Numbers::NONE);
                    newest_accepted = step;
                    last_code = Some(code);
                    request = (key != 0 && !hasty).then_some((key, now, 0));
                    wrong_in_a_row = 0;
                    lock_s = 0;
                }
                Verdict::Repeated { last_step, accepted_at } => {
                    prop_assert_eq!(last_step, newest_accepted);
                    let (_, at, times) = request.as_mut().unwrap();
                    prop_assert_eq!(i64::try_from(accepted_at).unwrap(), *at);
                    *times += 1;
                    prop_assert_eq!(record.failures, before.failures);
                }
                Verdict::Reused { last_step } => {
                    match matched {
                        Match::Step(step) => prop_assert!(step <= newest_accepted),
                        _ => prop_assert_eq!(Some(code), last_code),
                    }
                    prop_assert_eq!(last_step, newest_accepted);
                    prop_assert_eq!(record.failures, before.failures);
                }
                Verdict::Wrong => {
                    wrong_in_a_row += 1;
                    prop_assert!(wrong_in_a_row < policy.soft);
                }
                Verdict::WrongAndLocked(wait) => {
                    wrong_in_a_row += 1;
                    prop_assert!((policy.soft..policy.hard).contains(&wrong_in_a_row));
                    prop_assert!((policy.base_delay_s..=policy.max_delay_s).contains(&wait));
                    lock_s = i64::try_from(wait).unwrap();
                    locked_until = now + lock_s;
                }
                Verdict::Throttled(wait) => {
                    prop_assert_eq!(i64::try_from(wait).unwrap(), locked_until - now);
                    prop_assert!(wrong_in_a_row >= policy.soft);
                }
                Verdict::Disabled => {
                    if !before.disabled {
                        wrong_in_a_row += 1;
                    }
                    prop_assert!(wrong_in_a_row >= policy.hard);
                }
            }
            if matched == Match::Nothing {
                prop_assert!(record.failures == before.failures || Some(code) != last_code);
            }
            prop_assert_eq!(record.failures, wrong_in_a_row);
            prop_assert_eq!(record.last_step, newest_accepted);
            prop_assert_eq!(record.last_code, last_code);
        }
    }
}
