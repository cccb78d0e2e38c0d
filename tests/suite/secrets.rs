//! Secrets: base32 read strictly, new ones from the operating system, and silence about them.

use std::collections::HashSet;

use data_encoding::{BASE32, BASE32_NOPAD, BASE64, HEXLOWER};
use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_generate, factor2_inspect, factor2_prepare_configuration,
    factor2_qr_png, factor2_reprepare_configuration, factor2_reset, factor2_verify,
};
use serde_json::{Value, json};

use crate::support::{Authenticator, OPERATIONS, Operation, Reply, SECRET};

/// When SECRET's code is 088309, says tests/vectors/codes.json.
const CLOCK: u64 = 1_111_111_109;

fn authenticator(secret_bytes: usize) -> Authenticator {
    Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "secret_bytes": secret_bytes, "fixed_time": CLOCK,
        "guard": {"store": "none"}, "qr": {"module_px": 1, "quiet_zone": 0},
    }))
}

/// How a secret gets in: each operation that takes one, by its request.
fn ways_in(secret: &str) -> [(Operation, Value); 7] {
    let session = json!({"totpsecret": secret, "factor2": "totp"});
    [
        (
            factor2_create_secret,
            json!({"username": "alice", "totpsecret": secret}),
        ),
        (
            factor2_qr_png,
            json!({"username": "alice", "totpsecret": secret}),
        ),
        (
            factor2_reprepare_configuration,
            json!({"username": "alice", "sessionKey": {"data": session}}),
        ),
        (
            factor2_verify,
            json!({"totpsecret": secret, "otp": "no code"}),
        ),
        (factor2_generate, json!({"totpsecret": secret})),
        (factor2_inspect, json!({"totpsecret": secret})),
        (factor2_reset, json!({"totpsecret": secret})),
    ]
}

/// Whether `secret` is taken, which every operation must see alike.
#[track_caller]
fn check(authenticator: &Authenticator, secret: &str, taken: bool) {
    for (operation, request) in ways_in(secret) {
        let reply = authenticator.call(operation, request);
        let refused = reply.status == Status::InvalidSecret as i32;
        assert_eq!(refused, !taken, "{secret:?}: {}", reply.text);
        if refused {
            let message = reply.refused(Status::InvalidSecret);
            assert!(message.starts_with("totpsecret: "), "{message}");
        }
    }
}

/// By the operation that does the least.
fn is_taken(authenticator: &Authenticator, secret: &str) -> bool {
    let reply = authenticator.call(factor2_generate, json!({"totpsecret": secret}));
    if reply.status != 0 {
        reply.refused(Status::InvalidSecret);
    }
    reply.status == 0
}

#[test]
fn secrets_have_10_to_64_bytes() {
    let authenticator = authenticator(20);
    for length in (0..=70).chain([80, 96, 100, 128, 255, 256, 1024, 4096]) {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8 + 1).collect();
        let taken = (10..=64).contains(&length);
        check(&authenticator, &BASE32_NOPAD.encode(&bytes), taken);
        check(&authenticator, &BASE32.encode(&bytes), taken);
    }
}

#[test]
fn secrets_of_zeros_are_refused() {
    let authenticator = authenticator(20);
    for length in 10..=64 {
        let mut bytes = vec![0; length];
        check(&authenticator, &BASE32_NOPAD.encode(&bytes), false);
        bytes[length - 1] = 1;
        assert!(is_taken(&authenticator, &BASE32_NOPAD.encode(&bytes)));
    }
}

/// RFC 4648 table 3: the five bits of a symbol, in either letter case.
fn bits(symbol: char) -> Option<u32> {
    match symbol {
        'A'..='Z' => Some(symbol as u32 - 'A' as u32),
        'a'..='z' => Some(symbol as u32 - 'a' as u32),
        '2'..='7' => Some(symbol as u32 - '2' as u32 + 26),
        _ => None,
    }
}

/// After ten bytes, whatever one or two characters can follow.
#[test]
fn every_end_of_one_or_two_characters() {
    const START: &str = "JBSWY3DPEHPK3PXP";
    let authenticator = authenticator(20);
    let characters: Vec<char> = (0..0x100)
        .chain([
            0x17F, 0x130, 0x131, 0x212A, 0xFF21, 0xFF41, 0xFF12, 0x662, 0x1D400,
        ])
        .filter_map(char::from_u32)
        .collect();
    for &first in &characters {
        // One symbol is no byte.
        assert!(
            !is_taken(&authenticator, &format!("{START}{first}")),
            "{first:?}"
        );
        for &second in characters
            .iter()
            .filter(|c| c.is_ascii() || bits(first).is_some())
        {
            let end = format!("{first}{second}");
            // Two are one byte, and two bits that must be zero.
            let good = bits(first).is_some() && bits(second).is_some_and(|bits| bits & 3 == 0);
            assert_eq!(
                is_taken(&authenticator, &format!("{START}{end}")),
                good,
                "{end:?}"
            );
        }
    }
}

