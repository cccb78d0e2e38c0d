//! include/factor2.h is what cbindgen makes of src/capi/, chapter by chapter, and of the status table.

use std::fmt::Write;
use std::fs;

use factor2::Status;

use crate::support::root;

/// Refresh with `make header`.
#[test]
fn committed_header_is_current() {
    let path = root().join("include/factor2.h");
    let wanted = generated();
    if std::env::var_os("FACTOR2_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == wanted,
        "include/factor2.h is not what the source says: run `make header`, and look at the diff"
    );
    for line in committed.lines() {
        assert!(line.chars().count() <= 100, "over 100 columns: {line}");
    }
}

/// The chapters, files of src/capi, in the order of the header.
pub const CHAPTERS: [&str; 13] = [
    "types",
    "authenticator",
    "describe",
    "enroll",
    "seal",
    "verify",
    "recovery",
    "guard",
    "diagnose",
    "transfer",
    "crossauth",
    "response",
    "version",
];

#[test]
fn every_file_with_exports_is_a_chapter() {
    let folder = fs::read_dir(root().join("src/capi")).unwrap();
    for file in folder.map(|entry| entry.unwrap().path()) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let has_exports = fs::read_to_string(&file).unwrap().contains("no_mangle");
        assert_eq!(has_exports, CHAPTERS[1..].contains(&name), "{name}");
    }
}

fn generated() -> String {
    let mut text = PROLOGUE.to_owned() + &constants();
    for chapter in CHAPTERS {
        if chapter != "types" {
            text += &head(chapter);
        }
        text += &declarations(chapter);
    }
    text + EPILOGUE
}

fn source(file: &str) -> std::path::PathBuf {
    root().join(format!("src/capi/{file}.rs"))
}

/// The comment at the head of a file.
fn head(file: &str) -> String {
    let source = fs::read_to_string(source(file)).unwrap();
    let mut text = String::from("\n/*\n");
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        writeln!(text, " *{line}").unwrap();
    }
    text + " */\n\n"
}

fn declarations(file: &str) -> String {
    let config = root().join("include/cbindgen.toml");
    let mut declarations = Vec::new();
    cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(config).unwrap())
        .with_src(source(file))
        .generate()
        .unwrap()
        .write(&mut declarations);
    without_rust_sections(&String::from_utf8(declarations).unwrap())
}

/// `# Safety` is for Rust readers: the header's parameter descriptions say the same.
fn without_rust_sections(declarations: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in declarations.lines() {
        if line.trim() == "* # Safety" {
            // The blank comment line before it goes as well.
            assert!(kept.ends_with("\n *\n"));
            kept.truncate(kept.len() - " *\n".len());
            skipping = true;
        } else if line.trim() == "*/" {
            skipping = false;
        }
        if !skipping {
            kept += line;
            kept += "\n";
        }
    }
    kept
}

fn constants() -> String {
    let mut text = STATUSES.to_owned();
    for &status in Status::ALL {
        let number = status as i32;
        let (http, when) = (status.http(), status.when());
        let comment = format!("/** {when} (HTTP {http}) */");
        match comment.len() {
            ..=100 => writeln!(text, "{comment}").unwrap(),
            _ => writeln!(text, "/** {when}\n    (HTTP {http}) */").unwrap(),
        }
        writeln!(
            text,
            "#define FACTOR2_{} {number}",
            upper_snake(status.name())
        )
        .unwrap();
    }
    let (major, minor, patch) = (
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    );
    let version = env!("CARGO_PKG_VERSION");
    write!(
        text,
        "\n/** A length that stands for \"up to the first NUL\". */\n\
         #define FACTOR2_NUL_TERMINATED ((size_t)-1)\n\n\
         /* This header's version; factor2_version() is the library's. */\n\
         #define FACTOR2_VERSION \"{version}\"\n\
         #define FACTOR2_VERSION_MAJOR {major}\n\
         #define FACTOR2_VERSION_MINOR {minor}\n\
         #define FACTOR2_VERSION_PATCH {patch}\n\
         #define FACTOR2_VERSION_NUMBER \\\n    \
         (FACTOR2_VERSION_MAJOR * 1000000 + FACTOR2_VERSION_MINOR * 1000 + FACTOR2_VERSION_PATCH)\n\
         /* Whether this header is that version or a newer one. */\n\
         #define FACTOR2_VERSION_AT_LEAST(major, minor, patch) \\\n    \
         (FACTOR2_VERSION_NUMBER >= (major) * 1000000 + (minor) * 1000 + (patch))\n\n"
    )
    .unwrap();
    text
}

