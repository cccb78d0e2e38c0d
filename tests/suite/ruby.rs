//! The Ruby gem: its own tests, then built, installed and used as its README says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{announce, artifacts, root, run, scratch, tool};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A library as `make install` leaves it, and a home for what Ruby writes.
struct Machine {
    library: PathBuf,
    home: PathBuf,
}

impl Machine {
    fn new() -> Machine {
        artifacts();
        let prefix = scratch("ruby");
        let home = prefix.join("home");
        fs::create_dir(&home).unwrap();
        run(Command::new("make")
            .current_dir(root())
            .arg("install")
            .arg(format!("PREFIX={}", prefix.display()))
            .env_remove("MAKEFLAGS")
            .env_remove("DESTDIR"));
        Machine {
            library: prefix.join("lib"),
            home,
        }
    }

    /// A command that finds the library by the loader, and no gem but Debian's and those in `home`.
    fn tool(&self, name: &str) -> Command {
        let mut command = tool(name);
        command
            .current_dir(&self.home)
            .env("LD_LIBRARY_PATH", &self.library)
            .env("HOME", &self.home)
            .env("TMPDIR", &self.home)
            .env("GEM_HOME", self.home.join("gems"))
            .env("LANG", "C.UTF-8");
        for name in ["RUBYOPT", "RUBYLIB", "GEM_PATH", "FACTOR2_LIBRARY"] {
            command.env_remove(name);
        }
        command
    }
}

fn gem() -> PathBuf {
    root().join("bindings/ruby")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn its_tests_pass_without_a_warning() {
    let machine = Machine::new();
    let test = gem().join("test");
    let mut command = machine.tool("ruby");
    command.arg("-w").arg("-I").arg(gem().join("lib"));
    for name in names(&test) {
        if name.ends_with("_test.rb") {
            command.arg("-r").arg(test.join(name));
        }
    }
    let output = run(command.args(["-e", ""]));
    let said = String::from_utf8_lossy(&output.stdout);
    let count = said.lines().last().unwrap_or_default();
    assert!(count.ends_with("0 failures, 0 errors, 0 skips"), "{said}");
    assert!(!count.starts_with("0 runs"), "{said}");
    announce(&format!("Ruby: {count}"));
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(warned.is_empty(), "{warned}");
}

#[test]
fn the_gem_installs_and_its_readme_is_right() {
    let machine = Machine::new();
    let before = names(&gem());
    let file = format!("factor2-{VERSION}.gem");
    let output = run(machine
        .tool("gem")
        .args(["build", "factor2.gemspec", "--output"])
        .arg(machine.home.join(&file))
        .current_dir(gem()));
    let warned = String::from_utf8_lossy(&output.stderr);
    let warnings: Vec<&str> = warned.lines().filter(|l| l.contains("WARNING")).collect();
    // factor2 has no home page yet; a second line tells where RubyGems explains it.
    assert!(
        warnings.len() == 2 && warnings[0].ends_with("no homepage specified"),
        "{warned}"
    );
    run(machine.tool("gem").args([
        "install",
        "--local",
        "--ignore-dependencies",
        "--no-document",
        &file,
    ]));
    assert_eq!(names(&gem()), before, "something was written into the tree");

    let readme = fs::read_to_string(gem().join("README.md")).unwrap();
    let example = readme.split("```ruby\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    fs::write(machine.home.join("example.rb"), example).unwrap();
    let output = run(machine.tool("ruby").args(["-w", "example.rb"]));
    assert!(output.stderr.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        readme.contains(&format!("`{}`, and `{}`", lines[1], lines[2])),
        "{said}"
    );
    assert!(lines[0].starts_with("otpauth://totp/Example:bob%40example.com?secret="));
    // The installed gem without its library: what Ruby says last is which one, and what to do.
    let output = machine
        .tool("ruby")
        .args(["-e", "require 'factor2'"])
        .env("FACTOR2_LIBRARY", "/nonexistent.so")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.starts_with("\tfrom "));
    let last = last.unwrap_or_default();
    assert!(
        !output.status.success()
            && last.contains("/nonexistent.so")
            && last.contains("or set FACTOR2_LIBRARY"),
        "{said}"
    );
    let scanned = run(tool("zbarimg")
        .args(["--quiet", "--raw", "bob.png"])
        .current_dir(&machine.home));
    assert_eq!(String::from_utf8_lossy(&scanned.stdout).trim(), lines[0]);
}

#[test]
fn the_readme_names_every_method() {
    let readme = fs::read_to_string(gem().join("README.md")).unwrap();
    let source = fs::read_to_string(gem().join("lib/factor2/authenticator.rb")).unwrap();
    let public = source.split("\n    private\n").next().unwrap();
    let methods = public
        .lines()
        .filter_map(|line| line.strip_prefix("    def "));
    for method in methods {
        let name = method.split('(').next().unwrap();
        let named = name == "initialize" || readme.contains(&format!("`{name}"));
        assert!(named, "{name}");
    }
}
