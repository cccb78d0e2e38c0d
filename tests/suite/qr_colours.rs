//! QR codes in other colours and with a logo: zbar still reads them.

use std::fs;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use factor2::Status;
use factor2::capi::{factor2_describe, factor2_qr_png};
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::support::{Authenticator, run, scratch, tool};

const REQUEST: fn() -> Value =
    || json!({"username": "bob@example.com", "totpsecret": "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q"});

/// A colourful PNG in base64.
fn logo(width: u32, height: u32) -> String {
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 128]));
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).unwrap();
    BASE64.encode(png.into_inner())
}

/// Draws with these settings; what zbar reads is the URI.
fn drawn_and_read(qr: Value) -> RgbImage {
    let authenticator = Authenticator::new(json!({"issuer": "Test", "qr": qr}));
    let reply = authenticator.call(factor2_qr_png, REQUEST());
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
fn a_logo_covers_no_more_than_the_symbol_can_lose() {
    for (width, height) in [(64, 64), (200, 20), (1, 300), (1024, 1024)] {
        for module_px in [3, 10] {
            drawn_and_read(json!({"module_px": module_px, "logo": logo(width, height)}));
        }
    }
    drawn_and_read(json!({"logo": logo(50, 50), "dark": "#223366", "quiet_zone": 4}));
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
fn wrong_colours_and_logos_are_named() {
    for (member, qr) in [
        ("dark", json!({"dark": "#ffffff"})),
        ("dark", json!({"dark": "#cccccc"})),
        ("dark", json!({"light": "#000000", "dark": "#ffffff"})),
        ("dark", json!({"dark": "black"})),
        ("dark", json!({"dark": "#12345"})),
        ("dark", json!({"dark": "#+12345"})),
        ("light", json!({"light": "#12345g"})),
        ("light", json!({"light": 0})),
        ("logo", json!({"logo": ""})),
        ("logo", json!({"logo": "AAAA"})),
        ("logo", json!({"logo": "not base64!"})),
        ("logo", json!({"logo": logo(1025, 1)})),
        (
            "logo",
            json!({"logo": BASE64.encode(&BASE64.decode(logo(64, 64)).unwrap()[..200])}),
        ),
    ] {
        let config = json!({"issuer": "Test", "qr": qr}).to_string();
        let reply = Authenticator::try_new(config.as_bytes())
            .err()
            .unwrap_or_else(|| panic!("{qr}"));
        let message = reply.refused(Status::Configuration);
        assert!(
            message.starts_with(&format!("config.qr.{member}: ")),
            "{message}"
        );
    }
}
