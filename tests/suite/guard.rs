//! The guard with its default store, and what holds for every store.

use std::sync::Barrier;
use std::thread;

use factor2::Status;
use factor2::capi::{factor2_generate, factor2_inspect, factor2_reset, factor2_verify};
use serde_json::{Value, json};

use crate::clock;
use crate::people::{NOW, code_of, retry_after, wrong_code_of};
use crate::support::{Authenticator, Reply};

const SECRET: &str = "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q";

/// With the default guard, and the clock of the thread.
fn authenticator() -> Authenticator {
    Authenticator::new(json!({"issuer": "Test"}))
}

fn code_at(time: u64) -> String {
    code_of(SECRET, time)
}

fn wrong_code_at(time: u64) -> String {
    wrong_code_of(SECRET, time)
}

fn verify(authenticator: &Authenticator, otp: &str) -> Reply {
    authenticator.call(factor2_verify, json!({"totpsecret": SECRET, "otp": otp}))
}

fn inspect(authenticator: &Authenticator) -> Value {
    authenticator
        .call(factor2_inspect, json!({"totpsecret": SECRET}))
        .ok()
}

#[test]
fn a_code_is_accepted_once() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    let code = code_at(NOW);
    assert_eq!(verify(&authenticator, &code).ok()["step"], NOW / 30);
    let before = inspect(&authenticator);
    verify(&authenticator, &code).refused(Status::TokenReused);
    clock::stand_at(NOW + 30);
    verify(&authenticator, &code).refused(Status::TokenReused);
    assert_eq!(inspect(&authenticator), before, "a replay changes nothing");
    assert_eq!(before["last_step"], NOW / 30);
}

/// A client that sends the code it has stored, once a minute, must not lock its user out.
#[test]
fn the_code_that_was_accepted_last_is_no_guess_however_late() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    let (earlier, code) = (code_at(NOW), code_at(NOW + 30));
    verify(&authenticator, &earlier).ok();
    verify(&authenticator, &code).ok();
    let before = inspect(&authenticator);
    let (front, back) = code.split_at(3);
    for later in [60, 90, 3600, 31_536_000] {
        clock::stand_at(NOW + later);
        for spelled in [
            &code,
            &format!("{front} {back}"),
            &format!("-{front}-{back} "),
        ] {
            verify(&authenticator, spelled).refused(Status::TokenReused);
        }
    }
    assert_eq!(
        inspect(&authenticator),
        before,
        "nothing is counted, nor is the code shown"
    );
    authenticator
        .call(factor2_reset, json!({"totpsecret": SECRET}))
        .ok();
    verify(&authenticator, &code).refused(Status::TokenReused);
    // Only the last one, and only where there is a record.
    verify(&authenticator, &earlier).refused(Status::InvalidToken);
    assert_eq!(inspect(&authenticator)["failures"], 1);
    let none = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
    let request = json!({"totpsecret": SECRET, "otp": code, "last_step": NOW / 30 + 1});
    none.call(factor2_verify, request)
        .refused(Status::InvalidToken);
}

#[test]
fn a_clock_that_was_ahead_is_named() {
    const WAS_AHEAD: &str = "the clock was ahead";
    let refused_at = |authenticator: &Authenticator, time: u64| {
        clock::stand_at(time);
        verify(authenticator, &code_at(time)).refused(Status::TokenReused)
    };
    for ahead in [90, 3600, 31_536_000] {
        clock::stand_at(NOW + ahead);
        let authenticator = authenticator();
        verify(&authenticator, &code_at(NOW + ahead)).ok();
        let message = refused_at(&authenticator, NOW);
        assert!(message.contains(WAS_AHEAD), "{message}");
        // What is wrong is counted all the same.
        verify(&authenticator, &wrong_code_at(NOW)).refused(Status::InvalidToken);
        assert_eq!(inspect(&authenticator)["failures"], 1);
        // Within the window it may have been the user's clock.
        let message = refused_at(&authenticator, NOW + ahead - 30);
        assert!(!message.contains(WAS_AHEAD), "{message}");
    }
    // The same, where the caller knows the step.
    clock::stand_at(NOW);
    let none = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
    for (last_step, is_ahead) in [
        (NOW / 30, false),
        (NOW / 30 + 1, false),
        (NOW / 30 + 2, true),
    ] {
        let request = json!({"totpsecret": SECRET, "otp": code_at(NOW), "last_step": last_step});
        let message = none
            .call(factor2_verify, request)
            .refused(Status::TokenReused);
        assert_eq!(message.contains(WAS_AHEAD), is_ahead, "{message}");
    }
}

