//! Files that are not, or no longer, the database that an authenticator left.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use factor2::Status;
use serde_json::{Value, json};

use super::crash::Random;
use super::{
    NOW, assert_intact, beside, config, config_with, count, log_in, new_path, open, refusal, reset,
    sqlite,
};
use crate::support::Authenticator;

/// Everything in a folder, byte for byte.
fn snapshot(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// That an authenticator is refused for this reason, and touches nothing.
#[track_caller]
fn left_alone(config: &Value, why: &str) {
    let path = Path::new(config["guard"]["path"].as_str().unwrap());
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    let before = snapshot(path);
    for _ in 0..2 {
        let message = refusal(config);
        assert!(message.contains(why), "{message}");
    }
    assert!(snapshot(path) == before, "the files changed");
}

#[test]
fn an_empty_file_is_made_a_database_only_on_request() {
    let path = new_path("empty");
    fs::write(&path, "").unwrap();
    left_alone(
        &config_with(&path, json!({"create": false})),
        "the file is empty",
    );
    let authenticator = open(&path);
    log_in(&authenticator, 1, NOW).ok();
    log_in(&open(&path), 1, NOW).refused(Status::TokenReused);
    // One that somebody emptied under its log: to open it would delete the log, too.
    let emptied = new_path("emptied");
    fs::write(&emptied, "").unwrap();
    fs::copy(beside(&path, "-wal"), beside(&emptied, "-wal")).unwrap();
    left_alone(&config(&emptied), "a -wal file stands beside it");
}

#[test]
fn what_a_crash_at_creation_leaves_is_made_a_database() {
    let path = new_path("half");
    let half = new_path("half");
    let connection = sqlite(&path);
    let begun = "PRAGMA cache_size = 1; BEGIN; PRAGMA application_id = 1717658418; \
        CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(99999))";
    connection.execute_batch(begun).unwrap();
    for suffix in ["", "-journal"] {
        fs::copy(beside(&path, suffix), beside(&half, suffix)).unwrap();
    }
    fs::set_permissions(&half, Permissions::from_mode(0o600)).unwrap();
    assert!(fs::metadata(&half).unwrap().len() > 0);
    log_in(&open(&half), 1, NOW).ok();
}

const FOREIGN: &str = "not a database of factor2's";

#[test]
fn what_is_no_database_is_left_alone() {
    for (content, why) in [
        ("x", FOREIGN),
        ("SQLite format 3", "SQLITE_NOTADB"),
        (&"not a database at all\n".repeat(500), "SQLITE_NOTADB"),
    ] {
        let path = new_path("garbage");
        fs::write(&path, content).unwrap();
        left_alone(&config(&path), why);
    }
}

#[test]
fn databases_of_others_are_left_alone() {
    let others = [
        "CREATE TABLE t (x); INSERT INTO t VALUES (1)",
        "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)",
        "PRAGMA application_id = 1",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 1717658418; PRAGMA user_version = 1; CREATE TABLE t (x)",
        "PRAGMA application_id = 1717658418; CREATE TABLE t (x)",
    ];
    for content in others {
        let path = new_path("foreign");
        sqlite(&path).execute_batch(content).unwrap();
        left_alone(&config(&path), FOREIGN);
    }
    // Left by a crash: SQLite would repair it at the next opportunity, but we are not the one to.
    let path = new_path("journal");
    sqlite(&path).execute_batch(others[0]).unwrap();
    let crashed = new_path("journal");
    let connection = sqlite(&path);
    connection
        .execute_batch("PRAGMA cache_size = 1; BEGIN; INSERT INTO t SELECT randomblob(9999) FROM t")
        .unwrap();
    for suffix in ["", "-journal"] {
        fs::copy(beside(&path, suffix), beside(&crashed, suffix)).unwrap();
    }
    left_alone(&config(&crashed), FOREIGN);
    // The same with a write-ahead log.
    let path = new_path("log");
    let crashed = new_path("log");
    let connection = sqlite(&path);
    connection.execute_batch(others[1]).unwrap();
    connection
        .execute_batch("PRAGMA wal_checkpoint; INSERT INTO t VALUES (2)")
        .unwrap();
    for suffix in ["", "-wal"] {
        fs::copy(beside(&path, suffix), beside(&crashed, suffix)).unwrap();
    }
    left_alone(&config(&crashed), FOREIGN);
}

#[test]
fn a_newer_format_is_left_alone_and_noticed_while_running() {
    let path = new_path("newer");
    let authenticator = open(&path);
    log_in(&authenticator, 1, NOW).ok();
    // What a newer library does to the file: another version, and its tables under other names.
    let migrate =
        "BEGIN; ALTER TABLE credential_2 RENAME TO credential_3; PRAGMA user_version = 3; COMMIT";
    sqlite(&path).execute_batch(migrate).unwrap();
    log_in(&authenticator, 2, NOW).refused(Status::StoreUnavailable);
    let message = log_in(&authenticator, 2, NOW).refused(Status::StoreUnavailable);
    assert!(message.contains("newer factor2"), "{message}");
    drop(authenticator);
    left_alone(&config(&path), "newer factor2");
    // The same, known only to the log that a crash has left.
    let path = new_path("newer");
    let crashed = new_path("newer");
    drop(open(&path));
    let connection = sqlite(&path);
    connection.execute_batch(migrate).unwrap();
    for suffix in ["", "-wal"] {
        fs::copy(beside(&path, suffix), beside(&crashed, suffix)).unwrap();
    }
    fs::set_permissions(&crashed, Permissions::from_mode(0o600)).unwrap();
    let content = || ["", "-wal"].map(|suffix| fs::read(beside(&crashed, suffix)).unwrap());
    let before = content();
    let message = refusal(&config(&crashed));
    assert!(message.contains("newer factor2"), "{message}");
    assert!(content() == before, "the files changed");
}

#[test]
fn a_record_that_somebody_edited_is_refused() {
    let path = new_path("edited");
    let authenticator = open(&path);
    log_in(&authenticator, 1, NOW).ok();
    log_in(&authenticator, 2, NOW).ok();
    for edit in [
        "UPDATE credential_2 SET record = '1 -1 -1 0 0 0 0 0 0 -'",
        "UPDATE credential_2 SET record = replace(record, ' 0 -', ' 1 -')",
        "UPDATE credential_2 SET record = '2' || substr(record, 2)",
        "UPDATE credential_2 SET record = record || ' '",
        "UPDATE credential_2 SET record = substr(record, 1, length(record) - 1)",
        "UPDATE credential_2 SET record = ''",
        "UPDATE credential_2 SET record = replace(record, ' ', '  ')",
        "UPDATE credential_2 SET record = replace(record, ' ', ' +')",
        "UPDATE credential_2 SET record = '1 9999999999999999999 -1 0 0 0 0 0 0 -'",
        "UPDATE credential_2 SET turn = 1 - turn",
        "UPDATE credential_2 SET next = id",
        "UPDATE credential_2 SET checksum = 0",
        "UPDATE credential_2 SET id = CAST(id || x'00' AS BLOB)",
        "UPDATE credential_2 SET id = substr(id, 1, 15)",
        "DELETE FROM credential_2",
    ] {
        let connection = sqlite(&path);
        connection
            .execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM credential_2")
            .unwrap();
        let edit = format!("{edit} WHERE id = (SELECT max(id) FROM credential_2)");
        assert_eq!(connection.execute(&edit, []).unwrap(), 1);
        let mut verdicts = [1, 2].map(|user| log_in(&authenticator, user, NOW).status);
        verdicts.sort();
        let expected = [Status::TokenReused as i32, Status::StoreUnavailable as i32];
        assert_eq!(verdicts, expected, "{edit}");
        connection
            .execute_batch("DELETE FROM credential_2; INSERT INTO credential_2 SELECT * FROM kept")
            .unwrap();
    }
    for user in [1, 2] {
        log_in(&authenticator, user, NOW).refused(Status::TokenReused);
        reset(&authenticator, user);
        log_in(&authenticator, user, NOW + 30).ok();
    }
}

#[test]
fn a_log_that_somebody_deleted_is_missed_until_its_index_is_deleted_too() {
    let path = new_path("no-log");
    let authenticator = open(&path);
    log_in(&authenticator, 1, NOW).ok();
    // What a crash leaves; the copy beside it lacks the log.
    let [crashed, deleted] = [["", "-wal", "-shm"].as_slice(), &["", "-shm"]].map(|suffixes| {
        let copy = new_path("no-log");
        for suffix in suffixes {
            fs::copy(beside(&path, suffix), beside(&copy, suffix)).unwrap();
        }
        copy
    });
    log_in(&open(&crashed), 1, NOW).refused(Status::TokenReused);
    let why = "its -wal file was deleted, and with it perhaps the last accepted codes, which would \
        work again. To go on all the same, delete the -shm file as well";
    left_alone(&config(&deleted), why);
    left_alone(&config_with(&deleted, json!({"create": false})), why);
    fs::remove_file(beside(&deleted, "-shm")).unwrap();
    log_in(&open(&deleted), 2, NOW).ok();
    // Under a service that runs, for those who come later.
    fs::remove_file(beside(&path, "-wal")).unwrap();
    assert!(refusal(&config(&path)).contains(why));
}

/// A database of 300 users who are logged in, closed in order.
fn filled(name: &str) -> PathBuf {
    let path = new_path(name);
    let authenticator = Authenticator::new(config_with(&path, json!({"synchronous": "NORMAL"})));
    for user in 0..USERS {
        log_in(&authenticator, user, NOW).ok();
    }
    path
}

const USERS: usize = 300;

/// How often users of a damaged database were let in again.
fn replays(path: &Path, users: impl IntoIterator<Item = usize>) -> usize {
    let config = config_with(path, json!({"create": false}));
    let authenticator = match Authenticator::try_new(config.to_string().as_bytes()) {
        Ok(authenticator) => authenticator,
        Err(reply) => {
            reply.refused(Status::StoreUnavailable);
            return 0;
        }
    };
    let replay = |user: &usize| match log_in(&authenticator, *user, NOW) {
        reply if reply.status == 0 => true,
        reply if reply.status == Status::TokenReused as i32 => false,
        reply => {
            reply.refused(Status::StoreUnavailable);
            false
        }
    };
    users.into_iter().filter(replay).count()
}

#[test]
fn a_truncated_database_lets_nobody_in_again() {
    let original = filled("truncated");
    let bytes = fs::read(&original).unwrap();
    let mut lengths: Vec<usize> = (1..bytes.len()).step_by(997).collect();
    lengths.extend([1, 99, 100, 511, 512, 4095, 4096, 8192, bytes.len() - 1]);
    for length in lengths {
        let path = new_path("shorter");
        fs::write(&path, &bytes[..length]).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(
            replays(&path, [0, 1, 150, 299]),
            0,
            "at {length} of {}",
            bytes.len()
        );
    }
}

#[test]
fn a_database_with_flipped_bits_lets_nobody_in_again() {
    let original = filled("flipped");
    let bytes = fs::read(&original).unwrap();
    let mut random = Random(20_260_102);
    for round in 0..count("FACTOR2_DAMAGES", 400) {
        let path = new_path("flips");
        fs::write(&path, flipped(&bytes, &mut random)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(replays(&path, (0..USERS).step_by(7)), 0, "round {round}");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}

fn flipped(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}

/// SQLite takes the first damage in a write-ahead log that a crash has left for its end, as it must
/// when the power failed. What was in the database before is safe.
#[test]
fn a_damaged_log_lets_nobody_in_again_who_was_in_the_database() {
    let original = filled("log");
    let authenticator = open(&original);
    for user in USERS..USERS + 20 {
        log_in(&authenticator, user, NOW).ok();
    }
    let database = fs::read(&original).unwrap();
    let log = fs::read(beside(&original, "-wal")).unwrap();
    let mut random = Random(20_260_103);
    for round in 0..100 {
        let path = new_path("logs");
        let mut log = flipped(&log, &mut random);
        log.truncate(random.below(2 * log.len() as u64) as usize);
        for (suffix, bytes) in [("", &database), ("-wal", &log)] {
            fs::write(beside(&path, suffix), bytes).unwrap();
            fs::set_permissions(beside(&path, suffix), Permissions::from_mode(0o600)).unwrap();
        }
        assert_eq!(replays(&path, (0..USERS).step_by(7)), 0, "round {round}");
        replays(&path, USERS..USERS + 20);
        assert_intact(&path);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
