//! QR codes as SVG: drawn by librsvg, they are the PNGs of the same settings.

use std::fs;
use std::path::Path;

use factor2::capi::factor2_qr;
use image::{Rgba, RgbaImage};
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

use crate::oracles::random;
use crate::qr::scan;
use crate::qr_colours::{in_base64, logo};
use crate::support::{Authenticator, Reply, SECRET, run, scratch, tool};
use crate::uris::any_name;

fn draw(authenticator: &Authenticator, account: &str, format: &str) -> Reply {
    let request = json!({"username": account, "totpsecret": SECRET, "format": format});
    authenticator.call(factor2_qr, request)
}

/// What librsvg draws, as a PNG.
fn rendered(folder: &Path, svg: &[u8], zoom: u32) -> Vec<u8> {
    let (from, to) = (folder.join("qr.svg"), folder.join("rendered.png"));
    fs::write(&from, svg).unwrap();
    let zoom = zoom.to_string();
    run(tool("rsvg-convert")
        .args(["--zoom", &zoom, "--output"])
        .args([&to, &from]));
    fs::read(to).unwrap()
}

fn decoded(png: &[u8]) -> RgbaImage {
    image::load_from_memory(png).unwrap().into_rgba8()
}

/// Settings of every kind, all of which zbar can read.
fn any_settings(random: &mut TestRng, with_logo: bool) -> Value {
    let (module_px, quiet_zone): (u64, u64) =
        (random.random_range(2..=11), random.random_range(2..=16));
    let level = ["L", "M", "Q", "H"][random.random_range(0..4)];
    let [dark, light] = [
        ["#000000", "#ffffff"],
        ["#10405a", "#ffeecc"],
        ["#8b0000", "#fefefe"],
    ][random.random_range(0..3)];
    let mut qr = json!({
        "module_px": module_px, "quiet_zone": quiet_zone, "error_correction": level,
        "dark": dark, "light": light,
    });
    if with_logo {
        let (width, height) = (random.random_range(1..=90), random.random_range(1..=90));
        qr["logo"] = logo(width, height).into();
    }
    qr
}

#[test]
fn an_svg_is_drawn_as_the_png() {
    let mut random = random();
    let folder = scratch("svg");
    let (mut pictures, mut uris) = (Vec::new(), Vec::new());
    for round in 0..60 {
        let qr = any_settings(&mut random, round % 3 == 0);
        let most = [8, 30, 120][random.random_range(0..3)];
        let (issuer, account) = (any_name(&mut random, most), any_name(&mut random, most));
        let authenticator = Authenticator::new(json!({"issuer": issuer, "qr": qr}));
        let [svg, png] = ["svg", "png"].map(|format| draw(&authenticator, &account, format));
        let answer = svg.ok();
        for same in ["uri", "width", "height"] {
            assert_eq!(answer[same], png.ok()[same]);
        }
        let svg = svg.data.unwrap();
        assert_eq!(answer["bytes"], svg.len());
        let picture = rendered(&folder, &svg, 1);
        assert!(decoded(&picture) == decoded(&png.data.unwrap()), "{qr}");
        uris.push(answer["uri"].as_str().unwrap().to_owned());
        pictures.push(picture);
    }
    assert_eq!(scan(&folder, &pictures), uris);
}

/// From one pixel a module on, at the edge of the picture too: each module is one square.
#[test]
fn an_svg_scales() {
    let folder = scratch("svg");
    for (module_px, quiet_zone) in [(1, 0), (1, 4), (3, 1), (16, 16), (32, 0)] {
        let qr = json!({"module_px": module_px, "quiet_zone": quiet_zone, "dark": "#223366"});
        let authenticator = Authenticator::new(json!({"issuer": "Example", "qr": qr}));
        let [svg, png] = ["svg", "png"].map(|format| draw(&authenticator, "alice", format).data);
        let (svg, small) = (svg.unwrap(), decoded(&png.unwrap()));
        for zoom in [1, 3] {
            let large = decoded(&rendered(&folder, &svg, zoom));
            assert_eq!(large.width(), zoom * small.width());
            let expected = RgbaImage::from_fn(large.width(), large.height(), |x, y| {
                *small.get_pixel(x / zoom, y / zoom)
            });
            assert!(large == expected, "{qr}, {zoom} times");
        }
    }
}

/// The whole text but for the outlines and the logo: no script, and nothing from elsewhere.
#[test]
fn an_svg_has_one_path_and_what_it_needs() {
    let pieces = |qr: Value| {
        let authenticator = Authenticator::new(json!({"issuer": "Test", "qr": qr}));
        let svg = draw(&authenticator, "bob@example.com", "svg").data.unwrap();
        let svg = String::from_utf8(svg).unwrap();
        let (start, rest) = svg.split_once(" d=\"").unwrap();
        let (outlines, end) = rest.split_once('"').unwrap();
        assert!(outlines.chars().all(|c| "mhvz+-0123456789".contains(c)));
        assert!(outlines.contains("+4h7v7h-7z"), "no finder pattern");
        (start.to_owned(), end.to_owned())
    };
    let (start, end) = pieces(json!({"dark": "#102030", "light": "#fedcba", "quiet_zone": 4}));
    assert_eq!(
        start,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"450\" height=\"450\" \
         viewBox=\"0 0 45 45\" shape-rendering=\"crispEdges\">\
         <rect width=\"45\" height=\"45\" fill=\"#fedcba\"/>\
         <path fill=\"#102030\" fill-rule=\"evenodd\""
    );
    assert_eq!(end, "/></svg>");
    let (_, end) = pieces(json!({"logo": logo(20, 10), "quiet_zone": 4}));
    let (start, end) = end.split_once(";base64,").unwrap();
    assert!(start.starts_with("/><image x=\""), "{start}");
    assert!(start.ends_with(" href=\"data:image/png"), "{start}");
    assert_eq!(start.matches(['<', ':']).count(), 2, "{start}");
    assert!(end.ends_with("\"/></svg>"));
    assert_eq!(end.matches('"').count(), 1);
}

/// A logo is as sharp as in the PNG, and keeps its place when the picture is enlarged.
#[test]
fn a_logo_scales_with_the_modules() {
    let red = RgbaImage::from_pixel(7, 7, Rgba([255, 0, 0, 255]));
    let qr = json!({"module_px": 3, "logo": in_base64(&red)});
    let authenticator = Authenticator::new(json!({"issuer": "Example", "qr": qr}));
    let [svg, png] = ["svg", "png"].map(|format| draw(&authenticator, "alice", format).data);
    let large = decoded(&rendered(&scratch("svg"), &svg.unwrap(), 4));
    let small = decoded(&png.unwrap());
    for (x, y, pixel) in large.enumerate_pixels() {
        assert_eq!(pixel, small.get_pixel(x / 4, y / 4), "({x}, {y})");
    }
}

#[test]
fn a_usual_svg_is_small() {
    for (issuer, limit) in [("Test", 2000), ("Example", 2450)] {
        let authenticator = Authenticator::new(json!({"issuer": issuer}));
        let reply = draw(&authenticator, "bob@example.com", "svg");
        let bytes = reply.data.unwrap().len();
        assert!(bytes <= limit, "{issuer}: {bytes} bytes");
    }
}
