//! TLS by rustls, or its absence.

#[cfg(feature = "redis-tls")]
pub(super) use with::{Tls, TlsStream};
#[cfg(not(feature = "redis-tls"))]
pub(super) use without::{Tls, TlsStream};

#[cfg(feature = "redis-tls")]
mod with {
    use std::fs::{File, Metadata};
    use std::io::{self, Read, Write};
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustls::client::{ResolvesClientCert, Resumption};
    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::pem::{self, PemObject};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::sign::CertifiedKey;
    use rustls::{
        AlertDescription, CertificateError, ClientConfig, ClientConnection, Error,
        InconsistentKeys, RootCertStore, SignatureScheme, StreamOwned,
    };
    use zeroize::Zeroizing;

    use crate::error::{Failure, Result};
    use crate::guard::redis::connection::Socket;
    use crate::guard::redis::settings::{Authorities, TlsSettings};
    use crate::guard::redis::trouble::TheReason;
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

    /// Whom to trust, and as whom to be known.
    pub(in crate::guard::redis) struct Tls {
        config: ClientConfig,
        identity: Option<Arc<CertifiedKey>>,
    }

    impl Tls {
        pub(in crate::guard::redis) fn new(settings: &TlsSettings) -> Result<Tls> {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let roots = match &settings.authorities {
                Authorities::System => trusted_by_the_system()?,
                Authorities::File(path) => trusted_by_file(path)?,
            };
            let identity = match &settings.identity {
                Some((certificate, key)) => Some(read_identity(certificate, key, &provider)?),
                None => None,
            };
            let mut config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|_| wrong("url", "this build has no TLS versions"))?
                .with_root_certificates(roots)
                .with_no_client_auth();
            // Resumption shares sessions behind a lock, which a fork could leave locked.
            config.resumption = Resumption::disabled();
            Ok(Tls { config, identity })
        }

