//! Codes of counters: secrets of type hotp, with every store.

use std::sync::Barrier;
use std::thread;

use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_generate, factor2_inspect, factor2_qr, factor2_reset,
    factor2_verify,
};
use serde_json::{Value, json};

use crate::clock;
use crate::crowd::{Crowd, call, count};
use crate::oracles::vectors;
use crate::people::{NOW, log_in_at, secret};
use crate::stores::{Store, until_available};
use crate::support::{self, Authenticator, KEY, Reply, SECRET};

/// The largest counter that is taken.
const LAST: u64 = i64::MAX as u64 - 1;

/// A token with the secret of the `n`-th user, as its owner's row has it.
pub fn token(user: usize, counter: u64) -> String {
    format!("otpauth://hotp/a?secret={}&counter={counter}", secret(user))
}

/// The code that a token shows at this counter.
pub fn code_of(uri: &str, counter: u64) -> String {
    let (begin, _) = uri.rsplit_once('=').unwrap();
    let client = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
    let request = json!({"totpsecret": format!("{begin}={counter}")});
    let generated = client.call(factor2_generate, request).ok();
    assert_eq!(generated["counter"], counter);
    generated["otp"].as_str().unwrap().to_owned()
}

/// A code that is none of a token's near this counter.
pub fn wrong_code_of(uri: &str, counter: u64) -> String {
    let near: Vec<String> = (0..200).map(|n| code_of(uri, counter + n)).collect();
    let mut codes = (0..).map(|n| format!("{n:06}"));
    codes.find(|code| !near.contains(code)).unwrap()
}

fn request(uri: &str, code: &str) -> Value {
    json!({"totpsecret": uri, "otp": code})
}

pub fn verify(authenticator: &Authenticator, uri: &str, code: &str) -> Reply {
    authenticator.call(factor2_verify, request(uri, code))
}

/// Tries the code of a counter.
pub fn press(authenticator: &Authenticator, uri: &str, counter: u64) -> Reply {
    verify(authenticator, uri, &code_of(uri, counter))
}

pub fn inspect(authenticator: &Authenticator, uri: &str) -> Value {
    let request = json!({"totpsecret": uri});
    authenticator.call(factor2_inspect, request).ok()
}

#[track_caller]
pub fn assert_accepted(reply: &Reply, counter: u64) {
    assert_eq!(reply.ok(), json!({"accepted": true, "counter": counter}));
}

/// Codes that others computed, RFC 4226 appendix D among them.
#[test]
fn published_codes() {
    let mut rows = (0, 0);
    for row in vectors("codes.json") {
        if row["type"] != "hotp" {
            continue;
        }
        let counter = match &row["counter"] {
            Value::String(counter) => counter.parse().unwrap(),
            counter => counter.as_u64().unwrap(),
        };
        let (secret, code) = (
            row["secret"].as_str().unwrap(),
            row["code"].as_str().unwrap(),
        );
        let uri = |counter: u64| {
            let (algorithm, digits) = (row["algorithm"].as_str().unwrap(), &row["digits"]);
            format!(
                "otpauth://hotp/a?secret={secret}&algorithm={algorithm}&digits={digits}&counter={counter}"
            )
        };
        let authenticator = Authenticator::new(json!({
            "issuer": "Example", "algorithm": "SHA256", "digits": 7, "guard": {"store": "none"},
        }));
        if counter > LAST {
            let message =
                verify(&authenticator, &uri(counter), code).refused(Status::InvalidSecret);
            assert!(message.contains("counter"), "{message}");
            rows.1 += 1;
            continue;
        }
        assert_eq!(code_of(&uri(0), counter), code, "{row}");
        assert_accepted(&verify(&authenticator, &uri(counter), code), counter);
        let before = counter.saturating_sub(9);
        assert_accepted(&verify(&authenticator, &uri(before), code), counter);
        rows.0 += 1;
    }
    assert_eq!(rows, (11, 2));
}

#[test]
fn each_code_is_accepted_once_and_in_order() {
    for store in Store::all() {
        let authenticator = store.open();
        let uri = token(1, 0);
        for counter in 0..10 {
            assert_accepted(&press(&authenticator, &uri, counter), counter);
            press(&authenticator, &uri, counter).refused(Status::TokenReused);
            let record = inspect(&authenticator, &uri);
            assert_eq!(
                (&record["last_step"], &record["failures"]),
                (&counter.into(), &0.into())
            );
        }
        // Older ones are wrong codes.
        press(&authenticator, &uri, 8).refused(Status::InvalidToken);
        press(&authenticator, &uri, 0).refused(Status::InvalidToken);
        assert_eq!(inspect(&authenticator, &uri)["failures"], 2);
        // The last one again is none, however often, and does not forgive either.
        for _ in 0..20 {
            press(&authenticator, &uri, 9).refused(Status::TokenReused);
        }
        assert_eq!(inspect(&authenticator, &uri)["failures"], 2);
        // Skipped ones are wrong codes as well.
        assert_accepted(&press(&authenticator, &uri, 13), 13);
        for skipped in 10..13 {
            press(&authenticator, &uri, skipped).refused(Status::InvalidToken);
        }
        assert_eq!(inspect(&authenticator, &uri)["failures"], 3);
        assert_accepted(&press(&authenticator, &uri, 14), 14);
    }
}

