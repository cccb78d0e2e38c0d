//! A connection to one server: logging in, and a command's reply.

use std::io;

use super::call_error::{CallError, Reason};
use super::resp::{self, ErrorReply, Reply};
use super::stream::{Connector, Stream};
use super::url::{Address, Login};
use crate::guard::deadline::Deadline;

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
        connector: &Connector,
        expected: Expected,
        deadline: Deadline,
    ) -> Result<Connection, CallError> {
        let stream = connector.connect(&address, deadline);
        let mut connection = Connection {
            stream: stream.map_err(|error| CallError::connecting(&error))?,
            address,
            expected,
            has_answered: false,
        };
        match (&login.user, &login.password) {
            (Some(user), Some(password)) => {
                connection.set_up(&["AUTH", user, password], deadline)?;
            }
            (None, Some(password)) => connection.set_up(&["AUTH", password], deadline)?,
            (_, None) => {}
        }
        if login.database != 0 {
            connection.set_up(&["SELECT", &login.database.to_string()], deadline)?;
        }
        if expected == Expected::ClusterNode {
            // Servers that are not in a cluster refuse this.
            connection.set_up(&["CLUSTER", "MYID"], deadline)?;
        }
        Ok(connection)
    }

    fn set_up(&mut self, words: &[&str], deadline: Deadline) -> Result<(), CallError> {
        match self.exchange(&resp::command(words), deadline) {
            Ok(Reply::Okay | Reply::Text(_)) => Ok(()),
            Ok(Reply::Error(error)) => Err(self.reported(&error, words[0], deadline)),
            Ok(_) => Err(CallError::nonsense()),
            Err(error) => Err(CallError::logging_in(&error)),
        }
    }

    /// Where this Sentinel says that the primary is.
    pub(super) fn primary(&mut self, name: &str, deadline: Deadline) -> Result<Address, CallError> {
        let question = resp::command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]);
        let reply = self.exchange(&question, deadline);
        match reply.map_err(|error| CallError::logging_in(&error))? {
            Reply::Nothing => Err(CallError::NotRun(
                "knows no primary of this name".to_owned(),
            )),
            Reply::List(place) => read_place(&place).ok_or_else(CallError::nonsense),
            Reply::Error(error) if is_unknown_command(&error) => {
                let reason = "is not a Sentinel: the URL of a server begins with redis://";
                Err(CallError::Final(reason.to_owned()))
            }
            Reply::Error(error) => Err(self.reported(&error, "SENTINEL", deadline)),
            Reply::Okay | Reply::Text(_) => Err(CallError::nonsense()),
        }
    }

    /// What an error means that the server answered with.
    pub(super) fn reported(
        &mut self,
        error: &ErrorReply,
        to: &str,
        deadline: Deadline,
    ) -> CallError {
        match CallError::reported(error, &self.address, to) {
            CallError::Final(_) if self.is_sentinel_instead(error, deadline) => {
                let reason = "is a Sentinel: its URL is redis-sentinel://host/name";
                CallError::Final(reason.to_owned())
            }
            error => error,
        }
    }

    /// Sentinels know one command that servers do not, and servers say so before they ask for a password.
    fn is_sentinel_instead(&mut self, error: &ErrorReply, deadline: Deadline) -> bool {
        let may_be = matches!(&*error.code, "ERR" | "NOAUTH" | "NOPERM" | "WRONGPASS");
        if self.expected == Expected::Sentinel || !may_be {
            return false;
        }
        match self.exchange(&resp::command(&["SENTINEL", "MYID"]), deadline) {
            Ok(Reply::Text(id)) => id.len() == 40,
            Ok(Reply::Error(error)) => matches!(&*error.code, "NOAUTH" | "NOPERM"),
            _ => false,
        }
    }

    /// Sends one command and waits for its reply.
    pub(super) fn exchange(&mut self, command: &[u8], deadline: Deadline) -> io::Result<Reply> {
        let result = self.send_and_receive(command, deadline);
        match &result {
            Ok(_) => self.has_answered = true,
            Err(error) if self.has_answered || error.kind() == io::ErrorKind::TimedOut => {}
            Err(_) if self.stream.speaks_tls_instead(deadline.halfway()) => {
                let reason = "it speaks TLS, for which the URL begins with rediss://";
                return Err(Reason::error(reason));
            }
            Err(_) => {}
        }
        result
    }

    fn send_and_receive(&mut self, command: &[u8], deadline: Deadline) -> io::Result<Reply> {
        let stream = self.stream.until(deadline);
        let sent = stream.write_all(command).and_then(|()| stream.flush());
        match (sent, resp::read_reply(stream)) {
            // A server with too many clients has answered before it closed.
            (_, Ok(reply)) => Ok(reply),
            (Err(error), Err(_)) => Err(error),
            (Ok(()), Err(error)) => Err(error),
        }
    }
}

/// Reads what a Sentinel says: host and port.
fn read_place(place: &[String]) -> Option<Address> {
    match place {
        [host, port] => Some(Address::Tcp(host.clone(), port.parse().ok()?)),
        _ => None,
    }
}

fn is_unknown_command(error: &ErrorReply) -> bool {
    error.code == "ERR" && error.details.starts_with("unknown command")
}
