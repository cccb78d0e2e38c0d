//! `make deb`: what is in the packages, and their life in a root of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::install::without_make;
use crate::man_pages;
use crate::pam;
use crate::support::{artifacts, cargo, root, run, scratch, tool};

const NAMES: [&str; 3] = ["libfactor2-0", "libfactor2-dev", "libpam-factor2"];
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

#[test]
fn packages_are_built_installed_used_and_purged() {
    let folder = scratch("packages");
    artifacts();
    tool("dh");
    // Folders of its own, for another test may be building the module.
    run(without_make(&mut Command::new("make"))
        .current_dir(root())
        .arg("deb")
        .arg(format!("DEB={}", folder.join("deb").display()))
        .arg(format!("PAM={}", folder.join("pam").display()))
        .env("CARGO", cargo().get_program()));
    let packages = files_of(&folder.join("deb"), "deb");
    assert_eq!(packages.len(), NAMES.len(), "{packages:?}");
    let changes = &files_of(&folder.join("deb"), "changes")[0];
    run(tool("lintian")
        .args(["--fail-on", "error", "--allow-root"])
        .arg(changes));

    holds_what_it_should(&packages);
    depends_on_what_it_should(&packages);
    let machine = Machine::new(&folder);
    let before = machine.files();
    machine.dpkg("--install", &packages);
    machine.uses_the_library();
    machine.uses_the_module();

    let state = machine.root.join("var/lib/factor2");
    for name in ["users/alice", "guard.db"] {
        fs::write(state.join(name), "").unwrap();
    }
    machine.warns_who_needs_the_module();
    machine.dpkg("--remove", NAMES);
    assert!(
        state.join("users/alice").exists() && state.join("guard.db").exists(),
        "removed is not purged: the secrets stay"
    );
    machine.dpkg("--purge", NAMES);
    assert_eq!(machine.files(), before);
}

fn holds_what_it_should(packages: &[PathBuf]) {
    let version = env!("CARGO_PKG_VERSION");
    let libdir = format!("./usr/lib/{}", multiarch());
    let documents = |name: &str| {
        ["changelog.Debian.gz", "changelog.gz", "copyright"]
            .map(|file| (format!("./usr/share/doc/{name}/{file}"), "-rw-r--r--"))
    };
    let library = [
        (format!("{libdir}/libfactor2.so.0"), "lrwxrwxrwx"),
        (format!("{libdir}/libfactor2.so.{version}"), "-rw-r--r--"),
    ];
    let mut development = BTreeMap::from([
        (format!("{libdir}/libfactor2.so"), "lrwxrwxrwx"),
        ("./usr/include/factor2.h".into(), "-rw-r--r--"),
        ("./usr/include/factor2.hpp".into(), "-rw-r--r--"),
    ]);
    for file in [
        "libfactor2.a",
        "pkgconfig/factor2.pc",
        "pkgconfig/factor2-shared.pc",
        "cmake/factor2/factor2-config.cmake",
        "cmake/factor2/factor2-config-version.cmake",
    ] {
        development.insert(format!("{libdir}/{file}"), "-rw-r--r--");
    }
    for page in man_pages::of_the_library() {
        development.insert(format!("./usr/share/man/man3/{page}.gz"), "-rw-r--r--");
    }
    let module = [
        (format!("{libdir}/security/pam_factor2.so"), "-rw-r--r--"),
        ("./usr/sbin/factor2-enroll".into(), "-rwxr-xr-x"),
        (
            "./usr/share/man/man8/factor2-enroll.8.gz".into(),
            "-rw-r--r--",
        ),
        ("./usr/share/man/man8/pam_factor2.8.gz".into(), "-rw-r--r--"),
        ("./var/lib/factor2/".into(), "drwx------"),
        ("./var/lib/factor2/users/".into(), "drwx------"),
    ];
    let expected = [library.into(), development, module.into()];
    for ((package, name), mut expected) in packages.iter().zip(NAMES).zip(expected) {
        let listing = output_of(tool("dpkg-deb").arg("--contents").arg(package));
        let mut found = BTreeMap::new();
        for line in listing.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(fields[1], "root/root", "{line}");
            // Folders that everybody has are of no interest.
            if !line.starts_with("drwxr-xr-x") {
                found.insert(fields[5].to_owned(), fields[0]);
            }
        }
        expected.extend(documents(name));
        // Debian's lintian has it that one explains what looks wrong.
        if name == "libpam-factor2" {
            let overrides = "./usr/share/lintian/overrides/libpam-factor2";
            expected.insert(overrides.into(), "-rw-r--r--");
        }
        assert_eq!(found, expected, "{name}");
    }
}