#[test]
fn what_is_further_ahead_is_a_wrong_code() {
    for store in Store::all() {
        for (look_ahead, expected) in [(None, 10), (Some(1), 1), (Some(50), 50)] {
            let mut config = store.config(json!({}));
            if let Some(look_ahead) = look_ahead {
                config["look_ahead"] = json!(look_ahead);
            }
            let authenticator = Authenticator::new(config);
            let uri = token(expected, 100);
            press(&authenticator, &uri, 99).refused(Status::InvalidToken);
            press(&authenticator, &uri, 100 + expected as u64).refused(Status::InvalidToken);
            assert_eq!(inspect(&authenticator, &uri)["failures"], 2);
            let furthest = 99 + expected as u64;
            assert_accepted(&press(&authenticator, &uri, furthest), furthest);
            // From now on the window begins behind that.
            let too_far = furthest + 1 + expected as u64;
            press(&authenticator, &uri, too_far).refused(Status::InvalidToken);
            assert_accepted(&press(&authenticator, &uri, too_far - 1), too_far - 1);
        }
    }
    for wrong in [json!(0), json!(51), json!("10"), json!(null)] {
        let config = json!({"issuer": "Test", "look_ahead": wrong});
        let Err(reply) = Authenticator::try_new(config.to_string().as_bytes()) else {
            panic!("{wrong} is accepted");
        };
        let message = reply.refused(Status::Configuration);
        assert!(message.starts_with("config.look_ahead"), "{message}");
    }
}

/// Up to 2^63 - 2, exactly, also where numbers are doubles.
#[test]
fn large_counters_are_exact() {
    for store in Store::all() {
        let authenticator = store.open();
        for (user, begin) in [(1 << 53) - 5, 1 << 53, (1 << 62) + 1, LAST - 9]
            .into_iter()
            .enumerate()
        {
            let uri = token(user, begin);
            for counter in [begin, begin + 1, begin + 3, begin + 9] {
                assert_accepted(&press(&authenticator, &uri, counter), counter);
                assert_eq!(inspect(&authenticator, &uri)["last_step"], counter);
                press(&authenticator, &uri, counter).refused(Status::TokenReused);
                if counter > begin {
                    press(&authenticator, &uri, counter - 1).refused(Status::InvalidToken);
                }
            }
        }
        // Nothing is behind the last.
        let uri = token(3, LAST - 9);
        verify(
            &authenticator,
            &uri,
            &wrong_code_of(&token(3, 0), LAST - 200),
        )
        .refused(Status::InvalidToken);
        press(&authenticator, &uri, LAST).refused(Status::TokenReused);
    }
}

/// The record is the secret's, whatever the URI says else, and other than that of its time steps.
#[test]
fn two_libraries_share_a_record() {
    for store in Store::shared() {
        let (one, other) = (store.open(), store.open());
        let uri = token(1, 0);
        assert_accepted(&press(&one, &uri, 4), 4);
        press(&other, &uri, 4).refused(Status::TokenReused);
        press(&other, &uri, 3).refused(Status::InvalidToken);
        // A URI that was written anew has another counter; the record knows better.
        assert_accepted(&press(&other, &token(1, 2), 5), 5);
        press(&one, &token(1, 0), 5).refused(Status::TokenReused);
        // Or the URI does.
        press(&one, &token(1, 20), 6).refused(Status::InvalidToken);
        assert_accepted(&press(&one, &token(1, 20), 20), 20);
        // As time steps, the secret has a record of its own.
        let request = json!({"totpsecret": secret(1)});
        let record = one.call(factor2_inspect, request).ok();
        assert_eq!(
            (&record["last_step"], &record["failures"]),
            (&Value::Null, &0.into())
        );
        one.call(factor2_reset, json!({"totpsecret": uri})).ok();
        let expected =
            json!({"last_step": 20, "failures": 0, "locked_until": 0, "disabled": false});
        assert_eq!(inspect(&other, &uri), expected);
    }
}