#[test]
fn trailing_bits_are_zero() {
    let authenticator = authenticator(20);
    let symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for (length, unused) in [(18, 2), (20, 4), (21, 1), (23, 3), (24, 0)] {
        for symbol in symbols.chars() {
            let secret = "MFRGGZDFMZTWQ2LKNNWG23TP"[..length - 1].to_owned();
            let good = bits(symbol).unwrap() & ((1 << unused) - 1) == 0;
            for symbol in [symbol, symbol.to_ascii_lowercase()] {
                check(&authenticator, &format!("{secret}{symbol}"), good);
            }
        }
    }
    for impossible in [17, 19, 22, 25, 27, 30, 33] {
        check(&authenticator, &"A7".repeat(40)[..impossible], false);
    }
}

#[test]
fn padding_is_complete_or_absent() {
    let authenticator = authenticator(20);
    for length in 10..=64 {
        let bytes: Vec<u8> = (1..=length).collect();
        let symbols = BASE32_NOPAD.encode(&bytes);
        let complete = BASE32.encode(&bytes).len() - symbols.len();
        for padding in 0..=17 {
            let padded = format!("{symbols}{}", "=".repeat(padding));
            let good = padding == 0 || padding == complete;
            assert_eq!(is_taken(&authenticator, &padded), good, "{padded}");
        }
    }
    for secret in [
        "=JBSWY3DPEHPK3PXP",
        "JBSWY3DP=EHPK3PXP",
        "JBSWY3DPEH======JBSWY3DPEHPK3PXP",
        "JBSWY3DPEHPK3PXPMY======MY======",
        "JBSWY3DPEHPK3PXPMY===== =",
        "================",
        "JBSWY3DPEHPK3PXPMY\u{FF1D}=====",
    ] {
        check(&authenticator, secret, false);
    }
}

#[test]
fn nothing_is_folded_but_the_case_of_letters() {
    let authenticator = authenticator(20);
    for secret in ["JBSWY3DPEHPK3PXP", "jbswy3dpehpk3pxp", "JbSwY3dPeHpK3pXp"] {
        check(&authenticator, secret, true);
    }
    for secret in [
        " JBSWY3DPEHPK3PXP",
        "JBSWY3DPEHPK3PXP ",
        "JBSW Y3DP EHPK 3PXP",
        "JBSW-Y3DP-EHPK-3PXP",
        "JBSWY3DPEHPK3PXP\n",
        "JBSWY3DPEHPK3PXP\0",
        "JBSWY3DPEHPK3PX0",
        "JBSWY3DPEHPK3PX1",
        "JBSWY3DPEHPK3PX8",
        "JBSWY3DPEHPK3PX9",
        "JBSWY3DPEHPK3PX_",
        "JBSWY3DPEHPK3PX+",
        "JBSWY3DPEHPK3PX\u{212A}",
        "JBSWY3DPEHPK3PX\u{17F}",
        "0x4a425357593344504548504b",
        "SGVsbG8sIHdvcmxkIQ==",
        "48656c6c6f2c20776f726c6421",
        "\u{FEFF}JBSWY3DPEHPK3PXP",
    ] {
        check(&authenticator, secret, false);
    }
}

#[test]
fn read_secrets_are_written_the_same() {
    let authenticator = authenticator(20);
    for length in 10..=64 {
        let bytes: Vec<u8> = (0..length).map(|n| 255 - 3 * n).collect();
        let canonical = BASE32_NOPAD.encode(&bytes);
        let forms = [
            canonical.clone(),
            canonical.to_lowercase(),
            BASE32.encode(&bytes),
            BASE32.encode(&bytes).to_lowercase(),
        ];
        for form in forms {
            let request = json!({"username": "alice", "totpsecret": form});
            let answer = authenticator.call(factor2_create_secret, request).ok();
            assert_eq!(answer["totpsecret"], canonical);
            assert_eq!(
                answer.get("warnings").is_some(),
                length < 16,
                "{length} bytes"
            );
        }
    }
}

