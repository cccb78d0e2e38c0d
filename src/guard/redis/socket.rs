//! A socket on which every wait ends with a deadline.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use socket2::{Domain, SockAddr, Type};

use crate::guard::deadline::Deadline;

/// A live server accepts within milliseconds; the rest of the budget is for the next node.
const MAX_CONNECT: Duration = Duration::from_millis(250);

/// A socket that blocks until the deadline and no longer.
pub(super) struct Socket {
    raw: socket2::Socket,
    server: SockAddr,
    deadline: Deadline,
    /// What the system was told last.
    timeout: Duration,
}

impl Socket {
    pub(super) fn connect(server: &SockAddr, deadline: Deadline) -> io::Result<Socket> {
        let mut raw = socket2::Socket::new(server.domain(), Type::STREAM, None)?;
        if raw.as_raw_fd() < 3 {
            // The process has closed its standard streams: what it prints must not come here.
            // The standard library duplicates above them.
            raw = OwnedFd::from(raw).try_clone()?.into();
        }
        raw.connect_timeout(server, timeout(deadline)?.min(MAX_CONNECT))?;
        if server.domain() != Domain::UNIX {
            raw.set_tcp_nodelay(true)?;
        }
        Ok(Socket {
            raw,
            server: server.clone(),
            deadline,
            timeout: Duration::ZERO,
        })
    }

    pub(super) fn server(&self) -> &SockAddr {
        &self.server
    }

    /// From now on, waits end at this time.
    pub(super) fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// The first byte that a server says to this, on a connection of its own.
    pub(super) fn first_answer(
        server: &SockAddr,
        question: &[u8],
        deadline: Deadline,
    ) -> Option<u8> {
        let mut socket = Socket::connect(server, deadline).ok()?;
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

/// At most what remains, and the same for most calls, so that the system seldom has to be told. After a
/// wait of this length the deadline is looked at again.
fn coarse(remaining: Duration) -> Duration {
    const STEP: Duration = Duration::from_millis(16);
    match remaining.as_millis() / STEP.as_millis() {
        0 => remaining,
        // Budgets are of seconds, so this is a small number.
        steps => STEP * steps as u32,
    }
}

/// Whether a wait was cut short: by a signal, or by a timeout that may be shorter than the deadline.
fn is_no_answer_yet(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
    )
}
