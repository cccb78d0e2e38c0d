//! What the tests share: the C ABI as Rust calls it, the built library, temporary folders, tools.

use std::ffi::{CStr, OsStr};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use factor2::Status;
use factor2::capi::{self, factor2_authenticator, factor2_response, factor2_status};
use serde_json::Value;

/// An operation of the C ABI.
pub type Operation = unsafe extern "C" fn(
    *const factor2_authenticator,
    *const std::ffi::c_char,
    usize,
    *mut *mut factor2_response,
) -> factor2_status;

/// What a call gave.
#[derive(Debug)]
pub struct Reply {
    pub status: factor2_status,
    pub text: String,
    pub data: Option<Vec<u8>>,
}

impl Reply {
    fn take(status: factor2_status, response: *mut factor2_response) -> Reply {
        assert!(
            !response.is_null(),
            "status {status} came without a response"
        );
        let mut json_len = usize::MAX;
        let mut data_len = usize::MAX;
        // SAFETY: a live response, freed once, after all has been copied.
        unsafe {
            let json = capi::factor2_response_json(response, &raw mut json_len);
            let text = CStr::from_ptr(json).to_str().unwrap().to_owned();
            assert_eq!(text.len(), json_len);
            let data = capi::factor2_response_data(response, &raw mut data_len);
            let data = if data.is_null() {
                assert_eq!(data_len, 0);
                None
            } else {
                Some(std::slice::from_raw_parts(data, data_len).to_vec())
            };
            capi::factor2_response_free(response);
            Reply { status, text, data }
        }
    }

    /// The JSON of a call that succeeded.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Checks that the call failed with `status`, in the number and in the JSON alike; gives the
    /// message.
    #[track_caller]
    pub fn refused(&self, status: Status) -> String {
        assert_eq!(self.status, status as i32, "{}", self.text);
        let json: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(json["error"]["code"], status.name(), "{}", self.text);
        assert_eq!(json["error"]["http_status"], status.http(), "{}", self.text);
        assert_eq!(json.as_object().unwrap().len(), 1);
        assert_eq!(self.data, None);
        json["error"]["message"].as_str().unwrap().to_owned()
    }

    /// No error repeats what could be a secret or a code: each error of the suite comes by here.
    fn keeps_quiet_about(&self, request: &[u8]) {
        if self.status == 0 {
            return;
        }
        let error = self.text.to_ascii_lowercase();
        for word in request.split(|byte| !byte.is_ascii_alphanumeric()) {
            let is_code = word.len() >= 6 && word.iter().all(u8::is_ascii_digit);
            if is_code || word.len() >= 16 {
                let word = String::from_utf8_lossy(word).to_ascii_lowercase();
                assert!(!error.contains(&word), "{error}");
            }
        }
    }
}

/// An authenticator of the C ABI.
pub struct Authenticator(*mut factor2_authenticator);

// SAFETY: the header promises that any thread may use an authenticator.
unsafe impl Send for Authenticator {}
// SAFETY: as above.
unsafe impl Sync for Authenticator {}

impl Drop for Authenticator {
    fn drop(&mut self) {
        // SAFETY: a live handle, freed once.
        unsafe { capi::factor2_authenticator_free(self.0) }
    }
}

impl Authenticator {
    /// Makes one from a config's text, or gives the error.
    pub fn try_new(config: &[u8]) -> Result<Authenticator, Reply> {
        let mut authenticator = ptr::dangling_mut();
        let mut response = ptr::dangling_mut();
        // SAFETY: the text is as long as stated, the out-pointers may be written.
        let status = unsafe {
            capi::factor2_authenticator_new(
                config.as_ptr().cast(),
                config.len(),
                &raw mut authenticator,
                &raw mut response,
            )
        };
        let reply = Reply::take(status, response);
        reply.keeps_quiet_about(config);
        assert_eq!(status == 0, !authenticator.is_null(), "{}", reply.text);
        if status == 0 {
            assert_eq!(reply.text, "{}");
            Ok(Authenticator(authenticator))
        } else {
            Err(reply)
        }
    }

    #[track_caller]
    pub fn new(config: Value) -> Authenticator {
        Authenticator::try_new(config.to_string().as_bytes())
            .unwrap_or_else(|reply| panic!("{config}: {}", reply.text))
    }

    /// Calls an operation with a request's bytes as they are.
    pub fn call_raw(&self, operation: Operation, request: &[u8]) -> Reply {
        let mut response = ptr::dangling_mut();
        // SAFETY: a live handle, a text as long as stated, an out-pointer that may be written.
        let status = unsafe {
            operation(
                self.0,
                request.as_ptr().cast(),
                request.len(),
                &raw mut response,
            )
        };
        let reply = Reply::take(status, response);
        reply.keeps_quiet_about(request);
        reply
    }