/// `InvalidToken` -> `INVALID_TOKEN`.
pub fn upper_snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_uppercase());
    }
    text
}

const PROLOGUE: &str = r#"/*
 * factor2: a second factor in one C library.
 *
 * Make an authenticator once. To enroll a user, call factor2_create_secret(), show the QR code,
 * store the secret, and let the user confirm by a code. To log a user in, call factor2_verify():
 *
 *     factor2_authenticator *authenticator;
 *     if (factor2_authenticator_new("{\"issuer\":\"Example\"}", FACTOR2_NUL_TERMINATED,
 *                                   &authenticator, NULL) != FACTOR2_OK) return -1;
 *     if (factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, NULL) == FACTOR2_OK)
 *         let_in();
 *
 * The rules, which hold for every function:
 *
 * 1. The status is the verdict. factor2_verify() returns FACTOR2_OK (0) only for an accepted code;
 *    whatever else happens, the status is not 0.
 * 2. Out-pointers are set to NULL on entry, on every path. `response` may be NULL if you want only
 *    the verdict.
 * 3. On failure the response holds {"error":{"code","http_status","message"}}, see
 *    factor2_response_json(). It may be NULL when there was no memory or an internal error. There
 *    is no "last error" to ask for later.
 * 4. What the accessors return is borrowed from the response, until factor2_response_free(). What
 *    you get as a handle is yours to free, once. All free functions take NULL. A NULL, or a handle
 *    of the other kind, is an error; a freed handle usually is, as long as its memory was not used
 *    again.
 * 5. A `const factor2_authenticator *` may be used by any number of threads at once, although its
 *    guard's records change, and after fork() in the child (the store "memory" refuses there).
 *    factor2_authenticator_free() needs it alone. A response, const or not, belongs to one thread
 *    at a time. The functions of the last chapter may be called at any time; nothing else may be
 *    called from a signal handler. pthread_cancel() waits until a call is over.
 * 6. Requests are JSON objects, and strict: unknown, duplicate and missing members, wrong types,
 *    trailing bytes and nesting deeper than 8 levels are refused, so that a typed code such as
 *    000000","totpsecret":"... never changes a request that was put together by snprintf(). Still
 *    write every text into it by factor2_json_quote(). In responses, ignore members that you don't
 *    know.
 * 7. No panic leaves the library. It reads no environment variable, locale or terminal and no file
 *    but those that the settings name, makes no thread and no signal handler, and prints nothing.
 *    It has no global state, but for the guard's store "sqlite": SQLite has some, and from the
 *    first use on there are fork handlers for the life of the process, because nobody may be
 *    inside SQLite while it forks.
 * 8. Secrets are wiped from the library's memory when it has done with them: in a response by
 *    factor2_response_free(). The memory that you pass is yours to wipe.
 *
 * Within one SONAME (libfactor2.so.0) there are only additions: functions, statuses, optional
 * members of requests, members of responses. A function that is to go is marked FACTOR2_DEPRECATED
 * for one SONAME first.
 *
 * Made by `make header` from src/capi/ and src/status.rs; don't edit.
 * Copyright the factor2 developers. SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef FACTOR2_H
#define FACTOR2_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Stands before every function; yours to define, to import them from a DLL for instance. */
#ifndef FACTOR2_API
#define FACTOR2_API
#endif

#ifndef FACTOR2_MUST_USE
#if defined(__GNUC__)
#define FACTOR2_MUST_USE __attribute__((warn_unused_result))
#else
#define FACTOR2_MUST_USE
#endif
#endif

/* Stands before functions that will go; define it as nothing to use them without a warning. */
#ifndef FACTOR2_DEPRECATED
#if defined(__GNUC__)
#define FACTOR2_DEPRECATED __attribute__((deprecated))
#else
#define FACTOR2_DEPRECATED
#endif
#endif
"#;

const STATUSES: &str = "
/*
 * Statuses. Numbers never change their meaning and never come back. 1xx: the caller's mistake. 2xx:
 * the verdict, and what is wrong with the user's data. 3xx: the settings and the store. 9xx: the
 * system. New ones keep to these ranges.
 */

";

const EPILOGUE: &str = r#"
#ifdef __cplusplus
}
#endif

#endif
"#;
