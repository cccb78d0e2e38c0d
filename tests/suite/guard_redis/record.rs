//! What a record is, and what becomes of it.

use factor2::Status;
use factor2::capi::{factor2_generate, factor2_verify};
use serde_json::json;

use super::server::Server;
use super::{
    NOW, code_at, config_with, guess, inspect, log_in, log_in_at, open, open_hasty, open_with,
    reset, retry_after, secret, verify, wait_for, wrong_code_at,
};
use crate::clock;
use crate::support::{Authenticator, Reply};

/// The key of the only record.
fn only_key(server: &Server) -> String {
    let keys = server.cli(&["KEYS", "*"]);
    assert_eq!(keys.lines().count(), 1, "{keys}");
    keys
}

#[test]
fn other_data_in_the_place_of_a_record() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 1).ok();
    let key = only_key(&server);
    let record = server.cli(&["GET", &key]);
    let code: u32 = code_at(1, NOW).parse().unwrap();
    assert!(
        record.starts_with(&format!("1 {} {code} 0 0 0 0 ", NOW / 30)),
        "{record}"
    );
    let foreign = [
        "",
        "1",
        "hello",
        "2 60000000 7 0 0 0 0 1 0 -",
        "1 60000000 0 0 0 1 0 -",
        "1 60000000 7 0 0 0 0 0 -",
        "1 60000000 7 0 0 0 0 1 1 0 -",
        "1 60000000 7 0 0 0 2 1 0 -",
        "1 x 7 0 0 0 0 1 0 -",
        "1 60000000 x 0 0 0 0 1 0 -",
        "1 60000000 7 -1 0 0 0 1 0 -",
        "1 60000000 7 0 0 -1 0 1 0 -",
        "1 6.5 7 0 0 0 0 1 0 -",
        "1 1e9 7 0 0 0 0 1 0 -",
        "1 nan 7 0 0 0 0 1 0 -",
        "1 60000000 nan 0 0 0 0 1 0 -",
        "1 60000000 7 0 0 0 0 1 0 -\n",
        "1 60000000 7 0 0 0 0 1",
        "1 60000000 7 0 0 0 0 1 1 -",
        "1 60000000 7 0 0 0 0 1 0 x",
        " 1 60000000 7 0 0 0 0 1 0 -",
    ];
    for text in foreign {
        server.set(&["SET", &key, text]);
        let message = log_in_at(&authenticator, 1, NOW + 30).refused(Status::StoreUnavailable);
        assert!(
            message.contains("a record of another program"),
            "{text}: {message}"
        );
        assert_eq!(
            server.cli(&["GET", &key]),
            text.trim_end(),
            "it is left alone"
        );
    }
    for make in [
        &["LPUSH"][..],
        &["SADD"],
        &["HSET", "field"],
        &["SETBIT", "1"],
    ] {
        server.cli(&["DEL", &key]);
        server.cli(&[&make[..1], &[&key], &make[1..], &["1"]].concat());
        log_in_at(&authenticator, 1, NOW + 30).refused(Status::StoreUnavailable);
    }
    server.set(&["SET", &key, &record]);
    log_in_at(&authenticator, 1, NOW).refused(Status::TokenReused);
    log_in_at(&authenticator, 1, NOW + 30).ok();
}

#[test]
fn numbers_that_no_record_has_are_refused_as_well() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 1).ok();
    let key = only_key(&server);
    let long = "9".repeat(40);
    for record in [
        format!("1 {long} 7 0 0 0 0 1 0 -"),
        format!("1 0 7 {long} 0 0 0 1 0 -"),
        format!("1 0 7 5 {long} {long} 0 1 0 -"),
        format!("1 0 {long} 0 0 0 1 1 0 -"),
        format!("1 0 7 0 0 0 1 {long} 0 -"),
    ] {
        server.set(&["SET", &key, &record]);
        let statuses = [
            Status::TokenReused,
            Status::Throttled,
            Status::Disabled,
            Status::StoreUnavailable,
        ];
        let reply = guess(&authenticator, 1);
        assert!(reply.status != 0, "{}", reply.text);
        let reply = log_in_at(&authenticator, 1, NOW + 30);
        let status = Status::from_number(reply.status).unwrap();
        assert!(statuses.contains(&status), "{record}: {}", reply.text);
    }
}

#[test]
fn a_record_never_expires() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    log_in(&authenticator, 1).ok();
    assert_eq!(server.cli(&["TTL", &only_key(&server)]), "-1");
    guess(&authenticator, 1).refused(Status::InvalidToken);
    assert_eq!(server.cli(&["TTL", &only_key(&server)]), "-1");
    reset(&authenticator, 1);
    assert_eq!(server.cli(&["TTL", &only_key(&server)]), "-1");
}

#[test]
fn inspect_and_reset_leave_no_trace_of_a_credential_that_was_never_tried() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    let new = json!({"last_step": null, "failures": 0, "locked_until": 0, "disabled": false});
    assert_eq!(inspect(&authenticator, 1), new);
    assert_eq!(reset(&authenticator, 1), new);
    assert_eq!(server.cli(&["DBSIZE"]), "0");
}

