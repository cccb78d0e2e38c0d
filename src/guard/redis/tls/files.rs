//! The files that TLS needs: the authorities to trust, the client's certificate and its key.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys, RootCertStore};
use zeroize::Zeroizing;

use super::super::settings::Authorities;
use crate::error::{Error, Result};
use crate::sys::user::effective_user;

/// A file of 1 MiB has far more certificates than the world has authorities.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Where systems keep the authorities that they trust; the first that is there counts.
const SYSTEM_FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Gentoo, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // the same, newer
    "/etc/ssl/ca-bundle.pem",             // openSUSE
    "/etc/ssl/cert.pem",                  // the BSDs, Alpine, macOS
    "/usr/local/share/certs/ca-root-nss.crt", // FreeBSD, earlier
];

/// The authorities that a server's certificate must be of.
pub(super) fn read_authorities(authorities: &Authorities) -> Result<RootCertStore> {
    match authorities {
        Authorities::System => trusted_by_the_system(),
        Authorities::File(path) => trusted_by_file(path),
    }
}

fn read_file(setting: &str, path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata)> {
    let read = || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        // With room for all of it, so that no copy of a key is left where it grew.
        let length = metadata.len().min(MAX_FILE_BYTES) as usize;
        let mut text = Zeroizing::new(Vec::with_capacity(length + 1));
        file.take(MAX_FILE_BYTES).read_to_end(&mut text)?;
        Ok((text, metadata))
    };
    read().map_err(|error: io::Error| wrong(setting, &format!("cannot be read: {}", error.kind())))
}

fn trusted_by_file(path: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates("ca_file", path)? {
        let added = roots.add(certificate);
        added.map_err(|_| wrong("ca_file", "a certificate in it is not one of an authority"))?;
    }
    Ok(roots)
}

/// What cannot be used among hundreds is passed over: nobody here has chosen it.
fn trusted_by_the_system() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let mut files = SYSTEM_FILES.iter().map(Path::new);
    if let Some(path) = files.find(|path| path.is_file()) {
        roots.add_parsable_certificates(read_certificates("ca_file", path)?);
    }
    if roots.is_empty() {
        let message = "this system has no file of authorities in any of the usual places";
        return Err(wrong("ca_file", message));
    }
    Ok(roots)
}

/// The certificates of a PEM file, of which there is one at least.
fn read_certificates(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let (text, _) = read_file(setting, path)?;
    let certificates = CertificateDer::pem_slice_iter(&text);
    let certificates = certificates.collect::<std::result::Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| wrong(setting, "not PEM"))?;
    if certificates.is_empty() {
        return Err(wrong(setting, "there is no certificate in it"));
    }
    Ok(certificates)
}

/// The client's certificate with its key.
pub(super) fn read_identity(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>> {
    let chain = read_certificates("cert_file", certificate)?;
    let key = read_key(key)?;
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|_| wrong("key_file", "neither an RSA key nor one of a usual curve"))?;
    let identity = CertifiedKey::new(chain, key);
    match identity.keys_match() {
        Err(TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(wrong(
            "key_file",
            "its key is not that of the first certificate in cert_file",
        )),
        // Certificates that rustls does not understand, such as those of version 1, are for the server to
        // judge.
        _ => Ok(Arc::new(identity)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let wrong = |what: &str| wrong("key_file", what);
    let (text, metadata) = read_file("key_file", path)?;
    // As ssh does: somebody else's file may be readable by a group on purpose.
    if metadata.uid() == effective_user() && metadata.mode() & 0o077 != 0 {
        return Err(wrong("others may read it: chmod go= it"));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let is_encrypted = text.windows(9).any(|part| part == b"ENCRYPTED");
        match error {
            _ if is_encrypted => wrong("encrypted, and there is no setting for its passphrase"),
            pem::Error::NoItemsFound => wrong("there is no key in it"),
            _ => wrong("not PEM"),
        }
    })
}

fn wrong(setting: &str, what: &str) -> Error {
    Error::configuration(format!("config.guard.{setting}: {what}"))
}
