//! Why a code is refused.

use factor2::Status;
use factor2::capi::{factor2_diagnose, factor2_inspect};
use serde_json::{Value, json};

use crate::hotp::{self, assert_accepted, code_of, press, token, wrong_code_of};
use crate::people::{NOW, secret, verify, wrong_code_at};
use crate::stores::{Service, Store};
use crate::support::Authenticator;

/// An app that does as its settings say, so many seconds after [`NOW`].
fn app(settings: Value, seconds: i64) -> String {
    let mut config = settings;
    config["issuer"] = json!("Test");
    config["guard"] = json!({"store": "none"});
    config["fixed_time"] = json!(NOW.saturating_add_signed(seconds));
    let request = json!({"totpsecret": secret(1)});
    let generated = Authenticator::new(config)
        .call(factor2::capi::factor2_generate, request)
        .ok();
    generated["otp"].as_str().unwrap().to_owned()
}

fn server(settings: Value) -> Authenticator {
    let mut config = settings;
    config["issuer"] = json!("Test");
    config["fixed_time"] = json!(NOW);
    Authenticator::new(config)
}

/// Checks that asking changes nothing; gives the answer.
#[track_caller]
fn ask(authenticator: &Authenticator, secret: &str, codes: &[&str]) -> Value {
    let inspect = || {
        authenticator
            .call(factor2_inspect, json!({"totpsecret": secret}))
            .ok()
    };
    let before = inspect();
    let mut request = json!({"totpsecret": secret, "otp": codes[0]});
    if let Some(next_otp) = codes.get(1) {
        request["next_otp"] = json!(next_otp);
    }
    let answer = authenticator.call(factor2_diagnose, request).ok();
    assert_eq!(inspect(), before);
    assert!(answer["accepted"].is_null());
    answer
}

/// The findings about the first user's code, each with its chance apart.
#[track_caller]
fn findings(authenticator: &Authenticator, codes: &[&str]) -> (Vec<Value>, Vec<f64>) {
    let answer = ask(authenticator, &secret(1), codes);
    assert_eq!(answer["right"], false, "{answer}");
    parted(&answer)
}

fn parted(answer: &Value) -> (Vec<Value>, Vec<f64>) {
    let mut chances = Vec::new();
    let mut findings = answer["findings"].as_array().unwrap().clone();
    for finding in &mut findings {
        chances.extend(
            finding
                .as_object_mut()
                .unwrap()
                .remove("chance")
                .and_then(|c| c.as_f64()),
        );
    }
    (findings, chances)
}

/// As it is told: 1 - (1 - 10^-digits)^codes.
#[track_caller]
fn assert_chance(told: f64, digits: i32, codes: f64) {
    let expected = 1.0 - (1.0 - 10f64.powi(-digits)).powf(codes);
    // The expected value loses some digits.
    assert!(
        (told - expected).abs() < 1e-12 + expected * 1e-3,
        "{told} and {expected}"
    );
}

#[test]
fn a_right_code_is_right() {
    for seconds in [-30, 0, 30] {
        let answer = ask(&server(json!({})), &secret(1), &[&app(json!({}), seconds)]);
        assert_eq!(answer, json!({"right": true, "findings": []}));
    }
    let (before, now) = (app(json!({}), -30), app(json!({}), 0));
    let answer = ask(&server(json!({})), &secret(1), &[&before, &now]);
    assert_eq!(answer, json!({"right": true, "findings": []}));
}

#[test]
fn a_clock_that_is_wrong() {
    for (period, reach) in [(30, 2880), (60, 1440)] {
        let settings = json!({"period": period, "digits": 8});
        let authenticator = server(settings.clone());
        for drift in [-14, 14, 2, -reach, reach] {
            let codes = [drift - 1, drift].map(|drift| app(settings.clone(), drift * period));
            let expected = [json!({"what": "clock", "drift": drift, "drift_s": drift * period})];
            let (found, chances) = findings(&authenticator, &[&codes[1]]);
            assert_eq!(found, expected);
            assert_chance(chances[0], 8, (2 * reach + 1) as f64);
            let (found, chances) = findings(&authenticator, &[&codes[0], &codes[1]]);
            assert_eq!(found, expected);
            assert!(chances[0] < 1e-12, "{chances:?}");
        }
        let far = app(settings.clone(), (reach + 1) * period);
        assert_eq!(findings(&authenticator, &[&far]).0, [json!(null); 0]);
    }
    // Around a drift that is known, a code is right.
    let request = json!({"totpsecret": secret(1), "otp": app(json!({}), 240), "drift": 9});
    let answer = server(json!({})).call(factor2_diagnose, request).ok();
    assert_eq!(answer, json!({"right": true, "findings": []}));
}