    pub fn call(&self, operation: Operation, request: Value) -> Reply {
        self.call_raw(operation, request.to_string().as_bytes())
    }
}

/// Every operation, by its name in the header.
pub const OPERATIONS: &[(&str, Operation)] = &[
    ("factor2_describe", capi::factor2_describe),
    ("factor2_create_secret", capi::factor2_create_secret),
    ("factor2_qr", capi::factor2_qr),
    (
        "factor2_prepare_configuration",
        capi::factor2_prepare_configuration,
    ),
    (
        "factor2_reprepare_configuration",
        capi::factor2_reprepare_configuration,
    ),
    ("factor2_verify", capi::factor2_verify),
    ("factor2_resync", capi::factor2_resync),
    ("factor2_diagnose", capi::factor2_diagnose),
    ("factor2_inspect", capi::factor2_inspect),
    ("factor2_reset", capi::factor2_reset),
    ("factor2_generate", capi::factor2_generate),
    ("factor2_seal", capi::factor2_seal),
    (
        "factor2_create_recovery_codes",
        capi::factor2_create_recovery_codes,
    ),
    (
        "factor2_verify_recovery_code",
        capi::factor2_verify_recovery_code,
    ),
    ("factor2_import", capi::factor2_import),
];

/// Recovery codes of tests/vectors/recovery.json: what is stored, and the first code.
pub const RECOVERY: (&str, &str) = (
    "f2r1.AAECAwQFBgcICQoLDA0ODxLcJH4goEHtjOCOEoCR93NjCAzTemmaCbeqoCQFYoTeX-pMkRwKmPAunPMAmu7_XnNeaRzMIsU\
     64TkIT43NQW7vxEcVaco5KeaNp3ctMPARdVpzhOZ8vPW8Oi9bkyucGIp-h092lbsvB5HEc7sICyevotWltm8KCkmVKirU5sCdhoWz\
     be8Vkip3wvf53coB7XBijJd8vIJqdOJrEzy9-SQ",
    "3U9R-Y7W5-HFN9-488U-TS5Z-XVU2",
);

/// A key of 32 bytes.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A good secret.
pub const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// The folder of Cargo.toml.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with the release build: libfactor2.so, libfactor2.so.0 and libfactor2.a. Built once.
pub fn artifacts() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        run(cargo()
            .args(["build", "--release", "--lib", "--locked"])
            .current_dir(root()));
        let folder = scratch("artifacts");
        let built = target().join("release");
        for name in ["libfactor2.so", "libfactor2.a"] {
            fs::copy(built.join(name), folder.join(name)).unwrap();
        }
        std::os::unix::fs::symlink("libfactor2.so", folder.join("libfactor2.so.0")).unwrap();
        folder
    })
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target)
}

/// The cargo that runs the tests.
pub fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    without_package(&mut command);
    command
}

/// Takes away what cargo tells a test of its package: ring's build script, and with it the whole library, is built
/// anew by a cargo that finds these variables changed.
pub fn without_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b"CARGO_PKG_")
            || bytes.starts_with(b"CARGO_MANIFEST_")
            || bytes == b"OUT_DIR"
        {
            command.env_remove(name);
        }
    }
}

/// A new, empty folder under the target folder.
pub fn scratch(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{count}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A command by name, whose absence is an error that names the remedy.
pub fn tool(name: impl AsRef<OsStr>) -> Command {
    let name = name.as_ref();
    assert!(
        is_installed(name),
        "{} is not installed: run `make tools`, which installs or names what the tests need",
        name.display()
    );
    let mut command = Command::new(name);
    without_package(&mut command);
    command
}

/// Whether a program is there: its name on the PATH, or its path.
pub fn is_installed(name: impl AsRef<OsStr>) -> bool {
    let name = name.as_ref();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
        || Path::new(name).is_file()
}

/// A number from the environment, by which longer runs are asked for.
pub fn count(variable: &str, usual: usize) -> usize {
    match std::env::var(variable) {
        Ok(number) => number.parse().unwrap(),
        Err(_) => usual,
    }
}

/// Says something past the test runner, which keeps back what a passing test prints.
pub fn announce(line: &str) {
    let line = format!("{line}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Runs a command that must succeed.
#[track_caller]
pub fn run(command: &mut Command) -> Output {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// What an answer warns of.
pub fn warnings(answer: &Value) -> Vec<&str> {
    let Some(warnings) = answer.get("warnings") else {
        return Vec::new();
    };
    let warnings = warnings.as_array().unwrap();
    assert!(!warnings.is_empty(), "{answer}");
    warnings.iter().map(|text| text.as_str().unwrap()).collect()
}

/// Whether an answer warns about the secret's length, and of nothing else.
pub fn warned(answer: &Value) -> bool {
    let warnings = warnings(answer);
    assert!(
        warnings.iter().all(|text| text.contains("128 bits")),
        "{answer}"
    );
    !warnings.is_empty()
}
