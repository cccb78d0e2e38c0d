//! Each operation's answer, and each of its errors: crossauth's TotpAuthenticator, method by method.

use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_describe, factor2_generate, factor2_prepare_configuration,
    factor2_qr, factor2_reprepare_configuration, factor2_verify,
};
use serde_json::{Value, json};

use crate::support::{Authenticator, Reply, SECRET, warned};

/// 80 bits, which crossauth's TypeScript edition makes.
const SHORT_SECRET: &str = "JBSWY3DPEHPK3PXP";

fn authenticator() -> Authenticator {
    // A time and its code, for SECRET, from tests/vectors/codes.json.
    Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "guard": {"store": "none"},
        "fixed_time": 1_111_111_109,
    }))
}

const CODE: &str = "088309";

/// The names of an object's members, sorted.
#[track_caller]
fn names(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn describe() {
    let expected = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "mfa_type": "otp", "mfa_channel": "none",
        "factor_name": "", "friendly_name": "Authenticator app",
        "secret_names": ["totpsecret"], "transient_secret_names": ["otp"],
        "create_one_time_secrets": {}, "validate_secrets": [],
        "can_create_user": true, "can_update_user": true, "can_update_secrets": false,
        "capabilities": {
            "can_create_user": true, "can_update_user": true, "can_update_secrets": false,
        },
        "require_user_entry": true, "skip_email_verification_on_signup": false,
        "issuer": "Example", "algorithm": "SHA1", "digits": 6, "period": 30,
        "window": {"past": 1, "future": 1}, "look_ahead": 10, "secret_bytes": 20,
        "qr": {
            "module_px": 10, "quiet_zone": 5, "error_correction": "M", "dark": "#000000",
            "light": "#ffffff", "logo": false,
        },
        "guard": {
            "store": "memory", "scope": "process", "soft": 5, "hard": 33, "base_delay_s": 30,
            "max_delay_s": 3600,
        },
    });
    let authenticator = Authenticator::new(json!({"issuer": "Example"}));
    let reply = authenticator.call(factor2_describe, json!({}));
    assert_eq!(reply.ok(), expected);
    assert_eq!(reply.data, None);
}

#[test]
fn create_secret_makes_one() {
    let authenticator = authenticator();
    let request = json!({"username": "alice@example.com"});
    let [first, second] =
        [(); 2].map(|()| authenticator.call(factor2_create_secret, request.clone()));
    for reply in [&first, &second] {
        let answer = reply.ok();
        assert_eq!(names(&answer), ["qr", "totpsecret", "uri", "username"]);
        assert_eq!(answer["username"], "alice@example.com");
        assert_eq!(answer["totpsecret"].as_str().unwrap().len(), 32);
        assert!(
            reply
                .data
                .as_ref()
                .unwrap()
                .starts_with(b"\x89PNG\r\n\x1A\n")
        );
    }
    assert_ne!(first.ok()["totpsecret"], second.ok()["totpsecret"]);
}

#[test]
fn create_secret_reuses_the_given_one() {
    let authenticator = authenticator();
    for (given, kept, short) in [
        (SECRET, SECRET, false),
        ("jbswy3dpehpk3pxpjbswy3dpehpk3pxp", SECRET, false),
        (SHORT_SECRET, SHORT_SECRET, true),
        ("GEZDGNBVGY3TQOJQGEZA====", "GEZDGNBVGY3TQOJQGEZA", true),
    ] {
        let request = json!({"username": "alice", "totpsecret": given});
        let reply = authenticator.call(factor2_create_secret, request);
        let answer = reply.ok();
        assert_eq!(answer["totpsecret"], kept);
        assert!(
            answer["uri"]
                .as_str()
                .unwrap()
                .contains(&format!("?secret={kept}&"))
        );
        assert_eq!(warned(&answer), short);
    }
    let request = json!({"username": "alice", "totpsecret": "not base32!"});
    authenticator
        .call(factor2_create_secret, request)
        .refused(Status::InvalidSecret);
}

