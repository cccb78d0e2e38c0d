//! QR codes: a scanner reads the URI back, and the pictures are what the settings say.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use data_encoding::BASE32_NOPAD;
use factor2::Status;
use factor2::capi::{
    factor2_create_secret, factor2_prepare_configuration, factor2_qr,
    factor2_reprepare_configuration,
};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

use crate::oracles::random;
use crate::support::{Authenticator, Reply, SECRET, run, scratch, tool};
use crate::uris::any_name;

/// What zbar reads from each picture; every one must hold exactly one QR code.
pub fn scan(folder: &Path, pictures: &[Vec<u8>]) -> Vec<String> {
    let mut read = Vec::new();
    for (batch, pictures) in pictures.chunks(100).enumerate() {
        let mut command = tool("zbarimg");
        command.args([
            "--nodbus",
            "--quiet",
            "--xml",
            "-Sdisable",
            "-Sqrcode.enable",
        ]);
        let mut names = Vec::new();
        for (index, picture) in pictures.iter().enumerate() {
            let name = folder.join(format!("{batch}-{index}.png"));
            fs::write(&name, picture).unwrap();
            command.arg(&name);
            names.push(name);
        }
        let output = command.output().unwrap();
        let xml = String::from_utf8(output.stdout).unwrap();
        let mut sources = xml.split("<source href='").skip(1);
        for name in names {
            let source = sources.next();
            let source = source.and_then(|source| source.strip_prefix(name.to_str().unwrap()));
            let source = source.unwrap_or_else(|| panic!("zbar cannot read {}", name.display()));
            let mut codes = source.split("<![CDATA[").skip(1);
            let code = codes.next().unwrap().split_once("]]>").unwrap().0;
            assert_eq!(codes.next(), None, "{}", name.display());
            read.push(code.to_owned());
        }
        assert_eq!(sources.next(), None);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    read
}

/// What a level holds in bytes, ISO/IEC 18004 table 7. Digits and capitals need less room than that.
const LEVELS: [(&str, usize); 4] = [("L", 2953), ("M", 2331), ("Q", 1663), ("H", 1273)];

/// Checks the refusal of a URI that is too long for the level.
#[track_caller]
fn refused_as_too_long(reply: &Reply, (level, capacity): (&str, usize)) {
    let message = reply.refused(Status::BadRequest);
    assert!(message.starts_with("request.username: "), "{message}");
    assert!(
        message.ends_with(&format!("at error correction {level}")),
        "{message}"
    );
    let length = message.split(' ').find_map(|word| word.parse().ok());
    assert!(length > Some(capacity), "{message}");
}

/// The URIs of answers, and their pictures.
#[derive(Default)]
struct Drawn {
    uris: Vec<String>,
    pictures: Vec<Vec<u8>>,
}

impl Drawn {
    fn add(&mut self, reply: Reply) {
        self.uris
            .push(reply.ok()["uri"].as_str().unwrap().to_owned());
        self.pictures.push(reply.data.unwrap());
    }

    /// zbar must read each URI from its picture.
    fn scan(&self) {
        assert_eq!(scan(&scratch("qr"), &self.pictures), self.uris);
    }
}

#[test]
fn zbar_reads_random_uris() {
    let mut random = random();
    let mut drawn = Drawn::default();
    for level in LEVELS {
        let mut wanted = 300;
        while wanted > 0 {
            let authenticator = Authenticator::new(any_settings(&mut random, level.0));
            let request = json!({"username": any_name(&mut random, 255)});
            let reply = authenticator.call(factor2_create_secret, request);
            if reply.status == 0 {
                drawn.add(reply);
                wanted -= 1;
            } else {
                refused_as_too_long(&reply, level);
            }
        }
    }
    drawn.scan();
}

/// The version of the symbol that libqrencode makes of a text, with its own division into modes.
fn version_by_qrencode(text: &str, level: &str) -> Option<u32> {
    let mut command = tool("qrencode");
    command.args(["-l", level, "-m", "0", "-t", "ASCIIi", "-o", "-", text]);
    let drawn = command.output().unwrap();
    // Two letters for each module; nothing when the text is too long.
    let width = String::from_utf8(drawn.stdout)
        .unwrap()
        .lines()
        .next()?
        .len()
        / 2;
    Some(u32::try_from(width - 17).unwrap() / 4)
}

#[test]
fn no_symbol_is_larger_than_libqrencode_s() {
    let mut random = random();
    let (mut smaller, mut drawn) = (0, 0);
    while drawn < 1000 {
        let (level, _) = LEVELS[random.random_range(0..4)];
        let most = [8, 20, 255][random.random_range(0..3)];
        let authenticator = Authenticator::new(json!({
            "issuer": any_name(&mut random, most),
            "qr": {"module_px": 1, "quiet_zone": 0, "error_correction": level},
        }));
        let request = json!({"username": any_name(&mut random, most)});
        let reply = authenticator.call(factor2_create_secret, request);
        if reply.status != 0 {
            reply.refused(Status::BadRequest);
            continue;
        }
        let uri = reply.ok()["uri"].as_str().unwrap().to_owned();
        let width = u32::from_be_bytes(reply.data.unwrap()[16..20].try_into().unwrap());
        let ours = (width - 17) / 4;
        match version_by_qrencode(&uri, level) {
            Some(theirs) => {
                assert!(ours <= theirs, "{ours}, not {theirs}, at {level}: {uri}");
                smaller += usize::from(ours < theirs);
            }
            None => smaller += 1,
        }
        drawn += 1;
    }
    assert!(
        smaller < drawn / 2,
        "{smaller} smaller: is it compared at all?"
    );
}

fn any_settings(random: &mut TestRng, level: &str) -> Value {
    let algorithm = ["SHA1", "SHA256", "SHA512"][random.random_range(0..3)];
    let (digits, period): (u64, u64) = (random.random_range(6..=8), random.random_range(15..=120));
    let secret_bytes: u64 = random.random_range(16..=64);
    // zbar cannot read modules of one pixel: pictures_are_what_the_settings_say sees to these.
    let (module_px, quiet_zone): (u64, u64) =
        (random.random_range(2..=4), random.random_range(2..=8));
    json!({
        "issuer": any_name(random, 255), "secret_bytes": secret_bytes,
        "algorithm": algorithm, "digits": digits, "period": period,
        "qr": {"module_px": module_px, "quiet_zone": quiet_zone, "error_correction": level},
    })
}

/// Issuer and account of `length` times `part`, and everything else as long as it gets.
fn draw_long(part: &str, length: usize, level: &str) -> Reply {
    let name = part.repeat(length);
    let authenticator = Authenticator::new(json!({
        "issuer": name, "algorithm": "SHA512", "digits": 8, "period": 120,
        "qr": {"module_px": 3, "quiet_zone": 4, "error_correction": level},
    }));
    let secret = BASE32_NOPAD.encode(&[0xA5; 64]);
    authenticator.call(factor2_qr, json!({"username": name, "totpsecret": secret}))
}

#[test]
fn zbar_reads_the_longest_uris() {
    let mut drawn = Drawn::default();
    for level in LEVELS {
        for part in ["x", "%", "é", "漢", "🔐", "a é漢"] {
            let most = 255 / part.len();
            let (mut fits, mut too_long) = (1, most + 1);
            while too_long - fits > 1 {
                let middle = (fits + too_long) / 2;
                if draw_long(part, middle, level.0).status == 0 {
                    fits = middle;
                } else {
                    too_long = middle;
                }
            }
            drawn.add(draw_long(part, fits, level.0));
            if too_long <= most {
                refused_as_too_long(&draw_long(part, too_long, level.0), level);
                assert_ne!(level.0, "L", "which holds whatever the limits allow");
            }
        }
    }
    let longest = drawn.uris.iter().map(String::len).max();
    assert!(longest > Some(2450), "{longest:?}");
    drawn.scan();
}

/// The modules of a picture with its quiet zone, `true` for dark: squares of black or white pixels.
pub fn modules(png: &[u8], module_px: u32) -> Vec<Vec<bool>> {
    let picture = image::load_from_memory_with_format(png, image::ImageFormat::Png).unwrap();
    let picture = picture.into_luma8();
    let (width, height) = picture.dimensions();
    assert_eq!((width % module_px, height % module_px), (0, 0));
    for (x, y, pixel) in picture.enumerate_pixels() {
        let first = picture.get_pixel(x - x % module_px, y - y % module_px);
        assert_eq!(pixel, first, "at {x}, {y}");
        assert!(pixel.0 == [0] || pixel.0 == [255], "at {x}, {y}");
    }
    let side = |length: u32| (0..length).step_by(usize::try_from(module_px).unwrap());
    side(height)
        .map(|y| {
            side(width)
                .map(|x| picture.get_pixel(x, y).0 == [0])
                .collect()
        })
        .collect()
}

/// The symbol within its quiet zone, which must be light.
fn symbol(modules: &[Vec<bool>], quiet_zone: usize) -> Vec<Vec<bool>> {
    let inside = quiet_zone..modules.len() - quiet_zone;
    for (y, row) in modules.iter().enumerate() {
        assert_eq!(row.len(), modules.len());
        for (x, &dark) in row.iter().enumerate() {
            assert!(
                !dark || (inside.contains(&x) && inside.contains(&y)),
                "at {x}, {y}"
            );
        }
    }
    let rows = &modules[inside.clone()];
    rows.iter()
        .map(|row| row[inside.clone()].to_vec())
        .collect()
}

/// The error correction level that the symbol itself states, ISO/IEC 18004 section 7.9.
fn stated_level(symbol: &[Vec<bool>]) -> &'static str {
    match (symbol[8][0], symbol[8][1]) {
        (true, true) => "L",
        (true, false) => "M",
        (false, true) => "Q",
        (false, false) => "H",
    }
}