#[test]
fn an_app_that_ignores_settings() {
    let sha256 = json!({"what": "algorithm", "algorithm": "SHA256"});
    let sha1 = json!({"what": "algorithm", "algorithm": "SHA1"});
    let period = |period: u64| json!({"what": "period", "period": period});
    let digits = |digits: u64| json!({"what": "digits", "digits": digits});
    for (settings, shown, expected) in [
        (
            json!({"algorithm": "SHA256"}),
            json!({}),
            vec![sha1.clone()],
        ),
        (
            json!({"algorithm": "SHA512"}),
            json!({"algorithm": "SHA256"}),
            vec![sha256.clone()],
        ),
        (json!({}), json!({"algorithm": "SHA256"}), vec![sha256]),
        (json!({"digits": 8}), json!({}), vec![digits(6)]),
        (json!({}), json!({"digits": 8}), vec![digits(8)]),
        (json!({"period": 60}), json!({}), vec![period(30)]),
        (json!({}), json!({"period": 60}), vec![period(60)]),
        (json!({"period": 47}), json!({}), vec![period(30)]),
        (
            json!({"period": 47, "digits": 7}),
            json!({"period": 47}),
            vec![digits(6)],
        ),
        (
            json!({"algorithm": "SHA256", "digits": 8, "period": 60}),
            json!({}),
            vec![sha1, digits(6), period(30)],
        ),
    ] {
        let authenticator = server(settings.clone());
        let own = settings["period"].as_i64().unwrap_or(30);
        let its = shown["period"].as_i64().unwrap_or(30);
        let codes = [-its, 0].map(|seconds| app(shown.clone(), seconds));
        let (found, chances) = findings(&authenticator, &[&codes[1]]);
        assert_eq!(found, expected, "{settings}");
        // Three algorithms and seven periods, or eight with the settings' own, which are not searched again.
        let usual = [15, 20, 30, 45, 60, 90, 120].contains(&own);
        let is_own = codes[1].len() as u64 == settings["digits"].as_u64().unwrap_or(6);
        let schemes = 3 * if usual { 7 } else { 8 } - i32::from(is_own);
        for &chance in &chances {
            assert_chance(chance, codes[1].len() as i32, f64::from(3 * schemes));
        }
        let (found, chances) = findings(&authenticator, &[&codes[0], &codes[1]]);
        assert_eq!(found, expected, "{settings}");
        assert!(chances.iter().all(|&chance| chance < 1e-6), "{chances:?}");
    }
    // Two codes tell that the clock is wrong as well.
    let codes = [-450, -420].map(|seconds| app(json!({}), seconds));
    let authenticator = server(json!({"algorithm": "SHA256"}));
    let clock = json!({"what": "clock", "drift": -14, "drift_s": -420});
    let (found, _) = findings(&authenticator, &[&codes[0], &codes[1]]);
    assert_eq!(
        found,
        [json!({"what": "algorithm", "algorithm": "SHA1"}), clock]
    );
}

#[test]
fn a_code_that_was_used() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({}));
        let authenticator = service.at(NOW);
        let step = NOW / 30;
        let used = |step: u64| [json!({"what": "used", "step": step})];
        let code = app(json!({}), 0);
        verify(authenticator, 1, &code).ok();
        assert_eq!(findings(authenticator, &[&code]).0, used(step));
        assert_eq!(
            findings(authenticator, &[&app(json!({}), -30)]).0,
            used(step - 1)
        );
        let next = app(json!({}), 30);
        assert_eq!(ask(authenticator, &secret(1), &[&next])["right"], true);
        assert_eq!(findings(authenticator, &[&code, &next]).0, used(step + 1));
        // The last one is known, however late it comes again.
        let authenticator = service.at(NOW + 7 * 86_400);
        assert_eq!(findings(authenticator, &[&code]).0, used(step));
    }
    let authenticator = server(json!({"guard": {"store": "none"}}));
    let request = json!({"totpsecret": secret(1), "otp": app(json!({}), 0), "last_step": NOW / 30});
    let answer = authenticator.call(factor2_diagnose, request).ok();
    assert_eq!(
        parted(&answer).0,
        [json!({"what": "used", "step": NOW / 30})]
    );
}

