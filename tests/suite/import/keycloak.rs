//! Keycloak's exports.

use serde_json::{Value, json};

use super::{import, uri, uri_and_warnings, why};
use crate::support::SECRET;

/// A realm with one user, whose credentials these are.
fn realm(credentials: Value) -> Value {
    json!({"realm": "r", "enabled": true, "users": [{"id": "1", "username": "a", "credentials": credentials}]})
}

fn otp(secret_data: Value, credential_data: Value) -> Value {
    json!({
        "id": "x", "type": "otp", "createdDate": 1, "secretData": secret_data.to_string(),
        "credentialData": credential_data.to_string(),
    })
}

#[test]
fn credentials_of_keycloak() {
    let secret = json!({"value": SECRET});
    let encoded = |more: Value| {
        let mut data = json!({"subType": "totp", "digits": 6, "counter": 0, "period": 30, "secretEncoding": "BASE32"});
        for (name, value) in more.as_object().unwrap() {
            data[name] = value.clone();
        }
        data
    };
    let plain = data_encoding::BASE32_NOPAD.encode(SECRET.as_bytes());
    let raw = |begin: &str, end: &str| format!("otpauth://{begin}?secret={plain}{end}");
    for (credential, expected) in [
        (otp(secret.clone(), encoded(json!({}))), uri("totp/a", "")),
        (otp(secret.clone(), json!({})), raw("totp/a", "")),
        (
            otp(
                secret.clone(),
                json!({"secretEncoding": null, "algorithm": null}),
            ),
            raw("totp/a", ""),
        ),
        (
            otp(
                secret.clone(),
                encoded(json!({"digits": 8, "period": 60, "algorithm": "HmacSHA512", "x": [[]]})),
            ),
            uri("totp/a", "&algorithm=SHA512&digits=8&period=60"),
        ),
        (
            otp(
                secret.clone(),
                encoded(json!({"subType": "hotp", "counter": 9, "period": 0})),
            ),
            uri("hotp/a", "&counter=9"),
        ),
        (
            json!({"type": "totp", "hashedSaltedValue": SECRET, "digits": 8, "period": 30, "algorithm": "HmacSHA1", "counter": 0}),
            raw("totp/a", "&digits=8"),
        ),
        (
            json!({"type": "hotp", "value": SECRET, "digits": 6, "counter": 5}),
            raw("hotp/a", "&counter=5"),
        ),
        (
            json!({"type": "otp", "secretData": {"value": SECRET}, "credentialData": encoded(json!({}))}),
            uri("totp/a", ""),
        ),
    ] {
        let realm = realm(
            json!([{"type": "password", "secretData": "{"}, credential, {"type": "webauthn"}]),
        );
        for text in [
            realm.to_string(),
            format!(" \n[{{}},{realm}]"),
            format!("{realm:#}"),
        ] {
            assert_eq!(
                uri_and_warnings("keycloak", &text),
                (expected.clone(), vec![]),
                "{text}"
            );
        }
    }
    for (credential, reason) in [
        (json!({"type": "otp"}), "secretData: missing"),
        (
            json!({"type": "otp", "secretData": "{}"}),
            "credentialData: missing",
        ),
        (
            json!({"type": "otp", "secretData": "{", "credentialData": "{}"}),
            "secretData: not a JSON object",
        ),
        (
            json!({"type": "otp", "secretData": "{}", "credentialData": "[]"}),
            "credentialData: not a JSON object",
        ),
        (otp(json!({}), json!({})), "totpsecret: missing"),
        (otp(json!({"value": 7}), json!({})), "totpsecret: missing"),
        (
            otp(json!({"value": "short"}), json!({})),
            "totpsecret: too short, must be at least 10 bytes",
        ),
        (
            otp(secret.clone(), json!({"subType": "x"})),
            "subType: must be totp or hotp",
        ),
        (
            otp(secret.clone(), encoded(json!({"secretEncoding": "HEX"}))),
            "secretEncoding: must be BASE32, or missing",
        ),
        (
            otp(secret.clone(), encoded(json!({"algorithm": "HmacMD5"}))),
            "algorithm: must be SHA1, SHA256 or SHA512",
        ),
        (
            otp(secret.clone(), encoded(json!({"period": 300}))),
            "period: must be an integer from 15 to 120",
        ),
        (
            otp(secret.clone(), encoded(json!({"digits": 6.0}))),
            "digits: must be an integer from 6 to 8",
        ),
        (
            otp(
                secret.clone(),
                encoded(json!({"subType": "hotp", "counter": -1})),
            ),
            "counter: must be an integer from 0 to 9223372036854775806",
        ),
    ] {
        assert_eq!(
            why("keycloak", &realm(json!([credential])).to_string()),
            reason
        );
    }
}

#[test]
fn keycloak_s_credentials_are_counted() {
    let good = otp(
        json!({"value": SECRET}),
        json!({"secretEncoding": "BASE32"}),
    );
    let bad = json!({"type": "otp"});
    let text = json!([
        {"realm": "one", "users": [
            {"credentials": [good.clone(), {"type": "password"}, bad.clone()], "username": "a"},
            {"username": "nothing"}, {"username": "b", "credentials": null}, 7,
            {"username": "b", "credentials": [good.clone(), good.clone()]},
        ]},
        {"realm": "two", "users": [{"username": "a", "credentials": [bad]}],
         "federatedUsers": [{"id": "f:1", "credentials": [good]}]},
    ]);
    let imported = import("keycloak", &text.to_string());
    let names: Vec<&str> = imported
        .entries
        .iter()
        .map(|[name, ..]| name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "b", ""]);
    assert_eq!(imported.refused_lines(), [2, 6]);
}
