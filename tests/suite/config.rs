//! Settings: each has its limits and its default, and factor2_describe shows what was taken.

use factor2::Status;
use factor2::capi::factor2_describe;
use serde_json::{Value, json};

use crate::support::{Authenticator, Reply};

/// The smallest config with one setting, as JSON text; `path` may lead into an object.
fn config(path: &str, value: &str) -> String {
    let setting = match path.split_once('.') {
        Some(("guard", member)) if member != "store" => {
            format!(r#""guard":{{"store":"memory","{member}":{value}}}"#)
        }
        Some((object, member)) => format!(r#""{object}":{{"{member}":{value}}}"#),
        None => format!(r#""{path}":{value}"#),
    };
    format!(r#"{{"issuer":"Example",{setting}}}"#)
}

/// What factor2_describe says of the settings `text`.
#[track_caller]
fn described(text: &str) -> Value {
    let authenticator = Authenticator::try_new(text.as_bytes())
        .unwrap_or_else(|reply| panic!("{text}: {}", reply.text));
    authenticator.call(factor2_describe, json!({})).ok()
}

#[track_caller]
fn refused(text: &str) -> Reply {
    match Authenticator::try_new(text.as_bytes()) {
        Ok(_) => panic!("{text} was taken"),
        Err(reply) => reply,
    }
}

#[track_caller]
fn taken(path: &str, value: &str) {
    let pointer = format!("/{}", path.replace('.', "/"));
    let described = described(&config(path, value));
    let value: Value = serde_json::from_str(value).unwrap();
    assert_eq!(described.pointer(&pointer), Some(&value), "{path}");
}

#[track_caller]
fn not_taken(path: &str, value: &str, expected: &str) {
    let message = refused(&config(path, value)).refused(Status::Configuration);
    assert_eq!(
        message,
        format!("config.{path}: must be {expected}"),
        "{value}"
    );
}

/// No integer, though some readers take some of them for 6.
const NO_INTEGERS: &[&str] = &[
    r#""6""#,
    "6.0",
    "6e0",
    "60e-1",
    "-0",
    "0.0",
    "null",
    "true",
    "false",
    "[]",
    "[6]",
    "{}",
    r#""""#,
    "-1",
    "-6",
    "-2147483648",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "99999999999999999999999999",
    "1e999",
];

#[test]
fn integers_have_their_limits() {
    let settings: [(&str, u64, u64); 12] = [
        ("digits", 6, 8),
        ("period", 15, 120),
        ("secret_bytes", 16, 64),
        ("window.past", 0, 2),
        ("window.future", 0, 2),
        ("qr.module_px", 1, 32),
        ("qr.quiet_zone", 0, 16),
        ("guard.hard", 1, 100),
        ("guard.soft", 1, 33),
        ("guard.max_delay_s", 1, 86_400),
        ("guard.base_delay_s", 1, 3600),
        ("fixed_time", 0, u64::MAX),
    ];
    for (path, least, most) in settings {
        let expected = format!("an integer from {least} to {most}");
        for value in [least, least + 1, most - 1, most] {
            taken(path, &value.to_string());
        }
        let powers = [8, 16, 31, 32, 53, 63].map(|exponent| 1_u64 << exponent);
        let wrapping = powers
            .into_iter()
            .flat_map(|power| [power - 1, power, power + least]);
        let outside = [0, 1, least.wrapping_sub(1), most.wrapping_add(1), u64::MAX]
            .into_iter()
            .chain(wrapping)
            .filter(|value| !(least..=most).contains(value));
        for value in outside {
            not_taken(path, &value.to_string(), &expected);
        }
        for value in NO_INTEGERS {
            not_taken(path, value, &expected);
        }
    }
}

#[test]
fn words_are_one_of_a_few() {
    let settings: [(&str, &[&str], &[&str]); 2] = [
        (
            "algorithm",
            &["SHA1", "SHA256", "SHA512"],
            &[
                "sha1",
                "SHA-1",
                "SHA224",
                "SHA384",
                "MD5",
                "SHA1,SHA256",
                "ＳＨＡ1",
            ],
        ),
        (
            "qr.error_correction",
            &["L", "M", "Q", "H"],
            &["l", "LM", "Low", "X"],
        ),
    ];
    for (path, words, others) in settings {
        let expected = format!("one of {}", words.join(", "));
        for word in words {
            taken(path, &json!(word).to_string());
        }
        let near = [
            String::new(),
            format!(" {}", words[0]),
            format!("{}\0", words[0]),
        ];
        for other in near
            .iter()
            .map(String::as_str)
            .chain(others.iter().copied())
        {
            not_taken(path, &json!(other).to_string(), &expected);
        }
        for value in ["null", "1", "true", "[]", "{}", r#"["SHA1"]"#] {
            not_taken(path, value, "a string");
        }
    }
}

#[test]
fn the_guards_store_is_one_of_a_few() {
    for store in ["none", "memory"] {
        taken("guard.store", &json!(store).to_string());
    }
    for store in ["", "None", "MEMORY", "file", "none "] {
        let expected = "one of none, memory, sqlite, redis";
        not_taken("guard.store", &json!(store).to_string(), expected);
    }
    for value in ["null", "1", "[]", "{}"] {
        not_taken("guard.store", value, "a string");
    }
}

#[test]
fn labels_have_1_to_255_bytes_without_control_characters() {
    for path in ["factor_name", "friendly_name"] {
        let longest = [
            "x".repeat(255),
            "é".repeat(127) + "x",
            "🔐".repeat(63) + "xyz",
        ];
        let short = ["a", "urn:totp", "Bücher & Söhne", " ", "\"\\", "a\u{A0}b"].map(str::to_owned);
        for name in longest.iter().chain(&short) {
            taken(path, &json!(name).to_string());
        }
        let too_long = longest.map(|name| name + "x");
        let others = ["", "\0", "a\nb", "a\u{7F}", "\u{85}", "\u{9F}b"].map(str::to_owned);
        for name in too_long.iter().chain(&others) {
            let expected = "1 to 255 bytes without control characters";
            not_taken(path, &json!(name).to_string(), expected);
        }
        for value in ["null", "0", "true", "[]", "{}"] {
            not_taken(path, value, "a string");
        }
    }
}

#[test]
fn the_issuer_is_required() {
    for text in ["{}", r#"{"digits":6}"#, r#"{"window":{},"qr":{}}"#] {
        let message = refused(text).refused(Status::Configuration);
        assert_eq!(message, "config.issuer: missing");
    }
    let message = refused(&config("guard", r#"{"soft":3}"#)).refused(Status::Configuration);
    assert_eq!(message, "config.guard.store: missing");
    for value in ["null", "0", "true", "[]", "{}", r#"["Example"]"#] {
        let message = refused(&format!(r#"{{"issuer":{value}}}"#)).refused(Status::Configuration);
        assert_eq!(message, "config.issuer: must be a string");
    }
}

#[test]
fn a_misspelt_name_is_named_beside_the_missing_one() {
    let named = |member: &str| format!("unknown member \"{member}\"");
    let unnamed = "a member with an unknown name".to_owned();
    for (text, missing, instead) in [
        (r#"{"isuer":"x"}"#, "issuer", named("isuer")),
        (r#"{"Issuer":"x"}"#, "issuer", named("Issuer")),
        (r#"{"app_name":"x"}"#, "issuer", named("app_name")),
        (
            r#"{"digits":6,"period":30,"isseur":"x"}"#,
            "issuer",
            named("isseur"),
        ),
        // The most similar one, wherever it stands.
        (
            r#"{"name":"x","isuer":"x","colour":1}"#,
            "issuer",
            named("isuer"),
        ),
        // What could be a secret is not repeated.
        (r#"{"ISSUER":"x"}"#, "issuer", unnamed.clone()),
        (r#"{"JBSWY3DPEHPK3PXP":1}"#, "issuer", unnamed),
        (
            r#"{"issuer":"x","guard":{"stor":"none"}}"#,
            "guard.store",
            named("stor"),
        ),
        (
            r#"{"issuer":"x","guard":{"soft":3,"kind":"none","path":"/x"}}"#,
            "guard.store",
            named("kind"),
        ),
        (
            r#"{"issuer":"x","guard":{"store":"sqlite","create":true,"pth":"/x"}}"#,
            "guard.path",
            named("pth"),
        ),
        (
            r#"{"issuer":"x","guard":{"store":"sqlite","soft":3,"url":"/x"}}"#,
            "guard.path",
            named("url"),
        ),
        (
            r#"{"issuer":"x","guard":{"store":"redis","prefix":"x","path":"/x"}}"#,
            "guard.url",
            named("path"),
        ),
        (
            r#"{"issuer":"x","guard":{"store":"redis","url":"rediss://x","cafile":"/x"}}"#,
            "guard.ca_file",
            named("cafile"),
        ),
    ] {
        let message = refused(text).refused(Status::Configuration);
        assert_eq!(
            message,
            format!("config.{missing}: missing; {instead}"),
            "{text}"
        );
    }
}

#[test]
fn groups_are_objects() {
    for path in ["window", "qr", "guard"] {
        for value in [
            "null",
            "0",
            "1",
            "true",
            "[]",
            "[1,1]",
            r#""none""#,
            r#""{}""#,
        ] {
            not_taken(path, value, "an object");
        }
    }
    // A group may leave out what has a default; a guard has none.
    let defaults = described(r#"{"issuer":"Example"}"#);
    assert_eq!(
        described(r#"{"issuer":"Example","window":{},"qr":{}}"#),
        defaults
    );
    let message = refused(&config("guard", "{}")).refused(Status::Configuration);
    assert_eq!(message, "config.guard.store: missing");
    let one_sided = described(&config("window.past", "0"));
    assert_eq!(one_sided["window"], json!({"past": 0, "future": 1}));
    let level_alone = described(&config("qr.error_correction", r#""H""#));
    let mut qr = defaults["qr"].clone();
    qr["error_correction"] = json!("H");
    assert_eq!(level_alone["qr"], qr);
}

#[test]
fn unknown_settings_are_refused() {
    for (path, text) in [
        ("config", r#"{"issuer":"Example",@}"#),
        ("config", r#"{@,"issuer":"Example"}"#),
        (
            "config.window",
            r#"{"issuer":"Example","window":{"past":1,@}}"#,
        ),
        ("config.qr", r#"{"issuer":"Example","qr":{@}}"#),
        (
            "config.guard",
            r#"{"issuer":"Example","guard":{"store":"none",@}}"#,
        ),
    ] {
        for name in [
            "Digits",
            "skew",
            "past_",
            "now",
            "time",
            "totpsecret",
            "module",
        ] {
            for value in ["0", "null", "{}"] {
                let text = text.replace('@', &format!(r#""{name}":{value}"#));
                let message = refused(&text).refused(Status::Configuration);
                assert_eq!(
                    message,
                    format!("{path}: unknown member \"{name}\""),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn every_setting_is_described() {
    let settings = json!({
        "issuer": "ACME Co", "factor_name": "totp", "friendly_name": "Google Authenticator",
        "algorithm": "SHA512", "digits": 8, "period": 60, "window": {"past": 2, "future": 0},
        "secret_bytes": 64, "fixed_time": 1_700_000_000,
        "qr": {
            "module_px": 3, "quiet_zone": 4, "error_correction": "Q", "dark": "#102030",
            "light": "#f0f0f0",
        },
        "guard": {
            "store": "memory", "soft": 2, "hard": 50, "base_delay_s": 7, "max_delay_s": 1000,
        },
    });
    let described = described(&settings.to_string());
    for (name, value) in settings.as_object().unwrap() {
        match value {
            Value::Object(group) => {
                for (member, value) in group {
                    assert_eq!(&described[name][member], value, "{name}.{member}");
                }
            }
            value => assert_eq!(&described[name], value, "{name}"),
        }
    }
}