fn depends_on_what_it_should(packages: &[PathBuf]) {
    let field = |package: &PathBuf, name| {
        let value = output_of(tool("dpkg-deb").arg("--field").arg(package).arg(name));
        value.trim().to_owned()
    };
    let dependencies = |package| -> BTreeSet<String> {
        let list = field(package, "Depends");
        list.split(", ")
            .map(|one| one.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let version = field(&packages[0], "Version");
    assert!(version.starts_with(env!("CARGO_PKG_VERSION")), "{version}");
    let [library, development, module] = packages else {
        panic!("{packages:?}");
    };
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(dependencies(library), names(&["libc6", "libgcc-s1"]));
    assert_eq!(
        field(development, "Depends"),
        format!("libfactor2-0 (= {version})")
    );
    assert_eq!(
        dependencies(module),
        names(&["libc6", "libfactor2-0", "libpam0g"])
    );

    // The symbols file is the list of exported symbols.
    let symbols = output_of(
        tool("dpkg-deb")
            .args(["--info"])
            .arg(library)
            .arg("symbols"),
    );
    let listed: Vec<String> = symbols
        .lines()
        .filter_map(|line| line.strip_prefix(' '))
        .map(|line| line.replace("@Base", ""))
        .collect();
    let ours = fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    assert_eq!(listed, ours.lines().collect::<Vec<_>>());
}

/// A root with nothing in it but dpkg's knowledge of the libraries that the packages depend on.
struct Machine {
    root: PathBuf,
    folder: PathBuf,
}

impl Machine {
    fn new(folder: &Path) -> Machine {
        let machine = Machine {
            root: folder.join("root"),
            folder: folder.to_owned(),
        };
        let database = machine.root.join("var/lib/dpkg");
        for name in ["info", "updates", "triggers"] {
            fs::create_dir_all(database.join(name)).unwrap();
        }
        let known =
            run(tool("dpkg-query").args(["--status", "libc6", "libgcc-s1", "libpam0g"])).stdout;
        fs::write(database.join("status"), known).unwrap();
        machine
    }

    /// Runs dpkg as if by root; dependencies are checked.
    fn dpkg<T: AsRef<std::ffi::OsStr>>(
        &self,
        action: &str,
        what: impl IntoIterator<Item = T>,
    ) -> Output {
        run(tool("fakeroot")
            .arg("dpkg")
            .arg(format!("--root={}", self.root.display()))
            .arg(format!("--log={}", self.folder.join("log").display()))
            .args(["--force-script-chrootless", "--force-bad-path", action])
            .args(what))
    }

    /// All that is there, but for dpkg's own notes.
    fn files(&self) -> BTreeSet<String> {
        let output = output_of(tool("find").current_dir(&self.root).args([
            ".",
            "-path",
            "./var/lib/dpkg/*",
            "-o",
            "-print",
        ]));
        output.lines().map(String::from).collect()
    }

    fn uses_the_library(&self) {
        let libdir = self.root.join("usr/lib").join(multiarch());
        let flags = |kind: &[&str]| {
            let flags = output_of(
                tool("pkg-config")
                    .args(["--cflags", "--libs"])
                    .args(kind)
                    .arg("factor2")
                    .env("PKG_CONFIG_SYSROOT_DIR", &self.root)
                    .env("PKG_CONFIG_LIBDIR", libdir.join("pkgconfig"))
                    .env("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1")
                    .env("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1"),
            );
            flags.trim().to_owned()
        };
        let linked = [flags(&[]), flags(&["--static"])];
        for (index, flags) in linked.iter().enumerate() {
            let program = self.folder.join(format!("verify-{index}"));
            run(tool("cc")
                .arg("-o")
                .arg(&program)
                .arg(root().join("examples-c/verify.c"))
                .args(flags.split_whitespace()));
            let code = output_of(tool("oathtool").args(["--totp", "--base32", SECRET]));
            // Only the shared library must be looked for.
            let mut command = Command::new("sh");
            command
                .args(["-c", "printf '%s\\n' \"$1\" \"$2\" | \"$0\""])
                .arg(&program)
                .args([SECRET, code.trim()]);
            if index == 0 {
                command.env("LD_LIBRARY_PATH", &libdir);
            }
            run(&mut command);
        }

        let pages = self.root.join("usr/share/man");
        let page = output_of(
            tool("man")
                .arg("-M")
                .arg(pages)
                .args(["3", "factor2_verify"])
                .env("LC_ALL", "C.UTF-8"),
        );
        assert!(page.contains("factor2_verify - verifies a code"), "{page}");
    }

    fn uses_the_module(&self) {
        let libdir = self.root.join("usr/lib").join(multiarch());
        let help = output_of(
            Command::new(self.root.join("usr/sbin/factor2-enroll"))
                .arg("--help")
                .env("LD_LIBRARY_PATH", &libdir),
        );
        assert!(help.starts_with("Usage: factor2-enroll"), "{help}");
        let module = libdir.join("security/pam_factor2.so");
        let dynamic = output_of(tool("readelf").arg("-dW").arg(module));
        assert!(
            dynamic.contains("Shared library: [libfactor2.so.0]"),
            "{dynamic}"
        );
        for name in ["var/lib/factor2", "var/lib/factor2/users"] {
            let mode = fs::metadata(self.root.join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o7777, 0o700, "{name}");
        }
    }

    /// Removing the module warns while /etc/pam.d names it, and an update does not.
    fn warns_who_needs_the_module(&self) {
        let module = &files_of(&self.folder.join("deb"), "deb")[2];
        let said = |output: Output| String::from_utf8(output.stderr).unwrap();
        let services = self.root.join("etc/pam.d");
        let warning = "libpam-factor2: nobody can log in where pam_factor2 is still named.";

        let alone = said(self.dpkg("--remove", ["libpam-factor2"]));
        assert!(!alone.contains(warning), "{alone}");
        self.dpkg("--install", [module]);
        pam::write_services(&services);
        let update = said(self.dpkg("--install", [module]));
        assert!(!update.contains(warning), "{update}");
        let removed = said(self.dpkg("--remove", ["libpam-factor2"]));
        assert!(removed.contains(warning), "{removed}");
        pam::names_the_services(&removed, &services);
        self.dpkg("--install", [module]);
        fs::remove_dir_all(self.root.join("etc")).unwrap();
    }
}

/// Debian's name for the kind of machine, as in /usr/lib.
fn multiarch() -> String {
    let name = output_of(tool("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"));
    name.trim().to_owned()
}

fn files_of(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn output_of(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).unwrap()
}
