//! Warnings of what authenticator apps are known to ignore or to refuse.

use factor2::capi::{
    factor2_create_secret, factor2_describe, factor2_generate, factor2_prepare_configuration,
    factor2_qr, factor2_reprepare_configuration, factor2_verify,
};
use serde_json::{Value, json};

use crate::support::{Authenticator, SECRET, warnings};

pub fn is_about_apps(warning: &str) -> bool {
    warning.contains("YubiKey") || warning.contains("whatever the URI says")
}

fn authenticator(mut settings: Value) -> Authenticator {
    settings["factor_name"] = "totp".into();
    settings["guard"] = json!({"store": "none"});
    Authenticator::new(settings)
}

/// What factor2_describe warns of.
fn described(settings: Value) -> Vec<String> {
    let answer = authenticator(settings).call(factor2_describe, json!({}));
    let answer = answer.ok();
    warnings(&answer).into_iter().map(str::to_owned).collect()
}

/// What every operation that enrolls warns of: all the same.
fn enrolled(settings: Value, username: &str) -> Vec<String> {
    let authenticator = authenticator(settings);
    let given = json!({"username": username, "totpsecret": SECRET});
    let session = json!({"data": {"totpsecret": SECRET, "factor2": "totp"}});
    let calls: [(crate::support::Operation, Value); 5] = [
        (factor2_create_secret, json!({"username": username})),
        (factor2_create_secret, given.clone()),
        (factor2_qr, given),
        (
            factor2_prepare_configuration,
            json!({"user": {"username": username}}),
        ),
        (
            factor2_reprepare_configuration,
            json!({"username": username, "sessionKey": session}),
        ),
    ];
    let all = calls.map(|(operation, request)| {
        let answer = authenticator.call(operation, request).ok();
        let warnings = warnings(&answer).into_iter();
        warnings.map(str::to_owned).collect::<Vec<_>>()
    });
    assert!(all.iter().all(|warnings| *warnings == all[0]), "{all:?}");
    all[0].clone()
}

/// Checks how the warnings begin, in their order.
#[track_caller]
fn begin_with(warnings: &[String], expected: &[&str]) {
    assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
    for (warning, start) in warnings.iter().zip(expected) {
        assert!(warning.starts_with(start), "{warning}, not {start}");
        assert!(warning.len() <= 100, "{warning}");
        assert!(is_about_apps(warning), "{warning}");
    }
}

#[test]
fn settings_that_apps_ignore_are_named() {
    for (settings, expected) in [
        (json!({}), vec![]),
        (
            json!({"algorithm": "SHA1", "digits": 6, "period": 30}),
            vec![],
        ),
        (
            json!({"algorithm": "SHA256"}),
            vec!["algorithm: some apps take SHA1 "],
        ),
        (
            json!({"algorithm": "SHA512"}),
            vec!["algorithm: some apps take SHA1 ", "algorithm: a YubiKey "],
        ),
        (json!({"digits": 7}), vec!["digits: some apps show 6 "]),
        (json!({"digits": 8}), vec!["digits: some apps show 6 "]),
        (
            json!({"period": 29}),
            vec!["period: some apps take 30 seconds "],
        ),
        (
            json!({"period": 60}),
            vec!["period: some apps take 30 seconds "],
        ),
        (
            json!({"algorithm": "SHA256", "digits": 8, "period": 15}),
            vec!["algorithm: ", "digits: ", "period: "],
        ),
    ] {
        let mut settings = settings;
        settings["issuer"] = "Example".into();
        begin_with(&described(settings.clone()), &expected);
        begin_with(&enrolled(settings, "alice"), &expected);
    }
}

#[test]
fn names_too_long_for_a_yubikey_are_named() {
    // Bytes, not characters; a period other than 30 is part of the name.
    for (issuer, fits, longer, period) in [
        ("Example", "a".repeat(56), "a".repeat(57), 30),
        ("Zoë", "é".repeat(29), "é".repeat(30), 30),
        ("Example", "a".repeat(53), "a".repeat(54), 60),
        ("Example", "a".repeat(52), "a".repeat(53), 120),
    ] {
        let settings = json!({"issuer": issuer, "period": period});
        let of_period = described(settings.clone());
        assert_eq!(of_period.len(), usize::from(period != 30));
        assert_eq!(enrolled(settings.clone(), &fits), of_period);
        let warnings = enrolled(settings, &longer);
        let (last, others) = warnings.split_last().unwrap();
        assert_eq!(others, of_period);
        let issuer_and_colon = issuer.len() + 1;
        let prefix = if period == 30 {
            0
        } else {
            format!("{period}/").len()
        };
        let bytes = prefix + issuer_and_colon + longer.len();
        assert!(bytes > 64);
        let expected = format!("username: {bytes} bytes with the issuer; ");
        begin_with(std::slice::from_ref(last), &[&expected]);
    }
    // The blanks around it are no part of it.
    let blanks = format!("  {}\n", "a".repeat(56));
    assert!(enrolled(json!({"issuer": "Example"}), &blanks).is_empty());
}

#[test]
fn an_issuer_that_leaves_too_little_is_named() {
    for (length, period, left) in [
        (47, 30, None),
        (48, 30, Some(15)),
        (45, 60, Some(15)),
        (44, 60, None),
        (63, 30, Some(0)),
        (255, 30, Some(0)),
    ] {
        let settings = json!({"issuer": "i".repeat(length), "period": period});
        let warnings = described(settings);
        let about_issuer: Vec<String> = warnings
            .into_iter()
            .filter(|text| !text.starts_with("period: "))
            .collect();
        let expected = left.map(|left| format!("issuer: leaves {left} of the 64 bytes "));
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        begin_with(&about_issuer, &expected);
    }
}

/// A user who logs in cannot change a setting, and the log is not to be filled.
#[test]
fn codes_come_without_warnings_about_apps() {
    let authenticator = authenticator(json!({
        "issuer": "Example", "algorithm": "SHA512", "digits": 8, "period": 60,
    }));
    let secret = json!({"totpsecret": SECRET});
    let code = authenticator.call(factor2_generate, secret).ok();
    let request = json!({"totpsecret": SECRET, "otp": code["otp"], "username": "a".repeat(200)});
    let accepted = authenticator.call(factor2_verify, request).ok();
    assert!(warnings(&code).is_empty() && warnings(&accepted).is_empty());
}

/// They stand beside those about the secret.
#[test]
fn a_short_secret_is_named_first() {
    let authenticator = authenticator(json!({"issuer": "Example", "digits": 8}));
    let request = json!({"username": "alice", "totpsecret": "JBSWY3DPEHPK3PXP"});
    let answer = authenticator.call(factor2_create_secret, request).ok();
    let [secret, digits] = warnings(&answer)[..] else {
        panic!("{answer}")
    };
    assert!(
        secret.starts_with("totpsecret: shorter than the 128 bits "),
        "{secret}"
    );
    assert!(digits.starts_with("digits: "), "{digits}");
}