fn draw(qr: Value) -> Reply {
    draw_as("png", qr)
}

fn draw_as(format: &str, qr: Value) -> Reply {
    let authenticator = Authenticator::new(json!({"issuer": "Example", "qr": qr}));
    let request = json!({"username": "alice", "totpsecret": SECRET, "format": format});
    authenticator.call(factor2_qr, request)
}

#[test]
fn pictures_are_what_the_settings_say() {
    let folder = scratch("qr");
    let mut pngcheck = tool("pngcheck");
    pngcheck.arg("-q");
    for (level, _) in LEVELS {
        // What the others are compared with: zbar reads it.
        let reply = draw(json!({"module_px": 4, "quiet_zone": 4, "error_correction": level}));
        let wanted = symbol(&modules(reply.data.as_ref().unwrap(), 4), 4);
        assert_eq!(stated_level(&wanted), level);
        let mut drawn = Drawn::default();
        drawn.add(reply);
        drawn.scan();
        for module_px in [1, 2, 10, 32] {
            for quiet_zone in [0, 1, 5, 16] {
                let settings = json!({
                    "module_px": module_px, "quiet_zone": quiet_zone, "error_correction": level,
                });
                let reply = draw(settings.clone());
                let (answer, png) = (reply.ok(), reply.data.unwrap());
                let drawn = modules(&png, module_px);
                assert_eq!(symbol(&drawn, quiet_zone), wanted);
                let reply = draw_as("text", settings);
                let (size, text) = (reply.ok(), String::from_utf8(reply.data.unwrap()).unwrap());
                assert_eq!(from_text(&text), drawn);
                assert_eq!(size["width"], drawn.len());
                assert_eq!(size["height"], drawn.len().div_ceil(2));
                let side = u32::try_from(wanted.len() + 2 * quiet_zone).unwrap() * module_px;
                let (size, kind) = (&png[16..24], &png[24..26]);
                assert_eq!(size, [side.to_be_bytes(), side.to_be_bytes()].concat());
                assert!(matches!(kind, [1 | 8, 0]), "1 or 8 bits of grey: {kind:?}");
                assert_eq!(
                    (&answer["width"], &answer["height"]),
                    (&json!(side), &json!(side))
                );
                assert_eq!(answer["bytes"], png.len());
                let file = folder.join(format!("{level}-{module_px}-{quiet_zone}.png"));
                fs::write(&file, png).unwrap();
                pngcheck.arg(file);
            }
        }
    }
    run(&mut pngcheck);
    let defaults = json!({"module_px": 10, "quiet_zone": 5, "error_correction": "M"});
    assert_eq!(draw(json!({})).data, draw(defaults).data);
}

