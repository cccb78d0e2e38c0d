//! One connection to one server, on which every wait ends with the call's budget.
//!
//! The redis crate packs the commands and parses the replies; but its own connection bounds each
//! read and not the reply, so that a server which trickles would hold a call for ever.

use std::io::{self, Read, Write};
use std::net::ToSocketAddrs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use redis::io::tcp::socket2::{self, Domain, SockAddr, Type};
use redis::{Parser, ServerError, Value};
use zeroize::Zeroizing;

use super::tls::{Tls, TlsStream};
use super::trouble::{TheReason, Trouble};
use super::url::{Address, Login};
use crate::guard::deadline::Deadline;

/// A server that is there accepts at once.
const MAX_CONNECT: Duration = Duration::from_millis(250);

/// Ours are shorter; the longest error, of Redis in protected mode, is not.
const MAX_REPLY_BYTES: usize = 2048;

/// Enough of TLS to be answered: a greeting of TLS 1.2 with one cipher, and with a line end, at which a
/// server without TLS answers as well.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03\
    factor2 factor2 factor2 factor\r\n\x00\x00\x02\xc0\x2f\x01\x00";

/// What its answer begins with.
const TLS_ALERT: u8 = 0x15;
const TLS_HANDSHAKE: u8 = 0x16;

/// What is expected at an address.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Expected {
    Server,
    ClusterNode,
    Sentinel,
}

/// A connection that is logged in.
pub(super) struct Connection {
    stream: Stream,
    address: Address,
    expected: Expected,
    has_answered: bool,
}

impl Connection {
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Connects and logs in.
    pub(super) fn open(
        address: Address,
        login: &Login,
        tls: Option<&Tls>,
        expected: Expected,
        deadline: Deadline,
    ) -> Result<Connection, Trouble> {
        let stream =
            connect(&address, tls, deadline).map_err(|error| Trouble::connecting(&error))?;
        let mut connection = Connection {
            stream,
            address,
            expected,
            has_answered: false,
        };
        if let Some(auth) = packed_auth(login) {
            connection.set_up("AUTH", &auth, deadline)?;
        }
        if login.database != 0 {
            let select = redis::cmd("SELECT")
                .arg(login.database)
                .get_packed_command();
            connection.set_up("SELECT", &select, deadline)?;
        }
        if expected == Expected::ClusterNode {
            // Servers that are not in a cluster refuse this.
            let cluster = redis::cmd("CLUSTER").arg("MYID").get_packed_command();
            connection.set_up("CLUSTER", &cluster, deadline)?;
        }
        Ok(connection)
    }

    fn set_up(&mut self, name: &str, command: &[u8], deadline: Deadline) -> Result<(), Trouble> {
        match self.exchange(command, deadline) {
            Ok(Value::Okay | Value::BulkString(_)) => Ok(()),
            Ok(Value::ServerError(error)) => Err(self.reported(&error, name, deadline)),
            Ok(_) => Err(Trouble::nonsense()),
            Err(error) => Err(Trouble::logging_in(&error)),
        }
    }

    /// Where this Sentinel says that the primary is.
    pub(super) fn primary(&mut self, name: &str, deadline: Deadline) -> Result<Address, Trouble> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let reply = self.exchange(&question.get_packed_command(), deadline);
        match reply.map_err(|error| Trouble::logging_in(&error))? {
            Value::Nil => Err(Trouble::NotRun("knows no primary of this name".to_owned())),
            Value::Array(place) => read_place(&place).ok_or_else(Trouble::nonsense),
            Value::ServerError(error) if is_unknown_command(&error) => {
                let reason = "is not a Sentinel: the URL of a server begins with redis://";
                Err(Trouble::Final(reason.to_owned()))
            }
            Value::ServerError(error) => Err(self.reported(&error, "SENTINEL", deadline)),
            _ => Err(Trouble::nonsense()),
        }
    }

    /// What an error means that the server answered with.
    pub(super) fn reported(
        &mut self,
        error: &ServerError,
        to: &str,
        deadline: Deadline,
    ) -> Trouble {
        match Trouble::reported(error, &self.address, to) {
            Trouble::Final(_) if self.is_sentinel_instead(error, deadline) => {
                let reason = "is a Sentinel: its URL is redis-sentinel://host/name";
                Trouble::Final(reason.to_owned())
            }
            trouble => trouble,
        }
    }

    /// Sentinels know few commands, but one that servers do not; which those say before they ask for
    /// a password.
    fn is_sentinel_instead(&mut self, error: &ServerError, deadline: Deadline) -> bool {
        let may_be = matches!(error.code(), "ERR" | "NOAUTH" | "NOPERM" | "WRONGPASS");
        if self.expected == Expected::Sentinel || !may_be {
            return false;
        }
        let question = redis::cmd("SENTINEL").arg("MYID").get_packed_command();
        match self.exchange(&question, deadline) {
            Ok(Value::BulkString(id)) => id.len() == 40,
            Ok(Value::ServerError(error)) => matches!(error.code(), "NOAUTH" | "NOPERM"),
            _ => false,
        }
    }

    /// Sends one packed command and waits for its reply.
    pub(super) fn exchange(&mut self, request: &[u8], deadline: Deadline) -> io::Result<Value> {
        let result = self.send_and_receive(request, deadline);
        match &result {
            Ok(_) => self.has_answered = true,
            Err(error) if self.has_answered || error.kind() == io::ErrorKind::TimedOut => {}
            Err(_) if self.stream.speaks_tls_instead(deadline.halfway()) => {
                let reason = "it speaks TLS, for which the URL begins with rediss://";
                return Err(TheReason::error(reason));
            }
            Err(_) => {}
        }
        result
    }

    fn send_and_receive(&mut self, request: &[u8], deadline: Deadline) -> io::Result<Value> {
        self.stream.socket().deadline = deadline;
        let stream = self.stream.as_io();
        let sent = stream.write_all(request).and_then(|()| stream.flush());
        let mut reply = Reply {
            stream: &mut self.stream,
            bytes: 0,
            is_list: false,
            failure: None,
        };
        let received = Parser::new().parse_value(&mut reply).map_err(|_| {
            let failure = reply.failure.take();
            failure.unwrap_or_else(|| io::ErrorKind::InvalidData.into())
        });
        match (sent, received) {
            // A server with too many clients has answered before it closed.
            (_, Ok(reply)) => Ok(reply),
            (Err(error), Err(_)) => Err(error),
            (Ok(()), Err(error)) => Err(error),
        }
    }
}

