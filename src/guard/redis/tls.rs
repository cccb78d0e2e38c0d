//! TLS by rustls, or its absence.

#[cfg(feature = "redis-tls")]
pub(super) use with::{Tls, TlsStream};
#[cfg(not(feature = "redis-tls"))]
pub(super) use without::{Tls, TlsStream};

#[cfg(feature = "redis-tls")]
mod with {
    use std::io::{self, Read};
    use std::path::Path;
    use std::sync::Arc;

    use rustls::client::Resumption;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::ServerName;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

    use crate::error::{Failure, Result};
    use crate::guard::redis::connection::Socket;

    /// A CA file of 1 MiB has far more certificates than the world has authorities.
    const MAX_CA_BYTES: u64 = 1 << 20;

    /// Whom to trust.
    pub(in crate::guard::redis) struct Tls(Arc<ClientConfig>);

    pub(in crate::guard::redis) type TlsStream = Box<StreamOwned<ClientConnection, Socket>>;

    impl Tls {
        pub(in crate::guard::redis) fn new(ca_file: &Path) -> Result<Tls> {
            let wrong =
                |what: &str| Failure::configuration(format!("config.guard.ca_file: {what}"));
            let mut pem = Vec::new();
            std::fs::File::open(ca_file)
                .and_then(|file| file.take(MAX_CA_BYTES).read_to_end(&mut pem))
                .map_err(|error| wrong(&format!("cannot be read: {}", error.kind())))?;
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|_| wrong("not PEM"))?;
                let added = roots.add(certificate);
                added.map_err(|_| wrong("a certificate in it is not one of an authority"))?;
            }
            if roots.is_empty() {
                return Err(wrong("there is no certificate in it"));
            }
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|_| wrong("this build has no TLS versions"))?
                .with_root_certificates(roots)
                .with_no_client_auth();
            // Resumption shares sessions behind a lock, which a fork could leave locked.
            config.resumption = Resumption::disabled();
            Ok(Tls(Arc::new(config)))
        }

        /// Begins to speak TLS on a socket.
        pub(in crate::guard::redis) fn wrap(
            &self,
            socket: Socket,
            host: &str,
        ) -> io::Result<TlsStream> {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            let session =
                ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
            let mut stream = Box::new(StreamOwned::new(session, socket));
            let StreamOwned { conn, sock } = &mut *stream;
            conn.complete_io(sock)?;
            Ok(stream)
        }
    }
}

#[cfg(not(feature = "redis-tls"))]
mod without {
    use std::convert::Infallible;
    use std::io;
    use std::path::Path;

    use crate::error::{Failure, Result};
    use crate::guard::redis::connection::Socket;

    /// The settings refuse URLs with TLS, so there is never one.
    pub(in crate::guard::redis) struct Tls(Infallible);

    pub(in crate::guard::redis) type TlsStream = Infallible;

    impl Tls {
        pub(in crate::guard::redis) fn new(_: &Path) -> Result<Tls> {
            Err(Failure::configuration("config.guard.url: TLS was left out"))
        }

        pub(in crate::guard::redis) fn wrap(&self, _: Socket, _: &str) -> io::Result<TlsStream> {
            match self.0 {}
        }
    }
}