/// The modules of a drawing in block elements: what is no block stays dark, as the terminal is.
pub fn from_text(text: &str) -> Vec<Vec<bool>> {
    let mut modules = Vec::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        for c in line.chars() {
            let (upper_light, lower_light) = match c {
                '█' => (true, true),
                '▀' => (true, false),
                '▄' => (false, true),
                ' ' => (false, false),
                _ => panic!("{c:?}"),
            };
            upper.push(!upper_light);
            lower.push(!lower_light);
        }
        modules.extend([upper, lower]);
    }
    // A symbol has an odd number of rows: below the last one there is nothing.
    assert!(modules.pop().unwrap().iter().all(|&dark| dark));
    modules
}

#[test]
fn the_picture_is_a_png_unless_asked_otherwise() {
    let authenticator = Authenticator::new(json!({"issuer": "Example"}));
    let request = json!({"username": "alice", "totpsecret": SECRET});
    let without = authenticator.call(factor2_qr, request);
    let asked = draw(json!({}));
    assert_eq!((without.text, without.data), (asked.text, asked.data));
}

#[test]
fn qr_is_the_png_as_a_data_uri() {
    let authenticator = Authenticator::new(json!({"issuer": "Example", "factor_name": "totp"}));
    let png_of = |qr: &Value| {
        let qr = qr.as_str().unwrap();
        let base64 = qr.strip_prefix("data:image/png;base64,").unwrap();
        BASE64.decode(base64).unwrap()
    };
    let drawn = |secret: &Value| {
        let request = json!({"username": "alice", "totpsecret": secret});
        authenticator.call(factor2_qr, request).data.unwrap()
    };
    let reply = authenticator.call(factor2_create_secret, json!({"username": "alice"}));
    let answer = reply.ok();
    assert_eq!(reply.data.as_ref(), Some(&png_of(&answer["qr"])));
    assert_eq!(reply.data, Some(drawn(&answer["totpsecret"])));

    let user = json!({"user": {"username": "alice"}});
    let prepared = authenticator.call(factor2_prepare_configuration, user).ok();
    let prepared_png = png_of(&prepared["userData"]["qr"]);
    assert_eq!(prepared_png, drawn(&prepared["userData"]["totpsecret"]));

    let key = json!({"data": prepared["sessionData"]});
    let request = json!({"username": "alice", "sessionKey": key});
    let again = authenticator
        .call(factor2_reprepare_configuration, request)
        .ok();
    assert_eq!(png_of(&again["userData"]["qr"]), prepared_png);
}
