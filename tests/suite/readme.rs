//! README.md and the pages that it leads to tell the truth: their tables, picture, program and links.

use std::fs;

use factor2::Status;
use factor2::capi::{factor2_import, factor2_qr};
use serde_json::{Value, json};

use crate::support::{Authenticator, artifacts, root, run, scratch, tool};

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

const PAGES: [&str; 9] = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/api.md",
    "docs/daemons.md",
    "docs/moving.md",
    "docs/performance.md",
    "docs/releasing.md",
    "docs/stores.md",
];

#[test]
fn every_page_is_led_to_and_every_link_leads_somewhere() {
    let mut led_to: Vec<_> = vec![root().join("README.md")];
    for page in PAGES {
        let text = read(page);
        let folder = root().join(page).parent().unwrap().to_owned();
        for link in text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
        {
            let file = link.split('#').next().unwrap();
            if !file.contains("://") && !file.is_empty() {
                let target = folder.join(file).canonicalize();
                led_to.push(target.unwrap_or_else(|_| panic!("{page}: {link}")));
            }
        }
    }
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let page = entry.unwrap().path();
        assert!(
            led_to.contains(&page),
            "{} is led to by nothing",
            page.display()
        );
    }
    for page in PAGES {
        assert!(
            led_to.contains(&root().join(page)),
            "{page} is led to by nothing"
        );
    }
}

#[test]
fn it_is_short() {
    assert!(read("README.md").lines().count() <= 200);
}

#[test]
fn the_table_of_errors_is_the_source_s() {
    let page = read("docs/api.md");
    for &status in Status::ALL {
        let (name, http, when) = (status.name(), status.http(), status.when());
        let row = format!("| {} | {name} | {http} | {when} |", status as i32);
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn the_table_of_functions_names_each() {
    let page = read("docs/api.md");
    let symbols = fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    for symbol in symbols.lines().filter_map(|line| line.split(' ').next()) {
        assert!(page.contains(&format!("`{symbol}`")), "{symbol}");
    }
}

/// docs/moving.md's function, with what the reader has to write.
#[test]
fn what_takes_over_compiles() {
    let page = read("docs/moving.md");
    let function = page.split("```c\n").nth(1).unwrap();
    let function = function.split("```").next().unwrap();
    let includes = "#include <stdio.h>\n#include <factor2.h>\n";
    let store = "void store(const char *user, const char *secret);\n";
    let source = scratch("take_over").join("take_over.c");
    fs::write(&source, format!("{includes}{store}{function}")).unwrap();
    run(tool("gcc")
        .args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-fsyntax-only",
            "-I",
        ])
        .arg(root().join("include"))
        .arg(&source));
}

/// docs/moving.md's requests, each with its answer beneath.
#[test]
fn what_is_moved_becomes_what_the_page_says() {
    let page = read("docs/moving.md");
    let mut blocks = page
        .split("```json\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let authenticator = Authenticator::new(json!({"issuer": "Example"}));
    let mut formats = Vec::new();
    while let Some(request) = blocks.next() {
        let answer = authenticator.call_raw(factor2_import, request.trim().as_bytes());
        let shown: Value = serde_json::from_str(blocks.next().unwrap()).unwrap();
        assert_eq!(answer.ok(), shown, "{request}");
        let request: Value = serde_json::from_str(request).unwrap();
        formats.push(request["format"].as_str().unwrap().to_owned());
    }
    for row in page.lines().filter(|line| line.starts_with("| [")) {
        for format in row.split('`').skip(1).step_by(2) {
            assert!(formats.iter().any(|known| known == format), "{format}");
        }
    }
}

/// Refresh with `make bench`: each row has the cells of one line there, in their order.
#[test]
fn the_figures_are_those_of_the_benchmark() {
    let cells = |line: &str| -> Vec<String> {
        let cells = line.split('|').map(|cell| cell.trim().to_owned());
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    let results = read("benches/results.md");
    for (page, least) in [("README.md", 4), ("docs/performance.md", 6)] {
        let text = read(page);
        let (_, table) = text.split_once("| one call of factor2 |").unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut compared = 0;
        for row in rows.map(cells) {
            let line = results
                .lines()
                .map(cells)
                .find(|line| line.first() == row.first());
            let line = line.unwrap_or_else(|| panic!("{page}: not in results.md: {row:?}"));
            let mut line = line.iter();
            assert!(
                row.iter().all(|cell| line.any(|other| other == cell)),
                "{page}: {row:?}"
            );
            compared += 1;
        }
        assert!(compared >= least, "{page}");
    }
    let machine = results
        .lines()
        .find(|line| line.contains(" cores; "))
        .unwrap();
    let machine = machine.split(',').next().unwrap();
    assert!(
        read("docs/performance.md").contains(machine),
        "the machine was {machine}"
    );
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
    let readme = read("README.md");
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
