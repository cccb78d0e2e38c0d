//! The program: built as its head comment says, and under sanitizers; each test's own server.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crate::support::{artifacts, root, run, scratch, tool};

/// The sources of the program, relative to the root.
fn sources() -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("examples-c/web")).unwrap();
    let mut sources: Vec<PathBuf> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    sources.push(root().join("examples-c/web_login.c"));
    sources
}

#[test]
fn it_compiles_without_a_warning() {
    let folder = scratch("web");
    for source in sources() {
        for compiler in ["gcc", "clang"] {
            for standard in ["-std=c99", "-std=c11", "-std=c2x"] {
                run(tool(compiler)
                    .args([standard, "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1"])
                    .args(["-Wconversion", "-Wstrict-prototypes", "-c"])
                    .arg("-I")
                    .arg(root().join("include"))
                    .arg(&source)
                    .arg("-o")
                    .arg(folder.join("object.o")));
            }
        }
    }
}

/// Built by the command in its head comment, as in a clone after `cargo build --release`.
pub fn plain() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let clone = scratch("web_login");
        fs::create_dir_all(clone.join("target/release")).unwrap();
        for folder in ["include", "examples-c"] {
            std::os::unix::fs::symlink(root().join(folder), clone.join(folder)).unwrap();
        }
        let library = "libfactor2.a";
        std::os::unix::fs::symlink(
            artifacts().join(library),
            clone.join("target/release").join(library),
        )
        .unwrap();
        let source = fs::read_to_string(root().join("examples-c/web_login.c")).unwrap();
        let commands: Vec<&str> = source
            .lines()
            .filter_map(|line| line.strip_prefix(" *     cc "))
            .collect();
        assert_eq!(commands.len(), 1, "one command in the head comment");
        let command = format!("cc -g {}", commands[0]);
        run(Command::new("sh")
            .args(["-ec", &command])
            .current_dir(&clone));
        clone.join("web_login")
    })
}

pub fn sanitized() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = scratch("web_login_sanitized").join("web_login");
        run(tool("gcc")
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-g"])
            .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
            .arg("-I")
            .arg(root().join("include"))
            .args(sources())
            .arg(artifacts().join("libfactor2.a"))
            .args(["-lmicrohttpd", "-lcrypt", "-lpthread", "-ldl", "-lm"])
            .arg("-o")
            .arg(&program));
        program
    })
}

/// A running server, ended with the test.
pub struct Server {
    process: Child,
    pub port: u16,
}

/// Gives the program a key of its own, and a free port.
pub fn with_key(command: &mut Command) -> &mut Command {
    let key = scratch("web_key").join("key");
    command.arg("--key").arg(key).arg("0")
}

impl Server {
    /// Under sanitizers.
    pub fn start() -> Server {
        Server::start_command(with_key(&mut Command::new(sanitized())))
    }

    /// Any command that runs it on a free port.
    pub fn start_command(command: &mut Command) -> Server {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut address)
            .unwrap();
        let port = address
            .strip_prefix("http://127.0.0.1:")
            .and_then(|rest| rest.strip_suffix("/\n"))
            .and_then(|port| port.parse().ok());
        let Some(port) = port else {
            let output = process.wait_with_output().unwrap();
            panic!("{command:?} said {address:?}: {output:?}");
        };
        Server { process, port }
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it by a signal: it must end well and have nothing to complain about.
    pub fn stop(mut self, signal: &str) {
        let id = self.process.id().to_string();
        run(tool("sh").args(["-c", "kill -$0 $1", signal, &id]));
        let status = self.process.wait().unwrap();
        let mut said = String::new();
        let mut stderr = self.process.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert!(status.success() && said.is_empty(), "{status}: {said}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_wrong_command_line_is_refused() {
    let arguments: [&[&str]; 9] = [
        &["x"],
        &["-1"],
        &["65536"],
        &[""],
        &["80x"],
        &["0", ""],
        &["0", "a", "b"],
        &["--key"],
        &["--key", "key", "0", "a", "b"],
    ];
    for arguments in arguments {
        let output = Command::new(sanitized()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert!(output.stderr.starts_with(b"usage: "), "{output:?}");
    }
    let server = Server::start();
    let port = server.port.to_string();
    let mut second = Command::new(sanitized());
    second
        .arg("--key")
        .arg(scratch("web_key").join("key"))
        .arg(port);
    let output = second.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        output.stderr.starts_with(b"web_login: cannot listen"),
        "{output:?}"
    );
    server.stop("INT");
}
