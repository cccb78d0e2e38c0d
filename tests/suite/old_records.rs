//! Records that the library kept before there were recovery codes and repeated requests: an SQLite file and a
//! Redis server's records, both of format 1. `tests/data` has them as that library left them.

use std::path::PathBuf;

use factor2::Status;
use factor2::capi::factor2_verify;
use serde_json::{Value, json};

use crate::people::{NOW, code_at, code_of, inspect, reset, secret, verify, wrong_code_at};
use crate::stores::{Service, Store};
use crate::support::{Authenticator, root};

/// Seconds since that library was here.
const LATER: u64 = 29;

fn data(name: &str) -> PathBuf {
    root().join("tests/data").join(name)
}

fn credential(last_step: Option<u64>, failures: u64, locked_until: u64, disabled: bool) -> Value {
    json!({"last_step": last_step, "failures": failures, "locked_until": locked_until,
           "disabled": disabled})
}

/// Who is in both: a code of 1, 2, 4 and 5 was accepted, 2, 3 and 6 had wrong ones, 3 is locked and 4 disabled, and
/// 5 and 6 have steps of a minute.
fn all_is_as_it_was(authenticator: &Authenticator) {
    let step = Some(NOW / 30);
    for (user, expected) in [
        (1, credential(step, 0, 0, false)),
        (2, credential(step, 3, 0, false)),
        (3, credential(None, 5, NOW + 30, false)),
        (4, credential(step, 4, 0, true)),
        (7, credential(None, 0, 0, false)),
    ] {
        assert_eq!(inspect(authenticator, user), expected, "{user}");
    }
    for (user, expected) in [
        (5, credential(Some(NOW / 60), 0, 0, false)),
        (6, credential(None, 2, 0, false)),
    ] {
        let request = json!({"totpsecret": by_the_minute(user)});
        let found = authenticator
            .call(factor2::capi::factor2_inspect, request)
            .ok();
        assert_eq!(found, expected, "{user}");
    }
}

/// The user's secret, with steps of a minute.
fn by_the_minute(user: usize) -> String {
    format!("otpauth://totp/Test?secret={}&period=60", secret(user))
}

