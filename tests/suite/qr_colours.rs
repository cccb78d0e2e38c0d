//! QR codes in other colours and with a logo: zbar and ZXing still read them.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use factor2::Status;
use factor2::capi::{factor2_create_secret, factor2_describe, factor2_qr};
use image::imageops::FilterType;
use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

use crate::oracles::random;
use crate::qr::scan;
use crate::support::{Authenticator, run, scratch, tool};
use crate::uris::any_name;

const REQUEST: fn() -> Value =
    || json!({"username": "bob@example.com", "totpsecret": "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q"});

/// A colourful PNG in base64.
pub fn logo(width: u32, height: u32) -> String {
    in_base64(&RgbaImage::from_fn(width, height, |x, y| {
        Rgba([x as u8, y as u8, 128, 255])
    }))
}

pub fn in_base64(picture: &RgbaImage) -> String {
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    BASE64.encode(png.into_inner())
}

/// Draws with these settings; what zbar reads is the URI.
fn drawn_and_read(qr: Value) -> RgbImage {
    let authenticator = Authenticator::new(json!({"issuer": "Test", "qr": qr}));
    let reply = authenticator.call(factor2_qr, REQUEST());
    let (json, png) = (reply.ok(), reply.data.unwrap());
    let path = scratch("colours").join("qr.png");
    fs::write(&path, &png).unwrap();
    let output = run(tool("zbarimg")
        .args(["--nodbus", "--quiet", "--raw", "--oneshot"])
        .arg(&path));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim_end(),
        json["uri"],
        "{qr}"
    );
    let picture = image::load_from_memory(&png).unwrap().into_rgb8();
    assert_eq!(
        json!([picture.width(), picture.height()]),
        json!([json["width"], json["height"]])
    );
    picture
}

#[test]
fn colours_are_drawn_and_read() {
    for (dark, light) in [
        ("#10405a", "#ffeecc"),
        ("#8b0000", "#FFFFFF"),
        ("#555555", "#bbbbbb"),
    ] {
        let picture = drawn_and_read(json!({"dark": dark, "light": light}));
        let colour = |text: &str| {
            let number = u32::from_str_radix(&text[1..], 16).unwrap().to_be_bytes();
            Rgb([number[1], number[2], number[3]])
        };
        // The quiet zone's corner, and the finder pattern's.
        assert_eq!(*picture.get_pixel(0, 0), colour(light));
        assert_eq!(*picture.get_pixel(50, 50), colour(dark));
        assert!(
            picture
                .pixels()
                .all(|p| [colour(dark), colour(light)].contains(p))
        );
    }
}

#[test]
fn logos_are_scaled_to_what_the_symbol_can_lose() {
    for (width, height) in [(64, 64), (200, 20), (1, 300), (1024, 1024)] {
        for module_px in [3, 10] {
            drawn_and_read(json!({"module_px": module_px, "logo": logo(width, height)}));
        }
    }
    drawn_and_read(json!({"logo": logo(50, 50), "dark": "#223366", "quiet_zone": 4}));
}

const CLEAR: Rgba<u8> = Rgba([0; 4]);
const BLACK: Rgba<u8> = Rgba([0, 0, 0, 255]);
const WHITE: Rgba<u8> = Rgba([255; 4]);