#[test]
fn qr() {
    let authenticator = authenticator();
    let named = ["bytes", "format", "height", "media_type", "uri", "width"];
    for (secret, format, media_type) in [
        (SECRET, "png", "image/png"),
        (SECRET, "svg", "image/svg+xml"),
        (SECRET, "text", "text/plain; charset=utf-8"),
        (SHORT_SECRET, "png", "image/png"),
    ] {
        let request = json!({"username": "alice", "totpsecret": secret, "format": format});
        let reply = authenticator.call(factor2_qr, request);
        let answer = reply.ok();
        let names: Vec<_> = names(&answer)
            .into_iter()
            .filter(|name| *name != "warnings")
            .collect();
        assert_eq!(names, named);
        assert_eq!(warned(&answer), secret == SHORT_SECRET);
        assert_eq!(
            (&answer["format"], &answer["media_type"]),
            (&json!(format), &json!(media_type))
        );
        assert_eq!(answer["bytes"], reply.data.unwrap().len());
    }
    let request = json!({"username": "alice", "totpsecret": SECRET, "format": "bmp"});
    let refused = authenticator.call(factor2_qr, request);
    let why = refused.refused(Status::BadRequest);
    assert_eq!(why, "request.format: must be one of png, svg, text");
    let request = json!({"username": "alice", "totpsecret": "GEZDGNBVGY3TQOJ1"});
    authenticator
        .call(factor2_qr, request)
        .refused(Status::InvalidSecret);
}

#[test]
fn prepare_configuration() {
    let authenticator = authenticator();
    let user = json!({
        "username": "alice", "id": 7, "email": null, "state": "active", "factor1": ["x"],
        "totpsecret": SECRET, "factor2": "sms",
    });
    let reply = authenticator.call(factor2_prepare_configuration, json!({"user": user}));
    let answer = reply.ok();
    assert_eq!(names(&answer), ["sessionData", "userData"]);
    let (shown, kept) = (&answer["userData"], &answer["sessionData"]);
    assert_eq!(
        names(shown),
        ["factor2", "qr", "totpsecret", "uri", "username"]
    );
    assert_eq!(names(kept), ["factor2", "totpsecret", "username"]);
    for name in names(kept) {
        assert_eq!(shown[name], kept[name], "{name}");
    }
    assert_eq!(
        (&kept["username"], &kept["factor2"]),
        (&json!("alice"), &json!("totp"))
    );
    assert_ne!(kept["totpsecret"], SECRET);
    assert_eq!(reply.data, None);
}

#[test]
fn prepare_configuration_needs_the_factors_name() {
    let authenticator = Authenticator::new(json!({"issuer": "Example"}));
    let request = json!({"user": {"username": "alice"}});
    let message = authenticator
        .call(factor2_prepare_configuration, request)
        .refused(Status::Configuration);
    assert!(
        message.starts_with("config.factor_name: missing"),
        "{message}"
    );
}

fn reprepare(data: Value) -> Reply {
    let request = json!({"username": "alice", "sessionKey": {"data": data}});
    authenticator().call(factor2_reprepare_configuration, request)
}

#[test]
fn reprepare_configuration() {
    let factor = json!({"username": "bob", "totpsecret": SECRET, "factor2": "other", "x": [1]});
    let nested = json!({"2fa": factor, "totpsecret": 1, "csrf": "x"});
    for data in [
        factor.clone(),
        factor.to_string().into(),
        nested.clone(),
        nested.to_string().into(),
    ] {
        let reply = reprepare(data);
        let answer = reply.ok();
        assert_eq!(names(&answer), ["newSessionData", "secrets", "userData"]);
        assert_eq!(answer["newSessionData"], Value::Null);
        assert_eq!(answer["secrets"], json!({"totpsecret": SECRET}));
        let shown = &answer["userData"];
        assert_eq!(names(shown), ["factor2", "qr", "totpsecret", "uri"]);
        assert_eq!(shown["totpsecret"], SECRET);
        assert_eq!(
            shown["factor2"], "other",
            "the session's, not the settings'"
        );
        let account = format!("/Example:alice?secret={SECRET}&");
        assert!(shown["uri"].as_str().unwrap().contains(&account), "{shown}");
        assert_eq!(reply.data, None);
    }
    let short = reprepare(json!({"totpsecret": SHORT_SECRET, "factor2": "totp"})).ok();
    assert!(warned(&short));
}

#[test]
fn reprepare_configuration_takes_a_crossauth_key() {
    let data = json!({"2fa": {"totpsecret": SECRET, "factor2": "totp"}}).to_string();
    let key = json!({
        "value": "s:abc", "created": "2024-01-01T00:00:00", "expires": null, "userid": 7,
        "lastactive": {"a": []}, "data": data,
    });
    let request = json!({"username": "alice", "sessionKey": key});
    authenticator()
        .call(factor2_reprepare_configuration, request)
        .ok();
}

