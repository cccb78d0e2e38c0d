//! `make install` the way a packager and a C programmer meet it, into temporary roots.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

mod programs;

use crate::support::{
    announce, artifacts, cargo, root, run, scratch, target, tool, without_package,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn installs_exactly_these_files_and_uninstalls_them() {
    let folder = scratch("install");
    let destdir = folder.join("root with a space");
    let place = [variable("DESTDIR", &destdir), "PREFIX=/usr".into()];
    let bystander = destdir.join("usr/lib/bystander");
    fs::create_dir_all(bystander.parent().unwrap()).unwrap();
    fs::write(&bystander, "").unwrap();

    let file = format!("libfactor2.so.{VERSION}");
    let link = format!("-> {file}");
    let path = format!("usr/lib/{file}");
    let mut expected: BTreeMap<String, String> = [
        ("usr/include/factor2.h", "0644"),
        ("usr/include/factor2.hpp", "0644"),
        ("usr/lib/bystander", "0644"),
        ("usr/lib/cmake/factor2/factor2-config-version.cmake", "0644"),
        ("usr/lib/cmake/factor2/factor2-config.cmake", "0644"),
        ("usr/lib/libfactor2.a", "0644"),
        ("usr/lib/libfactor2.so", "-> libfactor2.so.0"),
        ("usr/lib/libfactor2.so.0", link.as_str()),
        (path.as_str(), "0755"),
        ("usr/lib/pkgconfig/factor2-shared.pc", "0644"),
        ("usr/lib/pkgconfig/factor2.pc", "0644"),
    ]
    .map(|(path, what)| (path.into(), what.into()))
    .into();
    for page in crate::man_pages::of_the_library() {
        expected.insert(format!("usr/share/man/man3/{page}"), "0644".into());
    }
    for _ in ["into nothing", "over itself"] {
        succeed(make("install", &place));
        assert_eq!(listing(&destdir), expected);
    }
    for folder in [
        "usr/include",
        "usr/lib/pkgconfig",
        "usr/lib/cmake/factor2",
        "usr/share/man/man3",
    ] {
        assert_eq!(mode(&destdir.join(folder)), "0755", "{folder}");
    }

    succeed(make("uninstall", &place));
    expected.retain(|path, _| path.ends_with("bystander"));
    assert_eq!(listing(&destdir), expected);
    assert!(!destdir.join("usr/lib/cmake/factor2").exists());
    succeed(make("uninstall", &place));
}

#[test]
fn the_installed_library_is_the_one_that_was_built() {
    let folder = scratch("install");
    let prefix = folder.join("prefix");
    let place = [variable("PREFIX", &prefix)];
    succeed(make("install", &place));
    let library = prefix.join("lib/libfactor2.so");
    assert!(fs::read(&library).unwrap() == fs::read(artifacts().join("libfactor2.so")).unwrap());
    assert!(
        fs::read(prefix.join("lib/libfactor2.a")).unwrap()
            == fs::read(artifacts().join("libfactor2.a")).unwrap()
    );
    let dynamic = output_of(tool("readelf").arg("-dW").arg(&library));
    assert!(
        dynamic.contains("Library soname: [libfactor2.so.0]"),
        "{dynamic}"
    );
    assert!(dynamic.contains("NODELETE"), "{dynamic}");

    succeed(make("install-strip", &place));
    let sections = output_of(tool("readelf").arg("-SW").arg(&library));
    assert!(
        !sections.contains(".symtab") && !sections.contains(".debug"),
        "{sections}"
    );
    programs::build_and_run_with_pkg_config(&prefix.join("lib"), &folder);
}

#[test]
fn install_takes_what_is_there_and_never_builds() {
    let folder = scratch("install");
    let prefix = variable("PREFIX", &folder.join("prefix"));
    artifacts();
    succeed(make("install", &[prefix.clone(), "CARGO=false".into()]));

    let nothing = variable("RELEASE", &folder.join("nothing"));
    let variables = [prefix.clone(), nothing, "CARGO=echo ran".into()];
    let output = make("install", &variables);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "nothing was built");
    assert!(said.contains("run make first"), "{said}");
    let mut dry = variables.to_vec();
    dry.push("-n".into());
    let said = output_of(without_make(
        Command::new("make")
            .current_dir(root())
            .arg("install")
            .args(dry),
    ));
    assert!(!said.contains("ran"), "{said}");

    let output = make("install-pam", &[prefix, variable("TARGET", &folder)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("run make pam first"));
}

/// sudo drops CARGO_TARGET_DIR, under which the library was built.
#[test]
fn install_finds_what_was_built_into_another_folder() {
    let folder = scratch("install");
    let tree = folder.join("tree");
    fs::create_dir(&tree).unwrap();
    for name in ["Makefile", "Cargo.toml", "packaging", "include", "src"] {
        std::os::unix::fs::symlink(root().join(name), tree.join(name)).unwrap();
    }
    let built = folder.join("built elsewhere");
    let release = built.join("release");
    fs::create_dir_all(&release).unwrap();
    for name in ["libfactor2.so", "libfactor2.a"] {
        fs::copy(artifacts().join(name), release.join(name)).unwrap();
    }
    let make = |target: &str, folder: Option<&Path>, cargo: &str| {
        let mut command = Command::new("make");
        without_make(command.current_dir(&tree))
            .arg(target)
            .arg(cargo);
        command.arg(variable("PREFIX", &tree.join("prefix")));
        if let Some(folder) = folder {
            command.env("CARGO_TARGET_DIR", folder);
        }
        command.output().unwrap()
    };
    // A cargo that has nothing left to do.
    succeed(make("build", Some(&built), "CARGO=echo cargo 99.0"));
    succeed(make("install", None, "CARGO=false"));
    assert!(tree.join("prefix/lib/libfactor2.a").exists());
    // The note is of the last build, and what is said now comes first.
    let other = make("install", Some(&folder.join("other")), "CARGO=false");
    assert!(!other.status.success());
}

#[test]
fn a_cargo_that_is_too_old_is_told_before_it_fails() {
    let folder = scratch("install");
    for (version, taken) in [
        ("cargo 1.65.0", false),
        ("cargo 1.88.1 (Debian)", false),
        ("cargo 1.89.0", true),
        ("cargo 1.100.0-nightly", true),
        ("cargo 2.0.0", true),
        ("a wrapper", true),
    ] {
        let cargo = folder.join("cargo");
        fs::write(&cargo, format!("#!/bin/sh\necho '{version}'\n")).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        let output = make("cargo", &[variable("CARGO", &cargo)]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), taken, "{version}: {said}");
        assert_eq!(said.contains("apt install cargo-web"), !taken, "{said}");
    }
    let output = make("build", &["CARGO=/nonexistent/cargo".into()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let needed = format!(
        "factor2 needs Rust {} or newer",
        env!("CARGO_PKG_RUST_VERSION")
    );
    assert!(!output.status.success() && said.contains(&needed), "{said}");
}

/// What rustup brings and Debian does not is skipped aloud, and the rest is run.
#[test]
fn make_test_runs_without_rustfmt_and_clippy() {
    let folder = scratch("install");
    let cargo = folder.join("cargo");
    for missing in [true, false] {
        let no_such = if missing {
            "exit 101"
        } else {
            "echo ran \"$@\""
        };
        program(
            &cargo,
            &format!("case $1 in fmt | clippy) {no_such} ;; *) echo \"ran $*\" ;; esac"),
        );
        let output = without_make(&mut Command::new("make"))
            .current_dir(root())
            .args(["-o", "tools", "test", &variable("CARGO", &cargo)])
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        for skipped in [
            "SKIPPED: formatting is not checked: rustfmt is not installed",
            "SKIPPED: lints are not checked: clippy is not installed",
        ] {
            assert_eq!(said.contains(skipped), missing, "{said}");
        }
        let ran = String::from_utf8_lossy(&output.stdout);
        assert_eq!(ran.contains("\nran fmt --check\n"), !missing, "{ran}");
        assert_eq!(ran.contains("\nran clippy --locked "), !missing, "{ran}");
        assert!(
            ran.ends_with("ran test --locked --lib --test suite\n"),
            "{ran}"
        );
    }
    // A fault that they find is one.
    program(&cargo, "test \"$2\" != --check");
    let output = without_make(&mut Command::new("make"))
        .current_dir(root())
        .args(["-o", "tools", "test", &variable("CARGO", &cargo)])
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
}

/// A program of the shell.
fn program(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn places_that_pkg_config_could_not_tell_are_refused_by_name() {
    let folder = scratch("install");
    let destdir = folder.join("root");
    for (name, value) in [
        ("PREFIX", "/opt/my programs"),
        ("PREFIX", "relative"),
        ("PREFIX", ""),
        ("PREFIX", "/opt/it's"),
        ("LIBDIR", "/opt/../lib"),
        ("LIBDIR", "/opt/a;b"),
        ("INCLUDEDIR", "/opt/a\\b"),
        ("INCLUDEDIR", "/opt/a\tb"),
        ("MANDIR", "share/man"),
    ] {
        let place = [format!("{name}={value}"), variable("DESTDIR", &destdir)];
        let output = make("install", &place);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{name}={value} was taken");
        assert!(
            said.contains(&format!("make install: {name} must ")),
            "{name}={value}: {said}"
        );
        assert!(!destdir.exists(), "{name}={value} left something");
    }
}

#[test]
fn pkg_config_file_says_where_things_are() {
    let folder = scratch("install");
    let cases = [
        (
            vec!["PREFIX=/usr"],
            "/usr",
            "${prefix}/lib",
            "${prefix}/include",
        ),
        (
            vec!["PREFIX=/usr/", "LIBDIR=/usr/lib/x86_64-linux-gnu"],
            "/usr",
            "${prefix}/lib/x86_64-linux-gnu",
            "${prefix}/include",
        ),
        (
            vec![
                "PREFIX=/opt/f",
                "LIBDIR=/opt/factor2/lib",
                "INCLUDEDIR=/opt/f//h/",
            ],
            "/opt/f",
            "/opt/factor2/lib",
            "${prefix}/h",
        ),
    ];
    for (index, (place, prefix, libdir, includedir)) in cases.into_iter().enumerate() {
        let destdir = folder.join(index.to_string());
        let mut variables: Vec<String> = place.into_iter().map(String::from).collect();
        variables.push(variable("DESTDIR", &destdir));
        succeed(make("install", &variables));
        let file = destdir
            .join(libdir.replace("${prefix}", prefix).trim_start_matches('/'))
            .join("pkgconfig/factor2.pc");
        let text = fs::read_to_string(&file).unwrap();
        let head = format!("prefix={prefix}\nlibdir={libdir}\nincludedir={includedir}\n");
        assert!(text.starts_with(&head), "{text}");
        assert!(!text.contains('@'), "{text}");
        run(tool("pkg-config").arg("--validate").arg(&file));
        assert_eq!(
            output_of(tool("pkg-config").arg("--modversion").arg(&file)).trim(),
            VERSION
        );
    }
}

#[test]
fn pkg_config_and_makefile_name_the_libraries_that_rustc_names() {
    // The debug profile: its folder is nobody else's while the tests run.
    let output = cargo()
        .current_dir(root())
        .args(["rustc", "--locked", "--lib", "--crate-type", "staticlib"])
        .args(["--", "--print", "native-static-libs"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let rustc = said
        .lines()
        .find_map(|line| line.split_once("native-static-libs: "))
        .unwrap_or_else(|| panic!("{said}"))
        .1;

    let folder = scratch("install");
    succeed(make("install", &[variable("PREFIX", &folder)]));
    let text = fs::read_to_string(folder.join("lib/pkgconfig/factor2.pc")).unwrap();
    let ours = text
        .lines()
        .find_map(|line| line.strip_prefix("Libs.private: -L${libdir} -l:libfactor2.a "))
        .and_then(|line| line.strip_suffix(" -Wl,--as-needed"))
        .unwrap();
    // Compilers link the unwinder themselves: as -lgcc_s or, with -static, as -lgcc_eh.
    let mut rustc = words(rustc);
    rustc.remove("-lgcc_s");
    assert_eq!(
        words(ours),
        rustc,
        "STATIC_LIBS in the Makefile is not what rustc says"
    );
}

#[test]
fn cargo_c_gives_the_same_library_name() {
    let present = cargo()
        .args(["cinstall", "--version"])
        .output()
        .unwrap()
        .status
        .success();
    if !present {
        // Not println!, which the test runner hides when a test passes.
        announce("SKIPPED: `cargo cinstall` was not tried, for cargo-c is not installed");
        return;
    }
    let folder = scratch("install");
    run(cargo()
        .current_dir(root())
        .args([
            "cinstall",
            "--locked",
            "--release",
            "--prefix=/usr",
            "--libdir=/usr/lib",
        ])
        .arg("--destdir")
        .arg(&folder)
        .arg("--target-dir")
        .arg(target().join("cargo-c")));
    let dynamic = output_of(
        tool("readelf")
            .arg("-dW")
            .arg(folder.join("usr/lib/libfactor2.so.0")),
    );
    assert!(
        dynamic.contains("Library soname: [libfactor2.so.0]"),
        "{dynamic}"
    );
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    assert!(folder.join("usr/include/factor2.h").exists());
    assert!(folder.join("usr/include/factor2.hpp").exists());
}

#[test]
fn missing_tools_are_named_with_their_packages() {
    let folder = scratch("install");
    // A PATH without apt-get, and with nothing but what the script itself runs.
    for tool in [
        "sh", "cut", "grep", "id", "mktemp", "rm", "sed", "sort", "tr", "nm",
    ] {
        let found = output_of(Command::new("sh").args(["-c", "command -v \"$0\"", tool]));
        std::os::unix::fs::symlink(found.trim(), folder.join(tool)).unwrap();
    }
    let output = Command::new("sh")
        .current_dir(root())
        .arg("tests/tools.sh")
        .env("PATH", &folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        "  cc (gcc libc6-dev)",
        "  zbarimg (zbar-tools)",
        "  valgrind (valgrind)",
    ] {
        assert!(said.contains(line), "{line} is not in:\n{said}");
    }
    assert!(!said.contains("  nm ("), "{said}");
}

#[test]
fn contributing_names_every_make_target() {
    let help = output_of(without_make(
        Command::new("make").current_dir(root()).arg("help"),
    ));
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let named = text.split("`make ").skip(1).filter_map(|after| {
        let end = after.find(|c: char| !c.is_ascii_lowercase() && c != '-')?;
        (end > 0).then(|| &after[..end])
    });
    let mut named: BTreeSet<&str> = named.collect();
    named.extend(["build", "help"]);
    let targets = help.lines().filter_map(|line| line.split(' ').next());
    assert_eq!(named, targets.collect());
}

pub fn variable(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

pub fn make(target: &str, variables: &[String]) -> Output {
    artifacts();
    // A strict umask, for the modes of what is installed must not depend on it.
    without_make(&mut Command::new("sh"))
        .current_dir(root())
        .args(["-c", "umask 077; exec make \"$@\"", "make", target])
        .args(variables)
        .output()
        .unwrap()
}

/// Without what an outer `make test` would tell an inner make.
pub fn without_make(command: &mut Command) -> &mut Command {
    without_package(command);
    for name in [
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
        "INSTALL_STRIP",
        "PREFIX",
        "LIBDIR",
        "INCLUDEDIR",
        "MANDIR",
        "DESTDIR",
    ] {
        command.env_remove(name);
    }
    command
}

pub fn succeed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn output_of(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).unwrap()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

fn mode(path: &Path) -> String {
    format!(
        "{:04o}",
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    )
}

/// Every file with its mode, every link with where it leads.
fn listing(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if let Ok(target) = fs::read_link(&path) {
                found.insert(name, format!("-> {}", target.display()));
            } else if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.insert(name, mode(&path));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}