#[test]
fn after_a_later_code_the_earlier_ones_are_used_up() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    assert_eq!(verify(&authenticator, &code_at(NOW + 30)).ok()["drift"], 1);
    verify(&authenticator, &code_at(NOW)).refused(Status::TokenReused);
    verify(&authenticator, &code_at(NOW - 30)).refused(Status::TokenReused);
}

#[test]
fn a_code_that_two_steps_share_uses_up_both() {
    // From the shared vectors: the steps of these two times have the same code.
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    clock::stand_at(1_148_763_660);
    let authenticator = authenticator();
    let request = json!({"totpsecret": secret, "otp": "549759"});
    let reply = authenticator.call(factor2_verify, request.clone()).ok();
    assert_eq!(reply["step"], 1_148_763_690 / 30);
    clock::stand_at(1_148_763_690);
    authenticator
        .call(factor2_verify, request)
        .refused(Status::TokenReused);
}

#[test]
fn last_step_of_the_caller_holds_as_well() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    let step = NOW / 30;
    let otp = code_at(NOW);
    let request = |last: u64| json!({"totpsecret": SECRET, "otp": otp, "last_step": last});
    authenticator
        .call(factor2_verify, request(step))
        .refused(Status::TokenReused);
    assert_eq!(inspect(&authenticator)["last_step"], Value::Null);
    authenticator.call(factor2_verify, request(step - 1)).ok();
    authenticator
        .call(factor2_verify, request(step - 1))
        .refused(Status::TokenReused);
}

#[test]
fn malformed_codes_and_secrets_are_not_counted() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    for _ in 0..100 {
        verify(&authenticator, "12345").refused(Status::InvalidToken);
        verify(&authenticator, "12345x").refused(Status::InvalidToken);
        let short = json!({"totpsecret": "AAAA", "otp": "123456"});
        authenticator
            .call(factor2_verify, short)
            .refused(Status::InvalidSecret);
    }
    assert_eq!(inspect(&authenticator)["failures"], 0);
}

/// `null` for the secret of a user who has none.
fn verify_nobody(authenticator: &Authenticator, otp: &str) -> Reply {
    authenticator.call(factor2_verify, json!({"totpsecret": null, "otp": otp}))
}

#[test]
fn nobody_gets_the_answer_to_a_wrong_code() {
    clock::stand_at(NOW);
    let wrong = wrong_code_at(NOW);
    for guard in [json!({"store": "none"}), json!({"store": "memory"})] {
        let authenticator = Authenticator::new(json!({"issuer": "Test", "guard": guard}));
        let expected = verify(&authenticator, &wrong);
        assert_eq!(
            expected.refused(Status::InvalidToken),
            "request.otp: wrong code"
        );
        for _ in 0..100 {
            for otp in [&wrong, &code_at(NOW)] {
                assert_eq!(verify_nobody(&authenticator, otp).text, expected.text);
            }
            let malformed = verify(&authenticator, "12345");
            assert_eq!(verify_nobody(&authenticator, "12345").text, malformed.text);
        }
        let without = authenticator.call(factor2_verify, json!({"otp": wrong}));
        assert_eq!(
            without.refused(Status::InvalidToken),
            "request.totpsecret: missing"
        );
    }
}

