//! The binary interface: exported symbols, status numbers, SONAME.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use factor2::Status;

use crate::header::CHAPTERS;
use crate::support::{OPERATIONS, artifacts, root, run, tool};

/// `name since` for each exported function; a name never leaves this list.
fn listed_symbols() -> BTreeSet<String> {
    let list = fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    let names = list.lines().map(|line| {
        let (name, since) = line.split_once(' ').expect("name, then version");
        assert_eq!(since.split('.').count(), 3, "{line}");
        name.to_owned()
    });
    names.collect()
}

#[test]
fn shared_library_exports_the_listed_symbols() {
    let output = run(tool("nm")
        .args(["-D", "--defined-only", "--format=posix"])
        .arg(artifacts().join("libfactor2.so")));
    let exported: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect();
    assert_eq!(exported, listed_symbols());
}

#[test]
fn header_declares_the_listed_symbols() {
    let header = fs::read_to_string(root().join("include/factor2.h")).unwrap();
    let mut declared = BTreeSet::new();
    for line in without_comments(&header).lines() {
        if let Some((before, _)) = line.split_once('(')
            && let Some(name) = before.rsplit([' ', '*']).next()
            && name.starts_with("factor2_")
        {
            declared.insert(name.to_owned());
        }
    }
    assert_eq!(declared, listed_symbols());
}

#[test]
fn every_operation_of_the_header_is_tested() {
    let others = [
        "_new", "_free", "_json", "_text", "_data", "_quote", "_name", "_http", "version",
        "_number",
    ];
    let operations: BTreeSet<String> = listed_symbols()
        .into_iter()
        .filter(|name| !others.iter().any(|ending| name.ends_with(ending)))
        .collect();
    let tested: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(operations, tested);
}

/// The numbers are a promise: this list only ever grows.
#[test]
fn status_numbers_are_pinned() {
    let mut now = String::new();
    for &status in Status::ALL {
        writeln!(now, "{} {} {}", status as i32, status.name(), status.http()).unwrap();
    }
    let pinned = fs::read_to_string(root().join("tests/abi/status.txt")).unwrap();
    assert_eq!(now, pinned);
}

#[test]
fn soname_and_nodelete() {
    let output = run(tool("readelf")
        .arg("-d")
        .arg(artifacts().join("libfactor2.so")));
    let dynamic = String::from_utf8(output.stdout).unwrap();
    assert!(dynamic.contains("soname: [libfactor2.so.0]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// Every exported function goes through the choke point, or is too simple to need it.
#[test]
fn every_export_is_guarded() {
    let files = CHAPTERS.iter();
    let source: String = files
        .map(|file| fs::read_to_string(root().join(format!("src/capi/{file}.rs"))).unwrap())
        .collect();
    let pure = [
        "factor2_status_name",
        "factor2_status_http",
        "factor2_version",
    ];
    let guards = [
        "respond(",
        "operate(",
        "operate_on(",
        "borrow(",
        "borrow_text(",
        "whole(",
    ];
    let mut seen = 0;
    for part in source.split("extern \"C\" fn ").skip(1) {
        let name = part.split('(').next().unwrap();
        let body = part.split("\n}\n").next().unwrap();
        let guarded = guards.iter().any(|guard| body.contains(guard));
        assert!(
            guarded || pure.iter().any(|pure| name.starts_with(pure)),
            "{name}"
        );
        seen += 1;
    }
    assert_eq!(seen, listed_symbols().len());
}

#[test]
fn unsafe_code_lives_in_capi_and_sys_alone() {
    fn visit(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("capi") && !path.ends_with("sys") {
                visit(&path, found);
            } else if path.is_file() {
                let source = fs::read_to_string(&path).unwrap();
                if source.contains("unsafe ") || source.contains("allow(unsafe_code)") {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    let mut found = Vec::new();
    visit(&root().join("src"), &mut found);
    assert_eq!(found, Vec::<String>::new());
}

fn without_comments(header: &str) -> String {
    let parts = header
        .split("/*")
        .map(|part| part.split_once("*/").map_or(part, |(_, code)| code));
    parts.collect()
}
