//! QR codes module by module and pixel by pixel: what the qrcode crate and plain arithmetic make of the
//! same URIs.

use std::collections::BTreeSet;

use factor2::capi::{factor2_create_secret, factor2_qr};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use qrcode::bits::Bits;
use qrcode::optimize::{Parser, Segment};
use qrcode::types::{Mode, QrResult, Version};
use qrcode::{Color, EcLevel, QrCode};
use serde_json::{Value, json};

use crate::oracles::random;
use crate::qr::{from_text, modules};
use crate::support::{Authenticator, Reply, SECRET};

const LEVELS: [(&str, EcLevel); 4] = [
    ("L", EcLevel::L),
    ("M", EcLevel::M),
    ("Q", EcLevel::Q),
    ("H", EcLevel::H),
];

fn draw(issuer: &str, account: &str, secret: &str, qr: &Value) -> Reply {
    draw_as("png", issuer, account, secret, qr)
}

fn draw_as(format: &str, issuer: &str, account: &str, secret: &str, qr: &Value) -> Reply {
    let authenticator = Authenticator::new(json!({"issuer": issuer, "qr": qr}));
    let request = json!({"username": account, "totpsecret": secret, "format": format});
    authenticator.call(factor2_qr, request)
}

/// The smallest symbol of the crate that holds the bits that `push` gives it.
fn smallest(level: EcLevel, push: impl Fn(&mut Bits) -> QrResult<()>) -> QrCode {
    let fitting = (1..=40).find_map(|version| {
        let mut bits = Bits::new(Version::Normal(version));
        push(&mut bits).ok()?;
        bits.push_terminator(level).ok()?;
        QrCode::with_bits(bits, level).ok()
    });
    fitting.unwrap()
}

/// Segments, codewords, layout and mask. Of these names and secrets there is but one best division:
/// bytes, the secret, bytes.
#[test]
fn symbols_are_the_crate_s() {
    for (name, level) in LEVELS {
        let qr = json!({"module_px": 1, "quiet_zone": 0, "error_correction": name});
        let mut seen = BTreeSet::new();
        for length in 1..=255 {
            let secret = "GEZDGNBV".repeat(2 + length * 60 / 255);
            let account: String = ('a'..='z').cycle().skip(length).take(length).collect();
            let reply = draw("issuer", &account, &secret, &qr);
            let uri = reply.ok()["uri"].as_str().unwrap().to_owned();
            let (before, after) = uri.split_once(&secret).unwrap();
            let theirs = smallest(level, |bits| {
                bits.push_byte_data(before.as_bytes())?;
                bits.push_alphanumeric_data(secret.as_bytes())?;
                bits.push_byte_data(after.as_bytes())
            });
            seen.insert(theirs.width());
            let ours = modules(&reply.data.unwrap(), 1).concat();
            let theirs = theirs.into_colors().into_iter().map(|c| c == Color::Dark);
            assert!(ours.into_iter().eq(theirs), "{name}: {uri}");
        }
        assert!(seen.len() >= 11, "{name}: {seen:?}");
    }
}

/// The bits of the best of all divisions of a text.
fn fewest_bits(text: &[u8], version: Version) -> usize {
    let is_alphanumeric = |byte| b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".contains(byte);
    let mut fewest = vec![0];
    for end in 1..=text.len() {
        let mut modes = vec![Mode::Byte, Mode::Alphanumeric, Mode::Numeric];
        let ending = (0..end).rev().map(|begin| {
            let byte = &text[begin];
            modes.retain(|mode| match mode {
                Mode::Numeric => byte.is_ascii_digit(),
                Mode::Alphanumeric => is_alphanumeric(byte),
                _ => true,
            });
            let last = |&mode: &Mode| Segment { mode, begin, end }.encoded_len(version);
            fewest[begin] + modes.iter().map(last).min().unwrap()
        });
        let least = ending.min().unwrap();
        fewest.push(least);
    }
    fewest[text.len()]
}