#[test]
fn reprepare_configuration_names_what_the_session_lacks() {
    // No data at all is InvalidKey, see members.rs.
    for (data, name) in [
        (json!(null), "totpsecret"),
        (json!(""), "totpsecret"),
        (json!({}), "totpsecret"),
        (json!("{}"), "totpsecret"),
        (json!({"factor2": "totp"}), "totpsecret"),
        (
            json!({"2fa": {}, "totpsecret": SECRET, "factor2": "totp"}),
            "totpsecret",
        ),
        (json!({"totpsecret": SECRET}), "factor2"),
        (
            json!({"2fa": {"totpsecret": SECRET}, "factor2": "totp"}),
            "factor2",
        ),
        (json!({"username": "alice", "totpsecret": "?"}), "factor2"),
        // What crossauth looks into and finds nothing in.
        (json!([]), "totpsecret"),
        (json!("[]"), "totpsecret"),
        (json!(" [ ]\n"), "totpsecret"),
        (json!("[1]"), "totpsecret"),
        (json!([[1], {"totpsecret": SECRET}]), "totpsecret"),
        (json!("\"\""), "totpsecret"),
        (json!("\"text\""), "totpsecret"),
        (json!("\"{}\""), "totpsecret"),
        (json!({"2fa": "{}"}), "totpsecret"),
        (json!({"2fa": []}), "totpsecret"),
        (
            json!({"2fa": [1], "totpsecret": SECRET, "factor2": "totp"}),
            "totpsecret",
        ),
    ] {
        let message = reprepare(data.clone()).refused(Status::Unauthorized);
        let expected = format!("request.sessionKey.data: has no {name}");
        assert_eq!(message, expected, "{data}");
    }
    for data in [
        json!(" "),
        json!("null"),
        json!("0"),
        json!("true"),
        json!("["),
        json!("[]]"),
        json!("[1,]"),
        json!("[{\"a\":1,\"a\":1}]"),
        json!("[[[[[[[[[]]]]]]]]]"),
        json!("\"\\ud800\""),
        json!("\"open"),
        json!("{'totpsecret': 'x'}"),
        json!({"totpsecret": null, "factor2": "totp"}),
        json!({"totpsecret": SECRET, "factor2": 2}),
        json!({"totpsecret": [SECRET], "factor2": "totp"}),
        json!({"2fa": null}),
        json!({"2fa": 1}),
    ] {
        let message = reprepare(data.clone()).refused(Status::DataFormat);
        assert!(
            message.starts_with("request.sessionKey.data"),
            "{data}: {message}"
        );
        if let Value::Object(_) = data {
            let text = reprepare(data.to_string().into());
            assert_eq!(text.refused(Status::DataFormat), message);
        }
    }
    for secret in ["", "?", "JBSWY3DP", "AAAAAAAAAAAAAAAA"] {
        let data = json!({"totpsecret": secret, "factor2": "totp"});
        reprepare(data).refused(Status::InvalidSecret);
    }
}

#[test]
fn generate() {
    let reply = authenticator().call(factor2_generate, json!({"totpsecret": SECRET}));
    assert_eq!(reply.ok(), json!({"otp": CODE, "valid_for_s": 1}));
    assert_eq!(reply.data, None);
    authenticator()
        .call(factor2_generate, json!({"totpsecret": "JBSWY3DP"}))
        .refused(Status::InvalidSecret);
}

/// A user's way from the settings page to the first login, by the system's clock.
#[test]
fn an_enrollment_from_beginning_to_end() {
    let authenticator = Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "guard": {"store": "none"},
    }));
    let user = json!({"user": {"username": "alice"}});
    let prepared = authenticator.call(factor2_prepare_configuration, user).ok();
    let key = json!({"data": prepared["sessionData"].to_string()});
    let request = json!({"username": "alice", "sessionKey": key});
    let again = authenticator
        .call(factor2_reprepare_configuration, request)
        .ok();
    for name in ["totpsecret", "factor2", "qr", "uri"] {
        assert_eq!(
            again["userData"][name], prepared["userData"][name],
            "{name}"
        );
    }
    let secret = &again["secrets"]["totpsecret"];
    let code = authenticator
        .call(factor2_generate, json!({"totpsecret": secret}))
        .ok();
    let left = code["valid_for_s"].as_u64().unwrap();
    assert!((1..=30).contains(&left), "{left}");
    let mut request = json!({"totpsecret": secret, "otp": code["otp"]});
    let accepted = authenticator.call(factor2_verify, request.clone()).ok();
    request["last_step"] = accepted["step"].clone();
    authenticator
        .call(factor2_verify, request)
        .refused(Status::TokenReused);
}