/// Logos that make it hard for a scanner, each with its name.
fn hard_logos(random: &mut TestRng) -> Vec<(String, RgbaImage)> {
    let mut logos = Vec::new();
    let colours = [
        BLACK,
        WHITE,
        CLEAR,
        Rgba([128, 128, 128, 255]),
        Rgba([0x60, 0x60, 0x60, 255]),
        Rgba([0xA0, 0xA0, 0xA0, 255]),
        Rgba([255, 0, 0, 255]),
        Rgba([0x22, 0x33, 0x66, 255]),
        Rgba([0, 0, 0, 128]),
    ];
    for colour in colours {
        for (width, height) in [(64, 64), (1, 1), (200, 20), (20, 200)] {
            let name = format!("{width} x {height} of {colour:?}");
            logos.push((name, RgbaImage::from_pixel(width, height, colour)));
        }
    }
    for (inside, outside) in [
        (BLACK, CLEAR),
        (Rgba([200, 30, 30, 255]), WHITE),
        (WHITE, BLACK),
    ] {
        let circle = RgbaImage::from_fn(64, 64, |x, y| {
            let from_middle = |at: u32| (f64::from(at) - 31.5).powi(2);
            if from_middle(x) + from_middle(y) < 1024.0 {
                inside
            } else {
                outside
            }
        });
        logos.push((format!("a circle of {inside:?}"), circle));
    }
    // As a finder pattern, and as an alignment pattern.
    for side in [7u32, 5] {
        let rings = RgbaImage::from_fn(side, side, |x, y| {
            let ring = [x, y, side - 1 - x, side - 1 - y].into_iter().min();
            if ring == Some(1) { WHITE } else { BLACK }
        });
        logos.push((format!("rings of {side}"), rings));
    }
    for side in [7, 9, 12, 13, 40] {
        let modules =
            RgbaImage::from_fn(side, side, |_, _| [BLACK, WHITE][random.random_range(0..2)]);
        logos.push((format!("{side} random modules"), modules));
        let noise = RgbaImage::from_fn(side, side, |_, _| Rgba(random.random()));
        logos.push((format!("{side} random colours"), noise));
    }
    logos
}

