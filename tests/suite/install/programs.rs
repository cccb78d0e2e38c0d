//! C programs find what `make install` put in place, link against it and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, make, output_of, succeed, variable, without_make};
use crate::support::{root, run, scratch, target, tool};

#[test]
fn programs_build_by_pkg_config_and_cmake() {
    let folder = scratch("install");
    let prefix = folder.join("prefix");
    succeed(make("install", &[variable("PREFIX", &prefix)]));
    build_and_run_with_pkg_config(&prefix.join("lib"), &folder);

    // CMake's files lead from themselves to the rest: the tree may have been moved.
    let moved = folder.join("moved");
    fs::rename(&prefix, &moved).unwrap();
    build_and_run_with_cmake(&moved, &moved.join("lib"), &folder);
}

#[test]
fn programs_build_when_libdir_and_includedir_lie_elsewhere() {
    let folder = scratch("install");
    let prefix = folder.join("prefix");
    for (case, libdir, includedir) in [
        ("deep", "prefix/lib/some-linux-gnu", "prefix/include/deeper"),
        ("apart", "elsewhere/lib64", "third/headers"),
    ] {
        let libdir = folder.join(libdir);
        let place = [
            variable("PREFIX", &prefix),
            variable("LIBDIR", &libdir),
            variable("INCLUDEDIR", &folder.join(includedir)),
        ];
        succeed(make("install", &place));
        let builds = folder.join(case);
        fs::create_dir(&builds).unwrap();
        build_and_run_with_pkg_config(&libdir, &builds);
        build_and_run_with_cmake(&libdir.join("cmake"), &libdir, &builds);
    }
}

/// Shared, with the archive, and wholly static; the program says by its exit status whether a code is good.
pub(super) fn build_and_run_with_pkg_config(libdir: &Path, builds: &Path) {
    for (compiler, flags, kind) in [
        ("cc", "", ""),
        ("cc", "", "--static"),
        ("cc", "-static", "--static"),
        ("cc", "-static-pie", "--static"),
        ("clang", "", "--static"),
        ("clang", "-static", "--static"),
    ] {
        let program = builds.join(format!("by_pkg_config_{compiler}{flags}{kind}"));
        run(Command::new("sh")
            .env("PKG_CONFIG_PATH", libdir.join("pkgconfig"))
            .args(["-euc", &format!(
                "{compiler} -Wall -Werror {flags} -o \"$1\" \"$2\" $(pkg-config --cflags --libs {kind} factor2)"
            )])
            .arg("sh")
            .args([&program, &example()]));
        check_program(&program, kind.is_empty().then_some(libdir));
        let needs = output_of(tool("readelf").arg("-dW").arg(&program)).contains("(NEEDED)");
        assert_eq!(needs, flags.is_empty(), "{}", program.display());
    }
}

fn build_and_run_with_cmake(search: &Path, libdir: &Path, builds: &Path) {
    let source = builds.join("cmake");
    fs::create_dir(&source).unwrap();
    fs::write(
        source.join("CMakeLists.txt"),
        format!(
            r#"
cmake_minimum_required(VERSION 3.13)
project(consumer C)
foreach(unsuitable 0.9999 99.0)
  find_package(factor2 ${{unsuitable}} CONFIG QUIET)
  if(factor2_FOUND)
    message(FATAL_ERROR "factor2 {VERSION} was taken for ${{unsuitable}}")
  endif()
endforeach()
find_package(factor2 {VERSION} EXACT CONFIG REQUIRED)
find_package(factor2 0.1 CONFIG REQUIRED) # any earlier minor version
add_executable(shared "{example}")
target_link_libraries(shared PRIVATE factor2::factor2)
add_executable(static "{example}")
target_link_libraries(static PRIVATE factor2::factor2_static)
"#,
            example = example().display()
        ),
    )
    .unwrap();
    let build = source.join("build");
    run(without_make(&mut tool("cmake"))
        .arg("-S")
        .arg(&source)
        .arg("-B")
        .arg(&build)
        .arg(format!("-DCMAKE_PREFIX_PATH={}", search.display())));
    run(without_make(&mut tool("cmake")).arg("--build").arg(&build));
    // CMake leaves the library's place in the program, as a run path.
    check_program(&build.join("shared"), Some(libdir));
    check_program(&build.join("static"), None);
}

/// `libdir` is where the shared library is, or None for a program that must not need it.
fn check_program(program: &Path, libdir: Option<&Path>) {
    let dynamic = output_of(tool("readelf").arg("-dW").arg(program));
    assert_eq!(
        dynamic.contains("Shared library: [libfactor2.so.0]"),
        libdir.is_some(),
        "{}: {dynamic}",
        program.display()
    );
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    let right = output_of(tool("oathtool").args(["--totp", "--base32", secret]));
    for (code, expected) in [(right.trim(), 0), ("00000", 1)] {
        let mut command = Command::new("sh");
        command
            .args(["-c", "printf '%s\\n' \"$1\" \"$2\" | \"$0\""])
            .arg(program)
            .args([secret, code]);
        if let Some(libdir) = libdir {
            command.env("LD_LIBRARY_PATH", libdir);
        }
        let output = command.output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{}: {output:?}",
            program.display()
        );
    }
}

#[test]
fn demo_enrolls_a_user() {
    let picture = target().join("demo/factor2-qr.png");
    let _ = fs::remove_file(&picture);
    let mut make = Command::new("make");
    let said = output_of(without_make(&mut make).current_dir(root()).arg("demo"));
    assert!(
        said.contains(": accepted") && said.contains("InvalidToken"),
        "{said}"
    );
    let uri = output_of(tool("zbarimg").args(["--quiet", "--raw"]).arg(picture));
    assert!(
        uri.starts_with("otpauth://totp/Example%20Shop:alice%40example.com?"),
        "{uri}"
    );
}

fn example() -> PathBuf {
    root().join("examples-c/verify.c")
}
