//! One connection to one server, on which every wait ends with the call's budget.
//!
//! The redis crate packs the commands and parses the replies; but its own connection bounds each
//! read and not the reply, so that a server which trickles would hold a call for ever.

use std::io::{self, Read, Write};
use std::net::ToSocketAddrs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use redis::io::tcp::socket2::{self, Domain, SockAddr, Type};
use redis::{Cmd, Parser, RedisConnectionInfo, Value};

use super::call::Trouble;
use super::settings::Address;
use super::tls::{Tls, TlsStream};

/// A server that is there accepts at once.
const MAX_CONNECT: Duration = Duration::from_millis(250);

/// Ours are shorter.
const MAX_REPLY_BYTES: usize = 1024;

/// When a call must be over.
#[derive(Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(wait: Duration) -> Deadline {
        let now = Instant::now();
        Deadline(now.checked_add(wait).unwrap_or(now))
    }

    pub(super) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(super) fn is_over(self) -> bool {
        self.left().is_zero()
    }

    pub(super) fn half(self) -> Deadline {
        Deadline::after(self.left().mul_f32(0.5))
    }

    /// For the system: an error when nothing is left, and never 0, which would mean for ever.
    fn timeout(self) -> io::Result<Duration> {
        match self.left() {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(left.max(Duration::from_millis(1))),
        }
    }
}

/// A connection that is logged in.
pub(super) struct Connection {
    stream: Stream,
    address: Address,
}

impl Connection {
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Connects and logs in. `in_cluster`: the server must be a cluster's node.
    pub(super) fn open(
        address: Address,
        login: &RedisConnectionInfo,
        tls: Option<&Tls>,
        in_cluster: bool,
        deadline: Deadline,
    ) -> Result<Connection, Trouble> {
        let stream =
            connect(&address, tls, deadline).map_err(|error| Trouble::connecting(&error))?;
        let mut connection = Connection { stream, address };
        if let Some(password) = login.password() {
            let mut auth = redis::cmd("AUTH");
            if let Some(user) = login.username() {
                auth.arg(user);
            }
            connection.set_up("AUTH", auth.arg(password), deadline)?;
        }
        if login.db() != 0 {
            connection.set_up("SELECT", redis::cmd("SELECT").arg(login.db()), deadline)?;
        }
        if in_cluster {
            // Servers that are not in a cluster refuse this.
            connection.set_up("CLUSTER", redis::cmd("CLUSTER").arg("MYID"), deadline)?;
        }
        Ok(connection)
    }

    fn set_up(&mut self, name: &str, command: &Cmd, deadline: Deadline) -> Result<(), Trouble> {
        match self.exchange(&command.get_packed_command(), deadline) {
            Ok(Value::Okay | Value::BulkString(_)) => Ok(()),
            Ok(Value::ServerError(error)) => Err(Trouble::reported(&error, &self.address, name)),
            Ok(_) => Err(Trouble::nonsense()),
            Err(error) => Err(Trouble::logging_in(&error)),
        }
    }

    /// Sends one packed command and waits for its reply.
    pub(super) fn exchange(&mut self, request: &[u8], deadline: Deadline) -> io::Result<Value> {
        self.stream.socket().deadline = deadline;
        let stream = self.stream.as_io();
        stream.write_all(request)?;
        stream.flush()?;
        let mut reply = Reply {
            stream: &mut self.stream,
            bytes: 0,
            failure: None,
        };
        Parser::new().parse_value(&mut reply).map_err(|_| {
            let failure = reply.failure.take();
            failure.unwrap_or_else(|| io::ErrorKind::InvalidData.into())
        })
    }
}

/// A reply on its way to the parser. Only those without elements are let through: ours have none,
/// and others can be nested deeper than a small stack takes.
struct Reply<'a> {
    stream: &'a mut Stream,
    bytes: usize,
    /// Why reading ended; the parser's own errors do not say it.
    failure: Option<io::Error>,
}

impl Reply<'_> {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.as_io().read(buffer)?;
        let begins_well = match buffer.first() {
            _ if count == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(first) => self.bytes > 0 || b"+-:$".contains(first),
            None => false,
        };
        self.bytes = self.bytes.saturating_add(count);
        if begins_well && self.bytes <= MAX_REPLY_BYTES {
            Ok(count)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

impl Read for Reply<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_some(buffer).map_err(|error| {
            let kind = error.kind();
            self.failure = Some(error);
            kind.into()
        })
    }
}

