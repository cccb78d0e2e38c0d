//! What commands are written to and replies are read from: a socket, with TLS or without.

use std::io::{self, Read, Write};
use std::net::ToSocketAddrs;

use socket2::SockAddr;

#[cfg(feature = "redis-tls")]
use super::call_error::Reason;
use super::settings::RedisSettings;
use super::socket::Socket;
#[cfg(feature = "redis-tls")]
use super::tls::{Tls, TlsStream};
use super::url::Address;
use crate::error::Result;
use crate::guard::deadline::Deadline;

/// Enough of TLS to be answered: a greeting of TLS 1.2 with one cipher, and with a line end, at which a
/// server without TLS answers as well.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03\
    factor2 factor2 factor2 factor\r\n\x00\x00\x02\xc0\x2f\x01\x00";

/// What its answer begins with.
const TLS_ALERT: u8 = 0x15;
const TLS_HANDSHAKE: u8 = 0x16;

/// Makes streams, all with TLS or all without.
pub(super) struct Connector {
    /// None when the URLs are without TLS. Where TLS was left out, the settings refuse those with it.
    #[cfg(feature = "redis-tls")]
    tls: Option<Tls>,
}

impl Connector {
    #[cfg(feature = "redis-tls")]
    pub(super) fn new(settings: &RedisSettings) -> Result<Connector> {
        let tls = settings.tls.as_ref().map(Tls::new).transpose()?;
        Ok(Connector { tls })
    }

    #[cfg(not(feature = "redis-tls"))]
    pub(super) fn new(_: &RedisSettings) -> Result<Connector> {
        Ok(Connector {})
    }

    pub(super) fn connect(&self, address: &Address, deadline: Deadline) -> io::Result<Stream> {
        match address {
            Address::Unix(path) => {
                let server = SockAddr::unix(path)?;
                Ok(Stream::Plain(Socket::connect(&server, deadline)?))
            }
            Address::Tcp(host, port) => {
                let mut failure = io::ErrorKind::NotFound.into();
                // The one wait without a limit of ours is the system's, for the name of a host.
                let servers = (host.as_str(), *port).to_socket_addrs();
                for server in servers.map_err(|_| io::ErrorKind::AddrNotAvailable)? {
                    match Socket::connect(&server.into(), deadline) {
                        Ok(socket) => return self.wrap(socket, host, deadline),
                        Err(error) => failure = error,
                    }
                }
                Err(failure)
            }
        }
    }

    #[cfg(not(feature = "redis-tls"))]
    fn wrap(&self, socket: Socket, _: &str, _: Deadline) -> io::Result<Stream> {
        Ok(Stream::Plain(socket))
    }

    /// Begins to speak TLS. What a server without TLS makes of that is silence, mostly; so some time is
    /// kept to find out.
    #[cfg(feature = "redis-tls")]
    fn wrap(&self, mut socket: Socket, host: &str, deadline: Deadline) -> io::Result<Stream> {
        let Some(tls) = &self.tls else {
            return Ok(Stream::Plain(socket));
        };
        let server = socket.server().clone();
        socket.set_deadline(deadline.halfway());
        tls.wrap(socket, host).map(Stream::Tls).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                return error;
            }
            match Socket::first_answer(&server, b"PING\r\n", deadline.halfway()) {
                Some(b'+' | b'-') => Reason::error(
                    "it does not speak TLS, without which the URL begins with redis://",
                ),
                _ => error,
            }
        })
    }
}

pub(super) trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

pub(super) enum Stream {
    Plain(Socket),
    #[cfg(feature = "redis-tls")]
    Tls(TlsStream),
}

impl Stream {
    /// What to write to and to read from until the deadline.
    pub(super) fn until(&mut self, deadline: Deadline) -> &mut dyn ReadWrite {
        match self {
            Stream::Plain(socket) => {
                socket.set_deadline(deadline);
                socket
            }
            #[cfg(feature = "redis-tls")]
            Stream::Tls(stream) => {
                stream.socket().set_deadline(deadline);
                stream
            }
        }
    }

    /// A server with TLS closes a connection that begins without it, in silence.
    pub(super) fn speaks_tls_instead(&self, deadline: Deadline) -> bool {
        match self {
            Stream::Plain(socket) => {
                let answer = Socket::first_answer(socket.server(), CLIENT_HELLO, deadline);
                matches!(answer, Some(TLS_ALERT | TLS_HANDSHAKE))
            }
            #[cfg(feature = "redis-tls")]
            Stream::Tls(_) => false,
        }
    }
}
