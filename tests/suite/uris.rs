//! Provisioning URIs: the published ones, and random ones as another parser reads them.

use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_prepare_configuration, factor2_qr_png,
    factor2_reprepare_configuration, factor2_verify,
};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

use crate::oracles::{random, second_implementation, vectors};
use crate::support::{Authenticator, SECRET};

/// The settings that a row of uri_write.json names, and the defaults for the others.
fn config(row: &Value) -> Value {
    let mut config = json!({"issuer": row["issuer"], "factor_name": "totp"});
    for name in ["algorithm", "digits", "period"] {
        if let Some(value) = row.get(name) {
            config[name] = value.clone();
        }
    }
    config
}

#[test]
fn published_uris() {
    let (mut written, mut refused) = (0, 0);
    for row in vectors("uri_write.json") {
        let (account, secret) = (&row["account"], &row["secret"]);
        let given = json!({"username": account, "totpsecret": secret});
        if row["uri"].is_null() {
            refuse(&row, &given);
            refused += 1;
            continue;
        }
        let authenticator = Authenticator::new(config(&row));
        for operation in [factor2_create_secret, factor2_qr_png] {
            let answer = authenticator.call(operation, given.clone()).ok();
            assert_eq!(answer["uri"], row["uri"]);
        }
        let session = json!({"totpsecret": secret, "factor2": "totp"});
        let reprepare = json!({"username": account, "sessionKey": {"data": session}});
        let answer = authenticator
            .call(factor2_reprepare_configuration, reprepare)
            .ok();
        assert_eq!(answer["userData"]["uri"], row["uri"]);

        let user = json!({"user": {"username": account}});
        let answer = authenticator.call(factor2_prepare_configuration, user).ok();
        let made = answer["userData"]["totpsecret"].as_str().unwrap();
        let expected = row["uri"]
            .as_str()
            .unwrap()
            .replace(secret.as_str().unwrap(), made);
        assert_eq!(answer["userData"]["uri"], expected);
        written += 1;
    }
    assert_eq!((written, refused), (11, 2));
}

/// A row without a URI: the issuer or the account has a colon.
fn refuse(row: &Value, request: &Value) {
    match Authenticator::try_new(config(row).to_string().as_bytes()) {
        Err(reply) => {
            let message = reply.refused(Status::Configuration);
            assert!(
                message.starts_with("config.issuer: must be without a colon"),
                "{message}"
            );
        }
        Ok(authenticator) => {
            for operation in [factor2_create_secret, factor2_qr_png] {
                let reply = authenticator.call(operation, request.clone());
                let message = reply.refused(Status::BadRequest);
                assert!(
                    message.starts_with("request.username: must be without a colon"),
                    "{message}"
                );
            }
        }
    }
}

/// A name of 1 to `most` bytes that a URI can carry.
pub fn any_name(random: &mut TestRng, most: usize) -> String {
    let scripts: [&[(u32, u32)]; 5] = [
        &[(0x30, 0x39), (0x61, 0x7A)],
        &[(0x20, 0x39), (0x3B, 0x7E)],
        &[(0xA0, 0x24F), (0x400, 0x4FF)],
        &[(0x5D0, 0x5EA), (0x2000, 0x20CF), (0x4E00, 0x9FFF)],
        &[
            (0x20, 0x39),
            (0xA0, 0xD7FF),
            (0xE000, 0xFFFF),
            (0x10000, 0x10_FFFF),
        ],
    ];
    let script = scripts[random.random_range(0..scripts.len())];
    let length = random.random_range(1..=most);
    let mut name = String::new();
    loop {
        let (first, last) = script[random.random_range(0..script.len())];
        let c = char::from_u32(random.random_range(first..=last)).unwrap();
        if name.len() + c.len_utf8() > length {
            break;
        }
        name.push(c);
    }
    if name.is_empty() {
        "x".to_owned()
    } else {
        name
    }
}

