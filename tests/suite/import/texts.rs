//! Whatever a text holds: what is around lines, names of all kinds, and texts that nobody has written.

use std::cell::RefCell;

use factor2::Status;
use factor2::capi::factor2_import;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{FORMATS, HEX, Imported, authenticator, import, one, request, unreadable, why};
use crate::oracles::vectors;
use crate::support::{Authenticator, KEY, SECRET};

/// Formats of lines, with a line that is good.
fn lines() -> [(&'static str, String); 3] {
    [
        ("otpauth", format!("otpauth://totp/a?secret={SECRET}")),
        ("users-file", format!("HOTP/T30 a - {HEX}")),
        ("privacyidea-csv", format!("a,{HEX},totp")),
    ]
}

#[test]
fn what_is_around_lines_does_not_matter() {
    for (format, line) in lines() {
        let alone = one(format, &line);
        for text in [
            format!("{line}\n"),
            format!("\u{feff}{line}"),
            format!("{line}\r\n\r\n"),
            format!(" \t{line} \t"),
            format!("\n\n{line}"),
        ] {
            assert_eq!(one(format, &text), alone, "{text:?}");
        }
        // A bad line leaves the others, and several of a user stay several.
        let text = format!("\u{feff}{line}\r\n\r\nbad é\r\n{line}\n\u{feff}{line}\nx");
        let imported = import(format, &text);
        assert_eq!(imported.entries, [(); 3].map(|()| alone.0.clone()));
        assert_eq!(imported.refused_lines(), [3, 6]);
    }
    for comment in ["# x", "  #", "#HOTP a - 00"] {
        assert_eq!(import("users-file", comment), Imported::default());
        assert_eq!(import("privacyidea-csv", comment), Imported::default());
    }
}

#[test]
fn a_text_of_blanks_has_nothing() {
    for blank in ["", " ", "\n", "\r\n\t\n", "\u{feff}"] {
        for format in ["otpauth", "users-file", "privacyidea-csv", "entra-csv"] {
            assert_eq!(import(format, blank), Imported::default(), "{format}");
        }
        assert_eq!(why("google-authenticator", blank), "totpsecret: missing");
        let message = unreadable("otpauth-migration", blank);
        assert_eq!(message, "request.text: there is no otpauth-migration URI");
        let message = unreadable("keycloak", blank);
        assert!(
            message.starts_with("request.text: not valid JSON: "),
            "{message}"
        );
    }
}

#[test]
fn json_that_cannot_be_read_is_an_error() {
    let good = r#"{"users":[]}"#;
    assert_eq!(
        import("keycloak", &format!("\u{feff}{good}\r\n")),
        Imported::default()
    );
    for end in 1..good.len() {
        let message = unreadable("keycloak", &good[..end]);
        assert!(message.contains(" at line 1 column "), "{message}");
    }
    for text in ["7", "null", "\"users\""] {
        let message = "request.text: must be a JSON object or array";
        assert_eq!(unreadable("keycloak", text), message);
    }
    for text in ["[1,", "[{}", "{}}", r#"[{"users":[{"username":"a"}]}"#] {
        unreadable("keycloak", text);
    }
    // As deep as it can be, and of other shapes.
    let deep = "{\"users\":[".repeat(1_000_000);
    unreadable("keycloak", &deep);
    let closed = deep + &"]}".repeat(1_000_000);
    assert_eq!(import("keycloak", &closed), Imported::default());
    for text in [
        r#"{"users":7}"#,
        r#"{"users":[7,[],{"credentials":{"a":{"type":"x"}}}]}"#,
        "[7,[[]]]",
    ] {
        assert_eq!(import("keycloak", text), Imported::default(), "{text}");
    }
}

/// Names with anything in them are kept and warned of; only what no URI can have is refused.
#[test]
fn odd_names_are_kept() {
    for (name, warned) in [
        ("jörg", false),
        ("DOM\\user/x", false),
        ("a\"b", false),
        ("a:b", true),
        ("a\u{202e}b", true),
        ("a\u{7}b", true),
        ("\u{200b}", true),
        ("é%41+&?#=", false),
    ] {
        let line = format!("HOTP/T30 {name} - {HEX}");
        let ([username, _, uri], warnings) = one("users-file", &line);
        assert_eq!(username, name);
        assert_eq!(!warnings.is_empty(), warned, "{warnings:?}");
        assert_eq!(one("otpauth", &uri).0[0], name, "{uri}");
    }
    let long = "é".repeat(200);
    let (_, warnings) = one("users-file", &format!("HOTP/T30 {long} - {HEX}"));
    assert_eq!(warnings, ["username: should be 1 to 255 bytes long"]);
    assert_eq!(
        why("users-file", &format!("HOTP a\0b - {HEX}")),
        "username: has a NUL"
    );
    let (_, warnings) = one("otpauth", &format!("otpauth://totp/a%07:b?secret={SECRET}"));
    assert_eq!(
        warnings,
        ["issuer: should be without control characters: character 2 is one"]
    );
}

/// A URI that is longer could not be sent to be verified.
#[test]
fn a_uri_that_is_too_long_is_refused() {
    let line = |bytes: usize| format!("HOTP/T30 {} - {HEX}", "a".repeat(bytes));
    let around = one("users-file", &line(1)).0[2].len() - 1;
    let ([_, _, uri], _) = one("users-file", &line(16_384 - around));
    assert_eq!(uri.len(), 16_384);
    let too_long = "names: the URI would have over 16384 bytes";
    for bytes in [16_385 - around, 20_000, 16_000_000] {
        assert_eq!(why("users-file", &line(bytes)), too_long);
    }
    // It fits into a request in its sealed form, beside a name of which each byte is escaped.
    let sealing = Authenticator::new(json!({
        "issuer": "Example", "fixed_time": 59, "guard": {"store": "none"},
        "seal": {"keys": {"k": KEY}, "use": "k"},
    }));
    let text = format!("HOTP/T30 {} - {HEX}", "\u{1}".repeat(5_400));
    let answer = sealing
        .call(factor2_import, request("users-file", &text))
        .ok();
    let entry = &answer["entries"][0];
    let opened = json!({"totpsecret": entry["sealed"], "username": entry["username"]});
    sealing.call(factor2::capi::factor2_generate, opened).ok();
}

/// A text of the vectors, and its format's place.
fn samples() -> Vec<(usize, String)> {
    let place = |format: &str| FORMATS.iter().position(|known| *known == format).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let others = vectors("import.json");
    let others = others
        .iter()
        .map(|row| (place(&text(row, "format")), text(row, "text")));
    let moved = vectors("migration.json");
    let moved = moved
        .iter()
        .map(|row| (place("otpauth-migration"), text(row, "uri")));
    others.chain(moved).collect()
}

/// A format, and a text of it in which some characters were replaced, perhaps by a piece of another.
fn altered() -> impl Strategy<Value = (usize, String)> {
    let piece = prop_oneof![
        ".{0,6}",
        "[0-9]{1,8}",
        "[,\"\n\r =&?:%{}-]{1,3}",
        any::<char>().prop_map(String::from),
        proptest::sample::select(samples()).prop_map(|(_, text)| text),
    ];
    let change = (any::<proptest::sample::Index>(), 0..4usize, piece);
    let changes = proptest::collection::vec(change, 0..4);
    let sample = proptest::sample::select(samples());
    (sample, changes).prop_map(|((format, text), changes)| {
        let mut text: Vec<char> = text.chars().collect();
        for (place, length, piece) in changes {
            let from = place.index(text.len() + 1);
            let to = text.len().min(from + length);
            text.splice(from..to, piece.chars());
        }
        (format, text.into_iter().collect())
    })
}

/// Nothing panics, what is taken is read back to the same, and lines are told once, in order.
#[test]
fn whatever_is_imported_is_read_back() {
    let authenticator = authenticator();
    let taken = RefCell::new([0; FORMATS.len()]);
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(3000)
    };
    let outcome = TestRunner::new(config).run(&altered(), |(format, text)| {
        let name = FORMATS[format];
        let reply = authenticator.call(factor2_import, request(name, &text));
        if reply.status != 0 {
            reply.refused(Status::DataFormat);
            return Ok(());
        }
        let imported = Imported::of(&reply.ok());
        let refused = imported.refused_lines();
        prop_assert!(refused.is_sorted_by(|one, next| one < next), "{refused:?}");
        for entry in &imported.entries {
            let again = import("otpauth", &entry[2]);
            prop_assert_eq!(&again.entries, std::slice::from_ref(entry));
        }
        if name != "otpauth-migration" && name != "keycloak" {
            let lines = text.split('\n').count();
            prop_assert!(imported.entries.len() + refused.len() <= lines);
            prop_assert!(refused.iter().all(|line| *line <= lines as u64));
        }
        taken.borrow_mut()[format] += imported.entries.len();
        Ok(())
    });
    outcome.unwrap();
    let taken = taken.into_inner();
    assert!(taken.iter().all(|entries| *entries > 100), "{taken:?}");
}
