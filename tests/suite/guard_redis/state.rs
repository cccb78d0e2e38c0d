//! Servers that are down, busy, full, locked, read-only, or have other data: always a refusal in
//! time, and the first call afterwards works.

use std::fs;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use factor2::Status;
use serde_json::{Value, json};

use super::server::Server;
use super::{
    NOW, guess, inspect, log_in, log_in_at, open, open_hasty, open_with, refused_in_time, reset,
    retry_after,
};
use crate::support::Authenticator;

/// `while_broken` makes the server refuse with a message that has `reason`; after `repaired` the
/// first call works.
#[track_caller]
fn refuses_while(authenticator: &Authenticator, reason: &str, repair: impl FnOnce()) {
    refused_in_time(authenticator, 1, reason);
    repair();
    log_in(authenticator, 2).ok();
}

#[test]
fn a_server_that_stands_still() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 0).ok();
    server.signal(libc::SIGSTOP);
    refuses_while(&authenticator, "did not answer in time", || {
        server.signal(libc::SIGCONT);
    });
}

#[test]
fn a_server_that_stands_still_and_takes_no_more_connections() {
    let server = Server::start(&["--tcp-backlog", "1"]);
    let authenticator = open_hasty(server.url());
    server.signal(libc::SIGSTOP);
    // One of these waits until the server goes on.
    let socket = server.socket();
    let waiting = thread::spawn(move || {
        let connect = |_| UnixStream::connect(&socket).unwrap();
        (0..8).map(connect).collect::<Vec<_>>()
    });
    thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    refuses_while(&authenticator, "cannot be reached", || {
        server.signal(libc::SIGCONT);
        waiting.join().unwrap();
    });
}

#[test]
fn a_server_that_is_killed_and_started_again() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let authenticator = open_hasty(server.url());
    for user in 10..30 {
        // More than one connection goes stale.
        thread::scope(|scope| {
            for n in 0..4 {
                let authenticator = &authenticator;
                scope.spawn(move || log_in(authenticator, 1000 * n + user).ok());
            }
        });
        server.kill();
        if user == 10 {
            refused_in_time(&authenticator, 1, "cannot be reached");
        }
        server.restart(&[]);
        log_in(&authenticator, user).refused(Status::TokenReused);
        log_in(&authenticator, 2000 + user).refused(Status::TokenReused);
    }
}

#[test]
fn a_server_that_comes_back_within_the_budget_is_waited_for() {
    let mut server = Server::start(&[]);
    let authenticator = open_with(server.url(), json!({"budget_ms": 5000}));
    log_in(&authenticator, 1).ok();
    server.kill();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| log_in(&authenticator, 2));
        thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished());
        server.restart(&[]);
        waiting.join().unwrap().ok();
    });
}

#[test]
fn an_authenticator_is_made_while_its_server_is_down() {
    let mut server = Server::start(&[]);
    server.kill();
    let authenticator = open_hasty(server.url());
    refuses_while(&authenticator, "cannot be reached", || server.restart(&[]));
}

#[test]
fn a_server_without_the_script() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    for user in 0..3 {
        server.set(&["SCRIPT", "FLUSH"]);
        log_in(&authenticator, user).ok();
        server.set(&["SCRIPT", "FLUSH"]);
        assert_eq!(inspect(&authenticator, user)["last_step"], NOW / 30);
    }
}

#[test]
fn a_server_without_memory() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    server.configure("maxmemory", "100000");
    let reason = "answered OOM to the script";
    refuses_while(&authenticator, reason, || {
        server.configure("maxmemory", "0")
    });
}

#[test]
fn a_server_that_asks_for_a_password() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 0).ok();
    server.configure("requirepass", "canary");
    // The connection that is there stays logged in.
    log_in(&authenticator, 0).refused(Status::TokenReused);
    let kill = [
        "-a",
        "canary",
        "--no-auth-warning",
        "CLIENT",
        "KILL",
        "TYPE",
        "normal",
    ];
    server.cli(&kill);
    let with = |pass: &str| open_hasty(format!("{}?pass={pass}", server.url()));
    let right = with("canary");
    log_in(&right, 3).ok();
    refused_in_time(&with("canary2"), 1, "answered WRONGPASS to AUTH");
    refuses_while(&authenticator, "answered NOAUTH to the script", || {
        server.set(&[
            "-a",
            "canary",
            "--no-auth-warning",
            "CONFIG",
            "SET",
            "requirepass",
            "",
        ]);
    });
    // Where a password is given and none is wanted, the server says so.
    refused_in_time(&with("canary"), 1, "answered ERR to AUTH");
}

#[test]
fn a_user_who_may_not_run_scripts() {
    let server = Server::start(&[]);
    let acl = |more: &[&str]| server.set(&[&["ACL", "SETUSER", "bob"], more].concat());
    acl(&["on", ">pa%ss", "~factor2:*", "+select"]);
    let authenticator = open_hasty(format!("{}?user=bob&pass=pa%25ss&db=2", server.url()));
    refuses_while(&authenticator, "answered NOPERM to the script", || {
        // All that it needs.
        acl(&["+evalsha", "+eval", "+get", "+set", "+time"]);
    });
    assert_eq!(server.cli(&["-n", "2", "DBSIZE"]), "1");
}