#[test]
fn with_the_store_none_the_caller_remembers() {
    let authenticator = Authenticator::new(json!({"issuer": "Test", "guard": {"store": "none"}}));
    let uri = token(1, 5);
    let press_after = |last: i64, counter: u64| {
        let mut request = request(&uri, &code_of(&uri, counter));
        request["last_step"] = json!(last);
        authenticator.call(factor2_verify, request)
    };
    assert_accepted(&press_after(-1, 5), 5);
    assert_accepted(&press_after(5, 6), 6);
    press_after(6, 6).refused(Status::TokenReused);
    press_after(6, 5).refused(Status::InvalidToken);
    assert_accepted(&press_after(6, 16), 16);
    press_after(6, 17).refused(Status::InvalidToken);
    press_after(i64::MAX, 17).refused(Status::InvalidToken);
    press_after(i64::MAX - 1, LAST).refused(Status::TokenReused);
}

/// Of two counters with one code the lower is taken, so that the token is not left behind; and the code is
/// accepted once for both.
#[test]
fn counters_that_share_a_code() {
    let near = |uri: &str| -> Option<(u64, u64)> {
        let codes: Vec<String> = (0..1000).map(|counter| code_of(uri, counter)).collect();
        (0..990).find_map(|low| {
            let mut next = codes[low + 1..low + 10].iter();
            let place = next.position(|code| *code == codes[low])?;
            Some((low as u64, (low + 1 + place) as u64))
        })
    };
    // Some secrets of users have such a pair among their first counters.
    let (user, (low, high)) = SHARING;
    let uri = token(user, 0);
    assert_eq!(near(&uri), Some((low, high)));
    for store in Store::all() {
        let authenticator = store.open();
        let uri = token(user, low);
        assert_accepted(&press(&authenticator, &uri, low), low);
        press(&authenticator, &uri, high).refused(Status::TokenReused);
        assert_accepted(&press(&authenticator, &uri, low + 1), low + 1);
    }
}

/// A user, and two counters of that token, found by search.
const SHARING: (usize, (u64, u64)) = (146, (872, 879));

#[test]
fn of_64_processes_with_one_code_one_gets_in() {
    let rounds = support::count("FACTOR2_RACE_ROUNDS", 200) / 20;
    for store in Store::shared() {
        let calls: Vec<Value> = (0..rounds)
            .map(|user| call(request(&token(user, 7), &code_of(&token(user, 7), 9)), NOW))
            .collect();
        let mut crowd = Crowd::start(&store.config(json!({"budget_ms": 5000})), &vec![calls; 64]);
        for user in 0..rounds {
            let answers = crowd.call_at_once();
            let counts = (count(&answers, "Ok"), count(&answers, "TokenReused"));
            assert_eq!(counts, (1, 63), "{answers:?}");
            assert_eq!(inspect(&store.open(), &token(user, 7))["last_step"], 9);
        }
    }
}