#[test]
fn nobody_and_malformed_codes_need_no_room() {
    clock::stand_at(NOW);
    let guard = json!({"store": "memory", "max_records": 1});
    let authenticator = Authenticator::new(json!({"issuer": "Test", "guard": guard}));
    verify_nobody(&authenticator, "000000").refused(Status::InvalidToken);
    verify(&authenticator, &wrong_code_at(NOW)).refused(Status::InvalidToken);
    let before = inspect(&authenticator);
    verify_nobody(&authenticator, "000000").refused(Status::InvalidToken);
    let malformed = json!({"totpsecret": secret_number(1), "otp": "x"});
    let reply = authenticator.call(factor2_verify, malformed);
    reply.refused(Status::InvalidToken);
    assert_eq!(inspect(&authenticator), before);
}

#[test]
fn while_locked_right_and_wrong_codes_get_the_same_answer() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    let wrong = wrong_code_at(NOW);
    for n in 1..=5 {
        let reply = verify(&authenticator, &wrong);
        reply.refused(Status::InvalidToken);
        assert_eq!(retry_after(&reply), (n == 5).then_some(30));
    }
    let locked = inspect(&authenticator);
    assert_eq!(locked["locked_until"], NOW + 30);
    clock::stand_at(NOW + 10);
    let (of_wrong, of_right) = (
        verify(&authenticator, &wrong),
        verify(&authenticator, &code_at(NOW)),
    );
    assert_eq!(of_wrong.text, of_right.text);
    of_right.refused(Status::Throttled);
    assert_eq!(retry_after(&of_right), Some(20));
    assert_eq!(
        inspect(&authenticator),
        locked,
        "nothing is counted or extended"
    );
    clock::stand_at(NOW + 30);
    verify(&authenticator, &code_at(NOW)).ok();
    assert_eq!(inspect(&authenticator)["failures"], 0);
}