fn connect(address: &Address, tls: Option<&Tls>, deadline: Deadline) -> io::Result<Stream> {
    match address {
        Address::Unix(path) => {
            let socket = Socket::connect(Domain::UNIX, &SockAddr::unix(path)?, deadline)?;
            Ok(Stream::Plain(socket))
        }
        Address::Tcp(host, port) => {
            let mut failure = io::ErrorKind::NotFound.into();
            // The one wait without a limit of ours is the system's, for the name of a host.
            for address in (host.as_str(), *port)
                .to_socket_addrs()
                .map_err(|_| io::ErrorKind::AddrNotAvailable)?
            {
                let domain = Domain::for_address(address);
                match Socket::connect(domain, &address.into(), deadline) {
                    Ok(socket) => {
                        socket.raw.set_tcp_nodelay(true)?;
                        return Ok(match tls {
                            None => Stream::Plain(socket),
                            Some(tls) => Stream::Tls(tls.wrap(socket, host)?),
                        });
                    }
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// What commands are written to and replies are read from.
enum Stream {
    Plain(Socket),
    // Never made where TLS was left out.
    #[cfg_attr(not(feature = "redis-tls"), allow(dead_code))]
    Tls(TlsStream),
}

impl Stream {
    fn socket(&mut self) -> &mut Socket {
        match self {
            Stream::Plain(socket) => socket,
            #[cfg(feature = "redis-tls")]
            Stream::Tls(stream) => &mut stream.sock,
            #[cfg(not(feature = "redis-tls"))]
            Stream::Tls(never) => match *never {},
        }
    }

    fn as_io(&mut self) -> &mut dyn ReadWrite {
        match self {
            Stream::Plain(socket) => socket,
            #[cfg(feature = "redis-tls")]
            Stream::Tls(stream) => stream,
            #[cfg(not(feature = "redis-tls"))]
            Stream::Tls(never) => match *never {},
        }
    }
}

/// A socket that blocks until the deadline and no longer.
pub(super) struct Socket {
    raw: socket2::Socket,
    deadline: Deadline,
    /// What the system was told last.
    timeout: Duration,
}

impl Socket {
    fn connect(domain: Domain, address: &SockAddr, deadline: Deadline) -> io::Result<Socket> {
        let mut raw = socket2::Socket::new(domain, Type::STREAM, None)?;
        if raw.as_raw_fd() < 3 {
            // The process has closed its standard streams: what it prints must not come here.
            // The standard library duplicates above them.
            raw = OwnedFd::from(raw).try_clone()?.into();
        }
        raw.connect_timeout(address, deadline.timeout()?.min(MAX_CONNECT))?;
        Ok(Socket {
            raw,
            deadline,
            timeout: Duration::ZERO,
        })
    }

    /// Tells the system how long it may wait, if that is news.
    fn bound_waits(&mut self) -> io::Result<()> {
        let timeout = coarse(self.deadline.timeout()?);
        if timeout != self.timeout {
            self.raw.set_read_timeout(Some(timeout))?;
            self.raw.set_write_timeout(Some(timeout))?;
            self.timeout = timeout;
        }
        Ok(())
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.bound_waits()?;
            match self.raw.read(buffer) {
                Err(error) if is_no_answer_yet(&error) => {}
                result => return result,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.bound_waits()?;
            // The host may have left SIGPIPE as it is, and must live on.
            match self.raw.send_with_flags(bytes, libc::MSG_NOSIGNAL) {
                Err(error) if is_no_answer_yet(&error) => {}
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// At most what is left, and the same for most calls, so that the system seldom has to be told. Who has
/// waited for so long looks at the deadline again.
fn coarse(left: Duration) -> Duration {
    const STEP_MS: u64 = 16;
    let milliseconds = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    match milliseconds / STEP_MS {
        0 => left,
        steps => Duration::from_millis(steps.saturating_mul(STEP_MS)),
    }
}

/// Whether a wait was cut short: by a signal, or by a timeout that may be shorter than the deadline.
fn is_no_answer_yet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    )
}
