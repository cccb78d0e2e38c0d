//! What URIs say, of any program.

use factor2::Status;
use factor2::capi::{factor2_create_secret, factor2_read_uri};
use serde_json::{Value, json};

use crate::oracles::{random, vectors};
use crate::support::{Authenticator, Reply, SECRET};
use crate::uris::any_name;

fn read(uri: &str) -> Reply {
    let authenticator = Authenticator::new(json!({"issuer": "Test"}));
    authenticator.call(factor2_read_uri, json!({"uri": uri}))
}

#[test]
fn published_uris() {
    let mut rows = (0, 0);
    for row in vectors("uri_read.json") {
        let uri = row["uri"].as_str().unwrap();
        if row["is"].is_null() {
            let message = read(uri).refused(Status::InvalidSecret);
            assert!(message.starts_with("request.uri: "), "{uri}: {message}");
            rows.1 += 1;
            continue;
        }
        let mut answer = read(uri).ok();
        let warnings = answer.as_object_mut().unwrap().remove("warnings").unwrap();
        assert_eq!(answer, row["is"], "{uri}");
        let warnings = warnings.as_array().unwrap();
        for warning in warnings {
            assert!(warning.as_str().unwrap().starts_with("uri: "), "{warning}");
        }
        // null: they may be there or not.
        let warns = row["warns"].as_bool().unwrap_or(!warnings.is_empty());
        assert_eq!(!warnings.is_empty(), warns, "{uri}: {warnings:?}");
        rows.0 += 1;
    }
    assert_eq!(rows.0 + rows.1, 60);
    assert!(rows.1 > 15, "{rows:?}");
}

/// What could be two things is none.
#[test]
fn there_are_never_two_readings() {
    for (query, what) in [
        (format!("secret={SECRET}&secret={SECRET}"), "secret twice"),
        (
            format!("secret={SECRET}&SECRET=JBSWY3DPEHPK3PXP"),
            "secret twice",
        ),
        (format!("secret={SECRET}&digits=6&digits=8"), "digits twice"),
        (format!("secret={SECRET}&issuer=a%00b"), "NUL"),
        (format!("secret={SECRET}%00"), "NUL"),
        (format!("secret={SECRET}&issuer=%FF"), "UTF-8"),
    ] {
        let message = read(&format!("otpauth://totp/a?{query}")).refused(Status::InvalidSecret);
        assert!(message.contains(what), "{query}: {message}");
    }
    let message = read("otpauth-migration://offline?data=CjEK").refused(Status::InvalidSecret);
    assert!(message.contains("factor2_import"), "{message}");
    let message = read("").refused(Status::InvalidSecret);
    assert_eq!(message, "request.uri: the URI must begin with otpauth://");
}

#[test]
fn what_is_written_is_read_back() {
    let mut random = random();
    for n in 0..500 {
        let (issuer, account) = (any_name(&mut random, 80), any_name(&mut random, 80));
        let kind = if n % 2 == 0 { "totp" } else { "hotp" };
        let (digits, period) = (6 + n % 3, 15 + n % 106);
        let algorithm = ["SHA1", "SHA256", "SHA512"][n % 3];
        let authenticator = Authenticator::new(json!({
            "issuer": issuer, "algorithm": algorithm, "digits": digits, "period": period,
            "qr": {"module_px": 1, "error_correction": "L"},
        }));
        let request = json!({"username": account, "type": kind});
        let made = authenticator.call(factor2_create_secret, request).ok();
        let mut expected = json!({
            "type": kind, "issuer": issuer, "account": account, "totpsecret": made["totpsecret"],
            "algorithm": algorithm, "digits": digits, "warnings": [],
        });
        match kind {
            "totp" => expected["period"] = json!(period),
            _ => expected["counter"] = json!(0),
        }
        let mut answer: Value = read(made["uri"].as_str().unwrap()).ok();
        if account.contains(':') {
            // The one thing to say.
            assert_eq!(answer["warnings"].as_array().unwrap().len(), 1, "{answer}");
            answer["warnings"] = json!([]);
        }
        assert_eq!(answer, expected);
    }
}
