//! Gives the shared library its SONAME, and keeps it mapped after `dlclose`: Rust's thread-local
//! destructors may still have to run when a thread ends later.

/// Bumped on any incompatible change of the C ABI; equals the major part of
/// `package.metadata.capi.library.version` in Cargo.toml.
const ABI: &str = "0";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    // cargo-c sets a SONAME itself, and this feature with it.
    let cargo_c = std::env::var_os("CARGO_FEATURE_CAPI").is_some();
    match os.as_str() {
        "linux" | "freebsd" | "netbsd" | "openbsd" | "dragonfly" => {
            if !cargo_c {
                println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libfactor2.so.{ABI}");
            }
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        "macos" if !cargo_c => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libfactor2.{ABI}.dylib");
        }
        _ => {}
    }
}
