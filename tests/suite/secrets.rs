//! Secrets: base32 read as people have it, new ones from the operating system, and silence about them.

use std::collections::HashSet;

use data_encoding::{BASE32, BASE32_NOPAD, BASE64, HEXLOWER};
use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_diagnose, factor2_generate, factor2_inspect,
    factor2_prepare_configuration, factor2_qr, factor2_reprepare_configuration, factor2_reset,
    factor2_resync, factor2_verify,
};
use serde_json::{Value, json};

use crate::support::{Authenticator, OPERATIONS, Operation, Reply, SECRET, run, tool, warnings};

/// When SECRET's code is 088309, says tests/vectors/codes.json.
const CLOCK: u64 = 1_111_111_109;

fn authenticator(secret_bytes: usize) -> Authenticator {
    Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "secret_bytes": secret_bytes, "fixed_time": CLOCK,
        "guard": {"store": "none"}, "qr": {"module_px": 1, "quiet_zone": 0},
    }))
}

/// How a secret gets in: each operation that takes one, by its request.
fn ways_in(secret: &str) -> [(Operation, Value); 9] {
    let session = json!({"totpsecret": secret, "factor2": "totp"});
    [
        (
            factor2_create_secret,
            json!({"username": "alice", "totpsecret": secret}),
        ),
        (
            factor2_qr,
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
        (
            factor2_resync,
            json!({"totpsecret": secret, "otp": "no code", "next_otp": "no code"}),
        ),
        (
            factor2_diagnose,
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
fn secrets_have_10_to_512_bytes() {
    let authenticator = authenticator(20);
    for length in (0..=80).chain([96, 100, 128, 255, 256, 510, 511, 512, 513, 514, 1024, 4096]) {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8 + 1).collect();
        let taken = (10..=512).contains(&length);
        check(&authenticator, &BASE32_NOPAD.encode(&bytes), taken);
        check(&authenticator, &BASE32.encode(&bytes), taken);
    }
}

#[test]
fn secrets_of_zeros_are_refused() {
    let authenticator = authenticator(20);
    for length in (10..=64).chain([65, 512]) {
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

/// What stands between symbols and means nothing, of the first 256 characters.
fn means_nothing(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '-' | '\u{85}' | '\u{A0}' | '\u{AD}')
}

/// After ten bytes, whatever one or two characters can follow.
#[test]
fn every_end_of_one_or_two_characters() {
    const START: &str = "JBSWY3DPEHPK3PXP";
    let authenticator = authenticator(20);
    let characters: Vec<char> = (0..0x100)
        .chain([
            0x17F, 0x130, 0x131, 0x212A, 0xFF21, 0xFF41, 0xFF12, 0xFF1D, 0x662, 0x1D400,
        ])
        .filter_map(char::from_u32)
        .collect();
    let ends = |c: char| means_nothing(c) || c == '=';
    for &first in &characters {
        // One symbol is no byte.
        assert_eq!(
            is_taken(&authenticator, &format!("{START}{first}")),
            ends(first),
            "{first:?}"
        );
        for &second in characters
            .iter()
            .filter(|c| c.is_ascii() || bits(first).is_some() || ends(first))
        {
            let end = format!("{first}{second}");
            let good = match (bits(first), bits(second)) {
                (Some(_), Some(_)) => true,
                (None, None) => ends(first) && ends(second),
                _ => false,
            };
            assert_eq!(
                is_taken(&authenticator, &format!("{START}{end}")),
                good,
                "{end:?}"
            );
        }
    }
}

/// What factor2_create_secret makes of a given secret, and its warnings.
#[track_caller]
fn kept(authenticator: &Authenticator, given: &str) -> (String, Vec<String>) {
    let request = json!({"username": "alice", "totpsecret": given});
    let answer = authenticator.call(factor2_create_secret, request).ok();
    let kept = answer["totpsecret"].as_str().unwrap().to_owned();
    let warnings = warnings(&answer).into_iter().map(str::to_owned).collect();
    (kept, warnings)
}

#[test]
fn bits_that_make_no_byte_are_dropped_with_a_warning() {
    let authenticator = authenticator(20);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    // 26, 28, 29, 31 and 32 symbols leave so many bits.
    for (length, unused) in [(26, 2), (28, 4), (29, 1), (31, 3), (32, 0)] {
        for symbol in alphabet.chars() {
            let start = &"MFRGGZDFMZTWQ2LKNNWG23TPMFRGGZDF"[..length - 1];
            let rest = bits(symbol).unwrap() & ((1 << unused) - 1);
            let whole = alphabet.as_bytes()[(bits(symbol).unwrap() - rest) as usize] as char;
            for symbol in [symbol, symbol.to_ascii_lowercase()] {
                let (kept, warnings) = kept(&authenticator, &format!("{start}{symbol}"));
                assert_eq!(kept, format!("{start}{whole}"));
                let dropped = warnings.iter().any(|text| text.contains("dropped"));
                assert_eq!(dropped, rest != 0, "{symbol}");
                assert!(warnings.len() <= 1, "{warnings:?}");
            }
        }
    }
    let pair = kept(&authenticator, "J3WWIV3PTGJPQV5QAICM");
    assert_eq!(pair.0, "J3WWIV3PTGJPQV5QAICA");
    let [short, dropped] = &pair.1[..] else {
        panic!("{pair:?}")
    };
    assert!(short.contains("128 bits") && dropped.contains("dropped"));
}

#[test]
fn a_symbol_that_makes_no_byte_is_one_too_many() {
    let authenticator = authenticator(20);
    for impossible in [17, 19, 22, 25, 27, 30, 33, 65, 817, 819] {
        let secret = "A7".repeat(500)[..impossible].to_owned();
        check(&authenticator, &secret, false);
        check(&authenticator, &format!("{secret}======="), false);
        let reply = authenticator.call(factor2_generate, json!({"totpsecret": secret}));
        let message = reply.refused(Status::InvalidSecret);
        assert!(message.contains("a symbol is missing"), "{message}");
    }
}

/// oathtool is the other reader: secrets as other programs made and stored them.
#[test]
fn secrets_of_other_programs_give_oathtools_codes() {
    let of_symbols =
        |symbols: usize| "N7FGQ2LK3PXWYOT4MZCEAJ5RHBVSUI6D".repeat(26)[..symbols].to_owned();
    let mut secrets = vec![
        // pyotp's default of old: 26 symbols, of which two bits are left over; twice.
        "S46SQCPPTCNPROMHWYBDCTBZXV".to_owned(),
        "ZZ7Q2LK3PXWYOT4MZCEAJ5RHBV".to_owned(),
        "J3WWIV3PTGJPQV5QAICM".to_owned(),
        "jbsw y3dp ehpk 3pxp".to_owned(),
        "S46S QCPP TCNP ROMH WYBD CTBZ XV".to_owned(),
        "GEZDGNBVGY3TQOJQGEZA====".to_owned(),
    ];
    // 72, 80, 128, 256 and 512 bytes; and around the blocks of the HMACs, 64 and 128.
    secrets.extend([103, 104, 116, 128, 205, 207, 410, 820].map(of_symbols));
    for algorithm in ["SHA1", "SHA256", "SHA512"] {
        let authenticator = Authenticator::new(json!({
            "issuer": "Example", "algorithm": algorithm, "fixed_time": CLOCK,
            "guard": {"store": "none"}, "qr": {"module_px": 1, "error_correction": "L"},
        }));
        for secret in &secrets {
            let output = run(tool("oathtool")
                .arg("--base32")
                .arg(format!("--totp={algorithm}"))
                .arg(format!("--now=@{CLOCK}"))
                .arg(secret));
            let code = String::from_utf8(output.stdout).unwrap();
            let (kept, _) = kept(&authenticator, secret);
            for form in [secret, &kept, &format!("{kept}===")] {
                let answer = authenticator
                    .call(factor2_generate, json!({"totpsecret": form}))
                    .ok();
                assert_eq!(answer["otp"], code.trim_end(), "{algorithm} {form}");
                let request = json!({"totpsecret": form, "otp": code.trim_end()});
                authenticator.call(factor2_verify, request).ok();
            }
        }
    }
}

#[test]
fn padding_may_be_of_any_length_but_ends_a_secret() {
    let authenticator = authenticator(20);
    for length in [10, 11, 12, 13, 14, 64, 512] {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 255) as u8 + 1).collect();
        let symbols = BASE32_NOPAD.encode(&bytes);
        for padding in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17] {
            let padded = format!("{symbols}{}", "=".repeat(padding));
            assert_eq!(kept(&authenticator, &padded).0, symbols);
        }
        assert_eq!(
            kept(&authenticator, &format!("{symbols}= = =\n")).0,
            symbols
        );
    }
    for (secret, place) in [
        ("=JBSWY3DPEHPK3PXP", 1),
        ("JBSWY3DP=EHPK3PXP", 9),
        ("JBSWY3DPEH======JBSWY3DPEHPK3PXP", 11),
        ("JBSWY3DPEHPK3PXPMY======MY======", 19),
        ("================", 1),
    ] {
        check(&authenticator, secret, false);
        let reply = authenticator.call(factor2_generate, json!({"totpsecret": secret}));
        let message = reply.refused(Status::InvalidSecret);
        assert!(message.contains("padding"), "{message}");
        assert!(message.contains(&format!("symbol {place} ")), "{message}");
    }
}

#[test]
fn blanks_dashes_and_what_cannot_be_seen_mean_nothing() {
    let authenticator = authenticator(20);
    for given in [
        "jbswy3dpehpk3pxp",
        "JbSwY3dPeHpK3pXp",
        " JBSWY3DPEHPK3PXP ",
        "JBSW Y3DP EHPK 3PXP",
        "JBSW-Y3DP-EHPK-3PXP",
        "JBSWY3DPEHPK3PXP\n",
        "JBSWY3DPEHPK3PXP\r\n",
        "\tJBSWY3DP\tEHPK3PXP",
        "JBSW\u{A0}Y3DP\u{202F}EHPK\u{3000}3PXP",
        "JBSW\u{2013}Y3DP\u{2011}EHPK\u{2212}3PXP",
        "\u{FEFF}JBSW\u{200B}Y3DP\u{2060}EHPK\u{AD}3PXP\u{200E}",
    ] {
        check(&authenticator, given, true);
        assert_eq!(
            kept(&authenticator, given).0,
            "JBSWY3DPEHPK3PXP",
            "{given:?}"
        );
    }
    // Ten bytes do not hide among them, however many there are.
    let padded = format!("{SECRET}{}", " \u{2003}-".repeat(12_000));
    assert!(is_taken(&authenticator, &padded));
    assert!(!is_taken(&authenticator, &" \u{2003}-".repeat(12_000)));
}

#[test]
fn no_symbol_is_taken_for_another_and_the_message_says_which_kind_stands_where() {
    let authenticator = authenticator(20);
    let digit = "is one of the digits 0, 1, 8, 9";
    for (end, kind) in [
        ("0", digit),
        ("1", digit),
        ("8", digit),
        ("9", digit),
        ("_", "is a punctuation mark"),
        ("+", "is a punctuation mark"),
        ("\0", "is a control character"),
        ("\u{1B}", "is a control character"),
        ("\u{212A}", "is not of ASCII"),
        ("\u{17F}", "is not of ASCII"),
        ("\u{FF21}", "is not of ASCII"),
        ("\u{FF1D}", "is not of ASCII"),
        ("\u{1F510}", "is not of ASCII"),
    ] {
        for groups in ["JBSWY3DPEHPK3PX", "JBSW Y3DP-EHPK\u{A0}3PX"] {
            let secret = format!("{groups}{end}A");
            check(&authenticator, &secret, false);
            let reply = authenticator.call(factor2_generate, json!({"totpsecret": secret}));
            let message = reply.refused(Status::InvalidSecret);
            let expected = format!("totpsecret: not base32: symbol 16 {kind}");
            assert!(message.starts_with(&expected), "{message}");
        }
    }
    for secret in [
        "0x4a425357593344504548504b",
        "SGVsbG8sIHdvcmxkIQ==",
        "48656c6c6f2c20776f726c6421",
        "otpauth:JBSWY3DPEHPK3PXP",
    ] {
        check(&authenticator, secret, false);
    }
}

#[test]
fn read_secrets_are_written_the_same() {
    let authenticator = authenticator(20);
    for length in (10..=64).chain([65, 72, 80, 128, 256, 512]) {
        let bytes: Vec<u8> = (0..length).map(|n| (255 - 3 * n) as u8).collect();
        let canonical = BASE32_NOPAD.encode(&bytes);
        let forms = [
            canonical.clone(),
            canonical.to_lowercase(),
            BASE32.encode(&bytes),
            BASE32.encode(&bytes).to_lowercase(),
        ];
        for form in forms {
            let (kept, warnings) = kept(&authenticator, &form);
            assert_eq!(kept, canonical);
            assert_eq!(warnings.len(), usize::from(length < 16), "{length} bytes");
        }
    }
}

/// A symbol at error correction H holds 1273 bytes; what takes most of them is named.
#[test]
fn a_uri_that_is_too_long_is_laid_to_the_right_cause() {
    let authenticator = Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "qr": {"module_px": 1, "error_correction": "H"},
    }));
    let long_secret = BASE32_NOPAD.encode(&[7; 512]);
    let long_name = "x".repeat(700);
    for (operation, username, secret, named) in [
        (
            factor2_create_secret as Operation,
            &*long_name,
            &*long_secret,
            "totpsecret: ",
        ),
        (factor2_qr, &long_name, &long_secret, "totpsecret: "),
        (factor2_qr, &"x".repeat(1300), SECRET, "request.username: "),
    ] {
        let request = json!({"username": username, "totpsecret": secret});
        let message = authenticator
            .call(operation, request)
            .refused(Status::BadRequest);
        assert!(message.starts_with(named), "{message}");
        assert!(message.contains("more than a QR code holds"), "{message}");
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
        "username": "canary", "totpsecret": SECRET, "otp": "918273", "format": "png", "last_step": 1,
        "user": {"username": "canary"},
        "sessionKey": {"data": {"totpsecret": SECRET, "factor2": "canary"}},
    });
    let members = [
        "username",
        "totpsecret",
        "otp",
        "format",
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