/// What was used, guessed, locked and disabled is so still.
fn all_goes_on(store: &Store) {
    let mut service = Service::new(store, json!({"retry": {}}));
    let authenticator = service.at(NOW + LATER);
    all_is_as_it_was(authenticator);
    for user in [1, 2] {
        verify(authenticator, user, &code_at(user, NOW)).refused(Status::TokenReused);
    }
    let minute = |authenticator: &Authenticator, time| {
        let stored = by_the_minute(5);
        let request = json!({"totpsecret": stored, "otp": code_of(&stored, time)});
        authenticator.call(factor2_verify, request)
    };
    minute(authenticator, NOW).refused(Status::TokenReused);
    let throttled = verify(authenticator, 3, &code_at(3, NOW));
    assert_eq!(
        throttled.status,
        Status::Throttled as i32,
        "{}",
        throttled.text
    );
    verify(authenticator, 4, &code_at(4, NOW + 30)).refused(Status::Disabled);
    all_is_as_it_was(authenticator);

    verify(authenticator, 2, &wrong_code_at(2, NOW)).refused(Status::InvalidToken);
    let fifth = verify(authenticator, 2, &wrong_code_at(2, NOW));
    assert_eq!(
        crate::people::retry_after(&fifth),
        Some(30),
        "{}",
        fifth.text
    );
    reset(authenticator, 4);
    verify(authenticator, 4, &code_at(4, NOW)).refused(Status::TokenReused);
    verify(authenticator, 4, &code_at(4, NOW + 30)).ok();
    let authenticator = service.at(NOW + 30);
    verify(authenticator, 3, &code_at(3, NOW)).ok();
    minute(authenticator, NOW + 60).ok();
    // The code that was accepted last is no guess, and what is new works.
    let request = json!({"totpsecret": secret(1), "otp": code_at(1, NOW + 60), "retry_key": "k"});
    authenticator.call(factor2_verify, request.clone()).ok();
    assert_eq!(
        authenticator.call(factor2_verify, request).ok()["repeated"],
        true
    );
    let authenticator = service.at(NOW + 3600);
    verify(authenticator, 4, &code_at(4, NOW + 30)).refused(Status::TokenReused);
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::io::{BufRead, BufReader, Write};
    use std::process::Stdio;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::clock;
    use crate::crowd::{Crowd, call, caller, count};
    use crate::guard_sqlite::crash::Random;
    use crate::stores::copy_of;
    use crate::support;

    fn old_file() -> PathBuf {
        copy_of(&data("format_1.sqlite3"))
    }

    fn number(file: &rusqlite::Connection, what: &str) -> i64 {
        file.query_one(what, [], |row| row.get(0)).unwrap()
    }

    /// The file's format, with as many records as there were.
    #[track_caller]
    fn format_of(path: &PathBuf) -> i64 {
        let file = rusqlite::Connection::open(path).unwrap();
        file.busy_timeout(Duration::from_secs(10)).unwrap();
        let intact: String = file
            .query_one("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(intact, "ok");
        let format = number(&file, "PRAGMA user_version");
        // Six, and the first, which is nobody's.
        let rows = format!("SELECT count(*) FROM credential_{format}");
        assert!(number(&file, &rows) >= 7);
        format
    }

    #[test]
    fn a_file_of_format_1_is_moved_on_and_holds() {
        let path = old_file();
        assert_eq!(format_of(&path), 1);
        let store = Store::Sqlite(path.clone());
        let config = |create| {
            let guard = json!({"store": "sqlite", "path": path, "create": create});
            json!({"issuer": "Test", "guard": guard})
        };
        drop(Authenticator::new(config(false)));
        assert_eq!(format_of(&path), 2);
        drop(Authenticator::new(config(true)));
        assert_eq!(format_of(&path), 2);
        all_goes_on(&store);
        assert_eq!(format_of(&path), 2);
    }

    #[test]
    fn a_file_of_a_newer_format_is_refused_by_name() {
        let path = old_file();
        drop(Store::Sqlite(path.clone()).open());
        let newer = "BEGIN; ALTER TABLE credential_2 RENAME TO credential_3; \
            PRAGMA user_version = 3; COMMIT";
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(newer)
            .unwrap();
        let config = Store::Sqlite(path).config(json!({}));
        let Err(reply) = Authenticator::try_new(config.to_string().as_bytes()) else {
            panic!("a newer format was taken");
        };
        let message = reply.refused(Status::StoreUnavailable);
        assert!(message.contains("newer factor2"), "{message}");
    }

    /// What looks like format 1, and is not, stays as it is.
    #[test]
    fn a_file_of_format_1_with_other_tables_is_left_alone() {
        for edit in [
            "DROP TABLE credential_1; CREATE TABLE credential_1 (id)",
            "CREATE TABLE t (x)",
        ] {
            let path = old_file();
            rusqlite::Connection::open(&path)
                .unwrap()
                .execute_batch(edit)
                .unwrap();
            let config = Store::Sqlite(path.clone()).config(json!({}));
            let Err(reply) = Authenticator::try_new(config.to_string().as_bytes()) else {
                panic!("taken after {edit}");
            };
            reply.refused(Status::StoreUnavailable);
            let file = rusqlite::Connection::open(&path).unwrap();
            assert_eq!(number(&file, "PRAGMA user_version"), 1);
        }
    }

    #[test]
    fn processes_that_open_it_at_once_all_get_on() {
        for _ in 0..5 {
            let path = old_file();
            let config = Store::Sqlite(path.clone()).config(json!({"budget_ms": 5000}));
            let request = json!({"totpsecret": secret(1), "otp": code_at(1, NOW + 30)});
            // Each opens the file before it is ready.
            let mut crowd = Crowd::start(&config, &vec![vec![call(request, NOW + 30)]; 8]);
            let answers = crowd.call_at_once();
            assert_eq!(
                (count(&answers, "Ok"), count(&answers, "TokenReused")),
                (1, 7)
            );
            assert_eq!(format_of(&path), 2);
        }
    }

    #[test]
    fn a_kill_in_the_middle_leaves_one_format_or_the_other() {
        let mut random = Random(20_261_127);
        let mut found = [0; 2];
        let kills = support::count("FACTOR2_KILLS", 500) / 5;
        let start = |path: &PathBuf| {
            let config = Store::Sqlite(path.clone()).config(json!({}));
            let mut process = caller(
                &config,
                &[call(json!({"totpsecret": null, "otp": "x"}), NOW)],
            );
            process.stderr(Stdio::piped()).spawn().unwrap()
        };
        // How long it takes.
        let begin = Instant::now();
        let mut process = start(&old_file());
        let mut told = BufReader::new(process.stderr.take().unwrap()).lines();
        assert_eq!(told.next().unwrap().unwrap(), "ready");
        let whole = u64::try_from(begin.elapsed().as_micros()).unwrap();
        process.stdin.take().unwrap().write_all(b"!").unwrap();
        process.wait().unwrap();
        for _ in 0..kills {
            let path = old_file();
            let mut process = start(&path);
            thread::sleep(Duration::from_micros(whole / 4 + random.below(whole)));
            process.kill().unwrap();
            process.wait().unwrap();
            let format = format_of(&path);
            found[usize::try_from(format).unwrap() - 1] += 1;
            clock::stand_at(NOW);
            all_is_as_it_was(&Store::Sqlite(path.clone()).open());
            assert_eq!(format_of(&path), 2);
        }
        // It would prove nothing if all had been too early, or too late.
        assert!(found.iter().all(|times| *times > 0), "{found:?}");
    }
}

#[cfg(feature = "redis")]
mod redis {
    use super::*;
    use crate::guard_redis::server::Server;

    /// A server with the records, by their keys, as they were.
    fn old_server() -> (Server, Vec<(String, String)>) {
        let server = Server::start(&[]);
        let records = std::fs::read_to_string(data("format_1.redis.txt")).unwrap();
        let records = records.lines().map(|line| line.split_once(' ').unwrap());
        let records: Vec<_> = records
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(records.len(), 6);
        for (key, text) in &records {
            server.set(&["SET", key, text]);
        }
        (server, records)
    }

    #[test]
    fn records_of_format_1_hold() {
        let (server, _) = old_server();
        all_goes_on(&Store::Redis(server));
    }

    /// So that a library of before, on another machine of the fleet, can go on with those that it understands.
    #[test]
    fn a_record_becomes_format_2_only_when_it_says_more() {
        let (server, records) = old_server();
        let store = Store::Redis(server);
        let kept = |key: &str| {
            let Store::Redis(server) = &store else {
                panic!("another store");
            };
            server.cli(&["GET", key])
        };
        let mut service = Service::new(&store, json!({"retry": {}}));
        let authenticator = service.at(NOW);
        all_is_as_it_was(authenticator);
        for user in 1..=4 {
            assert_ne!(verify(authenticator, user, &code_at(user, NOW)).status, 0);
        }
        for (key, text) in &records {
            assert_eq!(&kept(key), text, "nothing changed");
        }
        let authenticator = service.at(NOW + 30);
        let with = |user: usize, key: Value| {
            let mut request = json!({"totpsecret": secret(user), "otp": code_at(user, NOW + 30)});
            if !key.is_null() {
                request["retry_key"] = key;
            }
            authenticator.call(factor2_verify, request).ok();
        };
        with(1, json!("session"));
        with(2, json!(null));
        let formats: Vec<bool> = records
            .iter()
            .map(|(key, _)| kept(key).starts_with("2 "))
            .collect();
        assert_eq!(formats.iter().filter(|is_2| **is_2).count(), 1);
        // And back again, when there is no request to repeat.
        let authenticator = service.at(NOW + 60);
        verify(authenticator, 1, &code_at(1, NOW + 60)).ok();
        assert!(records.iter().all(|(key, _)| kept(key).starts_with("1 ")));
    }
}