/// AUTH, packed here and wiped: the redis crate leaves copies of what it packs.
fn packed_auth(login: &Login) -> Option<Zeroizing<Vec<u8>>> {
    let password = login.password.as_ref()?;
    let mut words = vec!["AUTH"];
    words.extend(login.user.as_ref().map(|user| user.as_str()));
    words.push(password);
    // With room for all of it, so that it never moves and leaves a copy.
    let length = words.iter().map(|word| word.len().saturating_add(32));
    let mut packed = Zeroizing::new(Vec::with_capacity(length.sum()));
    packed.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        packed.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        packed.extend_from_slice(word.as_bytes());
        packed.extend_from_slice(b"\r\n");
    }
    Some(packed)
}

/// Reads what a Sentinel says: host and port.
fn read_place(place: &[Value]) -> Option<Address> {
    let [Value::BulkString(host), Value::BulkString(port)] = place else {
        return None;
    };
    let text = |bytes| std::str::from_utf8(bytes).ok();
    Some(Address::Tcp(
        text(host)?.to_owned(),
        text(port)?.parse().ok()?,
    ))
}

fn is_unknown_command(error: &ServerError) -> bool {
    let details = error.details().unwrap_or_default();
    error.code() == "ERR" && details.starts_with("unknown command")
}

/// A reply on its way to the parser. Only those without elements are let through, and lists of such: others
/// can be nested deeper than a small stack takes.
struct Reply<'a> {
    stream: &'a mut Stream,
    bytes: usize,
    is_list: bool,
    /// Why reading ended; the parser's own errors do not say it.
    failure: Option<io::Error>,
}

impl Reply<'_> {
    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.as_io().read(buffer)?;
        let Some((first, rest)) = buffer.get(..count).and_then(<[u8]>::split_first) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let is_beginning = self.bytes == 0;
        self.bytes = self.bytes.saturating_add(count);
        self.is_list |= is_beginning && *first == b'*';
        // Of a list, the signs that elements with elements begin with are in no part.
        let is_flat = |byte: &u8| byte.is_ascii_alphanumeric() || b"$:.-_\r\n".contains(byte);
        let is_good = match is_beginning {
            true => b"+-:$*".contains(first) && (!self.is_list || rest.iter().all(is_flat)),
            false => !self.is_list || (is_flat(first) && rest.iter().all(is_flat)),
        };
        if is_good && self.bytes <= MAX_REPLY_BYTES {
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
                        return match tls {
                            None => Ok(Stream::Plain(socket)),
                            Some(tls) => wrap(tls, socket, host, deadline).map(Stream::Tls),
                        };
                    }
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        }
    }
}

/// Begins to speak TLS. What a server without TLS makes of that is silence, mostly; so some time is kept to
/// find out.
fn wrap(tls: &Tls, mut socket: Socket, host: &str, deadline: Deadline) -> io::Result<TlsStream> {
    let server = socket.server.clone();
    socket.deadline = deadline.halfway();
    let result = tls.wrap(socket, host);
    match &result {
        Err(error) if error.kind() != io::ErrorKind::InvalidData => {
            match Socket::first_answer(&server, b"PING\r\n", deadline.halfway()) {
                Some(b'+' | b'-') => Err(TheReason::error(
                    "it does not speak TLS, without which the URL begins with redis://",
                )),
                _ => result,
            }
        }
        _ => result,
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
            Stream::Tls(stream) => stream.socket(),
            #[cfg(not(feature = "redis-tls"))]
            Stream::Tls(never) => match *never {},
        }
    }

    /// A server with TLS closes a connection that begins without it, in silence.
    fn speaks_tls_instead(&self, deadline: Deadline) -> bool {
        let Stream::Plain(socket) = self else {
            return false;
        };
        let answer = Socket::first_answer(&socket.server, CLIENT_HELLO, deadline);
        matches!(answer, Some(TLS_ALERT | TLS_HANDSHAKE))
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
    server: SockAddr,
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
        raw.connect_timeout(address, timeout(deadline)?.min(MAX_CONNECT))?;
        Ok(Socket {
            raw,
            server: address.clone(),
            deadline,
            timeout: Duration::ZERO,
        })
    }

    /// The first byte that a server says to this, on a connection of its own.
    fn first_answer(server: &SockAddr, question: &[u8], deadline: Deadline) -> Option<u8> {
        let mut socket = Socket::connect(server.domain(), server, deadline).ok()?;
        socket.write_all(question).ok()?;
        let mut answer = [0];
        socket.read_exact(&mut answer).ok()?;
        let [first] = answer;
        Some(first)
    }

    /// Tells the system how long it may wait, if that is news.
    fn bound_waits(&mut self) -> io::Result<()> {
        let timeout = coarse(timeout(self.deadline)?);
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

/// What the system is told of a deadline: an error when nothing remains, and never 0, which would mean
/// for ever.
fn timeout(deadline: Deadline) -> io::Result<Duration> {
    match deadline.remaining() {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        remaining => Ok(remaining.max(Duration::from_millis(1))),
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
