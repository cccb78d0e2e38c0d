//! TLS by rustls: `files.rs` reads whom to trust and as whom to be known, `reasons.rs` has the words for
//! what went wrong.

mod files;
mod reasons;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, Error as TlsError, SignatureScheme, StreamOwned};

use self::reasons::ClientCertificate;
use super::call_error::Reason;
use super::settings::TlsSettings;
use super::socket::Socket;
use crate::error::{Error, Result};

/// Whom to trust, and as whom to be known.
pub(super) struct Tls {
    config: ClientConfig,
    identity: Option<Arc<CertifiedKey>>,
}

impl Tls {
    pub(super) fn new(settings: &TlsSettings) -> Result<Tls> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = files::read_authorities(&settings.authorities)?;
        let identity = match &settings.identity {
            Some((certificate, key)) => Some(files::read_identity(certificate, key, &provider)?),
            None => None,
        };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Error::configuration("config.guard.url: this build has no TLS versions"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Resumption shares sessions behind a lock, which a fork could leave locked.
        config.resumption = Resumption::disabled();
        Ok(Tls { config, identity })
    }

    /// Begins to speak TLS on a socket.
    pub(super) fn wrap(&self, socket: Socket, host: &str) -> io::Result<TlsStream> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Reason::error("no certificate can be for its name"))?;
        let identity = Arc::new(Identity {
            key: self.identity.clone(),
            was_asked_for: AtomicBool::new(false),
        });
        let mut config = self.config.clone();
        config.client_auth_cert_resolver = Arc::<Identity>::clone(&identity);
        let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
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
pub(super) struct TlsStream {
    inner: Box<StreamOwned<ClientConnection, Socket>>,
    identity: Arc<Identity>,
}

impl TlsStream {
    pub(super) fn socket(&mut self) -> &mut Socket {
        &mut self.inner.sock
    }

    fn explain(&mut self, error: io::Error) -> io::Error {
        let reason = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<TlsError>());
        let reason = match reason {
            Some(reason) => Some(reason.clone()),
            None if error.kind() == io::ErrorKind::TimedOut => None,
            None => self.last_words(),
        };
        match reason {
            Some(reason) => Reason::error(self.say(&reason)),
            None => error,
        }
    }

    /// Why the server broke the connection, if it said so while something was written.
    fn last_words(&mut self) -> Option<TlsError> {
        let StreamOwned { conn, sock } = &mut *self.inner;
        while conn.read_tls(sock).is_ok_and(|count| count > 0) {
            if let Err(reason) = conn.process_new_packets() {
                return Some(reason);
            }
        }
        None
    }

    fn say(&self, error: &TlsError) -> String {
        let was_asked_for = self.identity.was_asked_for.load(Ordering::Relaxed);
        let certificate = match &self.identity.key {
            _ if !was_asked_for => ClientCertificate::NotWanted,
            None => ClientCertificate::Missing,
            Some(_) => ClientCertificate::Shown,
        };
        reasons::say(error, certificate, self.inner.conn.is_handshaking())
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
