//! One question, until it has an answer or the budget is used up.
//!
//! A question has a random id: the answer repeats it, and the record keeps that of the last attempt
//! that changed it. So when an answer is lost, the same question is asked once more on a new
//! connection, and is not taken for a second attempt; if another attempt came between, it is, and a
//! right code is then refused. What surely did not run is tried again, with pauses, while there is
//! time.

use std::io;
use std::time::Duration;

use redis::{Cmd, ServerError, Value};

use super::connection::{Connection, Deadline};
use super::nodes::{self, Nodes};
use super::settings::Address;
use super::{RedisStore, SCRIPT};
use crate::error::{Failure, Result, Status};
use crate::guard::{self, store_unavailable};

/// Doubled after each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A cluster that is well redirects once, or twice while a slot moves.
const MAX_REDIRECTS: u32 = 5;

/// What is asked of the script.
pub(super) struct Question {
    id: u64,
    key: String,
    words: Vec<String>,
}

impl Question {
    pub(super) fn new(key: String, words: Vec<String>) -> Result<Question> {
        let random = getrandom::u64().map_err(|_| {
            let message = "the system gave no randomness for the id of the attempt";
            Failure::new(Status::RandomUnavailable, message)
        })?;
        Ok(Question {
            id: random | 1, // never 0, which stands for none
            key,
            words,
        })
    }

    fn packed(&self, command: &str, script: &str) -> Vec<u8> {
        let mut question = Cmd::with_capacity(9, script.len().saturating_add(160));
        question.arg(command).arg(script).arg(1).arg(&self.key);
        question.arg(self.id).arg(&self.words).get_packed_command()
    }

    /// What a reply says, if it belongs to this question and to no other.
    fn answer_in(&self, reply: &[u8]) -> Option<String> {
        let (id, answer) = std::str::from_utf8(reply).ok()?.split_once(' ')?;
        (id == self.id.to_string()).then(|| answer.to_owned())
    }
}

/// Why there is no answer. The texts end up in messages: never a server's own, nor an address.
pub(super) enum Trouble {
    /// The script did not run, and may next time.
    NotRun(String),
    /// It may have run.
    AnswerLost(String),
    /// Asking again would not help.
    Final(String),
    /// The record is at another node; for this question only, or from now on.
    Redirected { to: Address, once: bool },
}

pub(super) const NONSENSE: &str = "gave an answer that is none";

pub(super) fn unavailable(trouble: &str) -> Failure {
    store_unavailable(format!("the guard's store \"redis\" {trouble}"))
}

impl Trouble {
    pub(super) fn nonsense() -> Trouble {
        Trouble::Final(NONSENSE.to_owned())
    }

    /// No connection, so nothing was asked.
    pub(super) fn connecting(error: &io::Error) -> Trouble {
        match error.kind() {
            // What rustls reports: nothing else was read yet.
            io::ErrorKind::InvalidData => {
                Trouble::Final("cannot be reached: no TLS with a trusted certificate".to_owned())
            }
            kind => Trouble::NotRun(format!("cannot be reached: {kind}")),
        }
    }

    /// A connection, but not yet for the script.
    pub(super) fn logging_in(error: &io::Error) -> Trouble {
        match Trouble::asking(error) {
            Trouble::AnswerLost(reason) => Trouble::NotRun(reason),
            other => other,
        }
    }

    fn asking(error: &io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::InvalidData => Trouble::nonsense(),
            io::ErrorKind::TimedOut => Trouble::AnswerLost("did not answer in time".to_owned()),
            kind => Trouble::AnswerLost(format!("did not answer: {kind}")),
        }
    }

    /// The error that the server at `address` answered with.
    pub(super) fn reported(error: &ServerError, address: &Address, to: &str) -> Trouble {
        let code = error.code();
        match code {
            "MOVED" | "ASK" => match error.details().and_then(|text| redirect(text, address)) {
                Some(to) => Trouble::Redirected {
                    to,
                    once: code == "ASK",
                },
                None => Trouble::nonsense(),
            },
            "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "READONLY" | "TRYAGAIN" => {
                Trouble::NotRun(format!("answered {code}"))
            }
            "FOREIGN" | "WRONGTYPE" => Trouble::Final(
                "has a record of another program, or of a newer version of this one".to_owned(),
            ),
            _ if code.len() <= 24 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                Trouble::Final(format!("answered {code} to {to}"))
            }
            _ => Trouble::Final(format!("answered an error to {to}")),
        }
    }
}

/// Reads `slot host:port`; without a host, it is the one that said so.
fn redirect(details: &str, asked: &Address) -> Option<Address> {
    let (_, place) = details.split_once(' ')?;
    let (host, port) = place.rsplit_once(':')?;
    let host = match (host, asked) {
        ("", Address::Tcp(host, _)) => host,
        ("" | "?", _) => return None,
        (host, _) => host,
    };
    Some(Address::Tcp(host.to_owned(), port.parse().ok()?))
}

