//! Provisioning URIs: the published ones, and random ones as another parser reads them.

use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_describe, factor2_prepare_configuration, factor2_qr,
    factor2_reprepare_configuration, factor2_verify,
};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

use crate::apps::is_about_apps;
use crate::oracles::{random, second_implementation, vectors};
use crate::support::{Authenticator, Operation, SECRET, warnings};

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
            refuse(&row);
            refused += 1;
            continue;
        }
        let authenticator = Authenticator::new(config(&row));
        let has_colon = account.as_str().unwrap().contains(':');
        for operation in [factor2_create_secret, factor2_qr] {
            let answer = authenticator.call(operation, given.clone()).ok();
            assert_eq!(answer["uri"], row["uri"]);
            assert_eq!(warns_of_a_colon(&answer), has_colon, "{row}");
        }
        let session = json!({"totpsecret": secret, "factor2": "totp"});
        let reprepare = json!({"username": account, "sessionKey": {"data": session}});
        let answer = authenticator
            .call(factor2_reprepare_configuration, reprepare)
            .ok();
        assert_eq!(answer["userData"]["uri"], row["uri"]);
        assert_eq!(warns_of_a_colon(&answer), has_colon, "{row}");

        let user = json!({"user": {"username": account}});
        let answer = authenticator.call(factor2_prepare_configuration, user).ok();
        let made = answer["userData"]["totpsecret"].as_str().unwrap();
        let expected = row["uri"]
            .as_str()
            .unwrap()
            .replace(secret.as_str().unwrap(), made);
        assert_eq!(answer["userData"]["uri"], expected);
        assert_eq!(warns_of_a_colon(&answer), has_colon, "{row}");
        written += 1;
    }
    assert_eq!((written, refused), (12, 1));
}

/// Whether there is one warning, about the colon of a user name; those of apps.rs aside.
fn warns_of_a_colon(answer: &Value) -> bool {
    let mut warnings = warnings(answer);
    warnings.retain(|text| !is_about_apps(text));
    match warnings[..] {
        [] => false,
        [warning] => {
            assert!(warning.starts_with("username: its colon "), "{warning}");
            true
        }
        _ => panic!("{answer}"),
    }
}

/// A row without a URI: the issuer has a colon.
fn refuse(row: &Value) {
    let Err(reply) = Authenticator::try_new(config(row).to_string().as_bytes()) else {
        panic!("{row}")
    };
    let message = reply.refused(Status::Configuration);
    assert!(
        message.starts_with("config.issuer: must be without a colon"),
        "{message}"
    );
}

/// Format characters of no width, and those that change the direction of writing.
fn is_unseen(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x2064 | 0x2066..=0x206F
        | 0xFEFF | 0xE0001 | 0xE0020..=0xE007F)
}

/// Characters that are never drawn, but no blanks.
const UNDRAWN: [char; 9] = [
    '\u{34F}', '\u{115F}', '\u{1160}', '\u{17B4}', '\u{17B5}', '\u{2800}', '\u{3164}', '\u{FFA0}',
    '\u{FE0F}',
];

/// A name of 1 to `most` bytes that a new secret may have, without blanks around it.
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
        if !c.is_control() && !is_unseen(c) {
            name.push(c);
        }
    }
    let name = name.trim();
    let undrawn = |c: char| {
        UNDRAWN.contains(&c) || matches!(u32::from(c), 0xFE00..=0xFE0F | 0xE0100..=0xE01EF)
    };
    if name.chars().all(|c| c.is_whitespace() || undrawn(c)) {
        "x".to_owned()
    } else {
        name.to_owned()
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

/// Whether a name is taken as an issuer and for a new secret, and as what; who has a secret already is not
/// shut out by any name, but is warned of.
#[track_caller]
fn check_name(name: &str, taken_as: Option<&str>) {
    let config = json!({"issuer": name, "qr": {"module_px": 1, "error_correction": "L"}});
    match (
        Authenticator::try_new(config.to_string().as_bytes()),
        taken_as,
    ) {
        (Ok(made), Some(taken_as)) => {
            let described = made.call(factor2_describe, json!({})).ok();
            assert_eq!(described["issuer"], taken_as);
        }
        (Err(reply), None) => {
            let message = reply.refused(Status::Configuration);
            assert!(message.starts_with("config.issuer: must be "), "{message}");
        }
        _ => panic!("issuer {name:?}"),
    }
    check_account(name, taken_as);
}

#[track_caller]
fn check_account(name: &str, taken_as: Option<&str>) {
    let authenticator = Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "qr": {"module_px": 1, "error_correction": "L"},
    }));
    let new: [(Operation, Value, &str); 2] = [
        (factor2_create_secret, json!({"username": name}), ""),
        (
            factor2_prepare_configuration,
            json!({"user": {"username": name}}),
            "/userData",
        ),
    ];
    let shown = taken_as.unwrap_or(name.trim());
    for (operation, request, at) in new {
        let reply = authenticator.call(operation, request);
        if taken_as.is_none() {
            let message = reply.refused(Status::BadRequest);
            assert!(message.contains("username: must be "), "{message}");
            continue;
        }
        let answer = reply.ok();
        let answered = answer.pointer(at).unwrap();
        assert_eq!(answered["username"], shown);
        check_label(answered["uri"].as_str().unwrap(), shown);
        assert_eq!(warns_of_a_colon(&answer), name.contains(':'));
    }
    let session = json!({"data": {"totpsecret": SECRET, "factor2": "totp"}});
    let exists: [(Operation, Value, &str); 3] = [
        (
            factor2_create_secret,
            json!({"username": name, "totpsecret": SECRET}),
            "/uri",
        ),
        (
            factor2_qr,
            json!({"username": name, "totpsecret": SECRET}),
            "/uri",
        ),
        (
            factor2_reprepare_configuration,
            json!({"username": name, "sessionKey": session}),
            "/userData/uri",
        ),
    ];
    for (operation, request, at) in exists {
        let answer = authenticator.call(operation, request).ok();
        check_label(answer.pointer(at).unwrap().as_str().unwrap(), shown);
        let warned = warnings(&answer)
            .iter()
            .any(|text| text.starts_with("username: should be "));
        assert_eq!(warned, taken_as.is_none(), "{name:?}");
    }
    let verify = json!({"username": name, "totpsecret": SECRET, "otp": "1"});
    let message = authenticator
        .call(factor2_verify, verify)
        .refused(Status::InvalidToken);
    assert_eq!(message, "request.otp: must be 6 digits");
}

