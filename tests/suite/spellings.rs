//! Codes as people and devices type them: what is taken, that nothing else is, and that no spelling is a
//! second code.

use std::time::{Duration, Instant};

use factor2::Status;
use factor2::capi::{factor2_inspect, factor2_verify};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

use crate::oracles::random;
use crate::support::{Authenticator, Reply, SECRET};

/// A time and its code, for SECRET, from tests/vectors/codes.json; and a code that is wrong then.
const TIME: u64 = 1_111_111_109;
const CODE: &str = "088309";
const WRONG: &str = "088308";
const STEP: u64 = TIME / 30;

/// The zeros of the digits that count.
const ZEROS: [u32; 5] = [0x30, 0xFF10, 0x660, 0x6F0, 0x966];

/// Those of other scripts, of mathematics, and what only looks like digits.
const OTHER_ZEROS: [u32; 24] = [
    0x7C0, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0x1040,
    0x17E0, 0x1810, 0x2070, 0x2080, 0x245F, 0x2775, 0xA8E0, 0xABF0, 0x104A0, 0x1D7CE, 0x1FBF0,
];

/// Unicode's White_Space, its dashes, and its characters without width.
const MEANINGLESS: [(u32, u32); 33] = [
    (0x9, 0xD),
    (0x20, 0x20),
    (0x85, 0x85),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0x2D, 0x2D),
    (0x58A, 0x58A),
    (0x5BE, 0x5BE),
    (0x1400, 0x1400),
    (0x1806, 0x1806),
    (0x2010, 0x2015),
    (0x2212, 0x2212),
    (0x2E17, 0x2E17),
    (0x2E1A, 0x2E1A),
    (0x2E3A, 0x2E3B),
    (0x301C, 0x301C),
    (0x3030, 0x3030),
    (0x30A0, 0x30A0),
    (0xFE31, 0xFE32),
    (0xFE58, 0xFE58),
    (0xFE63, 0xFE63),
    (0xFF0D, 0xFF0D),
    (0xAD, 0xAD),
    (0x61C, 0x61C),
    (0x180E, 0x180E),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
];

/// Beside these: U+FEFF, and some that are rarer.
const MEANINGLESS_TOO: [u32; 7] = [0xFEFF, 0x2E40, 0x2E5D, 0x10D6E, 0x10EAD, 0xE0001, 0xE0041];

fn character(point: u32) -> char {
    char::from_u32(point).unwrap()
}

fn meaningless() -> Vec<char> {
    let ranges = MEANINGLESS
        .into_iter()
        .flat_map(|(first, last)| first..=last);
    // Not assigned, and not a format character.
    let points = ranges.filter(|&point| point != 0x2065);
    points.chain(MEANINGLESS_TOO).map(character).collect()
}

fn without_store() -> Authenticator {
    with_guard(json!({"store": "none"}))
}

fn with_guard(guard: Value) -> Authenticator {
    Authenticator::new(json!({"issuer": "Example", "fixed_time": TIME, "guard": guard}))
}

fn verify(authenticator: &Authenticator, otp: &str) -> Reply {
    authenticator.call(factor2_verify, json!({"totpsecret": SECRET, "otp": otp}))
}

#[track_caller]
fn taken(otp: &str) {
    let reply = verify(&without_store(), otp);
    assert_eq!(reply.status, 0, "{otp:?}: {}", reply.text);
    assert_eq!(reply.ok()["step"], STEP);
}

#[track_caller]
fn no_code(otp: &str) {
    let message = verify(&without_store(), otp).refused(Status::InvalidToken);
    assert_eq!(message, "request.otp: must be 6 digits", "{otp:?}");
}

/// The code with each digit in one of these scripts.
fn in_scripts(code: &str, mut zero: impl FnMut() -> u32) -> String {
    let digits = code.chars().map(|c| c.to_digit(10).unwrap());
    digits.map(|digit| character(zero() + digit)).collect()
}

#[test]
fn codes_as_devices_type_them() {
    for otp in [
        "088 309",
        "0 8 8-3 0 9",
        " 088309 ",
        "--088309",
        "088309\n",
        "088309\r\n",
        "\t088309",
        "088\u{A0}309",
        "088\u{202F}309",
        "088\u{2013}309",
        "\u{FEFF}088\u{200B}309",
        "\u{200E}\u{2066}088309\u{2069}",
        "０８８３０９",
        "０８８　３０９",
        "٠٨٨٣٠٩",
        "۰۸۸۳۰۹",
        "०८८३०९",
    ] {
        taken(otp);
    }
}

#[test]
fn what_means_nothing_may_stand_anywhere() {
    for c in meaningless() {
        taken(&format!("{c}088{c}{c}309{c}"));
        no_code(&format!("088{c}30"));
        no_code(&c.to_string());
    }
}

#[test]
fn digits_of_five_scripts_count_and_no_others() {
    for zero in ZEROS {
        taken(&in_scripts(CODE, || zero));
        for other in ZEROS {
            let mut zeros = [zero, other].into_iter().cycle();
            taken(&in_scripts(CODE, || zeros.next().unwrap()));
        }
        // Before the zero and behind the nine of a script is nothing that counts.
        for beside in [zero - 1, zero + 10] {
            no_code(&format!("{}88309", character(beside)));
        }
    }
    for zero in OTHER_ZEROS {
        no_code(&format!("{}88309", character(zero)));
        no_code(&in_scripts(CODE, || zero));
    }
}