/// A question on its way.
pub(super) struct Call<'a> {
    store: &'a RedisStore,
    nodes: &'a Nodes,
    question: Question,
    slot: u16,
    deadline: Deadline,
    /// Where to ask next.
    target: Address,
    /// The target was named for this question only, and wants to be told so.
    is_guest: bool,
    redirects: u32,
    /// An answer was lost: what is asked now may have been done already.
    may_be_done: bool,
    failures: usize,
    pause: Duration,
}

impl<'a> Call<'a> {
    pub(super) fn new(store: &'a RedisStore, question: Question) -> Call<'a> {
        let deadline = Deadline::after(store.settings.budget);
        let nodes = store.nodes.get(Nodes::default);
        let slot = nodes::slot(question.key.as_bytes());
        let target = nodes.place(slot);
        Call {
            target: target.unwrap_or_else(|| store.settings.node(slot.into())),
            store,
            nodes,
            question,
            slot,
            deadline,
            is_guest: false,
            redirects: 0,
            may_be_done: false,
            failures: 0,
            pause: FIRST_PAUSE,
        }
    }

    pub(super) fn run(mut self) -> Result<String> {
        loop {
            let trouble = match self.ask() {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Redirected { to, once } if self.redirects < MAX_REDIRECTS => {
                    self.follow(to, once);
                }
                Trouble::Redirected { .. } => self.fail("redirects in circles".to_owned())?,
                Trouble::NotRun(reason) => self.fail(reason)?,
                Trouble::AnswerLost(_) if !self.may_be_done && !self.deadline.is_over() => {
                    self.nodes.drop_idle(&self.target);
                    self.may_be_done = true;
                }
                Trouble::AnswerLost(reason) | Trouble::Final(reason) => {
                    return Err(unavailable(&reason));
                }
            }
        }
    }

    fn ask(&self) -> std::result::Result<String, Trouble> {
        let idle = match self.may_be_done {
            true => None,
            false => self.nodes.take_idle(&self.target),
        };
        let (mut connection, deadline) = match idle {
            // It may have died unnoticed, so time is kept for a new one.
            Some(connection) => (connection, self.deadline.half()),
            None => (self.connect()?, self.deadline),
        };
        let reply = self.put(&mut connection, deadline);
        match reply.map_err(|error| Trouble::asking(&error))? {
            Value::BulkString(reply) => {
                let answer = self.question.answer_in(&reply);
                let answer = answer.ok_or_else(Trouble::nonsense)?;
                self.nodes.keep_idle(connection);
                Ok(answer)
            }
            Value::ServerError(error) => {
                let trouble = Trouble::reported(&error, &self.target, "the script");
                if let Trouble::Redirected { .. } = trouble {
                    self.nodes.keep_idle(connection);
                }
                Err(trouble)
            }
            _ => Err(Trouble::nonsense()),
        }
    }

    fn connect(&self) -> std::result::Result<Connection, Trouble> {
        let RedisStore { settings, tls, .. } = self.store;
        let in_cluster = settings.nodes.len() > 1;
        let address = self.target.clone();
        Connection::open(
            address,
            &settings.login,
            tls.as_ref(),
            in_cluster,
            self.deadline,
        )
    }

    /// By the script's hash, and by its text where the server does not know it yet.
    fn put(&self, connection: &mut Connection, deadline: Deadline) -> io::Result<Value> {
        let by_hash = [
            ("EVALSHA", self.store.script_hash.as_str()),
            ("EVAL", SCRIPT),
        ];
        let mut reply = Value::Nil;
        for (command, script) in by_hash {
            if self.is_guest {
                let asking = redis::cmd("ASKING").get_packed_command();
                connection.exchange(&asking, deadline)?;
            }
            let request = self.question.packed(command, script);
            reply = connection.exchange(&request, deadline)?;
            match &reply {
                Value::ServerError(error) if error.code() == "NOSCRIPT" => {}
                _ => break,
            }
        }
        Ok(reply)
    }

    fn follow(&mut self, to: Address, once: bool) {
        self.redirects = self.redirects.saturating_add(1);
        self.is_guest = once;
        if !once {
            self.nodes.set_place(self.slot, to.clone());
        }
        self.target = to;
    }

    /// Turns to the next node, after a pause when all have failed; an error when there is no time.
    fn fail(&mut self, reason: String) -> Result<()> {
        self.nodes.drop_idle(&self.target);
        self.nodes.forget_place(self.slot);
        self.failures = self.failures.saturating_add(1);
        self.redirects = 0;
        self.is_guest = false;
        let settings = &self.store.settings;
        self.target = settings.node(self.failures.saturating_add(self.slot.into()));
        if self.deadline.is_over() {
            return Err(unavailable(&reason));
        }
        if !self.failures.is_multiple_of(settings.nodes.len()) {
            return Ok(());
        }
        // Between half of it and all, so that a fleet does not come back at one instant.
        let [.., random] = self.question.id.to_le_bytes();
        let pause = self.pause.mul_f32(0.5 + f32::from(random) / 510.0);
        if pause >= self.deadline.left() {
            return Err(unavailable(&reason));
        }
        guard::pause(pause);
        self.pause = self.pause.saturating_mul(2);
        Ok(())
    }
}