/// Time must not tell who has a secret, nor who is locked: each of these is a write.
#[test]
fn what_changes_no_record_is_written_all_the_same() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    let nobody = |otp: &str| {
        let request = json!({"totpsecret": null, "otp": otp});
        authenticator.call(factor2_verify, request)
    };
    nobody("000000").refused(Status::InvalidToken);
    nobody("x").refused(Status::InvalidToken);
    verify(&authenticator, 1, "x").refused(Status::InvalidToken);
    wait_for(|| server.cli(&["DBSIZE"]) == "0");

    for user in [1, 2] {
        log_in(&authenticator, user).ok();
    }
    for _ in 0..5 {
        guess(&authenticator, 1).refused(Status::InvalidToken);
    }
    let disabling = open_with(server.url(), json!({"hard": 1}));
    guess(&disabling, 3).refused(Status::Disabled);
    let shown = || [1, 2, 3, 4].map(|user| inspect(&authenticator, user));
    let before = shown();
    let calls: [(&dyn Fn() -> Reply, Status); 7] = [
        (&|| nobody("000000"), Status::InvalidToken),
        (&|| nobody("x"), Status::InvalidToken),
        (&|| verify(&authenticator, 2, "x"), Status::InvalidToken),
        (&|| verify(&authenticator, 4, "x"), Status::InvalidToken),
        (&|| guess(&authenticator, 1), Status::Throttled),
        (&|| log_in(&authenticator, 2), Status::TokenReused),
        (&|| guess(&authenticator, 3), Status::Disabled),
    ];
    let writes = || -> u64 {
        let statistics = server.cli(&["INFO", "commandstats"]);
        let (_, count) = statistics.split_once("cmdstat_set:calls=").unwrap();
        count.split(',').next().unwrap().parse().unwrap()
    };
    for (number, (call, status)) in calls.iter().enumerate() {
        let written = writes();
        call().refused(*status);
        assert_eq!(writes(), written + 1, "call {number}");
    }
    assert_eq!(shown(), before);
    wait_for(|| server.cli(&["DBSIZE"]) == "3");
}

#[test]
fn locks_go_by_the_time_of_the_server() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    for _ in 0..4 {
        guess(&authenticator, 1).refused(Status::InvalidToken);
    }
    let before = server.time();
    let reply = guess(&authenticator, 1);
    reply.refused(Status::InvalidToken);
    assert_eq!(retry_after(&reply), Some(30));
    let until = inspect(&authenticator, 1)["locked_until"].as_u64().unwrap();
    assert!(
        (before + 30..=server.time() + 30).contains(&until),
        "{until}"
    );
    // A caller whose clock is a year ahead waits as long.
    let reply = log_in_at(&authenticator, 1, NOW + 31_536_000);
    reply.refused(Status::Throttled);
    assert!(retry_after(&reply).unwrap() <= 30);
    assert_eq!(reset(&authenticator, 1)["locked_until"], 0);
    log_in(&authenticator, 1).ok();
}

/// Whose time does not pass.
fn fixed_at(server: &Server, time: u64) -> Authenticator {
    let guard = json!({
        "store": "redis", "url": server.url(), "soft": 2, "hard": 3, "base_delay_s": 100,
    });
    Authenticator::new(json!({"issuer": "Test", "guard": guard, "fixed_time": time}))
}

#[test]
fn with_a_fixed_time_locks_go_by_it() {
    let server = Server::start(&[]);
    let (now, later) = (fixed_at(&server, NOW), fixed_at(&server, NOW + 99));
    let wrong = wrong_code_at(1, NOW);
    verify(&now, 1, &wrong).refused(Status::InvalidToken);
    assert_eq!(retry_after(&verify(&now, 1, &wrong)), Some(100));
    let reply = verify(&later, 1, &wrong);
    reply.refused(Status::Throttled);
    assert_eq!(retry_after(&reply), Some(1));
    let right = code_at(1, NOW + 100);
    verify(&fixed_at(&server, NOW + 100), 1, &right).ok();
}

/// For ever at NOW.
fn service(
    server: &Server,
    guard: serde_json::Value,
    settings: serde_json::Value,
) -> Authenticator {
    let mut config = config_with(server.url(), guard);
    let members = config.as_object_mut().unwrap();
    members.insert("fixed_time".to_owned(), NOW.into());
    members.extend(settings.as_object().unwrap().clone());
    Authenticator::new(config)
}

