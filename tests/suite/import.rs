//! What other systems have left behind, and what becomes of it.

mod formats;
mod texts;

use factor2::Status;
use factor2::capi::{factor2_generate, factor2_import, factor2_verify};
use serde_json::{Value, json};

use crate::oracles::vectors;
use crate::support::{Authenticator, KEY, SECRET, warnings};

/// The bytes of SECRET.
const HEX: &str = "48656c6c6f21deadbeef48656c6c6f21deadbeef";

/// Every format, with a username for the one that needs it.
const FORMATS: [&str; 7] = [
    "otpauth",
    "otpauth-migration",
    "users-file",
    "google-authenticator",
    "privacyidea-csv",
    "entra-csv",
    "keycloak",
];

fn request(format: &str, text: &str) -> Value {
    let mut request = json!({"format": format, "text": text});
    if format == "google-authenticator" {
        request["username"] = "alice".into();
    }
    request
}

fn authenticator() -> Authenticator {
    Authenticator::new(json!({"issuer": "Example", "guard": {"store": "none"}}))
}

/// The entries as (username, issuer, URI), what they warn of, and what was refused.
#[derive(Debug, Default, PartialEq)]
struct Imported {
    entries: Vec<[String; 3]>,
    warnings: Vec<Vec<String>>,
    refused: Vec<(u64, String)>,
}

impl Imported {
    fn of(answer: &Value) -> Imported {
        let mut imported = Imported::default();
        for entry in answer["entries"].as_array().unwrap() {
            let text = |name: &str| entry[name].as_str().unwrap().to_owned();
            let told = ["username", "issuer", "totpsecret"].map(text);
            imported.entries.push(told);
            let warned = warnings(entry).into_iter().map(str::to_owned).collect();
            imported.warnings.push(warned);
        }
        for row in answer["refused"].as_array().unwrap() {
            let line = row["line"].as_u64().unwrap();
            imported
                .refused
                .push((line, row["why"].as_str().unwrap().to_owned()));
        }
        assert_eq!(answer.as_object().unwrap().len(), 2);
        imported
    }

    fn refused_lines(&self) -> Vec<u64> {
        self.refused.iter().map(|(line, _)| *line).collect()
    }
}

#[track_caller]
fn import(format: &str, text: &str) -> Imported {
    Imported::of(
        &authenticator()
            .call(factor2_import, request(format, text))
            .ok(),
    )
}

/// The one entry of a text, and what it warns of.
#[track_caller]
fn one(format: &str, text: &str) -> ([String; 3], Vec<String>) {
    let mut imported = import(format, text);
    assert_eq!(imported.refused, [], "{text}");
    assert_eq!(imported.entries.len(), 1, "{text}");
    (imported.entries.remove(0), imported.warnings.remove(0))
}

/// Why the one line of a text is refused.
#[track_caller]
fn why(format: &str, text: &str) -> String {
    let mut imported = import(format, text);
    assert_eq!(imported.entries, [[""; 3]; 0], "{text}");
    assert_eq!(imported.refused.len(), 1, "{text}");
    imported.refused.remove(0).1
}

/// Why nothing of a text can be read.
#[track_caller]
fn unreadable(format: &str, text: &str) -> String {
    let reply = authenticator().call(factor2_import, request(format, text));
    reply.refused(Status::DataFormat)
}

/// The entries of a row of the vectors, whose issuer is "" where it is not said.
fn expected(row: &Value) -> Vec<[String; 3]> {
    let entries = row["entries"].as_array().unwrap().iter();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    entries
        .map(|entry| ["username", "issuer", "totpsecret"].map(|name| text(entry, name)))
        .collect()
}

#[test]
fn vectors_of_each_format() {
    let rows = vectors("import.json");
    assert_eq!(rows.len(), 8);
    for row in rows {
        let format = row["format"].as_str().unwrap();
        let mut request = request(format, row["text"].as_str().unwrap());
        if let Some(username) = row.get("username") {
            request["username"] = username.clone();
        }
        let imported = Imported::of(&authenticator().call(factor2_import, request).ok());
        assert_eq!(imported.entries, expected(&row), "{row}");
        assert_eq!(
            json!(imported.refused_lines()),
            row["refused_lines"],
            "{row}"
        );
    }
}

