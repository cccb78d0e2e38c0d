//! Stored forms: base32, a URI, and either of them sealed, are one credential to every operation.

use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_diagnose, factor2_generate, factor2_inspect, factor2_qr,
    factor2_reprepare_configuration, factor2_reset, factor2_seal, factor2_verify,
};
use serde_json::{Value, json};

use crate::clock;
use crate::oracles::vectors;
use crate::people::{NOW, code_of, wrong_code_of};
use crate::support::{Authenticator, KEY, Operation, SECRET};

#[cfg(feature = "redis")]
use crate::guard_redis::server::Server;

/// Settings with a key, and this guard.
fn config(guard: &Value) -> Value {
    json!({
        "issuer": "Example", "factor_name": "totp", "guard": guard, "qr": {"module_px": 1},
        "seal": {"keys": {"k": KEY}, "use": "k"},
    })
}

/// Puts one authenticator of each store that counts through a test.
pub fn with_each_guard(test: impl Fn(Value)) {
    test(json!({"store": "memory"}));
    #[cfg(feature = "sqlite")]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = crate::support::scratch("stored");
        let ours = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&folder, ours).unwrap();
        let path = folder.join("guard.db");
        test(
            json!({"store": "sqlite", "path": path.to_str().unwrap(), "create": true, "budget_ms": 5000}),
        );
    }
    #[cfg(feature = "redis")]
    if Server::is_installed() {
        let server = Server::start(&[]);
        test(json!({"store": "redis", "url": server.url(), "budget_ms": 5000}));
    }
}

/// Sealed for alice.
pub fn seal(authenticator: &Authenticator, text: &str) -> String {
    let request = json!({"totpsecret": text, "username": "alice"});
    let answer = authenticator.call(factor2_seal, request).ok();
    answer["sealed"].as_str().unwrap().to_owned()
}

/// Every operation with a `totpsecret`, which is alice's.
pub fn ways_in(secret: &str, otp: &str) -> [(Operation, Value); 9] {
    let session = json!({"totpsecret": secret, "factor2": "totp"});
    let hers = |mut request: Value| {
        request["totpsecret"] = secret.into();
        request["username"] = "alice".into();
        request
    };
    [
        (factor2_create_secret, hers(json!({}))),
        (factor2_qr, hers(json!({}))),
        (
            factor2_reprepare_configuration,
            json!({"username": "alice", "sessionKey": {"data": session}}),
        ),
        (factor2_verify, hers(json!({"otp": otp}))),
        (factor2_diagnose, hers(json!({"otp": otp}))),
        (factor2_generate, hers(json!({}))),
        (factor2_inspect, hers(json!({}))),
        (factor2_reset, hers(json!({}))),
        (factor2_seal, hers(json!({}))),
    ]
}

/// SECRET in all forms, for alice.
fn forms(authenticator: &Authenticator) -> Vec<String> {
    let plain = [
        SECRET.to_owned(),
        SECRET.to_lowercase(),
        format!("otpauth://totp/alice?secret={SECRET}"),
        format!(
            "otpauth://totp/Other:bob?secret={SECRET}&issuer=Other&algorithm=SHA1&digits=6&period=30"
        ),
        format!("OTPAUTH://TOTP/?SECRET={}", SECRET.to_lowercase()),
    ];
    let sealed = plain.iter().map(|text| seal(authenticator, text));
    let mut forms: Vec<String> = sealed.collect();
    forms.extend(plain);
    forms
}

#[test]
fn every_operation_takes_every_form() {
    let uri = format!("otpauth://totp/Example:alice?secret={SECRET}&issuer=Example");
    clock::stand_at(NOW);
    with_each_guard(|guard| {
        let authenticator = Authenticator::new(config(&guard));
        for (n, form) in (0..).zip(forms(&authenticator)) {
            let now = NOW + 30 * n;
            clock::stand_at(now);
            let otp = code_of(SECRET, now);
            let answers = ways_in(&form, &otp)
                .map(|(operation, request)| authenticator.call(operation, request).ok());
            let [
                created,
                qr,
                reprepared,
                verified,
                diagnosed,
                generated,
                inspected,
                reset,
                sealed,
            ] = answers;
            assert_eq!(created["totpsecret"], SECRET, "{form}");
            assert_eq!(created["uri"], uri);
            assert_eq!(qr["uri"], uri);
            assert_eq!(reprepared["userData"]["totpsecret"], SECRET);
            assert_eq!(reprepared["userData"]["uri"], uri);
            assert_eq!(verified["step"], now / 30);
            assert_eq!(diagnosed["right"], guard["store"] == "none");
            assert_eq!(generated["otp"], otp);
            assert_eq!(inspected["last_step"], now / 30);
            assert_eq!(reset, inspected);
            assert_eq!(sealed["key"], "k");
        }
    });
}