#[test]
fn a_lock() {
    for store in Store::all() {
        let mut service = Service::new(&store, json!({"hard": 6, "base_delay_s": 240}));
        let authenticator = service.at(NOW);
        let wrong = wrong_code_at(1, NOW);
        for _ in 0..5 {
            verify(authenticator, 1, &wrong).refused(Status::InvalidToken);
        }
        let authenticator = service.at(NOW + 10);
        let answer = ask(authenticator, &secret(1), &[&app(json!({}), 0)]);
        let locked = json!({"what": "locked", "retry_after_s": 230});
        assert_eq!(answer, json!({"right": true, "findings": [locked]}));
        let authenticator = service.at(NOW + 240);
        verify(authenticator, 1, &wrong_code_at(1, NOW + 240)).refused(Status::Disabled);
        let answer = ask(authenticator, &secret(1), &[&app(json!({}), 240)]);
        assert_eq!(
            answer,
            json!({"right": true, "findings": [{"what": "disabled"}]})
        );
    }
}

#[test]
fn a_counter_that_ran_away() {
    for store in Store::all() {
        let authenticator = store.open();
        let uri = token(1, 5);
        let about = |codes: &[&str]| {
            let answer = ask(&authenticator, &uri, codes);
            (answer["right"] == true, parted(&answer))
        };
        let of = |counter| code_of(&uri, counter);
        assert!(about(&[&of(5)]).0);
        assert!(about(&[&of(14)]).0);
        assert_accepted(&press(&authenticator, &uri, 6), 6);
        for (counter, ahead) in [(17, 10), (44, 37), (1006, 999)] {
            let (right, (found, chances)) = about(&[&of(counter)]);
            assert_eq!(
                (right, found),
                (false, vec![json!({"what": "counter", "ahead": ahead})])
            );
            assert_chance(chances[0], 6, 1000.0);
            let (_, (found, chances)) = about(&[&of(counter - 1), &of(counter)]);
            assert_eq!(found, [json!({"what": "counter", "ahead": ahead})]);
            assert!(chances[0] < 1e-8);
        }
        assert!(about(&[&of(1007)]).1.0.is_empty());
        for used in [6, 5, 0] {
            let (right, (found, _)) = about(&[&of(used)]);
            assert_eq!(
                (right, found),
                (false, vec![json!({"what": "used", "counter": used})])
            );
        }
        let longer = uri.replace("counter", "digits=8&algorithm=SHA512&counter");
        let (_, (found, _)) = about(&[&code_of(&longer, 8)]);
        let algorithm = json!({"what": "algorithm", "algorithm": "SHA512"});
        assert_eq!(found, [algorithm, json!({"what": "digits", "digits": 8})]);
        assert!(about(&[&wrong_code_of(&uri, 0)]).1.0.is_empty());
        assert_eq!(hotp::inspect(&authenticator, &uri)["last_step"], 6);
    }
}

#[test]
fn what_is_no_code_is_refused() {
    let authenticator = server(json!({}));
    let try_with = |codes: Value| {
        let mut request = codes;
        request["totpsecret"] = json!(secret(1));
        authenticator.call(factor2_diagnose, request)
    };
    for codes in [
        json!({"otp": ""}),
        json!({"otp": "12345"}),
        json!({"otp": "123456789"}),
        json!({"otp": "12345x"}),
        json!({"otp": "123456", "next_otp": "12345678"}),
        json!({"otp": "123456", "next_otp": ""}),
    ] {
        let message = try_with(codes).refused(Status::InvalidToken);
        assert!(message.contains("6 to 8"), "{message}");
    }
    try_with(json!({})).refused(Status::InvalidToken);
    try_with(json!({"otp": " 123-456 ", "next_otp": "\u{662}34567"})).ok();
    let request = json!({"totpsecret": null, "otp": "123456"});
    authenticator
        .call(factor2_diagnose, request)
        .refused(Status::BadRequest);
}