/// Guessing at the fastest permitted rate: RFC 4226 section 7.3, NIST SP 800-63B section 5.2.2.
#[test]
fn thirty_days_of_guessing_get_33_guesses() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    let end = NOW + 30 * 86_400;
    let mut now = NOW;
    let mut guesses = 0;
    while now < end {
        clock::stand_at(now);
        let reply = verify(&authenticator, &wrong_code_at(now));
        match Status::from_number(reply.status).unwrap() {
            Status::InvalidToken => {
                guesses += 1;
                now += retry_after(&reply).unwrap_or(0);
            }
            Status::Throttled => panic!("the announced wait was too short"),
            Status::Disabled => {
                guesses += usize::from(guesses == 32);
                now += 86_400;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(guesses, 33);
    verify(&authenticator, &code_at(now)).refused(Status::Disabled);
    assert_eq!(inspect(&authenticator)["disabled"], true);
    let after = authenticator
        .call(factor2_reset, json!({"totpsecret": SECRET}))
        .ok();
    assert_eq!(
        after,
        json!({"last_step": null, "failures": 0, "locked_until": 0, "disabled": false})
    );
    clock::stand_at(now);
    verify(&authenticator, &code_at(now)).ok();
}

#[test]
fn reset_never_opens_a_door_for_a_replay() {
    clock::stand_at(NOW);
    let authenticator = authenticator();
    verify(&authenticator, &code_at(NOW)).ok();
    let after = authenticator
        .call(factor2_reset, json!({"totpsecret": SECRET}))
        .ok();
    assert_eq!(after["last_step"], NOW / 30);
    verify(&authenticator, &code_at(NOW)).refused(Status::TokenReused);
}

#[test]
fn clock_steps_never_open_a_door() {
    const HOUR: i64 = 3600;
    const YEAR: i64 = 31_536_000;
    for jump in [-1, 1, -HOUR, HOUR, -YEAR, YEAR] {
        clock::stand_at(NOW);
        let authenticator = authenticator();
        verify(&authenticator, &code_at(NOW)).ok();
        let jumped = NOW.wrapping_add_signed(jump);
        clock::stand_at(jumped);
        let reply = verify(&authenticator, &code_at(jumped));
        if jumped / 30 > NOW / 30 {
            reply.ok();
        } else {
            reply.refused(Status::TokenReused);
        }
        // Back again, no code works a second time.
        clock::stand_at(NOW);
        verify(&authenticator, &code_at(NOW)).refused(Status::TokenReused);

        // A lock ends after its longest time by any clock.
        let guarded = self::authenticator();
        for _ in 0..5 {
            verify(&guarded, &wrong_code_at(NOW)).refused(Status::InvalidToken);
        }
        clock::stand_at(jumped);
        let wait = retry_after(&verify(&guarded, &code_at(jumped))).unwrap_or(0);
        assert!(wait <= 3600, "{wait}");
        clock::stand_at(jumped + wait);
        assert_ne!(
            verify(&guarded, &code_at(jumped + wait)).status,
            Status::Throttled as i32
        );
    }
}

#[test]
fn a_clock_before_1970_is_an_error() {
    let authenticator = authenticator();
    clock::stand_at(0);
    let code = code_at(0);
    assert_eq!(verify(&authenticator, &code).ok()["step"], 0);
    verify(&authenticator, &code).refused(Status::TokenReused);
    clock::stand_before_1970();
    verify(&authenticator, &code).refused(Status::UnknownError);
}

/// How many of the replies have each status.
fn count(replies: &[Reply], status: Status) -> usize {
    replies
        .iter()
        .filter(|reply| reply.status == status as i32)
        .count()
}

/// The replies to `threads` calls at once.
fn at_once(threads: usize, call: impl Fn() -> Reply + Sync) -> Vec<Reply> {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    call()
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn one_code_64_threads_one_accepted() {
    let fixed = json!({"issuer": "Test", "fixed_time": NOW});
    let code = code_at(NOW);
    for _ in 0..200 {
        let authenticator = Authenticator::new(fixed.clone());
        let replies = at_once(64, || verify(&authenticator, &code));
        assert_eq!(count(&replies, Status::Ok), 1);
        assert_eq!(count(&replies, Status::TokenReused), 63);
    }
}

#[test]
fn wrong_guesses_64_at_once_five_answered() {
    let wrong = wrong_code_at(NOW);
    for _ in 0..50 {
        let authenticator = Authenticator::new(json!({"issuer": "Test", "fixed_time": NOW}));
        let replies = at_once(64, || verify(&authenticator, &wrong));
        assert_eq!(count(&replies, Status::InvalidToken), 5);
        assert_eq!(count(&replies, Status::Throttled), 59);
        assert_eq!(inspect(&authenticator)["failures"], 5);
    }
}

/// A secret of its own for each number.
fn secret_number(n: u32) -> String {
    const SYMBOLS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let tail = (0..7).map(|place| char::from(SYMBOLS[(n >> (5 * place)) as usize % 32]));
    format!("GUTCCIS2GHGBRKVLPSQV2ZTZN{}", tail.collect::<String>())
}

#[test]
fn a_flood_of_wrong_codes_neither_grows_memory_nor_evicts_a_victim() {
    clock::stand_at(NOW);
    let guard = json!({"store": "memory", "max_records": 100});
    let authenticator = Authenticator::new(json!({"issuer": "Test", "guard": guard}));
    // The victim once had a clean record, which alone could be evicted.
    clock::stand_at(NOW - 600);
    verify(&authenticator, &code_at(NOW - 600)).ok();
    clock::stand_at(NOW);
    let wrong = wrong_code_at(NOW);
    for _ in 0..4 {
        verify(&authenticator, &wrong).refused(Status::InvalidToken);
    }
    let mut refused = 0;
    for n in 0..1000 {
        let flood = json!({"totpsecret": secret_number(n), "otp": wrong});
        let reply = authenticator.call(factor2_verify, flood);
        if reply.status == Status::StoreUnavailable as i32 {
            let message = reply.refused(Status::StoreUnavailable);
            assert!(message.contains("full"), "{message}");
            refused += 1;
        }
    }
    // One of a thousand codes may be right by chance, which leaves no dirty record.
    assert!((890..=901).contains(&refused), "{refused}");
    assert_eq!(inspect(&authenticator)["failures"], 4);
    verify(&authenticator, &code_at(NOW)).ok();
}

#[test]
fn clean_records_make_room_once_their_code_is_out_of_the_window() {
    let guard = json!({"store": "memory", "max_records": 10});
    let authenticator = Authenticator::new(json!({"issuer": "Test", "guard": guard}));
    let login = |n: u32, time: u64| {
        clock::stand_at(time);
        let secret = secret_number(n);
        let code = authenticator
            .call(factor2_generate, json!({"totpsecret": secret}))
            .ok();
        authenticator.call(
            factor2_verify,
            json!({"totpsecret": secret, "otp": code["otp"]}),
        )
    };
    for n in 0..10 {
        login(n, NOW).ok();
    }
    // All ten codes could still be typed again.
    login(10, NOW + 30).refused(Status::StoreUnavailable);
    login(0, NOW).refused(Status::TokenReused);
    for n in 11..1000 {
        login(n, NOW + 60 * u64::from(n)).ok();
    }
}

/// Steps of two minutes have small numbers, and their codes live long.
#[test]
fn a_long_step_is_not_taken_for_one_of_long_ago() {
    let guard = json!({"store": "memory", "max_records": 1});
    let authenticator = Authenticator::new(json!({"issuer": "Test", "guard": guard}));
    let slow = format!("otpauth://totp/Test?secret={SECRET}&period=120");
    let slow = json!({"totpsecret": slow, "otp": code_of(&slow, NOW)});
    clock::stand_at(NOW);
    authenticator.call(factor2_verify, slow.clone()).ok();
    let log_in = |time: u64| {
        clock::stand_at(time);
        let secret = secret_number(1);
        let request = json!({"totpsecret": secret, "otp": code_of(&secret, time)});
        authenticator.call(factor2_verify, request)
    };
    for later in [60, 120, 239] {
        log_in(NOW + later).refused(Status::StoreUnavailable);
        let replay = authenticator.call(factor2_verify, slow.clone());
        replay.refused(Status::TokenReused);
    }
    log_in(NOW + 240).ok();
}

#[test]
fn settings_of_the_guard() {
    let try_new = |guard: Value| {
        let config = json!({"issuer": "Test", "fixed_time": NOW, "guard": guard});
        Authenticator::try_new(config.to_string().as_bytes())
    };
    for wrong in [
        json!({}),
        json!({"store": "file"}),
        json!({"store": "none", "soft": 3}),
        json!({"store": "memory", "path": "x"}),
        json!({"store": "memory", "soft": 0}),
        json!({"store": "memory", "hard": 0}),
        json!({"store": "memory", "hard": 101}),
        json!({"store": "memory", "soft": 6, "hard": 5}),
        json!({"store": "memory", "base_delay_s": 0}),
        json!({"store": "memory", "base_delay_s": 61, "max_delay_s": 60}),
        json!({"store": "memory", "max_delay_s": 86_401}),
        json!({"store": "memory", "max_records": 0}),
    ] {
        let reply = try_new(wrong.clone())
            .err()
            .unwrap_or_else(|| panic!("{wrong} is accepted"));
        let message = reply.refused(Status::Configuration);
        assert!(message.starts_with("config.guard"), "{message}");
    }
    let strict =
        json!({"store": "memory", "soft": 1, "hard": 2, "base_delay_s": 7, "max_delay_s": 7});
    let authenticator = try_new(strict).ok().unwrap();
    let reply = verify(&authenticator, &wrong_code_at(NOW));
    reply.refused(Status::InvalidToken);
    assert_eq!(retry_after(&reply), Some(7));
}

#[test]
fn the_description_names_store_scope_and_policy() {
    let describe = |authenticator: &Authenticator| {
        authenticator
            .call(factor2::capi::factor2_describe, json!({}))
            .ok()["guard"]
            .clone()
    };
    let memory = json!({"store": "memory", "scope": "process", "soft": 5, "hard": 33,
                        "base_delay_s": 30, "max_delay_s": 3600});
    assert_eq!(describe(&authenticator()), memory);
    let none = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
    assert_eq!(describe(&none), json!({"store": "none", "scope": "caller"}));
    for operation in [factor2_inspect, factor2_reset] {
        let message = none
            .call(operation, json!({"totpsecret": SECRET}))
            .refused(Status::Configuration);
        assert!(message.contains("none"), "{message}");
    }
}
