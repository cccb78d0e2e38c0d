//! include/factor2.h the way strangers compile it: every standard, both compilers, no warning;
//! and a C++ program links against the library.

use std::fs;
use std::process::Command;

use crate::support::{artifacts, root, scratch, tool};

const C: (&[&str], &[&str]) = (&["gcc", "clang"], &["c89", "c99", "c11", "c17", "c2x"]);
const CPP: (&[&str], &[&str]) = (
    &["g++", "clang++"],
    &["c++98", "c++11", "c++14", "c++17", "c++20"],
);

/// Good in every one of those standards. The header comes first, so that it cannot lean on another
/// one, and twice, for its guard.
const PROGRAM: &str = r#"
#include "factor2.h"
#include "factor2.h"
#include <string.h>

int main(void)
{
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    size_t len = 0;
    const char *json;
    const unsigned char *png;
    factor2_status status = factor2_authenticator_new(
        "{\"issuer\":\"Example\",\"guard\":{\"store\":\"none\"}}", FACTOR2_NUL_TERMINATED,
        &authenticator, NULL);
    if (status != FACTOR2_OK)
        return 1;

    status = factor2_create_secret(authenticator, "{\"username\":\"alice\"}",
                                   FACTOR2_NUL_TERMINATED, &response);
    if (status != FACTOR2_OK)
        return 2;
    json = factor2_response_json(response, &len);
    if (len != strlen(json))
        return 3;
    png = factor2_response_data(response, &len);
    if (len < 8 || memcmp(png + 1, "PNG", 3) != 0)
        return 4;
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);

    if (factor2_version_number() != FACTOR2_VERSION_NUMBER)
        return 5;
    if (strcmp(factor2_version(), FACTOR2_VERSION) != 0)
        return 6;
    return strcmp(factor2_status_name(FACTOR2_INVALID_TOKEN), "InvalidToken") != 0
        || factor2_status_http(FACTOR2_INVALID_TOKEN) != 401;
}
"#;

#[test]
fn header_compiles_without_a_warning_in_every_standard() {
    for (suffix, (compilers, standards)) in [("c", C), ("cpp", CPP)] {
        compiles_without_a_warning(suffix, compilers, standards);
    }
}

/// `make check` runs this.
#[test]
fn header_compiles_with_cc() {
    compiles_without_a_warning("c", &["cc"], C.1);
}

fn compiles_without_a_warning(suffix: &str, compilers: &[&str], standards: &[&str]) {
    let source = scratch("header_compiles")
        .join("program")
        .with_extension(suffix);
    fs::write(&source, PROGRAM).unwrap();
    let mut failures = Vec::new();
    for compiler in compilers {
        for standard in standards {
            let complaint = complaint(strict(compiler, standard).arg("-fsyntax-only").arg(&source));
            if !complaint.is_empty() {
                failures.push(format!("{compiler} -std={standard}:\n{complaint}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_cpp_program_links_and_runs() {
    let folder = scratch("header_compiles");
    let source = folder.join("program.cpp");
    fs::write(&source, PROGRAM).unwrap();
    for compiler in CPP.0 {
        for library in ["libfactor2.so", "libfactor2.a"] {
            let program = folder.join("program");
            let complaint = complaint(
                strict(compiler, "c++98")
                    .arg(&source)
                    .arg(artifacts().join(library))
                    .arg("-o")
                    .arg(&program),
            );
            let what = format!("{compiler} with {library}");
            assert!(complaint.is_empty(), "{what}:\n{complaint}");
            let status = Command::new(&program)
                .env("LD_LIBRARY_PATH", artifacts())
                .status()
                .unwrap();
            assert!(status.success(), "{what}: {status}");
        }
    }
}

fn strict(compiler: &str, standard: &str) -> Command {
    let mut command = tool(compiler);
    command
        .arg(format!("-std={standard}"))
        .args(["-pedantic-errors", "-Wall", "-Wextra", "-Werror"])
        .arg("-I")
        .arg(root().join("include"));
    if !compiler.ends_with("++") {
        command.arg("-Wstrict-prototypes");
    }
    command
}

/// What the compiler said; empty when it accepted in silence.
fn complaint(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.is_empty() && !output.status.success() {
        return output.status.to_string();
    }
    said
}