/// An issuer, a request with an account and a secret, and the URI.
struct Written {
    issuer: String,
    account: String,
    secret: String,
    scheme: Vec<(&'static str, String)>,
    uri: String,
}

fn any_uri(random: &mut TestRng) -> Written {
    let issuer = any_name(random, 255);
    let account = any_name(random, 255);
    let (digits, period): (u64, u64) = (random.random_range(6..=8), random.random_range(28..=32));
    let algorithm = ["SHA1", "SHA256", "SHA512"][random.random_range(0..3)];
    let authenticator = Authenticator::new(json!({
        "issuer": issuer, "algorithm": algorithm, "digits": digits, "period": period,
        // Small pictures, and any URI fits.
        "qr": {"module_px": 1, "error_correction": "L"},
    }));
    let request = json!({"username": account});
    let answer = authenticator.call(factor2_create_secret, request).ok();
    assert_eq!(answer["username"], account);
    let mut scheme = vec![
        ("algorithm", algorithm.to_owned()),
        ("digits", digits.to_string()),
        ("period", period.to_string()),
    ];
    let defaults = ["SHA1", "6", "30"];
    scheme.retain(|(_, value)| !defaults.contains(&value.as_str()));
    Written {
        issuer,
        account,
        secret: answer["totpsecret"].as_str().unwrap().to_owned(),
        scheme,
        uri: answer["uri"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn another_parser_reads_what_was_written() {
    let mut random = random();
    let written: Vec<Written> = (0..1_500).map(|_| any_uri(&mut random)).collect();
    let uris: Vec<String> = written.iter().map(|written| written.uri.clone()).collect();
    for (written, read) in written.iter().zip(second_implementation("uris", &uris)) {
        let Written {
            issuer,
            account,
            secret,
            scheme,
            uri,
        } = written;
        let mut query = vec![json!(["secret", secret]), json!(["issuer", issuer])];
        query.extend(scheme.iter().map(|(name, value)| json!([name, value])));
        let expected = json!({
            "scheme": "otpauth", "type": "totp", "fragment": "",
            "issuer": issuer, "account": account, "query": query,
        });
        assert_eq!(
            serde_json::from_str::<Value>(&read).unwrap(),
            expected,
            "{uri}"
        );
        check_bytes(uri);
    }
}

/// Delimiters where they belong, unreserved characters, and capital `%XX`; nothing else.
fn check_bytes(uri: &str) {
    let names = uri.strip_prefix("otpauth://totp/").unwrap();
    assert_eq!(names.matches(':').count(), 1, "{uri}");
    assert_eq!(names.matches('?').count(), 1, "{uri}");
    let parameters = names.split_once('?').unwrap().1;
    assert_eq!(
        parameters.matches('=').count(),
        parameters.split('&').count(),
        "{uri}"
    );
    for part in names.split([':', '?', '&', '=']) {
        assert!(!part.is_empty(), "{uri}");
        let mut bytes = part.bytes();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let escaped: Vec<u8> = bytes.by_ref().take(2).collect();
                let hex = std::str::from_utf8(&escaped).unwrap();
                let escaped = u8::from_str_radix(hex, 16).unwrap();
                assert_eq!(hex, format!("{escaped:02X}"), "{uri}");
                assert!(!is_unreserved(escaped), "{uri}");
            } else {
                assert!(is_unreserved(byte), "{uri}");
            }
        }
    }
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

/// Whether a name is taken as an issuer; and then, whether as an account: the answers must agree.
#[track_caller]
fn check_name(name: &str, allowed: bool) {
    let config = json!({"issuer": name, "qr": {"module_px": 1, "error_correction": "L"}});
    let made = Authenticator::try_new(config.to_string().as_bytes());
    assert_eq!(made.is_ok(), allowed, "issuer {name:?}");
    if let Err(reply) = made {
        let message = reply.refused(Status::Configuration);
        assert!(message.starts_with("config.issuer: must be "), "{message}");
    }
    let authenticator = Authenticator::new(json!({"issuer": "Example"}));
    let session = json!({"data": {"totpsecret": SECRET, "factor2": "totp"}});
    let requests = [
        (
            factor2_create_secret as crate::support::Operation,
            json!({"username": name}),
            true,
        ),
        (
            factor2_qr_png,
            json!({"username": name, "totpsecret": SECRET}),
            true,
        ),
        (
            factor2_reprepare_configuration,
            json!({"username": name, "sessionKey": session}),
            true,
        ),
        (
            factor2_prepare_configuration,
            json!({"user": {"username": name}}),
            false,
        ),
        (
            factor2_verify,
            json!({"username": name, "totpsecret": SECRET, "otp": "1"}),
            false,
        ),
    ];
    for (operation, request, succeeds) in requests {
        let reply = authenticator.call(operation, request);
        if !allowed {
            let message = reply.refused(Status::BadRequest);
            assert!(message.contains("username: must be "), "{message}");
        } else if succeeds {
            reply.ok();
        } else {
            assert!(!reply.text.contains("username"), "{}", reply.text);
        }
    }
}

#[test]
fn names_have_1_to_255_bytes() {
    check_name("", false);
    check_name("x", true);
    for part in ["x", "é", "€", "🔐"] {
        let most = 255 / part.len();
        let padding = 255 - most * part.len();
        let longest = part.repeat(most) + &"x".repeat(padding);
        assert_eq!(longest.len(), 255);
        check_name(&longest, true);
        check_name(&format!("{longest}x"), false);
        check_name(&part.repeat(1000), false);
    }
}

#[test]
fn names_have_neither_colon_nor_control_characters() {
    let controls = (0..0x20).chain(0x7F..0xA0);
    for c in controls.chain([u32::from(':')]) {
        let c = char::from_u32(c).unwrap();
        for name in [format!("{c}x"), format!("x{c}x"), format!("x{c}")] {
            check_name(&name, false);
        }
    }
    // What looks or is encoded like one of them is an ordinary part of a name.
    for name in [
        "a%3Ab",
        "a%0Ab",
        "a\u{FF1A}b",
        "a\u{A0}b",
        " ",
        "a\\nb",
        "%",
        "&secret=AAAA",
    ] {
        check_name(name, true);
    }
}