fn any_mixed_name(random: &mut TestRng) -> String {
    let alphabets = ["0123456789", "ABCXYZ.", "abcxyz", "0A", "a1", "é%"];
    let runs = random.random_range(1..=12);
    let mut name = "n".to_owned();
    for _ in 0..runs {
        let alphabet: Vec<char> = alphabets[random.random_range(0..6)].chars().collect();
        for _ in 0..random.random_range(1..=12) {
            name.push(alphabet[random.random_range(0..alphabet.len())]);
        }
    }
    name
}

#[test]
fn no_division_into_segments_makes_a_smaller_symbol() {
    let mut random = random();
    let (mut drawn, mut seen) = (0, BTreeSet::new());
    while drawn < 600 {
        let (name, level) = LEVELS[random.random_range(0..4)];
        let qr = json!({"module_px": 1, "quiet_zone": 0, "error_correction": name});
        let (issuer, account) = (any_mixed_name(&mut random), any_mixed_name(&mut random));
        let reply = draw(&issuer, &account, SECRET, &qr);
        if reply.status != 0 {
            continue;
        }
        let json = reply.ok();
        let text = json["uri"].as_str().unwrap().as_bytes();
        let ours = (json["width"].as_i64().unwrap() - 17) / 4;
        let fewest = [9, 26, 40].map(|last| fewest_bits(text, Version::Normal(last)));
        for (last, fewest) in [9, 26, 40].into_iter().zip(fewest) {
            let theirs = Parser::new(text).optimize(Version::Normal(last));
            let theirs: usize = theirs.map(|s| s.encoded_len(Version::Normal(last))).sum();
            assert!(fewest <= theirs, "is it the best?");
        }
        let best = (1..=40).find(|&version| {
            let range = usize::from(version > 9) + usize::from(version > 26);
            let room = Bits::new(Version::Normal(version)).max_len(level);
            fewest[range] <= room.unwrap()
        });
        assert_eq!(Some(ours), best.map(i64::from), "{name}: {json}");
        seen.insert(ours);
        drawn += 1;
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[test]
fn pictures_decode_to_the_symbol() {
    let mut random = random();
    for round in 0..160 {
        let module_px = round % 32 + 1;
        let quiet_zone: u32 = random.random_range(0..=16);
        let colours = [["#000000", "#ffffff"], ["#12345a", "#ffeecc"]];
        let [dark, light] = colours[random.random_range(0..2)];
        let qr = json!({
            "module_px": module_px, "quiet_zone": quiet_zone, "dark": dark, "light": light,
        });
        let account = "a".repeat(random.random_range(1..=if module_px < 12 { 250 } else { 60 }));
        let reply = draw("Example", &account, SECRET, &qr);
        let decoded = image::load_from_memory(&reply.data.unwrap()).unwrap();
        let decoded = decoded.into_rgb8();
        let text = draw_as("text", "Example", &account, SECRET, &qr)
            .data
            .unwrap();
        let modules = from_text(&String::from_utf8(text).unwrap());
        let side = u32::try_from(modules.len()).unwrap() * module_px;
        assert_eq!(decoded.dimensions(), (side, side));
        for (x, y, pixel) in decoded.enumerate_pixels() {
            let [row, column] = [y, x].map(|at| usize::try_from(at / module_px).unwrap());
            let expected = if modules[row][column] { dark } else { light };
            let [red, green, blue] = pixel.0;
            let colour = u32::from_be_bytes([0, red, green, blue]);
            let expected = u32::from_str_radix(&expected[1..], 16).unwrap();
            assert_eq!(colour, expected, "({x}, {y}): {qr}");
        }
    }
}

#[test]
fn a_usual_picture_is_small() {
    let authenticator = Authenticator::new(json!({"issuer": "Test"}));
    let request = json!({"username": "bob@example.com"});
    let reply = authenticator.call(factor2_create_secret, request);
    let bytes = reply.data.unwrap().len();
    assert!(bytes <= 920, "{bytes} bytes");
    let secret = "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q";
    let reply = draw("Test", "bob@example.com", secret, &json!({}));
    assert_eq!(reply.ok()["width"], 470);
    let bytes = reply.data.unwrap().len();
    assert!(bytes <= 900, "{bytes} bytes");
}