        /// Begins to speak TLS on a socket.
        pub(in crate::guard::redis) fn wrap(
            &self,
            socket: Socket,
            host: &str,
        ) -> io::Result<TlsStream> {
            let name = ServerName::try_from(host.to_owned())
                .map_err(|_| TheReason::error("no certificate can be for its name"))?;
            let identity = Arc::new(Identity {
                key: self.identity.clone(),
                was_asked_for: AtomicBool::new(false),
            });
            let mut config = self.config.clone();
            config.client_auth_cert_resolver = Arc::<Identity>::clone(&identity);
            let session =
                ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
            let mut stream = TlsStream {
                inner: Box::new(StreamOwned::new(session, socket)),
                identity,
            };
            let StreamOwned { conn, sock } = &mut *stream.inner;
            match conn.complete_io(sock) {
                Ok(_) => Ok(stream),
                Err(error) => Err(stream.explain(error)),
            }
        }
    }

    fn wrong(setting: &str, what: &str) -> Failure {
        Failure::configuration(format!("config.guard.{setting}: {what}"))
    }

    fn read_file(setting: &str, path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata)> {
        let read = || {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            // With room for all of it, so that no copy of a key is left where it grew.
            let length = metadata.len().min(MAX_FILE_BYTES);
            let length = usize::try_from(length).unwrap_or(0).saturating_add(1);
            let mut text = Zeroizing::new(Vec::with_capacity(length));
            file.take(MAX_FILE_BYTES).read_to_end(&mut text)?;
            Ok((text, metadata))
        };
        read().map_err(|error: io::Error| {
            wrong(setting, &format!("cannot be read: {}", error.kind()))
        })
    }

    fn trusted_by_file(path: &Path) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in read_certificates("ca_file", path)? {
            let added = roots.add(certificate);
            added
                .map_err(|_| wrong("ca_file", "a certificate in it is not one of an authority"))?;
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

    fn read_identity(
        certificate: &Path,
        key: &Path,
        provider: &CryptoProvider,
    ) -> Result<Arc<CertifiedKey>> {
        let chain = read_certificates("cert_file", certificate)?;
        let key = read_key(key)?;
        let key = provider.key_provider.load_private_key(key);
        let key =
            key.map_err(|_| wrong("key_file", "neither an RSA key nor one of a usual curve"))?;
        let identity = CertifiedKey::new(chain, key);
        match identity.keys_match() {
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(wrong(
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

    /// The client's certificate, on one connection.
    #[derive(Debug)]
    struct Identity {
        key: Option<Arc<CertifiedKey>>,
        was_asked_for: AtomicBool,
    }

    impl ResolvesClientCert for Identity {
        fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
            self.was_asked_for.store(true, Ordering::Relaxed);
            self.key.clone()
        }

        fn has_certs(&self) -> bool {
            self.key.is_some()
        }
    }

    /// A connection whose errors say what is wrong with its TLS.
    pub(in crate::guard::redis) struct TlsStream {
        inner: Box<StreamOwned<ClientConnection, Socket>>,
        identity: Arc<Identity>,
    }

    impl TlsStream {
        pub(in crate::guard::redis) fn socket(&mut self) -> &mut Socket {
            &mut self.inner.sock
        }

        fn explain(&mut self, error: io::Error) -> io::Error {
            let reason = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Error>());
            let reason = match reason {
                Some(reason) => Some(reason.clone()),
                None if error.kind() == io::ErrorKind::TimedOut => None,
                None => self.last_words(),
            };
            match reason {
                Some(reason) => TheReason::error(self.say(&reason)),
                None => error,
            }
        }

        /// Why the server broke the connection, if it said so while something was written.
        fn last_words(&mut self) -> Option<Error> {
            let StreamOwned { conn, sock } = &mut *self.inner;
            while conn.read_tls(sock).is_ok_and(|count| count > 0) {
                if let Err(reason) = conn.process_new_packets() {
                    return Some(reason);
                }
            }
            None
        }

        fn say(&self, reason: &Error) -> String {
            let was_asked = self.identity.was_asked_for.load(Ordering::Relaxed);
            let text = match reason {
                Error::InvalidCertificate(error) => return say_of_its_certificate(error),
                Error::AlertReceived(alert) if was_asked && is_about_ours(*alert) => {
                    match (&self.identity.key, alert) {
                        (None, _) => {
                            "it wants a client certificate, which cert_file and key_file name"
                        }
                        (Some(_), AlertDescription::UnknownCA) => {
                            "it refused the client certificate, whose authority it does not know"
                        }
                        (Some(_), AlertDescription::CertificateExpired) => {
                            "it refused the client certificate, which has expired"
                        }
                        (Some(_), _) => "it refused the client certificate",
                    }
                }
                Error::AlertReceived(
                    AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
                )
                | Error::PeerIncompatible(_) => "it has no version or cipher of TLS in common",
                Error::AlertReceived(AlertDescription::UnrecognisedName) => {
                    "it has no certificate for this name"
                }
                Error::InvalidMessage(_) if self.inner.conn.is_handshaking() => {
                    "it does not speak TLS"
                }
                _ => "its TLS is broken",
            };
            text.to_owned()
        }
    }

    /// Whether an alert may mean the client's certificate, or that there is none. OpenSSL has said so in
    /// several ways.
    fn is_about_ours(alert: AlertDescription) -> bool {
        matches!(
            alert,
            AlertDescription::AccessDenied
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateRequired
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateUnknown
                | AlertDescription::DecryptError
                | AlertDescription::HandshakeFailure
                | AlertDescription::NoCertificate
                | AlertDescription::UnknownCA
                | AlertDescription::UnsupportedCertificate
        )
    }

    fn say_of_its_certificate(error: &CertificateError) -> String {
        let text = match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is of an authority that ca_file does not name"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                return say_names(presented);
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "its certificate is not one of a server"
            }
            // The verifier's own error has no other way out.
            CertificateError::Other(other)
                if format!("{other:?}").contains("CaUsedAsEndEntity") =>
            {
                "its certificate is an authority's own (CA:TRUE), which a server must not use"
            }
            _ => "its certificate cannot be used",
        };
        text.to_owned()
    }

    /// The names are not secret, and an authority that is trusted vouches for them.
    fn say_names(presented: &[String]) -> String {
        const MOST: usize = 8;
        let names = presented.iter().filter_map(|name| {
            let name = name
                .strip_prefix("DnsName(\"")
                .and_then(|name| name.strip_suffix("\")"))
                .or_else(|| {
                    name.strip_prefix("IpAddress(")
                        .and_then(|name| name.strip_suffix(')'))
                })?;
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:*-_".contains(&byte);
            (name.len() <= 253 && name.bytes().all(is_plain)).then_some(name)
        });
        let names: Vec<&str> = names.collect();
        match names.get(..MOST) {
            _ if names.is_empty() => {
                "its certificate has no subjectAltName, and no other name counts".to_owned()
            }
            Some(first) if names.len() > MOST => {
                format!(
                    "its certificate is for other names: {} and more",
                    first.join(", ")
                )
            }
            _ => format!("its certificate is for other names: {}", names.join(", ")),
        }
    }

    impl Read for TlsStream {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let result = self.inner.read(buffer);
            result.map_err(|error| self.explain(error))
        }
    }

    impl Write for TlsStream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let result = self.inner.write(bytes);
            result.map_err(|error| self.explain(error))
        }

        fn flush(&mut self) -> io::Result<()> {
            let result = self.inner.flush();
            result.map_err(|error| self.explain(error))
        }
    }
}

#[cfg(not(feature = "redis-tls"))]
mod without {
    use std::convert::Infallible;
    use std::io;

    use crate::error::{Failure, Result};
    use crate::guard::redis::connection::Socket;
    use crate::guard::redis::settings::TlsSettings;

    /// The settings refuse URLs with TLS, so there is never one.
    pub(in crate::guard::redis) struct Tls(Infallible);

    pub(in crate::guard::redis) type TlsStream = Infallible;

    impl Tls {
        pub(in crate::guard::redis) fn new(_: &TlsSettings) -> Result<Tls> {
            Err(Failure::configuration("config.guard.url: TLS was left out"))
        }

        pub(in crate::guard::redis) fn wrap(&self, _: Socket, _: &str) -> io::Result<TlsStream> {
            match self.0 {}
        }
    }
}
