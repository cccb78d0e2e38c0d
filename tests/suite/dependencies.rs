//! What the library is built from: how many crates, which Rust they need, and how large it becomes.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{artifacts, cargo, root, run, scratch, tool};

/// Crates that go into the library with all stores, itself among them.
const MOST_CRATES: usize = 80;

/// Bytes of the stripped library with all stores, on x86-64.
const LARGEST: u64 = 4_400_000;

/// The Rust of Debian's `cargo-web`.
const DEBIAN_HAS: [u32; 2] = [1, 96];

/// The crates that go into the library, as `name version`.
fn crates() -> BTreeSet<String> {
    let output = run(cargo().current_dir(root()).args([
        "tree",
        "--edges=normal",
        "--prefix=none",
        "--locked",
    ]));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names = tree.lines().map(|line| {
        let mut words = line.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        format!("{name} {}", version.strip_prefix('v').unwrap())
    });
    names.collect()
}

/// A version of Rust, without the last number.
fn rust(version: &str) -> [u32; 2] {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap());
    [numbers.next().unwrap(), numbers.next().unwrap()]
}

#[test]
fn few_crates_go_into_the_library() {
    let crates = crates();
    assert!(crates.len() <= MOST_CRATES, "{}: {crates:#?}", crates.len());
    // Each named for a duty that is not to be done by hand.
    for name in ["base64", "image", "libc", "qrcode", "serde_json", "totp-rs"] {
        let is_this = |one: &String| one.split(' ').next() == Some(name);
        assert!(crates.iter().any(is_this), "{name}");
    }
}

/// Our own code needs no newer one: clippy's `incompatible_msrv` sees to that.
#[test]
fn the_rust_version_is_what_the_dependencies_need() {
    let output =
        run(cargo()
            .current_dir(root())
            .args(["metadata", "--format-version=1", "--locked"]));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let crates = crates();
    let mut found = 0;
    let mut needed = ([0, 0], String::new());
    for package in metadata["packages"].as_array().unwrap() {
        let text = |name: &str| package[name].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        if text("name") == env!("CARGO_PKG_NAME") || !crates.contains(&name) {
            continue;
        }
        found += 1;
        if !text("rust_version").is_empty() {
            needed = needed.max((rust(text("rust_version")), name));
        }
    }
    assert_eq!(found, crates.len() - 1);
    let ours = rust(env!("CARGO_PKG_RUST_VERSION"));
    assert_eq!(ours, needed.0, "rust-version in Cargo.toml; {}", needed.1);
    assert!(ours <= DEBIAN_HAS, "Debian's cargo-web is too old");

    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("\nincompatible_msrv = \"deny\""));
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let [major, minor] = ours;
    assert!(readme.contains(&format!("Rust {major}.{minor} or newer")));
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_stripped_library_is_small() {
    let stripped = scratch("size").join("libfactor2.so");
    run(tool("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(artifacts().join("libfactor2.so")));
    let size = fs::metadata(stripped).unwrap().len();
    assert!(size <= LARGEST, "{size} bytes");
    let megabytes = size as f64 / 1e6;
    let page = fs::read_to_string(root().join("docs/performance.md")).unwrap();
    let row = format!("| all (`sqlite redis-tls`), the default | {megabytes:.1} MB |");
    assert!(page.contains(&row), "{row}");
}
