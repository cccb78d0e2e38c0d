//! include/factor2.hpp as C++ programs use it: both compilers, C++17 and C++20, warnings denied; the
//! programs of tests/cpp, plain and under sanitizers; the example; README's program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::c_programs::examples;
use crate::support::{artifacts, root, run, scratch, tool};

const COMPILERS: [&str; 2] = ["g++", "clang++"];
const STANDARDS: [&str; 2] = ["c++17", "c++20"];

const STRICT: &[&str] = &[
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Werror",
    "-O1",
    "-g",
    "-pthread",
];

/// A kind of sanitizer, and a symbol that shows that it is in.
const MEMORY: (&str, &str) = ("address,undefined", "__asan_init");

#[test]
fn header_is_whole_in_every_translation_unit() {
    let folder = scratch("cpp_header");
    let halves = ["header.cpp", "header_again.cpp"].map(source);
    for compiler in COMPILERS {
        for standard in STANDARDS {
            for rtti in ["-frtti", "-fno-rtti"] {
                let program = folder.join("program");
                run(strict(compiler, standard)
                    .args([rtti, "-o"])
                    .arg(&program)
                    .args(&halves)
                    .arg(artifacts().join("libfactor2.so")));
                run(&mut with_library(&program));
            }
        }
    }
}

#[test]
fn programs_compile_in_every_standard() {
    let mut sources = vec![root().join("examples-c/enroll.cpp")];
    sources.extend(["outcomes.cpp", "threads.cpp"].map(source));
    for compiler in COMPILERS {
        for standard in STANDARDS {
            run(strict(compiler, standard)
                .arg("-fsyntax-only")
                .args(&sources));
        }
    }
}

/// Mistakes that must not compile, each beside its correct twin.
#[test]
fn mistakes_do_not_compile() {
    let both = &COMPILERS[..];
    let clang = &COMPILERS[1..]; // which alone looks after borrowed views
    let pairs = [
        (both, "if (a.verify(s, s)) return;", "a.verify(s, s);"),
        (both, "if (a.reset(s)) return;", "a.reset(s);"),
        (
            both,
            "if (a.call(factor2_verify, s)) return;",
            "a.call(factor2_verify, s);",
        ),
        (
            both,
            "bool in{a.verify(s, s)}; (void)in;",
            "bool in = a.verify(s, s); (void)in;",
        ),
        (
            both,
            "if (a.verify(s, s).status() == factor2::status::Ok) return;",
            "if (a.verify(s, s).status()) return; // Ok is 0",
        ),
        (
            both,
            "if (a.verify(s, s).status() != factor2::status::Ok) return;",
            "if (a.verify(s, s) != FACTOR2_OK) return;",
        ),
        (
            both,
            "factor2::authenticator b(std::move(a));",
            "factor2::authenticator b(a);",
        ),
        (
            both,
            "auto r = a.describe(), q = std::move(r); (void)q;",
            "auto r = a.describe(), q = r; (void)q;",
        ),
        (
            both,
            "factor2::authenticator b(s);",
            "factor2::authenticator b = s;",
        ),
        (
            clang,
            "auto r = a.describe(); std::string_view j = r.json(); (void)j;",
            "std::string_view j = a.describe().json(); (void)j;",
        ),
        (
            clang,
            "auto r = a.describe(); std::string_view j = r.value(); (void)j;",
            "std::string_view j = a.describe().value(); (void)j;",
        ),
        (
            clang,
            "auto r = a.describe(); std::string_view j = r.data(); (void)j;",
            "std::string_view j = a.describe().data(); (void)j;",
        ),
    ];
    let right: String = pairs
        .map(|(_, right, _)| format!("{{ {right} }}\n"))
        .concat();
    for compiler in COMPILERS {
        assert!(compiles(compiler, &right), "{right}");
    }
    for (compilers, _, wrong) in pairs {
        for compiler in compilers {
            assert!(!compiles(compiler, wrong), "{compiler}: {wrong}");
        }
    }
    let older = output(strict("g++", "c++14").args([
        "-fsyntax-only".as_ref(),
        source("header_again.cpp").as_os_str(),
    ]));
    assert!(text(&older.stderr).contains("factor2.hpp needs C++17"));
}