#[test]
fn vectors_of_moved_accounts() {
    let rows = vectors("migration.json");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let uri = row["uri"].as_str().unwrap();
        if row["entries"].is_null() {
            unreadable("otpauth-migration", uri);
            continue;
        }
        let imported = import("otpauth-migration", uri);
        assert_eq!(imported.entries, expected(&row), "{row}");
        assert_eq!(json!(imported.refused.len()), row["refused"], "{row}");
    }
}

/// What is sealed opens for the entry's user alone, and its codes are those of the system before.
#[test]
fn entries_are_sealed_for_their_users() {
    let sealing = Authenticator::new(json!({
        "issuer": "Example", "guard": {"store": "none"}, "fixed_time": 1_111_111_109,
        "seal": {"keys": {"k": KEY}, "use": "k", "plain": "refuse"},
    }));
    let line = format!("HOTP/T30 alice - {HEX}\nHOTP/T30/8 \u{a0}b\u{a0} - {HEX}\n");
    let answer = sealing
        .call(factor2_import, request("users-file", &line))
        .ok();
    let entries = answer["entries"].as_array().unwrap();
    for (entry, username, otp) in [(&entries[0], "alice", "088309"), (&entries[1], "b", "")] {
        assert_eq!(entry["username"], username);
        let sealed = entry["sealed"].as_str().unwrap();
        assert!(sealed.starts_with("f2s1.k."));
        let of = |username: &str| json!({"totpsecret": sealed, "username": username});
        let code = sealing.call(factor2_generate, of(username)).ok()["otp"].clone();
        assert!(otp.is_empty() || code == otp, "{code}");
        let mut request = of(username);
        request["otp"] = code;
        sealing.call(factor2_verify, request.clone()).ok();
        request["username"] = "carol".into();
        let reply = sealing.call(factor2_verify, request);
        reply.refused(Status::InvalidSecret);
    }
}

/// Nobody's secret is not sealed, which is told.
#[test]
fn an_entry_without_a_name_is_not_sealed() {
    let sealing = Authenticator::new(json!({
        "issuer": "Example", "seal": {"keys": {"k": KEY}, "use": "k"},
    }));
    let text =
        format!("otpauth://totp/?secret={SECRET}\notpauth://totp/E:%20?secret={SECRET}&issuer=E");
    let answer = sealing.call(factor2_import, request("otpauth", &text)).ok();
    for entry in answer["entries"].as_array().unwrap() {
        assert_eq!(entry["username"], "");
        assert_eq!(entry.get("sealed"), None);
        let told = warnings(entry);
        let about = ["username: none", "sealed: missing"];
        assert!(
            about
                .iter()
                .zip(&told)
                .all(|(start, text)| text.starts_with(start)),
            "{told:?}"
        );
    }
    // Without keys, nothing is sealed and nothing is said of it.
    let (_, told) = one("otpauth", &format!("otpauth://totp/?secret={SECRET}"));
    assert_eq!(told, ["username: none; the secret is nobody's yet"]);
}

#[test]
fn the_username_is_for_files_of_one_user() {
    let authenticator = authenticator();
    for format in FORMATS {
        let mut request = json!({"format": format, "text": "", "username": "alice"});
        let reply = authenticator.call(factor2_import, request.clone());
        if format != "google-authenticator" {
            let message = "request.username: must be absent, the text itself has the names";
            assert_eq!(reply.refused(Status::BadRequest), message);
            continue;
        }
        reply.ok();
        for blank in ["", " \t", "\u{a0}"] {
            request["username"] = blank.into();
            let reply = authenticator.call(factor2_import, request.clone());
            let message = "request.username: must be the name of whose file it is";
            assert_eq!(reply.refused(Status::BadRequest), message);
        }
        request["username"] = " alice\n".into();
        request["text"] = SECRET.into();
        let answer = authenticator.call(factor2_import, request.clone()).ok();
        assert_eq!(answer["entries"][0]["username"], "alice");
        request["username"] = "a\0b".into();
        let answer = authenticator.call(factor2_import, request).ok();
        assert_eq!(
            answer["refused"],
            json!([{"line": 1, "why": "username: has a NUL"}])
        );
    }
    let reply = authenticator.call(factor2_import, json!({"format": "csv", "text": ""}));
    let message = reply.refused(Status::BadRequest);
    let known = "request.format: must be one of otpauth, otpauth-migration, users-file, google-authenticator, \
                 privacyidea-csv, entra-csv, keycloak";
    assert_eq!(message, known);
}
