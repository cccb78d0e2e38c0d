//! Logos in QR codes, module by module: where they stand, and how much of the symbol they cover.

use std::collections::BTreeSet;

use factor2::capi::factor2_qr;
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use qrcode::bits::Bits;
use qrcode::canvas::{Canvas, Module};
use qrcode::ec::construct_codewords;
use qrcode::types::Version;
use qrcode::{Color, EcLevel};
use serde_json::json;

use crate::oracles::random;
use crate::qr::from_text;
use crate::qr_colours::in_base64;
use crate::support::{Authenticator, SECRET};
use crate::uris::any_name;

const RED: Rgb<u8> = Rgb([255, 0, 0]);

/// How many modules a red logo reaches to each side of the middle one, across and down.
fn reach_of_red(picture: &RgbImage, module: impl Fn(u32) -> usize, middle: usize) -> [usize; 2] {
    let red = picture.enumerate_pixels().filter(|(.., p)| **p == RED);
    let distances = red.map(|(x, y, _)| [x, y].map(|at| module(at).abs_diff(middle)));
    distances.fold([0, 0], |[across, down], [x, y]| {
        [across.max(x), down.max(y)]
    })
}

/// Around the logo and its margin, the picture is that of the same symbol without.
#[test]
fn a_logo_stands_in_light_modules() {
    let mut random = random();
    for _ in 0..150 {
        let (width, height) = (random.random_range(1..=60), random.random_range(1..=60));
        let logo = RgbaImage::from_pixel(width, height, Rgba([255, 0, 0, 255]));
        let module_px: u32 = random.random_range(1..=12);
        let quiet_zone: usize = random.random_range(0..=6);
        let authenticator = Authenticator::new(json!({"issuer": "Test", "qr": {
            "logo": in_base64(&logo), "module_px": module_px, "quiet_zone": quiet_zone,
        }}));
        let account = any_name(&mut random, 60);
        let draw = |format| {
            let request = json!({"username": account, "totpsecret": SECRET, "format": format});
            authenticator.call(factor2_qr, request)
        };
        let modules = from_text(&String::from_utf8(draw("text").data.unwrap()).unwrap());
        let reply = draw("png");
        let picture = image::load_from_memory(&reply.data.unwrap()).unwrap();
        let picture = picture.into_rgb8();
        let module = |at: u32| usize::try_from(at / module_px).unwrap();
        let middle = modules.len() / 2;
        let [across, down] = reach_of_red(&picture, module, middle);
        assert!(across.max(down) * 2 + 1 >= 9);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let (column, row) = (module(x), module(y));
            let within = |margin| {
                column.abs_diff(middle) <= across + margin && row.abs_diff(middle) <= down + margin
            };
            let is_logo = within(0) && *pixel == RED;
            let dark = modules[row][column] && !within(1);
            let expected = if dark { [0; 3] } else { [255; 3] };
            assert!(is_logo || pixel.0 == expected, "({x}, {y})");
        }
    }
}

/// For each codeword of a version at level H, in their order, its block; and how many codewords correct
/// each block. A change of one byte changes all of these.
fn blocks(version: Version) -> (Vec<usize>, usize) {
    let bytes = Bits::new(version).max_len(EcLevel::H).unwrap() / 8;
    let mut of_codewords = vec![0; bytes];
    let mut corrections = 0;
    for changed in 0..bytes {
        let mut data = vec![0; bytes];
        data[changed] = 1;
        let (data, correction) = construct_codewords(&data, version, EcLevel::H).unwrap();
        let place = data.iter().position(|&byte| byte == 1).unwrap();
        of_codewords[place] = correction.iter().position(|&byte| byte != 0).unwrap();
        corrections = correction.len();
    }
    let blocks = of_codewords.iter().max().unwrap() + 1;
    of_codewords.extend((0..corrections).map(|place| place % blocks));
    (of_codewords, corrections / blocks)
}

/// The number of the codeword that each module belongs to, from 1 on; 0 for none.
fn numbers(version: Version, codewords: usize) -> Vec<Vec<usize>> {
    let width = usize::try_from(version.width()).unwrap();
    let mut numbers = vec![vec![0; width]; width];
    for bit in 0..12 {
        let data: Vec<u8> = (1..=codewords).map(|n| [0, 0xFF][n >> bit & 1]).collect();
        let mut canvas = Canvas::new(version, EcLevel::H);
        canvas.draw_all_functional_patterns();
        canvas.draw_data(&data, &[]);
        for (y, row) in numbers.iter_mut().enumerate() {
            for (x, number) in row.iter_mut().enumerate() {
                let module = canvas.get(x as i16, y as i16);
                *number |= usize::from(module == Module::Unmasked(Color::Dark)) << bit;
            }
        }
    }
    numbers
}

/// Whatever a logo shows, and in every version that it may come to, no block loses more codewords
/// than half of those that error correction H makes good.
#[test]
fn a_logo_covers_half_of_what_can_be_made_good() {
    let red = RgbaImage::from_pixel(64, 64, Rgba([255, 0, 0, 255]));
    let qr = json!({"module_px": 1, "quiet_zone": 0, "logo": in_base64(&red)});
    let mut seen = BTreeSet::new();
    for length in (1..255usize).chain((256..1300).step_by(4)) {
        let [account, issuer] = [length, length.saturating_sub(255)].map(|n| n.clamp(1, 255));
        let secret = "GEZDGNBV".repeat(2 + length.saturating_sub(510).min(800) / 8);
        let config = json!({"issuer": "i".repeat(issuer), "qr": qr});
        let request = json!({"username": "a".repeat(account), "totpsecret": secret});
        let reply = Authenticator::new(config).call(factor2_qr, request);
        if reply.status != 0 {
            break;
        }
        let picture = image::load_from_memory(&reply.data.unwrap()).unwrap();
        let picture = picture.into_rgb8();
        let width = usize::try_from(picture.width()).unwrap();
        if !seen.insert((width - 17) / 4) {
            continue;
        }
        let version = Version::Normal(i16::try_from((width - 17) / 4).unwrap());
        let module = |at: u32| usize::try_from(at).unwrap();
        let [across, down] = reach_of_red(&picture, module, width / 2);
        assert!(across == down && across * 2 + 1 >= 9);
        let covered = width / 2 - across - 1..width / 2 + across + 2;
        let (blocks, per_block) = blocks(version);
        let numbers = numbers(version, blocks.len());
        let lost: BTreeSet<usize> = numbers[covered.clone()]
            .iter()
            .flat_map(|row| row[covered.clone()].iter().copied())
            .filter(|number| *number > 0)
            .collect();
        let mut of_blocks = vec![0; blocks.len()];
        for number in lost {
            of_blocks[blocks[number - 1]] += 1;
        }
        let most = of_blocks.into_iter().max().unwrap();
        assert!(
            most > 0 && most * 2 <= per_block / 2,
            "{version:?}: {most} of {per_block}"
        );
    }
    // Version 6 is the first one that holds a URI at level H. In 7 to 13 and 21 to 27 an alignment
    // pattern is in the middle, as in each one from 35 on.
    let expected = [6].into_iter().chain(14..=20).chain(28..=40);
    assert!(seen.iter().copied().eq(expected), "{seen:?}");
}