/// What ZXing reads from each picture.
fn zxing(folder: &Path, pictures: &[Vec<u8>]) -> Vec<String> {
    let mut command = tool("ZXingReader");
    command.args(["-1", "-format", "QRCode"]);
    for (index, picture) in pictures.iter().enumerate() {
        let path = folder.join(format!("{index}.png"));
        fs::write(&path, picture).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(str::to_owned).collect()
}

/// As a camera sees it from near: with three times as many pixels a module.
fn enlarged(picture: &[u8]) -> Vec<u8> {
    let small = image::load_from_memory(picture).unwrap();
    let (width, height) = (3 * small.width(), 3 * small.height());
    let large = small.resize_exact(width, height, FilterType::Nearest);
    let mut png = Cursor::new(Vec::new());
    large.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

#[test]
fn logos_of_all_kinds_are_read_by_zbar_and_zxing() {
    let mut random = random();
    let (mut pictures, mut uris, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    // Names of each length: symbols from 41 to 129 modules wide, and more for the last ones.
    for (round, most) in [1, 8, 30, 60, 90, 120].into_iter().enumerate() {
        for (kind, logo) in hard_logos(&mut random) {
            let module_px = [10, 10, 2, 3, 4, 5, 7, 16][random.random_range(0..8)];
            let module_px = if round == 1 { 10 } else { module_px };
            let (dark, light) = [
                ("#000000", "#ffffff"),
                ("#223366", "#ffffff"),
                ("#8b0000", "#ffeecc"),
            ][random.random_range(0..3)];
            let (issuer, account) = ("I".repeat(most), any_name(&mut random, most));
            let authenticator = Authenticator::new(json!({"issuer": issuer, "qr": {
                "logo": in_base64(&logo), "module_px": module_px, "dark": dark, "light": light,
            }}));
            let reply = authenticator.call(factor2_create_secret, json!({"username": account}));
            uris.push(reply.ok()["uri"].as_str().unwrap().to_owned());
            pictures.push(reply.data.unwrap());
            kinds.push(format!("{kind}, module_px {module_px}, dark {dark}"));
        }
    }
    let folder = scratch("logos");
    let by_zxing = zxing(&folder, &pictures);
    assert_eq!(by_zxing.len(), uris.len());
    let is_read = |read: &str, index: usize| read.contains(&format!("\"{}\"", uris[index]));
    let mut unread: Vec<usize> = (0..uris.len()).collect();
    unread.retain(|&index| !is_read(&by_zxing[index], index));
    // Of some thousand pictures with two or three pixels a module, ZXing does not find one as it is.
    assert!(unread.len() <= 2, "{unread:?}");
    let larger: Vec<_> = unread
        .iter()
        .map(|&index| enlarged(&pictures[index]))
        .collect();
    for (read, index) in zxing(&scratch("larger"), &larger).iter().zip(unread) {
        let (kind, uri) = (&kinds[index], &uris[index]);
        assert!(is_read(read, index), "ZXing, {kind}: {read}, not {uri}");
    }
    for ((read, uri), kind) in scan(&folder, &pictures).iter().zip(&uris).zip(&kinds) {
        assert_eq!(read, uri, "zbar, {kind}");
    }
}

#[test]
fn a_logo_is_in_the_middle_and_raises_the_error_correction() {
    let qr = json!({"logo": logo(64, 64), "error_correction": "L"});
    let picture = drawn_and_read(qr.clone());
    let middle = picture.width() / 2;
    assert_eq!(picture.get_pixel(middle, middle)[2], 128);
    let authenticator = Authenticator::new(json!({"issuer": "Test", "qr": qr}));
    let described = authenticator.call(factor2_describe, json!({})).ok();
    assert_eq!(described["qr"]["error_correction"], "H");
    assert_eq!(described["qr"]["logo"], true);
}

#[test]
fn wrong_colours_are_named() {
    for (member, qr) in [
        ("dark", json!({"dark": "#ffffff"})),
        ("dark", json!({"dark": "#cccccc"})),
        ("dark", json!({"light": "#000000", "dark": "#ffffff"})),
        ("dark", json!({"dark": "black"})),
        ("dark", json!({"dark": "#12345"})),
        ("dark", json!({"dark": "#+12345"})),
        ("light", json!({"light": "#12345g"})),
        ("light", json!({"light": 0})),
    ] {
        let message = refused(qr);
        let named = format!("config.qr.{member}: ");
        assert!(message.starts_with(&named), "{message}");
    }
}

fn refused(qr: Value) -> String {
    let config = json!({"issuer": "Test", "qr": qr}).to_string();
    let reply = Authenticator::try_new(config.as_bytes());
    let reply = reply.err().unwrap_or_else(|| panic!("{qr}"));
    reply.refused(Status::Configuration)
}

#[test]
fn what_is_wrong_with_a_logo_is_named() {
    let png = BASE64.decode(logo(64, 64)).unwrap();
    // The chunk that makes a PNG an animation comes behind IHDR, which ends at byte 33.
    let chunk = b"acTL\0\0\0\x01\0\0\0\0";
    let checksum = crc32fast::hash(chunk).to_be_bytes();
    let animated = [&png[..33], &[0, 0, 0, 8], chunk, &checksum, &png[33..]].concat();
    let mut strange = png.clone();
    strange[24] = 3; // bits per channel
    let expected = [
        (
            "not base64!".to_owned(),
            "base64 of a PNG: this is no base64",
        ),
        (
            logo(4, 4).replace('=', "") + "=",
            "base64 of a PNG: this is no base64",
        ),
        (String::new(), "a PNG: this is none"),
        ("AAAA".to_owned(), "a PNG: this is none"),
        (
            BASE64.encode("<svg xmlns='http://www.w3.org/2000/svg'/>"),
            "a PNG: this is none",
        ),
        (
            BASE64.encode(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"),
            "a PNG: this is a JPEG",
        ),
        (BASE64.encode(b"GIF89a\x01\0\x01\0"), "a PNG: this is a GIF"),
        (
            logo(1025, 1),
            "at most 1024 pixels wide and high: this one is 1025 x 1",
        ),
        (
            logo(1, 1025),
            "at most 1024 pixels wide and high: this one is 1 x 1025",
        ),
        (
            BASE64.encode(&png[..20]),
            "a PNG that is whole: this one is damaged",
        ),
        (
            BASE64.encode(&png[..200]),
            "a PNG that is whole: this one is damaged",
        ),
        (
            BASE64.encode(strange),
            "a PNG that is whole: this one is damaged",
        ),
        (
            BASE64.encode(animated),
            "a still picture: this one is animated",
        ),
    ];
    for (logo, expected) in expected {
        let message = refused(json!({"logo": logo}));
        assert_eq!(message, format!("config.qr.logo: must be {expected}"));
    }
}