#[test]
fn a_server_that_loads_its_data() {
    let mut server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    server.set(&["DEBUG", "POPULATE", "5000", "key", "100"]);
    server.set(&["SAVE"]);
    server.kill();
    let slow = [
        "--key-load-delay",
        "300",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    server.restart(&slow);
    refuses_while(&authenticator, "answered LOADING", || {
        while server.cli(&["PING"]) != "PONG" {
            thread::sleep(Duration::from_millis(20));
        }
    });
}

#[test]
fn a_server_that_is_busy_with_another_script() {
    let server = Server::start(&["--lua-time-limit", "10"]);
    let authenticator = open_hasty(server.url());
    thread::scope(|scope| {
        let endless = "while true do end";
        let busy = scope.spawn(|| server.cli(&["EVAL", endless, "0"]));
        while !server.cli(&["PING"]).starts_with("BUSY") {
            thread::sleep(Duration::from_millis(5));
        }
        refuses_while(&authenticator, "answered BUSY", || {
            server.set(&["SCRIPT", "KILL"]);
            busy.join().unwrap();
        });
    });
}

#[test]
fn a_server_that_cannot_write_to_its_disk() {
    let server = Server::start(&["--save", "3600 1"]);
    let authenticator = open_hasty(server.url());
    server.set(&["SET", "key", "value"]);
    let in_the_way = server.folder.join("dump.rdb");
    fs::create_dir(&in_the_way).unwrap();
    let save = |result: &str| {
        server.cli(&["BGSAVE"]);
        while !server.cli(&["INFO", "persistence"]).contains(result) {
            thread::sleep(Duration::from_millis(5));
        }
    };
    save("rdb_last_bgsave_status:err");
    refuses_while(&authenticator, "answered MISCONF to the script", || {
        fs::remove_dir(&in_the_way).unwrap();
        save("rdb_last_bgsave_status:ok");
    });
}

#[test]
fn a_server_that_is_a_replica() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 0).ok();
    server.set(&["REPLICAOF", "127.0.0.1", "1"]);
    // What it knows, it refuses; it never accepts.
    log_in(&authenticator, 0).refused(Status::TokenReused);
    refuses_while(&authenticator, "answered READONLY", || {
        server.set(&["REPLICAOF", "NO", "ONE"]);
    });
    server.configure("replica-serve-stale-data", "no");
    server.set(&["REPLICAOF", "127.0.0.1", "1"]);
    refused_in_time(&authenticator, 1, "answered MASTERDOWN");
}

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
    assert!(
        record.starts_with(&format!("1 {} 0 0 0 ", NOW / 30)),
        "{record}"
    );
    let foreign = [
        "",
        "1",
        "hello",
        "2 60000000 0 0 0 1",
        "1 60000000 0 0 0",
        "1 60000000 0 0 0 1 1",
        "1 60000000 0 0 2 1",
        "1 x 0 0 0 1",
        "1 60000000 -1 0 0 1",
        "1 6.5 0 0 0 1",
        "1 1e9 0 0 0 1",
        "1 nan 0 0 0 1",
        "1 60000000 0 0 0 1\n",
        " 1 60000000 0 0 0 1",
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
        format!("1 {long} 0 0 0 1"),
        format!("1 0 {long} 0 0 1"),
        format!("1 0 5 {long} 0 1"),
        format!("1 0 0 0 1 {long}"),
    ] {
        server.set(&["SET", &key, &record]);
        let statuses = [Status::TokenReused, Status::Throttled, Status::Disabled];
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

#[test]
fn with_a_fixed_time_locks_go_by_it() {
    let server = Server::start(&[]);
    let at = |time: u64| {
        let guard = json!({"store": "redis", "url": server.url(), "soft": 1, "base_delay_s": 100});
        Authenticator::new(json!({"issuer": "Test", "guard": guard, "fixed_time": time}))
    };
    let wrong = super::wrong_code_at(1, NOW);
    let reply = super::verify(&at(NOW), 1, &wrong);
    assert_eq!(retry_after(&reply), Some(100));
    let reply = super::verify(&at(NOW + 99), 1, &wrong);
    assert_eq!(
        (reply.status, retry_after(&reply)),
        (Status::Throttled as i32, Some(1))
    );
    let code = super::code_at(1, NOW + 100);
    super::verify(&at(NOW + 100), 1, &code).ok();
    // Beyond what the script can count to.
    let time = 1u64 << 52;
    let code = super::code_at(2, time);
    super::verify(&at(time), 2, &code).refused(Status::StoreUnavailable);
    let code = super::code_at(2, time - 1);
    super::verify(&at(time - 1), 2, &code).ok();
    super::verify(&at(time - 1), 2, &code).refused(Status::TokenReused);
    assert_eq!(inspect(&at(NOW), 2)["last_step"], (time - 1) / 30);
}

/// All of it, and what was there before.
#[test]
fn the_whole_life_of_a_credential() {
    let server = Server::start(&[]);
    let authenticator = open_with(
        server.url(),
        json!({"soft": 2, "hard": 3, "base_delay_s": 1}),
    );
    assert_eq!(log_in(&authenticator, 1).ok()["step"], NOW / 30);
    let clean = inspect(&authenticator, 1);
    log_in(&authenticator, 1).refused(Status::TokenReused);
    assert_eq!(
        inspect(&authenticator, 1),
        clean,
        "a replay changes nothing"
    );
    guess(&authenticator, 1).refused(Status::InvalidToken);
    let reply = guess(&authenticator, 1);
    assert_eq!(retry_after(&reply), Some(1));
    let (of_wrong, of_right) = (
        guess(&authenticator, 1),
        log_in_at(&authenticator, 1, NOW + 30),
    );
    of_right.refused(Status::Throttled);
    assert_eq!(of_wrong.text, of_right.text);
    thread::sleep(Duration::from_millis(2100));
    guess(&authenticator, 1).refused(Status::Disabled);
    log_in_at(&authenticator, 1, NOW + 30).refused(Status::Disabled);
    assert_eq!(inspect(&authenticator, 1)["disabled"], Value::Bool(true));
    assert_eq!(reset(&authenticator, 1), clean);
    log_in(&authenticator, 1).refused(Status::TokenReused);
    log_in_at(&authenticator, 1, NOW + 30).ok();
}
