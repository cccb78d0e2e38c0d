//! README.md tells the truth: its tables, its picture, its program.

use std::fs;

use factor2::Status;
use factor2::capi::factor2_qr;
use serde_json::json;

use crate::support::{Authenticator, artifacts, root, run, scratch, tool};

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn its_table_of_errors_is_the_source_s() {
    let readme = readme();
    for &status in Status::ALL {
        let (name, http, when) = (status.name(), status.http(), status.when());
        let row = format!("| {} | {name} | {http} | {when} |", status as i32);
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn it_names_every_function() {
    let readme = readme();
    let symbols = fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    for symbol in symbols.lines().filter_map(|line| line.split(' ').next()) {
        assert!(readme.contains(&format!("`{symbol}`")), "{symbol}");
    }
}

/// Refresh with `make bench`: each row has the cells of one line there, in their order.
#[test]
fn its_figures_are_those_of_the_benchmark() {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.split('|').map(|cell| cell.trim().to_owned());
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    let results = fs::read_to_string(root().join("benches/results.md")).unwrap();
    let readme = readme();
    let (_, section) = readme.split_once("\n## Performance\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let mut compared = 0;
    for row in rows {
        let row = cells(row);
        let line = results
            .lines()
            .map(cells)
            .find(|line| line.first() == row.first());
        let line = line.unwrap_or_else(|| panic!("not in results.md: {row:?}"));
        let mut line = line.iter();
        assert!(
            row.iter().all(|cell| line.any(|other| other == cell)),
            "{row:?}"
        );
        compared += 1;
    }
    assert!(compared >= 6);
    let machine = results
        .lines()
        .find(|line| line.contains(" cores; "))
        .unwrap();
    let machine = machine.split(',').next().unwrap();
    assert!(section.contains(machine), "the machine was {machine}");
}

/// Refresh with `make header`, which blesses this as well.
#[test]
fn its_picture_is_what_the_library_draws() {
    let config = json!({"issuer": "Example", "qr": {"module_px": 6}});
    let request = json!({
        "username": "bob@example.com",
        "totpsecret": "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q",
    });
    let drawn = Authenticator::new(config)
        .call(factor2_qr, request)
        .data
        .unwrap();
    let path = root().join("examples-c/enrollment.png");
    if std::env::var_os("FACTOR2_BLESS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    assert!(
        fs::read(&path).unwrap() == drawn,
        "run `make header` to draw it anew"
    );
}

#[test]
fn its_program_compiles_and_runs() {
    let readme = readme();
    let program = readme
        .split("```c\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let folder = scratch("readme");
    fs::write(folder.join("program.c"), program).unwrap();
    run(tool("cc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            "program",
            "program.c",
            "-lfactor2",
        ])
        .arg(format!("-I{}", root().join("include").display()))
        .arg(format!("-L{}", artifacts().display()))
        .arg(format!("-Wl,-rpath,{}", artifacts().display()))
        .current_dir(&folder));
    let output = run(&mut tool(folder.join("program")));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("\"uri\":\"otpauth://totp/Example:bob%40example.com?secret="));
}