#[test]
fn new_secrets_are_random_and_of_the_wanted_length() {
    for length in 16..=64 {
        let authenticator = authenticator(length);
        let answer = authenticator
            .call(factor2_create_secret, json!({"username": "alice"}))
            .ok();
        let user = json!({"user": {"username": "alice"}});
        let prepared = authenticator.call(factor2_prepare_configuration, user).ok();
        for secret in [
            &answer["totpsecret"],
            &prepared["sessionData"]["totpsecret"],
        ] {
            let bytes = BASE32_NOPAD.decode(secret.as_str().unwrap().as_bytes());
            assert_eq!(bytes.unwrap().len(), length);
        }
        assert_eq!(answer.get("warnings"), None);
    }
    let authenticator = authenticator(64);
    let mut seen = HashSet::new();
    let mut ones = [0_u32; 512];
    const SECRETS: u32 = 400;
    for _ in 0..SECRETS {
        let answer = authenticator
            .call(factor2_create_secret, json!({"username": "alice"}))
            .ok();
        let secret = answer["totpsecret"].as_str().unwrap().to_owned();
        let bytes = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += u32::from(bytes[bit / 8] >> (bit % 8) & 1);
        }
        assert!(seen.insert(secret));
    }
    // Half of them, within seven standard deviations (of ten each): for every bit.
    for (bit, ones) in ones.into_iter().enumerate() {
        assert!(
            ones.abs_diff(SECRETS / 2) < 70,
            "bit {bit} was set {ones} times"
        );
    }
}

/// A secret and a code in every form in which they could slip out.
fn forms_of_the_canary() -> Vec<String> {
    let bytes = BASE32_NOPAD.decode(SECRET.as_bytes()).unwrap();
    let debug = format!("{bytes:?}");
    vec![
        SECRET.to_owned(),
        SECRET[..16].to_owned(),
        HEXLOWER.encode(&bytes),
        HEXLOWER.encode(&bytes[..8]),
        BASE64.encode(&bytes)[..16].to_owned(),
        debug[1..24].to_owned(),
        "918273".to_owned(),
        "canary".to_owned(),
        // The code that would have been right: see CLOCK.
        "088309".to_owned(),
    ]
}

/// Requests and settings that are wrong in every way next to, or within, the secret and the code.
#[test]
fn errors_never_tell_a_secret_or_a_code() {
    let good = json!({
        "username": "canary", "totpsecret": SECRET, "otp": "918273", "text": false, "last_step": 1,
        "user": {"username": "canary"},
        "sessionKey": {"data": {"totpsecret": SECRET, "factor2": "canary"}},
    });
    let members = [
        "username",
        "totpsecret",
        "otp",
        "text",
        "last_step",
        "user",
        "sessionKey",
    ];
    let wrong = [
        json!(SECRET),
        json!("918273"),
        json!(918_273),
        json!({ SECRET: "918273" }),
        json!([SECRET, "918273"]),
        json!({"data": format!("{{\"totpsecret\":\"{SECRET}")}),
        json!({"data": [SECRET]}),
        json!({"data": {"totpsecret": [SECRET], "factor2": "canary"}}),
        json!({"data": {"totpsecret": SECRET}}),
        json!(format!("{SECRET}1")),
        json!(format!("{SECRET}\u{1F510}")),
        json!(format!("canary:{SECRET}")),
        json!(format!("canary\n{SECRET}")),
        json!(SECRET.repeat(20)),
    ];
    let mut texts: Vec<String> = Vec::new();
    let sets: [&[&str]; 7] = [
        &[],
        &["username"],
        &["username", "totpsecret"],
        &["user"],
        &["username", "sessionKey"],
        &["totpsecret", "otp"],
        &["totpsecret"],
    ];
    for set in sets {
        let request: Value = set
            .iter()
            .map(|name| ((*name).to_owned(), good[*name].clone()))
            .collect();
        for member in members.iter().copied().chain([SECRET, "918273"]) {
            for value in &wrong {
                let mut request = request.clone();
                request[member] = value.clone();
                texts.push(request.to_string());
            }
        }
        let text = request.to_string();
        texts.extend((0..text.len()).map(|end| text[..end].to_owned()));
        texts.push(format!("{text}{SECRET}"));
        texts.push(format!("{text},"));
        texts.push(text.replace(SECRET, &format!("{SECRET}\\q")));
        texts.push(text.replace(SECRET, &format!("{SECRET}\\uD800")));
    }
    let forms = forms_of_the_canary();
    let authenticator = authenticator(20);
    let mut errors = 0;
    for text in &texts {
        let mut replies: Vec<Reply> = OPERATIONS
            .iter()
            .map(|(_, operation)| authenticator.call_raw(*operation, text.as_bytes()))
            .collect();
        let config = text.replace("username", "issuer");
        replies.extend(Authenticator::try_new(config.as_bytes()).err());
        for reply in replies.iter().filter(|reply| reply.status != 0) {
            let error = reply.text.to_lowercase();
            for form in &forms {
                assert!(!error.contains(&form.to_lowercase()), "{text}: {error}");
            }
            errors += 1;
        }
    }
    assert!(errors > 5_000, "{errors}");
}