/// Each thread with a code of its own: some come too late, and are wrong then; none gets in twice, and the
/// last counter is the highest accepted.
#[test]
fn of_64_threads_with_many_codes_each_is_accepted_once() {
    for store in Store::all() {
        let authenticator = &store.open();
        let uri = &token(1, 0);
        let codes: Vec<String> = (0..8).map(|counter| code_of(uri, counter)).collect();
        let start = &Barrier::new(64);
        let answers: Vec<Value> = thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|n| {
                    let code = &codes[n % 8];
                    scope.spawn(move || {
                        start.wait();
                        let reply = until_available(|| verify(authenticator, uri, code));
                        serde_json::from_str(&reply.text).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let accepted = answers
            .iter()
            .filter_map(|answer| answer["counter"].as_u64());
        let mut accepted: Vec<u64> = accepted.collect();
        accepted.sort_unstable();
        let all = accepted.len();
        accepted.dedup();
        assert_eq!(all, accepted.len(), "{answers:?}");
        let last = inspect(authenticator, uri)["last_step"].as_u64();
        assert_eq!(last, accepted.last().copied());
    }
}

/// A full memory makes room by forgetting logins that are long over, but a counter's codes never expire.
#[test]
fn memory_never_forgets_a_counter() {
    let config = json!({"issuer": "Test", "guard": {"store": "memory", "max_records": 2}});
    let authenticator = Authenticator::new(config);
    let uri = token(1, 0);
    assert_accepted(&press(&authenticator, &uri, 3), 3);
    for user in 10..20 {
        log_in_at(&authenticator, user, NOW + 3600 * user as u64).ok();
    }
    press(&authenticator, &uri, 3).refused(Status::TokenReused);
    assert_accepted(&press(&authenticator, &uri, 4), 4);
    // With another one, nothing may go.
    clock::stand_at(NOW + 3600 * 25);
    assert_accepted(&press(&authenticator, &token(2, 0), 0), 0);
    let refused = log_in_at(&authenticator, 30, NOW + 3600 * 30);
    let message = refused.refused(Status::StoreUnavailable);
    assert!(message.contains("counters"), "{message}");
    // A wrong code that was forgiven leaves nothing behind that must be kept.
    let config = json!({"issuer": "Test", "guard": {"store": "memory", "max_records": 1}});
    let authenticator = Authenticator::new(config);
    verify(&authenticator, &uri, &wrong_code_of(&uri, 0)).refused(Status::InvalidToken);
    authenticator
        .call(factor2_reset, json!({"totpsecret": uri}))
        .ok();
    log_in_at(&authenticator, 30, NOW).ok();
}

/// A token and a phone: the code of either is judged by its own record.
#[test]
fn beside_an_app() {
    for store in Store::all() {
        let authenticator = store.open();
        let uri = token(1, 0);
        let ask = |otp: &str| {
            let request = json!({"totpsecret": [uri, secret(2)], "otp": otp});
            authenticator.call(factor2_verify, request)
        };
        let answer = ask(&code_of(&uri, 2)).ok();
        assert_eq!(answer, json!({"accepted": true, "index": 0, "counter": 2}));
        ask(&code_of(&uri, 2)).refused(Status::TokenReused);
        ask(&code_of(&uri, 1)).refused(Status::InvalidToken);
        assert_eq!(inspect(&authenticator, &uri)["failures"], 1);
        let app = authenticator
            .call(factor2_inspect, json!({"totpsecret": secret(2)}))
            .ok();
        assert_eq!(app["failures"], 1);
    }
}

#[test]
fn the_same_request_gets_the_same_answer() {
    for store in Store::all() {
        let authenticator = store.open_with(json!({"retry": {}}));
        let uri = token(1, 0);
        let mut request = request(&uri, &code_of(&uri, 3));
        request["retry_key"] = json!("session");
        let ask = || authenticator.call(factor2_verify, request.clone());
        assert_accepted(&ask(), 3);
        let again = json!({"accepted": true, "counter": 3, "repeated": true});
        assert_eq!(ask().ok(), again);
    }
}

#[test]
fn a_new_token_is_made_and_shown() {
    for store in Store::all() {
        let mut config = store.config(json!({}));
        config["seal"] = json!({"keys": {"k": KEY}, "use": "k"});
        let authenticator = Authenticator::new(config);
        let made = json!({"username": "alice", "type": "hotp"});
        let made = authenticator.call(factor2_create_secret, made).ok();
        let (secret, uri) = (
            made["totpsecret"].as_str().unwrap(),
            made["uri"].as_str().unwrap(),
        );
        let expected = format!("otpauth://hotp/Test:alice?secret={secret}&issuer=Test&counter=0");
        assert_eq!(uri, expected);
        let sealed = &made["sealed"];
        let ask = |counter| {
            let otp = code_of(uri, counter);
            let request = json!({"totpsecret": sealed, "username": "alice", "otp": otp});
            authenticator.call(factor2_verify, request)
        };
        assert_accepted(&ask(0), 0);
        assert_accepted(&ask(6), 6);
        // Another phone goes on where the first one stopped.
        for operation in [factor2_qr, factor2_create_secret] {
            let request = json!({"totpsecret": sealed, "username": "alice"});
            let shown = authenticator.call(operation, request).ok();
            assert_eq!(shown["uri"], expected.replace("counter=0", "counter=7"));
        }
        // A plain secret takes the type that is asked for, and a URI has its own.
        let ask = |secret: &str, kind| {
            let request = json!({"username": "bob", "totpsecret": secret, "type": kind});
            authenticator.call(factor2_qr, request)
        };
        let shown = ask(SECRET, "hotp").ok();
        let expected = format!("otpauth://hotp/Test:bob?secret={SECRET}&issuer=Test&counter=0");
        assert_eq!(shown["uri"], expected);
        assert!(
            ask(SECRET, "totp").ok()["uri"]
                .as_str()
                .unwrap()
                .starts_with("otpauth://totp/")
        );
        ask(uri, "hotp").ok();
        for (text, kind) in [
            (uri, "totp"),
            (&format!("otpauth://totp/a?secret={SECRET}"), "hotp"),
        ] {
            let message = ask(text, kind).refused(Status::BadRequest);
            assert!(message.starts_with("request.type"), "{message}");
        }
        let message = ask(SECRET, "motp").refused(Status::BadRequest);
        assert!(message.starts_with("request.type"), "{message}");
    }
}