#[test]
fn cases_of_all_bindings() {
    check("cases", &[MEMORY]);
}

#[test]
fn outcomes() {
    check("outcomes", &[MEMORY]);
}

#[test]
fn threads() {
    check("threads", &[MEMORY, ("thread", "__tsan_init")]);
}

#[test]
fn enroll_does_in_cpp_what_it_does_in_c() {
    let program = examples::build("enroll.cpp", "c++ ");
    let sanitized = compile(
        "clang++",
        &root().join("examples-c/enroll.cpp"),
        &["-fsanitize=address,undefined"],
    );
    examples::enrolls([&program, &sanitized]);

    let long = "x".repeat(2000);
    let cases: [(&[&str], &str); 6] = [
        (&["a:b"], "Configuration: "),
        (&[""], "Configuration: "),
        (&[&long], "Configuration: "),
        (&["Example", "a\u{200B}b"], "BadRequest: "),
        (&["Example", &long], "BadRequest: "),
        (
            &["Example", "bob", "no/such/folder.png"],
            "no/such/folder.png: ",
        ),
    ];
    for program in [&program, &sanitized] {
        for (arguments, why) in cases {
            let folder = scratch("cpp_enroll");
            let output = output(Command::new(program).args(arguments).current_dir(&folder));
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            assert!(text(&output.stderr).starts_with(why), "{output:?}");
            assert!(output.stdout.is_empty(), "{output:?}");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        }
    }
}

#[test]
fn readme_s_program_compiles_and_runs() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let program = readme
        .split("```cpp\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let source = scratch("cpp_readme").join("program.cpp");
    fs::write(&source, program).unwrap();
    for compiler in COMPILERS {
        let said = run(&mut Command::new(compile(compiler, &source, &[])));
        assert!(text(&said.stdout).contains("otpauth://totp/Example:bob%40example.com?secret="));
    }
}

/// A program of tests/cpp: plain, by gcc with the shared library; then by clang with the static one, under
/// each kind of sanitizer.
fn check(name: &str, sanitizers: &[(&str, &str)]) {
    let source = source(&format!("{name}.cpp"));
    let cases = root().join("bindings/cases.json");
    let plain = scratch(name).join("plain");
    run(strict("g++", "c++17")
        .arg(&source)
        .arg("-o")
        .arg(&plain)
        .arg(artifacts().join("libfactor2.so")));
    run(with_library(&plain).arg(&cases));
    for (sanitizer, symbol) in sanitizers {
        let flag = format!("-fsanitize={sanitizer}");
        let program = compile("clang++", &source, &[&flag, "-fno-sanitize-recover=all"]);
        let symbols = text(&run(tool("nm").arg(&program)).stdout);
        assert!(symbols.contains(symbol), "{program:?} has no {symbol}");
        run(Command::new(program)
            .env("FACTOR2_INSTRUMENTED", "1")
            .arg(&cases));
    }
}

/// Builds a program with the static library.
fn compile(compiler: &str, source: &Path, flags: &[&str]) -> PathBuf {
    let program = scratch("cpp_program").join("program");
    run(strict(compiler, "c++17")
        .args(flags)
        .arg(source)
        .arg("-o")
        .arg(&program)
        .arg(artifacts().join("libfactor2.a"))
        .args(["-ldl", "-lm"]));
    program
}

fn compiles(compiler: &str, statements: &str) -> bool {
    let source = scratch("cpp_statements").join("program.cpp");
    let program = format!(
        "#include <factor2.hpp>\n\
         void f(factor2::authenticator &a, const char *s);\n\
         void f(factor2::authenticator &a, const char *s) {{\n\
         (void)a, (void)s;\n{statements}\n}}\n"
    );
    fs::write(&source, program).unwrap();
    let mut command = strict(compiler, "c++17");
    output(command.arg("-fsyntax-only").arg(&source))
        .status
        .success()
}

fn strict(compiler: &str, standard: &str) -> Command {
    let mut command = tool(compiler);
    command
        .arg(format!("-std={standard}"))
        .args(STRICT)
        .arg("-I")
        .arg(root().join("include"));
    command
}

fn with_library(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", artifacts());
    command
}

fn source(name: &str) -> PathBuf {
    root().join("tests/cpp").join(name)
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