/// A user's scheme, and the settings of an app that has the same.
#[derive(Clone, Copy)]
struct Scheme {
    algorithm: &'static str,
    digits: u64,
    period: u64,
}

impl Scheme {
    fn all() -> Vec<Scheme> {
        let mut all = Vec::new();
        for algorithm in ["SHA1", "SHA256", "SHA512"] {
            for digits in 6..=8 {
                for period in [15, 30, 60, 120] {
                    all.push(Scheme {
                        algorithm,
                        digits,
                        period,
                    });
                }
            }
        }
        all
    }

    fn settings(self) -> Value {
        let Scheme {
            algorithm,
            digits,
            period,
        } = self;
        json!({
            "issuer": "Example", "algorithm": algorithm, "digits": digits, "period": period,
            "qr": {"module_px": 1}, "seal": {"keys": {"k": KEY}, "use": "k"}, "fixed_time": NOW,
        })
    }

    fn uri(self, secret: &str) -> String {
        let Scheme {
            algorithm,
            digits,
            period,
        } = self;
        format!(
            "otpauth://totp/a?secret={secret}&algorithm={algorithm}&digits={digits}&period={period}"
        )
    }

    /// The code that an app shows, which knows base32 and its settings alone.
    fn code(self, secret: &str) -> Value {
        let app = Authenticator::new(self.settings());
        app.call(factor2_generate, json!({"totpsecret": secret}))
            .ok()
    }
}

/// Many schemes side by side on one authenticator, whatever its own is.
#[test]
fn a_uris_own_scheme_holds_whatever_the_settings() {
    let of_settings = [("SHA1", 6, 30), ("SHA512", 8, 60), ("SHA256", 7, 15)];
    for (algorithm, digits, period) in of_settings {
        let settings = Scheme {
            algorithm,
            digits,
            period,
        };
        let authenticator = Authenticator::new(settings.settings());
        for (n, scheme) in (0..).zip(Scheme::all()) {
            let secret = crate::people::secret(n);
            let uri = scheme.uri(&secret);
            let shown = scheme.code(&secret);
            for form in [seal(&authenticator, &uri), uri.clone()] {
                let hers = json!({"totpsecret": form, "username": "alice"});
                assert_eq!(
                    authenticator.call(factor2_generate, hers.clone()).ok(),
                    shown,
                    "{uri}"
                );
                let created = authenticator.call(factor2_create_secret, hers).ok();
                let again = json!({"totpsecret": created["uri"], "username": "alice"});
                assert_eq!(
                    authenticator.call(factor2_generate, again).ok(),
                    shown,
                    "{created}"
                );
            }
            let request = json!({
                "totpsecret": seal(&authenticator, &uri), "username": "alice", "otp": shown["otp"],
            });
            let accepted = authenticator.call(factor2_verify, request.clone()).ok();
            assert_eq!(accepted["step"], NOW / scheme.period, "{uri}");
            authenticator
                .call(factor2_verify, request)
                .refused(Status::TokenReused);
        }
        // Base32 has the settings' scheme.
        let base32 = json!({"totpsecret": SECRET});
        let generated = authenticator.call(factor2_generate, base32).ok();
        assert_eq!(generated, settings.code(SECRET));
        // What a URI leaves out is the defaults of URIs, not the settings'.
        let bare = json!({"totpsecret": format!("otpauth://totp/a?secret={SECRET}")});
        let usual = Scheme {
            algorithm: "SHA1",
            digits: 6,
            period: 30,
        };
        assert_eq!(
            authenticator.call(factor2_generate, bare).ok(),
            usual.code(SECRET)
        );
    }
}