#[test]
fn another_period_is_another_credential() {
    let server = Server::start(&[]);
    let open = |period: u64| service(&server, json!({}), json!({"period": period}));
    let right = |service: &Authenticator| {
        let request = json!({"totpsecret": secret(1)});
        let otp = service.call(factor2_generate, request).ok()["otp"].clone();
        otp.as_str().unwrap().to_owned()
    };
    for period in [30, 15, 60, 120] {
        let service = open(period);
        let otp = right(&service);
        assert_eq!(verify(&service, 1, &otp).ok()["step"], NOW / period);
        verify(&service, 1, &otp).refused(Status::TokenReused);
        assert_eq!(reset(&service, 1)["last_step"], NOW / period);
    }
    let service = open(30);
    verify(&service, 1, &right(&service)).refused(Status::TokenReused);
}

#[test]
fn a_lock_is_as_long_as_it_was_set_whoever_asks() {
    let server = Server::start(&[]);
    let strict = json!({"soft": 1, "base_delay_s": 3600});
    let lax = json!({"soft": 1, "max_delay_s": 1});
    let wrong = wrong_code_at(1, NOW);
    verify(&service(&server, strict.clone(), json!({})), 1, &wrong).refused(Status::InvalidToken);
    for guard in [lax, strict] {
        for (time, wait) in [(NOW, 3600), (NOW - 86_400, 3600), (NOW - 86_400 + 60, 3540)] {
            let service = service(&server, guard.clone(), json!({"fixed_time": time}));
            let reply = verify(&service, 1, &code_at(1, time));
            reply.refused(Status::Throttled);
            assert_eq!(retry_after(&reply), Some(wait));
        }
        // The next one finds the lock as it was.
        let record = server.cli(&["GET", &only_key(&server)]);
        let later = record.replace(&(NOW - 82_800).to_string(), &(NOW + 3600).to_string());
        assert_ne!(later, record);
        server.set(&["SET", &only_key(&server), &later]);
    }
}

#[test]
fn the_code_that_was_accepted_last_is_no_guess_however_late() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    log_in(&authenticator, 1).ok();
    clock::stand_at(NOW + 86_400);
    for _ in 0..6 {
        verify(&authenticator, 1, &code_at(1, NOW)).refused(Status::TokenReused);
    }
    reset(&authenticator, 1);
    verify(&authenticator, 1, &code_at(1, NOW)).refused(Status::TokenReused);
    assert_eq!(inspect(&authenticator, 1)["failures"], 0);
}

/// By the library's clock, which decides on codes; the server's is for locks.
#[test]
fn a_clock_that_was_ahead_is_named() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    log_in_at(&authenticator, 1, NOW + 86_400).ok();
    let message = log_in(&authenticator, 1).refused(Status::TokenReused);
    assert!(message.contains("the clock was ahead"), "{message}");
    let message = log_in_at(&authenticator, 1, NOW + 86_400).refused(Status::TokenReused);
    assert!(!message.contains("the clock was ahead"), "{message}");
}

#[test]
fn a_time_that_redis_cannot_count_to_is_refused() {
    let server = Server::start(&[]);
    let time = 1 << 52;
    let never = fixed_at(&server, time);
    verify(&never, 1, &code_at(1, time)).refused(Status::StoreUnavailable);
    let last = fixed_at(&server, time - 1);
    let code = code_at(1, time - 1);
    verify(&last, 1, &code).ok();
    verify(&last, 1, &code).refused(Status::TokenReused);
    assert_eq!(inspect(&last, 1)["last_step"], (time - 1) / 30);
}

#[test]
fn the_whole_life_of_a_credential() {
    let server = Server::start(&[]);
    let now = fixed_at(&server, NOW);
    let (code, wrong) = (code_at(1, NOW), wrong_code_at(1, NOW));
    verify(&now, 1, &wrong).refused(Status::InvalidToken);
    assert_eq!(verify(&now, 1, &code).ok()["step"], NOW / 30);
    let clean = inspect(&now, 1);
    assert_eq!(clean["failures"], 0);
    verify(&now, 1, &code).refused(Status::TokenReused);
    assert_eq!(inspect(&now, 1), clean, "a replay changes nothing");

    verify(&now, 1, &wrong).refused(Status::InvalidToken);
    verify(&now, 1, &wrong).refused(Status::InvalidToken);
    let locked = inspect(&now, 1);
    assert_eq!(
        (&locked["failures"], &locked["locked_until"]),
        (&json!(2), &json!(NOW + 100))
    );
    let (of_wrong, of_right) = (
        verify(&now, 1, &wrong),
        verify(&now, 1, &code_at(1, NOW + 30)),
    );
    of_right.refused(Status::Throttled);
    assert_eq!(of_wrong.text, of_right.text);
    assert_eq!(inspect(&now, 1), locked, "nothing is counted or extended");

    let later = fixed_at(&server, NOW + 100);
    let code = code_at(1, NOW + 100);
    verify(&later, 1, &wrong_code_at(1, NOW + 100)).refused(Status::Disabled);
    verify(&later, 1, &code).refused(Status::Disabled);
    assert_eq!(inspect(&later, 1)["disabled"], true);
    assert_eq!(reset(&later, 1), clean);
    verify(&now, 1, &code_at(1, NOW)).refused(Status::TokenReused);
    verify(&later, 1, &code).ok();
}
