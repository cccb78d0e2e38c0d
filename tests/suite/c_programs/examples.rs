//! The programs of examples-c, built and used as their head comments say; those of pam/ are compiled.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Library, STRICT, files, sanitized, text, valgrind};
use serde_json::{Value, json};

use crate::guard_redis::server::Server;
use crate::support::{announce, artifacts, root, run, scratch, tool};

#[test]
fn examples_and_the_programs_of_pam_compile_without_a_warning() {
    let folder = scratch("examples");
    for source in [files("examples-c", "c"), files("pam", "c")].concat() {
        // These use more than the C library, and such headers are not C89.
        let newer = source.ends_with("web_login.c") || source.starts_with(root().join("pam"));
        for compiler in ["gcc", "clang"] {
            for standard in ["-std=c89", "-std=c99", "-std=c2x"] {
                if newer && standard == "-std=c89" {
                    continue;
                }
                run(tool(compiler)
                    .args(STRICT)
                    .args([standard, "-Wconversion", "-Wstrict-prototypes", "-c"])
                    .arg("-I")
                    .arg(root().join("include"))
                    .arg(&source)
                    .arg("-o")
                    .arg(folder.join("object.o")));
            }
        }
    }
}

fn example(name: &str) -> PathBuf {
    build(&format!("{name}.c"), "cc ")
}

/// An example, built by the very command in its head comment, as in a clone after
/// `cargo build --release`. The command begins as stated, and the program has the file's stem.
pub fn build(file: &str, compiler: &str) -> PathBuf {
    let name = Path::new(file).file_stem().unwrap();
    let clone = scratch(file);
    fs::create_dir_all(clone.join("target/release")).unwrap();
    for folder in ["include", "examples-c"] {
        symlink(root().join(folder), clone.join(folder)).unwrap();
    }
    for library in ["libfactor2.so", "libfactor2.a"] {
        symlink(
            artifacts().join(library),
            clone.join("target/release").join(library),
        )
        .unwrap();
    }
    let source = fs::read_to_string(root().join("examples-c").join(file)).unwrap();
    let commands: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix(" *     "))
        .filter(|line| line.starts_with(compiler))
        .collect();
    assert_eq!(commands.len(), 1, "{file}: one command in the head comment");
    run(Command::new("sh")
        .args(["-ec", commands[0]])
        .current_dir(&clone));
    clone.join(name)
}

/// The example under sanitizers, to be run like the plain one.
fn sanitized_example(name: &str) -> PathBuf {
    let source = root().join("examples-c").join(name).with_extension("c");
    sanitized(&source, &scratch(name).join(name), Library::Static)
}

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn code_at(when: &str, secret: &str) -> String {
    let output = run(tool("oathtool").args(["--totp", "--base32", "--now", when, secret]));
    text(&output.stdout).trim().to_owned()
}