/// One record, in whatever form its secret comes: what one form has used up or locked is so for all.
#[test]
fn the_record_does_not_depend_on_the_form() {
    with_each_guard(|guard| {
        clock::stand_at(NOW);
        let authenticator = Authenticator::new(config(&guard));
        let forms = forms(&authenticator);
        let ask = |operation: Operation, form: &str, otp: Option<&str>| {
            let mut request = json!({"totpsecret": form, "username": "alice"});
            if let Some(otp) = otp {
                request["otp"] = otp.into();
            }
            authenticator.call(operation, request)
        };
        for (n, form) in (0..).zip(&forms) {
            let now = NOW + 30 * n;
            clock::stand_at(now);
            let code = code_of(SECRET, now);
            ask(factor2_verify, form, Some(&code)).ok();
            for other in &forms {
                ask(factor2_verify, other, Some(&code)).refused(Status::TokenReused);
                let record = ask(factor2_inspect, other, None).ok();
                assert_eq!(record["last_step"], now / 30);
                assert_eq!(record["failures"], 0);
            }
        }
        let now = NOW + 3000;
        clock::stand_at(now);
        let wrong = wrong_code_of(SECRET, now);
        for (failures, form) in (1..=5).zip(&forms) {
            ask(factor2_verify, form, Some(&wrong)).refused(Status::InvalidToken);
            let record = ask(factor2_inspect, SECRET, None).ok();
            assert_eq!(record["failures"], failures);
        }
        for form in &forms {
            let reply = ask(factor2_verify, form, Some(&code_of(SECRET, now)));
            assert_eq!(reply.status, Status::Throttled as i32, "{}", reply.text);
        }
        ask(factor2_reset, &forms[0], None).ok();
        ask(factor2_verify, &forms[1], Some(&code_of(SECRET, now))).ok();
        // Steps of another length are other steps.
        let of_a_minute = format!("otpauth://totp/a?secret={SECRET}&period=60");
        let other = ask(factor2_inspect, &of_a_minute, None).ok();
        assert_eq!(other["last_step"], Value::Null);
        // Digits and algorithm do not change which step it is.
        let longer = format!("otpauth://totp/a?secret={SECRET}&digits=8&algorithm=SHA256");
        let same = ask(factor2_inspect, &longer, None).ok();
        assert_eq!(same["last_step"], now / 30);
    });
}

#[test]
fn published_codes_by_uris() {
    let mut rows = 0;
    for row in vectors("codes.json") {
        if row["type"] != "totp" {
            continue;
        }
        let (time, code) = (row["time"].as_u64().unwrap(), &row["code"]);
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let uri = format!(
            "otpauth://totp/a?secret={}&algorithm={}&digits={}&period={}",
            text("secret"),
            text("algorithm"),
            row["digits"],
            row["period"]
        );
        let authenticator = Authenticator::new(json!({
            "issuer": "Example", "algorithm": "SHA256", "digits": 7, "period": 45, "fixed_time": time,
            "window": {"past": 0, "future": 0},
            "guard": {"store": "none"}, "seal": {"keys": {"k": KEY}, "use": "k"},
        }));
        for form in [seal(&authenticator, &uri), uri] {
            let request = json!({"totpsecret": form, "username": "alice"});
            let generated = authenticator.call(factor2_generate, request).ok();
            assert_eq!(generated["otp"], *code, "{row}");
            let request = json!({"totpsecret": form, "username": "alice", "otp": code});
            let accepted = authenticator.call(factor2_verify, request).ok();
            let period = row["period"].as_u64().unwrap();
            assert_eq!(accepted["step"], time / period, "{row}");
        }
        rows += 1;
    }
    assert_eq!(rows, 39);
}

/// URIs of many programs, and what they are.
#[test]
fn uris_as_other_programs_write_them() {
    let settings = json!({
        "issuer": "Example", "algorithm": "SHA512", "digits": 7, "period": 45, "fixed_time": NOW,
        "factor_name": "totp", "qr": {"module_px": 1}, "seal": {"keys": {"k": KEY}, "use": "k"},
    });
    let authenticator = Authenticator::new(settings);
    let refused = |form: &str| {
        for (operation, request) in ways_in(form, "no code") {
            let message = authenticator
                .call(operation, request)
                .refused(Status::InvalidSecret);
            assert!(message.starts_with("totpsecret: "), "{message}");
        }
    };
    let mut taken = 0;
    for row in vectors("uri_read.json") {
        let (uri, is) = (row["uri"].as_str().unwrap(), &row["is"]);
        if is.is_null() {
            refused(uri);
            continue;
        }
        let sealed = seal(&authenticator, uri);
        for form in [uri, &sealed] {
            let request = json!({"totpsecret": form, "username": "alice"});
            let reply = authenticator.call(factor2_create_secret, request.clone());
            assert_eq!(reply.ok()["totpsecret"], is["totpsecret"], "{uri}");
            if is["type"] == "hotp" {
                let generated = authenticator.call(factor2_generate, request).ok();
                assert_eq!(generated["counter"], is["counter"], "{uri}");
                continue;
            }
            let app = Authenticator::new(json!({
                "issuer": "Example", "algorithm": is["algorithm"], "digits": is["digits"],
                "period": is["period"], "fixed_time": NOW,
            }));
            let base32 = json!({"totpsecret": is["totpsecret"]});
            let shown = app.call(factor2_generate, base32).ok();
            let generated = authenticator.call(factor2_generate, request).ok();
            assert_eq!(generated["otp"], shown["otp"], "{uri}");
        }
        taken += 1;
    }
    assert!(taken > 25, "{taken}");
}