/// Every character of the first two planes, and more, by what it does in a code.
#[test]
fn nothing_else_is_folded_or_dropped() {
    let meaningless = meaningless();
    let authenticator = without_store();
    let points = (0..0x3_0000).chain(0xE_0000..0xE_0200);
    let mut dropped = 0;
    for c in points.filter_map(char::from_u32) {
        let is_meaningless = meaningless.contains(&c) || ('\u{E0020}'..='\u{E007F}').contains(&c);
        let reply = verify(&authenticator, &format!("0883{c}09"));
        assert_eq!(reply.status == 0, is_meaningless, "{c:?}: {}", reply.text);
        dropped += u32::from(is_meaningless);
        // The code's digits are 0, 3, 8 and 9: the nine alone is right in its place.
        let is_nine = ZEROS.iter().any(|zero| zero + 9 == u32::from(c));
        let reply = verify(&authenticator, &format!("08830{c}"));
        assert_eq!(reply.status == 0, is_nine, "{c:?}: {}", reply.text);
    }
    assert_eq!(dropped, meaningless.len() as u32 + 95);
}

#[test]
fn a_code_among_64_kib_of_blanks_is_read_soon() {
    let authenticator = without_store();
    let start = Instant::now();
    for filler in [" ", "-", "\u{2003}", "\u{200B}"] {
        let around = filler.repeat(32_000 / filler.len());
        let otp = format!("{around}088{around}309");
        verify(&authenticator, &otp).ok();
        verify(&authenticator, &format!("{otp}0")).refused(Status::InvalidToken);
    }
    // Eight calls, of a millisecond at most; but this must hold on a busy machine.
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// Some spelling of a code.
fn spelling(code: &str, random: &mut TestRng) -> String {
    let meaningless = meaningless();
    let mut text = String::new();
    for digit in in_scripts(code, || ZEROS[random.random_range(0..5)]).chars() {
        while random.random_range(0..3) == 0 {
            text.push(meaningless[random.random_range(0..meaningless.len())]);
        }
        text.push(digit);
    }
    text
}

/// A guard that remembers takes one spelling, once, and counts a wrong code once for each try.
fn one_spelling_is_accepted(guard: Value) {
    let mut random = random();
    let inspect = |authenticator: &Authenticator| {
        authenticator
            .call(factor2_inspect, json!({"totpsecret": SECRET}))
            .ok()
    };
    let authenticator = with_guard(guard);
    for wrong in 1..=3 {
        verify(&authenticator, &spelling(WRONG, &mut random)).refused(Status::InvalidToken);
        assert_eq!(inspect(&authenticator)["failures"], wrong);
    }
    assert_eq!(
        verify(&authenticator, &spelling(CODE, &mut random)).ok()["step"],
        STEP
    );
    let mut again = vec![
        CODE.to_owned(),
        format!("{CODE}\n"),
        "０８８３０９".to_owned(),
    ];
    again.extend((0..50).map(|_| spelling(CODE, &mut random)));
    for otp in again {
        verify(&authenticator, &otp).refused(Status::TokenReused);
    }
    let record = inspect(&authenticator);
    assert_eq!(
        (&record["last_step"], &record["failures"]),
        (&json!(STEP), &json!(0))
    );
}

#[test]
fn no_spelling_is_a_second_code_in_memory() {
    one_spelling_is_accepted(json!({"store": "memory"}));
}

#[test]
#[cfg(feature = "sqlite")]
fn no_spelling_is_a_second_code_in_sqlite() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let folder = crate::support::scratch("spellings");
    set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let path = folder.join("guard.db");
    one_spelling_is_accepted(json!({"store": "sqlite", "path": path, "create": true}));
}

#[test]
#[cfg(feature = "redis")]
fn no_spelling_is_a_second_code_in_redis() {
    let server = crate::guard_redis::server::Server::start(&[]);
    one_spelling_is_accepted(json!({"store": "redis", "url": server.url()}));
}

#[test]
fn no_spelling_is_a_second_code_where_the_caller_keeps_the_step() {
    let mut random = random();
    let authenticator = without_store();
    for _ in 0..200 {
        let otp = spelling(CODE, &mut random);
        let request = json!({"totpsecret": SECRET, "otp": otp, "last_step": STEP});
        authenticator
            .call(factor2_verify, request)
            .refused(Status::TokenReused);
    }
}

/// What the digits of a text are, by Rust's own tables; `None` where anything else is left.
fn digits_of(text: &str, meaningless: &[char]) -> Option<String> {
    let rest = text.chars().filter(|c| !meaningless.contains(c));
    let digits = rest.map(|c| {
        let zero = ZEROS
            .iter()
            .find(|&&zero| (zero..zero + 10).contains(&u32::from(c)))?;
        char::from_digit(u32::from(c) - zero, 10)
    });
    digits.collect()
}

/// Texts that are accepted have the code's digits: two of them never differ.
#[test]
fn texts_that_verify_have_the_same_digits() {
    let meaningless = meaningless();
    let mut random = random();
    let authenticator = without_store();
    let mut accepted = 0;
    for _ in 0..20_000 {
        // A spelling of a code near the right one, in which a character was changed, or none.
        let mut code = CODE.to_owned().into_bytes();
        if random.random_range(0..3) == 0 {
            code[random.random_range(0..6)] = b'0' + random.random_range(0..10) as u8;
        }
        let code = String::from_utf8(code).unwrap();
        let mut text: Vec<char> = spelling(&code, &mut random).chars().collect();
        if random.random_range(0..3) == 0 {
            let any = character(random.random_range(0..0xD800));
            let place = random.random_range(0..text.len());
            text[place] = any;
        }
        let text = String::from_iter(text);
        let reply = verify(&authenticator, &text);
        let expected = digits_of(&text, &meaningless).as_deref() == Some(CODE);
        // One step's code is another's with a chance of one in a million each.
        assert_eq!(reply.status == 0, expected, "{text:?}: {}", reply.text);
        accepted += u32::from(expected);
    }
    assert!(accepted > 5_000, "{accepted}");
}
