//! The programs of tests/c, compiled against the shared and the static library, and run as they are, under
//! sanitizers and under valgrind.

pub mod examples;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[cfg(feature = "redis")]
use crate::guard_redis::server::Server;
use crate::support::{announce, artifacts, root, run, scratch, tool};

const STRICT: &[&str] = &[
    "-std=c99",
    "-pedantic",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-O1",
    "-g",
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Library {
    Shared,
    Static,
}

/// Two tests per program, and a list to compare with the folder.
macro_rules! programs {
    ($($name:ident)*) => {
        const PROGRAMS: &[&str] = &[$(stringify!($name)),*];

        /// As they are. `make check` runs what has `with_cc` in its path: it needs no other tool.
        mod with_cc {
            $(
                #[test]
                fn $name() {
                    super::check(stringify!($name), super::run_plain);
                }
            )*
        }

        /// Under gcc's sanitizers and under valgrind.
        mod instrumented {
            $(
                #[test]
                fn $name() {
                    super::check(stringify!($name), super::run_instrumented);
                }
            )*
        }
    };
}

programs!(abi allocations cancel code copies dlopen flood fork fork_inside handle import input json_quote memory null quiet response_text secrets stack threads wipe);

/// Runs a program with either library, in a folder of its own.
fn check(program: &str, run_with: fn(&str, &Path, Library, &Path)) {
    let folder = scratch(program);
    let source = root().join("tests/c").join(program).with_extension("c");
    for library in [Library::Shared, Library::Static] {
        let what = format!("{program}, {library:?}");
        if program == "dlopen" && library == Library::Static {
            announce(&format!("SKIPPED: {what}: an archive cannot be loaded"));
            continue;
        }
        run_with(&what, &source, library, &folder);
    }
    fs::remove_dir_all(folder).unwrap(); // the static programs are large
}

fn run_plain(what: &str, source: &Path, library: Library, folder: &Path) {
    let program = compile("cc", source, &folder.join("plain"), library, STRICT);
    run_test(what, &mut Command::new(program));
}

fn run_instrumented(what: &str, source: &Path, library: Library, folder: &Path) {
    if ["allocations.c", "import.c", "memory.c", "wipe.c"]
        .iter()
        .any(|name| source.ends_with(name))
    {
        announce(&format!(
            "SKIPPED: {what}, sanitizers and valgrind: they bring memory of their own"
        ));
        return;
    }
    let plain = compile("gcc", source, &folder.join("plain"), library, STRICT);
    let sanitized = sanitized(source, &folder.join("sanitized"), library);
    for (way, mut command) in [
        ("valgrind", valgrind(&plain)),
        ("sanitizers", Command::new(sanitized)),
    ] {
        command.env("FACTOR2_INSTRUMENTED", "1");
        run_test(&format!("{what}, {way}"), &mut command);
    }
}

/// Runs a test program, and passes on what it says it left out.
fn run_test(what: &str, command: &mut Command) {
    #[cfg(feature = "redis")]
    let server = (what.starts_with("cancel") && Server::is_installed()).then(|| Server::start(&[]));
    #[cfg(feature = "redis")]
    command.envs(
        server
            .iter()
            .map(|server| ("FACTOR2_REDIS_URL", server.url())),
    );
    let output = run(command.env("FACTOR2_SO", artifacts().join("libfactor2.so")));
    for left_out in text(&output.stdout)
        .lines()
        .filter_map(|line| line.strip_prefix("skipped: "))
    {
        announce(&format!("SKIPPED: {what}: {left_out}"));
    }
}

fn valgrind(program: &Path) -> Command {
    let mut command = tool("valgrind");
    command
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        .arg("--errors-for-leak-kinds=definite,indirect,possible")
        .arg(program);
    command
}

/// Builds with sanitizers, and makes sure that they are in.
fn sanitized(source: &Path, program: &Path, library: Library) -> PathBuf {
    let flags = [
        STRICT,
        &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    ];
    let program = compile("gcc", source, program, library, &flags.concat());
    let symbols = text(&run(tool("nm").arg(&program)).stdout);
    for symbol in ["__asan_init", "__ubsan_handle"] {
        assert!(symbols.contains(symbol), "{program:?} has no {symbol}");
    }
    program
}

fn compile(
    compiler: &str,
    source: &Path,
    program: &Path,
    library: Library,
    flags: &[&str],
) -> PathBuf {
    let mut command = tool(compiler);
    command
        .args(flags)
        .arg("-I")
        .arg(root().join("include"))
        .arg(source)
        .arg("-o")
        .arg(program);
    match library {
        Library::Shared => command
            .arg(artifacts().join("libfactor2.so"))
            .arg(format!("-Wl,-rpath,{}", artifacts().display())),
        Library::Static => command.arg(artifacts().join("libfactor2.a")),
    };
    run(command.args(["-lpthread", "-ldl", "-lm"]));
    program.to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension() == Some(OsStr::new(extension)))
        .collect();
    files.sort();
    files
}

#[test]
fn every_program_is_in_the_list() {
    let files = files("tests/c", "c");
    let names: Vec<_> = files.iter().map(|path| path.file_stem().unwrap()).collect();
    assert_eq!(names, PROGRAMS);
}

/// A new function or status of the header has to be met here, too.
#[test]
fn every_function_and_status_of_the_header_is_used() {
    let header = fs::read_to_string(root().join("include/factor2.h")).unwrap();
    let sources: String = [files("tests/c", "c"), files("tests/c", "h")]
        .concat()
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let used = |name: &str| sources.split(|c| !is_name(c)).any(|word| word == name);
    let functions = header
        .match_indices('(')
        .map(|(at, _)| header[..at].rsplit(|c| !is_name(c)).next().unwrap())
        .filter(|name| name.starts_with("factor2_"));
    let statuses = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .filter_map(|rest| rest.split_once(' '))
        .filter(|(name, value)| name.starts_with("FACTOR2_") && value.parse::<u16>().is_ok())
        .map(|(name, _)| name);
    let names: Vec<&str> = functions.chain(statuses).collect();
    assert!(names.contains(&"factor2_verify") && names.contains(&"FACTOR2_INVALID_TOKEN"));
    for name in names {
        assert!(used(name), "{name} is in no program of tests/c");
    }
}
