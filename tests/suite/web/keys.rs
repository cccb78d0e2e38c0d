//! The key in its file, and what the server keeps of a secret.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use factor2::capi::factor2_generate;
use serde_json::{Value, json};

use super::program::{Server, sanitized};
use super::visitor::Visitor;
use crate::support::{Authenticator, scratch};

fn start(key: &Path) -> Server {
    Server::start_command(Command::new(sanitized()).arg("--key").arg(key).arg("0"))
}

fn refused(key: &Path) -> Output {
    let mut command = Command::new(sanitized());
    let output = command.arg("--key").arg(key).arg("0").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"");
    output
}

#[test]
fn the_key_is_made_once_and_for_its_owner_alone() {
    let key = scratch("web_key").join("key");
    start(&key).stop("TERM");
    let made = fs::read_to_string(&key).unwrap();
    let bytes = BASE64_STANDARD.decode(made.trim_end()).unwrap();
    assert_eq!((bytes.len(), made.len()), (32, 45));
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let beside = fs::read_dir(key.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1);
    start(&key).stop("TERM");
    assert_eq!(fs::read_to_string(&key).unwrap(), made);
    let other = scratch("web_key").join("key");
    start(&other).stop("TERM");
    assert_ne!(fs::read_to_string(&other).unwrap(), made);

    // Of many that start at once, all have the one key.
    let shared = scratch("web_key").join("key");
    let servers: Vec<Server> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..6).map(|_| scope.spawn(|| start(&shared))).collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    assert_eq!(fs::read_to_string(&shared).unwrap().len(), 45);
    servers.into_iter().for_each(|server| server.stop("TERM"));
}

#[test]
fn a_key_that_others_could_know_is_refused() {
    let folder = scratch("web_key");
    let key = folder.join("key");
    start(&key).stop("TERM");
    let made = fs::read_to_string(&key).unwrap();
    for mode in [0o604, 0o640, 0o660] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let said = String::from_utf8(refused(&key).stderr).unwrap();
        assert!(said.contains("may be used by others"), "{said}");
    }
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let link = folder.join("link");
    symlink(&key, &link).unwrap();
    refused(&link);
    refused(&folder);
    refused(&folder.join("none/key"));
    for text in [
        "",
        "x",
        &made[..43],
        &"A".repeat(45),
        &made.replace('=', "A"),
    ] {
        fs::write(&key, text).unwrap();
        let said = String::from_utf8(refused(&key).stderr).unwrap();
        assert!(said.starts_with("web_login: "), "{said}");
        assert!(text.len() < 2 || !said.contains(text.trim_end()), "{said}");
    }
}

/// The server's memory from each place on where these bytes are.
fn memory(server: &Server, bytes: &[u8], length: usize) -> Vec<Vec<u8>> {
    let process = server.process_id();
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        // The sanitizer's own room is larger than any of the program's.
        if end - start > 1 << 26 {
            continue;
        }
        let mut part = vec![0; usize::try_from(end - start).unwrap()];
        if memory.read_exact_at(&mut part, start).is_err() {
            continue;
        }
        for at in 0..part.len().saturating_sub(length) {
            if part[at..].starts_with(bytes) {
                found.push(part[at..at + length].to_vec());
            }
        }
    }
    found
}

/// What the server keeps of a user is sealed for that user, and of the recovery codes there are hashes.
#[test]
fn secrets_are_kept_sealed() {
    const NAME: usize = 65;
    const HASH: usize = 384;
    const SECRET: usize = 256;
    let key = scratch("web_key").join("key");
    let server = start(&key);
    let mut visitor = Visitor::new(server.port);
    let (secret, codes) = visitor.confirm("rosa@example.com");
    visitor.save();
    let records = memory(&server, b"rosa@example.com\0", NAME + HASH + 2 * SECRET);
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap();
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let mut kept = records
        .iter()
        .filter(|record| record[NAME..].starts_with(b"$y$"));
    let record = kept.next().expect("the user's record");
    let stored = text(&record[NAME + HASH..]);
    let recovery = text(&record[NAME + HASH + SECRET..]);
    assert!(stored.starts_with("f2s1.web."), "{stored}");
    assert!(recovery.starts_with("f2r1."), "{recovery}");
    let whole = String::from_utf8_lossy(record);
    assert!(!whole.contains(&secret) && !whole.contains(&codes[0]));

    // The key opens it, for this user alone.
    let key = fs::read_to_string(key).unwrap();
    let seal = json!({"keys": {"web": key.trim_end()}, "use": "web"});
    let owner = Authenticator::new(json!({"issuer": "Example", "seal": seal}));
    let code = |stored: &str, name: &str| {
        let request = json!({"totpsecret": stored, "username": name});
        let reply = owner.call(factor2_generate, request);
        let json: Value = serde_json::from_str(&reply.text).unwrap();
        (reply.status, json["otp"].clone())
    };
    let opened = code(&stored, "rosa@example.com");
    assert_eq!(opened.0, 0);
    assert_eq!(opened, code(&secret, "anybody"));
    assert_eq!(code(&stored, "anybody").0, 208);
    server.stop("TERM");
}
