//! bindings/go with the real Go tools: from an installed library, as its README says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::install::{make, succeed, variable};
use crate::support::{root, run, scratch, tool};

#[test]
fn binding_is_clean_and_passes_its_tests() {
    let output = in_binding(tool("gofmt").args(["-l", "."]));
    assert!(output.stdout.is_empty(), "gofmt: {}", said(&output));
    in_binding(go().args(["vet", "./..."]));
    let output = in_binding(go().args(["test", "-race", "-count=1", "-v", "./..."]));
    for name in ["TestCases", "Example"] {
        let passed = format!("\n--- PASS: {name} ");
        assert!(said(&output).contains(&passed), "{}", said(&output));
    }
    assert!(!said(&output).contains("--- SKIP"), "{}", said(&output));
}

#[test]
fn readme_s_program_builds_in_a_module_of_its_own_and_runs() {
    let folder = program_folder();
    let output = run(tool("gofmt").arg("-l").arg(&folder));
    assert!(output.stdout.is_empty(), "gofmt: {}", said(&output));
    run(go().args(["vet", "."]).current_dir(&folder));
    run(go()
        .args(["build", "-o", "program", "."])
        .current_dir(&folder));
    let output = run(with_library(&mut Command::new(folder.join("program"))));
    let output = said(&output);
    let uri = "otpauth://totp/Example:bob%40example.com?secret=";
    assert!(output.starts_with(uri), "{output}");
    assert!(output.contains("\nfactor2: InvalidToken: "), "{output}");
}

#[test]
fn without_cgo_the_compiler_names_what_is_missing() {
    let folder = program_folder();
    let output = go()
        .args(["build", "-o", "program", "."])
        .current_dir(&folder)
        .env("CGO_ENABLED", "0")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = said.lines().filter(|line| !line.starts_with('#')).collect();
    let name = "undefined: factor2_needs_cgo__set_CGO_ENABLED_1_and_install_a_C_compiler";
    assert!(errors.len() == 1 && errors[0].ends_with(name), "{said}");
}

#[test]
fn a_program_can_be_wholly_static() {
    let folder = program_folder();
    run(go()
        .args(["build", "-ldflags", "-extldflags \"-static\""])
        .args(["-o", "program", "."])
        .current_dir(&folder));
    let dynamic = run(tool("readelf").arg("-dW").arg(folder.join("program")));
    assert!(!said(&dynamic).contains("(NEEDED)"), "{}", said(&dynamic));
    let output = run(&mut Command::new(folder.join("program")));
    assert!(
        said(&output).contains("\nfactor2: InvalidToken: "),
        "{output:?}"
    );
}

/// README's program, in a module made by README's commands.
fn program_folder() -> PathBuf {
    let readme = fs::read_to_string(binding().join("README.md")).unwrap();
    let folder = scratch("go_program");
    let commands = block(&readme, "sh").replace("/path/to/factor2/bindings/go", "\"$BINDING\"");
    assert!(commands.contains("$BINDING"), "{commands}");
    run(with_library(&mut Command::new("sh"))
        .args(["-ec", &commands])
        .env("BINDING", binding())
        .current_dir(&folder));
    fs::write(folder.join("main.go"), block(&readme, "go")).unwrap();
    folder
}

fn binding() -> PathBuf {
    root().join("bindings/go")
}

fn in_binding(command: &mut Command) -> Output {
    run(command.current_dir(binding()))
}

fn go() -> Command {
    let mut go = tool("go");
    with_library(&mut go);
    go
}

/// With what Go needs to find the library, to stay within the target folder and off the network.
fn with_library(command: &mut Command) -> &mut Command {
    let folder = installed();
    for name in [
        "GOROOT",
        "GOEXPERIMENT",
        "GOWORK",
        "CGO_CFLAGS",
        "CGO_LDFLAGS",
    ] {
        command.env_remove(name);
    }
    command
        .env("PKG_CONFIG_PATH", folder.join("prefix/lib/pkgconfig"))
        .env("LD_LIBRARY_PATH", folder.join("prefix/lib"))
        .env("CGO_ENABLED", "1")
        .env("GOENV", "off")
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GOCACHE", folder.join("cache"))
        .env("GOPATH", folder.join("path"))
        .env("TMPDIR", folder.join("temporary"))
        .env("XDG_CONFIG_HOME", folder.join("settings"))
}

/// The library, installed, and folders for what Go writes. The cache is new each time, because Go
/// does not see when an installed header changes.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = scratch("go");
        fs::create_dir(folder.join("temporary")).unwrap();
        succeed(make(
            "install",
            &[variable("PREFIX", &folder.join("prefix"))],
        ));
        folder
    })
}

/// The first block of a language in a text of Markdown.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