/// The account in the URI, decoded.
#[track_caller]
fn check_label(uri: &str, account: &str) {
    let label = uri.strip_prefix("otpauth://totp/Example:").unwrap();
    let (label, rest) = label.split_once('?').unwrap();
    assert!(
        rest.starts_with("secret=") && !label.contains([':', '&', '/']),
        "{uri}"
    );
    let mut bytes = Vec::new();
    for (n, part) in label.split('%').enumerate() {
        let (hex, plain) = part.split_at(if n == 0 { 0 } else { 2 });
        bytes.extend(u8::from_str_radix(hex, 16));
        bytes.extend(plain.bytes());
    }
    assert_eq!(String::from_utf8(bytes).unwrap(), account);
}

#[test]
fn names_have_1_to_255_bytes_and_can_be_seen() {
    check_name("", None);
    check_name("x", Some("x"));
    for part in ["x", "é", "€", "🔐"] {
        let most = 255 / part.len();
        let padding = 255 - most * part.len();
        let longest = part.repeat(most) + &"x".repeat(padding);
        assert_eq!(longest.len(), 255);
        check_name(&longest, Some(&longest));
        check_name(&format!(" {longest}\u{A0}\n"), Some(&longest));
        check_name(&format!("{longest}x"), None);
    }
    check_name(&"x".repeat(300), None);
    for blank in [
        " ", "\t", "\n", "\u{85}", "\u{A0}", "\u{2003}", "\u{202F}", "\u{3000}",
    ] {
        check_name(blank, None);
        check_name(&blank.repeat(200), None);
        check_name(&format!("{blank}a b{blank}{blank}"), Some("a b"));
        let inside = format!("a{blank}b");
        let seen = !blank.chars().any(char::is_control);
        check_name(&inside, Some(&*inside).filter(|_| seen));
    }
    for undrawn in UNDRAWN {
        check_name(&format!("{undrawn} {undrawn}"), None);
        let seen = format!("a{undrawn}");
        check_name(&seen, Some(&seen));
    }
}

#[test]
fn names_have_no_characters_that_cannot_be_seen() {
    let controls = (0..0x20).chain(0x7F..0xA0).chain([0x2028, 0x2029]);
    let zero_width = [
        0xAD, 0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0x2064, 0x206A, 0xFEFF, 0xE0041,
    ];
    let directions = [0x61C, 0x200E, 0x200F]
        .into_iter()
        .chain(0x202A..=0x202E)
        .chain(0x2066..=0x2069);
    let kinds = controls
        .map(|c| (c, "without control characters"))
        .chain(zero_width.map(|c| (c, "without zero-width characters")))
        .chain(directions.map(|c| (c, "without characters that change the direction")));
    let authenticator = Authenticator::new(json!({"issuer": "Example"}));
    for (c, complaint) in kinds {
        let c = char::from_u32(c).unwrap();
        let inside = format!("xé{c}x");
        let message = authenticator
            .call(factor2_create_secret, json!({"username": inside}))
            .refused(Status::BadRequest);
        let expected = format!("request.username: must be {complaint}");
        assert!(message.starts_with(&expected), "{c:?}: {message}");
        assert!(message.ends_with(": character 3 is one"), "{message}");
        check_name(&inside, None);
        // Some of them are blanks, and those go.
        let around = Some("x").filter(|_| c.is_whitespace());
        for name in [format!("{c}x"), format!("x{c}")] {
            check_name(&name, around);
        }
        check_name(&c.to_string(), None);
    }
    // What looks or is encoded like one of them is an ordinary part of a name.
    for name in [
        "a%3Ab",
        "a%0Ab",
        "a\u{FF1A}b",
        "a\u{A0}b",
        "a\\nb",
        "%",
        "&secret=AAAA",
    ] {
        check_name(name, Some(name));
    }
}

#[test]
fn a_colon_is_part_of_an_account_and_not_of_an_issuer() {
    for name in ["DOM:bob", "@alice:matrix.org", "urn:a:b", ":", "x:"] {
        check_account(name, Some(name));
        let config = json!({"issuer": name}).to_string();
        let Err(reply) = Authenticator::try_new(config.as_bytes()) else {
            panic!("{name}")
        };
        let message = reply.refused(Status::Configuration);
        assert!(message.contains("without a colon"), "{message}");
    }
}