fn answer(mut program: Command, input: &[u8]) -> Output {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that has seen enough may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn verify_says_yes_to_the_right_code_only() {
    let plain = example("verify");
    let sanitized = sanitized_example("verify");
    let code = code_at("now", SECRET);
    let wrong = format!("{}{}", &code[..5], (code.as_bytes()[5] - b'0' + 1) % 10);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let long = "1".repeat(100_000);
    let accepted = [
        format!("{SECRET}\n{code}\n"),
        format!("{SECRET}\n{code}"),
        format!("{SECRET}\r\n{code}\r\n"),
        format!("{}\n{spaced}\nmore lines\n", SECRET.to_lowercase()),
    ];
    let refused = [
        (format!("{SECRET}\n{wrong}\n"), "InvalidToken"),
        (format!("{SECRET}\n{code}0\n"), "InvalidToken"),
        (format!("{SECRET}\n\n{code}\n"), "InvalidToken"),
        (
            format!("{SECRET}\n000000\",\"totpsecret\":\"{SECRET}\n"),
            "InvalidToken",
        ),
        (format!("{SECRET}\n\\\n"), "InvalidToken"),
        (format!("{SECRET}\n\u{7f}\u{1}\n"), "InvalidToken"),
        (format!("{SECRET}1\n{code}\n"), "InvalidSecret"),
        (format!("{code}\n{SECRET}\n"), "InvalidSecret"),
        (format!("\n{code}\n"), "InvalidSecret"),
        (String::new(), "standard input"),
        (SECRET.to_owned(), "standard input"),
        (format!("{SECRET}\n"), "standard input"),
        (format!("{SECRET}\n{code}\0"), "InvalidToken"),
        (format!("{SECRET}\0\n{code}\n"), "InvalidSecret"),
        (format!("{SECRET}\n{long}\n{code}\n"), "standard input"),
        (format!("{long}\n{SECRET}\n{code}\n"), "standard input"),
    ];
    for program in [&plain, &sanitized] {
        for input in &accepted {
            let output = answer(Command::new(program), input.as_bytes());
            assert_eq!(output.status.code(), Some(0), "{input:?}: {output:?}");
            assert!(
                output.stdout.is_empty() && output.stderr.is_empty(),
                "{output:?}"
            );
        }
        for (input, why) in &refused {
            let output = answer(Command::new(program), input.as_bytes());
            assert_eq!(output.status.code(), Some(1), "{input:?}: {output:?}");
            assert!(text(&output.stderr).contains(why), "{input:?}: {output:?}");
        }
        let not_utf8 = [SECRET.as_bytes(), b"\n\xff\n"].concat();
        let output = answer(Command::new(program), &not_utf8);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
    let output = answer(valgrind(&plain), accepted[0].as_bytes());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = answer(valgrind(&plain), refused[0].0.as_bytes());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn enroll_draws_what_a_phone_can_scan() {
    let plain = example("enroll");
    let names: [(&[&str], &str); 3] = [
        (&[], "Example%20Shop:alice"),
        (
            &["Zo\u{eb} \"B\"\\C"],
            "Example%20Shop:Zo%C3%AB%20%22B%22%5CC",
        ),
        (&["bob", "mine.png"], "Example%20Shop:bob"),
    ];
    let programs = [plain.as_path(), &sanitized_example("enroll")];
    shows(programs, names, &[(1, "\nInvalidToken: ")]);
    let folder = scratch("enroll_run");
    run(valgrind(&plain).current_dir(&folder));
}

/// What the enroll example in C++ shows, plain and sanitized.
pub fn enrolls(programs: [&Path; 2]) {
    let names: [(&[&str], &str); 3] = [
        (&[], "Example%20Shop:alice%40example.com"),
        (&["A \"B\"\\C", "Zoë"], "A%20%22B%22%5CC:Zo%C3%AB"),
        (&["Example", "bob", "mine.png"], "Example:bob"),
    ];
    let refusals = [
        (1, ": TokenReused: "),
        (5, ": InvalidToken: "),
        (1, ": Throttled: "),
    ];
    shows(programs, names, &refusals);
}

/// Runs an enroll example with arguments that make these labels, and looks at all that it shows.
fn shows(programs: [&Path; 2], names: [(&[&str], &str); 3], refusals: &[(usize, &str)]) {
    for program in programs {
        for (arguments, label) in names {
            let folder = scratch("enroll_run");
            let png = arguments.iter().find(|name| name.ends_with(".png"));
            let png = folder.join(png.unwrap_or(&"factor2-qr.png"));
            fs::write(&png, "an old file that everyone may read").unwrap();
            let output = run(Command::new(program).args(arguments).current_dir(&folder));
            let said = text(&output.stdout);

            let secret = said
                .lines()
                .find(|line| line.len() == 32 && line.bytes().all(|b| b.is_ascii_alphanumeric()))
                .unwrap_or_else(|| panic!("no secret in {said}"));
            // A step may have ended since.
            let lately = ["now", "30 seconds ago"].map(|when| code_at(when, secret));
            let accepted = |code| said.contains(&format!("\n{code}: accepted\n"));
            assert!(lately.iter().any(accepted), "{lately:?}: {said}");
            for &(times, refusal) in refusals {
                assert_eq!(said.matches(refusal).count(), times, "{said}");
            }

            let uri = format!("otpauth://totp/{label}?secret={secret}&issuer=");
            assert!(scan(&png).starts_with(&uri), "{}", scan(&png));
            let drawn = folder.join("terminal.pgm");
            fs::write(&drawn, picture_of_terminal(&said)).unwrap();
            assert_eq!(scan(&drawn), scan(&png));

            let mode = fs::metadata(&png).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "the picture holds the secret");
        }
    }
}

#[test]
fn enroll_fails_by_name() {
    let plain = example("enroll");
    let long = "x".repeat(2000);
    let cases: [(&[&str], &str); 4] = [
        (&["a\u{200B}b"], "BadRequest: "),
        (&[""], "BadRequest: "),
        (&[&long], "BadRequest: "),
        (&["bob", "no/such/folder.png"], "no/such/folder.png: "),
    ];
    for program in [&plain, &sanitized_example("enroll")] {
        for (arguments, why) in cases {
            let folder = scratch("enroll_run");
            let mut command = Command::new(program);
            let output = command
                .args(arguments)
                .current_dir(&folder)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(said.contains(why) && !said.contains("accepted"), "{said}");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        }
    }
}

#[test]
fn life_goes_on_with_each_store() {
    let source = fs::read_to_string(root().join("examples-c/life.c")).unwrap();
    assert_eq!(source.lines().count(), 40, "a lesson of 40 lines");

    let plain = example("life");
    let programs = [plain.as_path(), &sanitized_example("life")];
    let file = scratch("life_run").join("guard.db");
    let mut guards = vec![json!({"store": "memory"}), json!({"store": "none"})];
    guards.push(json!({"store": "sqlite", "path": file, "create": true}));
    let server = Server::is_installed().then(|| Server::start(&[]));
    match &server {
        Some(server) => guards.push(json!({"store": "redis", "url": server.url()})),
        None => announce("SKIPPED: examples-c/life.c with redis: it is not installed"),
    }
    for guard in &guards {
        for program in programs {
            let said = text(&run(&mut live(Command::new(program), guard)).stdout);
            let steps = "back, with 9 codes left\nsealed by the key \"new\"\n";
            assert_eq!(said, steps, "{guard}");
        }
    }
    run(&mut live(valgrind(&plain), &guards[0]));

    let wrong = json!({"store": "paper"});
    for mut refused in [live(Command::new(&plain), &wrong), Command::new(&plain)] {
        let output = refused.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
}

/// With its arguments: the guard, and the keys.
fn live(mut program: Command, guard: &Value) -> Command {
    let keys = json!({
        "old": "b2xkIGFuZCBub3QgcmFuZG9tOiB0YWtlIHlvdXJzISE=",
        "new": "bmV3IGFuZCBub3QgcmFuZG9tOiB0YWtlIHlvdXJzISE=",
    });
    program.args([guard.to_string(), keys.to_string()]);
    program
}

/// What a scanner reads.
pub fn scan(picture: &Path) -> String {
    let output = run(tool("zbarimg").args(["--quiet", "--raw"]).arg(picture));
    text(&output.stdout).trim_end().to_owned()
}

/// What a terminal shows: bright white blocks on black, two rows of modules per line.
pub fn picture_of_terminal(said: &str) -> Vec<u8> {
    const SCALE: usize = 6;
    let mut rows: Vec<Vec<bool>> = Vec::new();
    for shown in said.split("\u{1b}[97;40m").skip(1) {
        let (blocks, _) = shown.split_once("\u{1b}[0m").expect("the colours end");
        for line in blocks.lines() {
            let light = |blocks: &str| line.chars().map(|c| blocks.contains(c)).collect();
            assert!(line.chars().all(|c| "█▀▄ ".contains(c)), "{line}");
            rows.push(light("█▀"));
            rows.push(light("█▄"));
        }
    }
    let width = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == width), "ragged lines");
    let mut picture = format!("P5 {} {} 255\n", width * SCALE, rows.len() * SCALE).into_bytes();
    for row in rows {
        let pixels: Vec<u8> = row
            .iter()
            .flat_map(|&light| [if light { 255 } else { 0 }; SCALE])
            .collect();
        picture.extend(pixels.repeat(SCALE));
    }
    picture
}
