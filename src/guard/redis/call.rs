//! One question, until it has an answer or the budget is used up.
//!
//! A question has a random id: the answer repeats it, and the record keeps that of the last attempt
//! that changed it. So when an answer is lost, the same question is asked once more on a new
//! connection, and is not taken for a second attempt; if another attempt came between, it is, and a
//! right code is then refused. What surely did not run is tried again, with pauses, while there is
//! time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::call_error::{CallError, unavailable};
use super::connection::{Connection, Expected};
use super::nodes::{self, Nodes};
use super::per_process::PerProcess;
use super::resp::{self, ErrorReply, Reply};
use super::script::{self, Question};
use super::settings::{RedisSettings, Service};
use super::stream::Connector;
use super::url::Address;
use crate::error::Result;
use crate::guard::deadline::{self, Deadline};

/// Doubled after each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// A cluster that is well redirects once, or twice while a slot moves.
const MAX_REDIRECTS: u32 = 5;

/// The servers of the settings, and what this process knows of them.
pub(super) struct Servers {
    settings: Arc<RedisSettings>,
    connector: Connector,
    script_hash: String,
    nodes: PerProcess<Nodes>,
}

impl Servers {
    pub(super) fn new(settings: &Arc<RedisSettings>) -> Result<Servers> {
        Ok(Servers {
            settings: Arc::clone(settings),
            connector: Connector::new(settings)?,
            script_hash: script::hash(),
            nodes: PerProcess::new(),
        })
    }

    /// The script's answer.
    pub(super) fn ask(&self, question: Question, deadline: Deadline) -> Result<String> {
        let nodes = self.nodes.get(|| Nodes::new(self.settings.max_connections));
        let answer = nodes.turns.ask((), deadline, |_| {
            Call::new(self, nodes, question, deadline).run()
        });
        answer.unwrap_or_else(|| {
            Err(unavailable(
                "was kept busy by this process's other calls: config.guard.max_connections bounds them",
            ))
        })
    }
}

/// A question on its way.
struct Call<'a> {
    servers: &'a Servers,
    nodes: &'a Nodes,
    question: Question,
    /// Of the cluster; where there is none, all records are in slot 0.
    slot: u16,
    deadline: Deadline,
    /// Where to ask next; none when a Sentinel must tell that first.
    target: Option<Address>,
    /// The target was named for this question only, and wants to be told so.
    is_guest: bool,
    redirects: u32,
    /// An answer was lost: what is asked now may have been done already.
    may_be_done: bool,
    failures: usize,
    pause: Duration,
}

impl<'a> Call<'a> {
    fn new(
        servers: &'a Servers,
        nodes: &'a Nodes,
        question: Question,
        deadline: Deadline,
    ) -> Call<'a> {
        let slot = match servers.settings.service {
            Service::Cluster => nodes::slot(question.key().as_bytes()),
            Service::Server | Service::Sentinels { .. } => 0,
        };
        let mut call = Call {
            target: None,
            servers,
            nodes,
            question,
            slot,
            deadline,
            is_guest: false,
            redirects: 0,
            may_be_done: false,
            failures: 0,
            pause: FIRST_PAUSE,
        };
        call.target = nodes.place(slot).or_else(|| call.first_target());
        call
    }

    /// Where to ask when nothing is known of the slot; others after each failure.
    fn first_target(&self) -> Option<Address> {
        match self.servers.settings.service {
            Service::Sentinels { .. } => None,
            Service::Server | Service::Cluster => Some(self.address_in_turn()),
        }
    }

    fn address_in_turn(&self) -> Address {
        let number = self.failures + usize::from(self.slot);
        self.servers.settings.address(number)
    }

    fn run(mut self) -> Result<String> {
        loop {
            match self.ask() {
                Ok(answer) => return Ok(answer),
                Err(CallError::Redirected { to, once }) => self.redirected(to, once)?,
                Err(CallError::NotRun(reason)) => self.fail(reason)?,
                Err(CallError::AnswerLost(_)) if self.may_ask_again() => {
                    self.drop_idle();
                    self.may_be_done = true;
                }
                Err(CallError::AnswerLost(reason)) => {
                    self.drop_idle();
                    return self.give_up(&reason);
                }
                Err(CallError::Final(reason)) => return self.give_up(&reason),
            }
        }
    }

    /// After a lost answer: once, and within the budget.
    fn may_ask_again(&self) -> bool {
        !self.may_be_done && !self.deadline.has_passed()
    }

    fn ask(&mut self) -> std::result::Result<String, CallError> {
        let target = match &self.target {
            Some(target) => target.clone(),
            None => self.ask_for_primary()?,
        };
        self.target = Some(target.clone());
        let named_by = match &self.servers.settings.service {
            _ if self.servers.settings.addresses.contains(&target) => None,
            Service::Sentinels { .. } => Some("at the address that a Sentinel named"),
            Service::Server | Service::Cluster => Some("at an address that the cluster named"),
        };
        let answer = self.ask_at(target);
        answer.map_err(|error| match named_by {
            Some(who) => error.of(who),
            None => error,
        })
    }

    /// The primary that one of the Sentinels tells.
    fn ask_for_primary(&self) -> std::result::Result<Address, CallError> {
        let Servers {
            settings,
            connector,
            ..
        } = self.servers;
        let Service::Sentinels { primary, login } = &settings.service else {
            return Ok(self.address_in_turn());
        };
        // Others must have time to be asked as well, and the primary.
        let deadline = self.deadline.halfway();
        let address = self.address_in_turn();
        let sentinel = Connection::open(address, login, connector, Expected::Sentinel, deadline);
        let address = sentinel.and_then(|mut sentinel| sentinel.primary(primary, deadline));
        let address = address.map_err(|error| error.of("a Sentinel"))?;
        self.nodes.set_place(self.slot, address.clone());
        Ok(address)
    }

    fn ask_at(&self, target: Address) -> std::result::Result<String, CallError> {
        let idle = match self.may_be_done {
            true => None,
            false => self.nodes.take_idle(&target),
        };
        let (mut connection, deadline) = match idle {
            // It may have died unnoticed, so time is kept for a new one.
            Some(connection) => (connection, self.deadline.halfway()),
            None => (self.connect(target)?, self.deadline),
        };
        let reply = self.put(&mut connection, deadline);
        match reply.map_err(|error| CallError::asking(&error))? {
            Reply::Text(reply) => {
                let answer = self.question.answer_in(&reply);
                let answer = answer.ok_or_else(CallError::nonsense)?;
                self.nodes.keep_idle(connection);
                Ok(answer)
            }
            Reply::Error(error) => {
                let error = connection.reported(&error, "the script", deadline);
                if let CallError::Redirected { .. } = error {
                    self.nodes.keep_idle(connection);
                }
                Err(error)
            }
            _ => Err(CallError::nonsense()),
        }
    }

    fn connect(&self, target: Address) -> std::result::Result<Connection, CallError> {
        let Servers {
            settings,
            connector,
            ..
        } = self.servers;
        let expected = match settings.must_be_cluster() {
            true => Expected::ClusterNode,
            false => Expected::Server,
        };
        let login = &settings.login;
        Connection::open(target, login, connector, expected, self.deadline)
    }

    /// By the script's hash, and by its text where the server does not know it yet.
    fn put(&self, connection: &mut Connection, deadline: Deadline) -> io::Result<Reply> {
        let by_hash = self.question.by_hash(&self.servers.script_hash);
        match self.put_as(&by_hash, connection, deadline)? {
            Reply::Error(ErrorReply { code, .. }) if code == "NOSCRIPT" => {
                self.put_as(&self.question.by_text(), connection, deadline)
            }
            reply => Ok(reply),
        }
    }

    fn put_as(
        &self,
        command: &[u8],
        connection: &mut Connection,
        deadline: Deadline,
    ) -> io::Result<Reply> {
        if self.is_guest {
            let reply = connection.exchange(&resp::command(&["ASKING"]), deadline)?;
            if let Reply::Error(_) = reply {
                return Ok(reply);
            }
        }
        connection.exchange(command, deadline)
    }

    /// Only a cluster sends elsewhere: whoever is asked next gets the password.
    fn redirected(&mut self, to: Address, once: bool) -> Result<()> {
        if !matches!(self.servers.settings.service, Service::Cluster) {
            let reason =
                "is a node of a cluster: \"url\" must be an array, of one or more of its nodes";
            return self.give_up(reason);
        }
        if self.redirects >= MAX_REDIRECTS {
            return self.fail("redirects in circles".to_owned());
        }
        self.redirects += 1;
        self.is_guest = once;
        if !once {
            self.nodes.set_place(self.slot, to.clone());
        }
        self.target = Some(to);
        Ok(())
    }

    fn drop_idle(&self) {
        if let Some(target) = &self.target {
            self.nodes.drop_idle(target);
        }
    }

    /// The next call finds out again who has the record.
    fn give_up<T>(&self, reason: &str) -> Result<T> {
        self.nodes.forget_place(self.slot);
        Err(unavailable(reason))
    }

    /// Turns to the next node, after a pause when all have failed. An error when there is no time.
    fn fail(&mut self, reason: String) -> Result<()> {
        self.drop_idle();
        self.nodes.forget_place(self.slot);
        self.failures += 1;
        self.redirects = 0;
        self.is_guest = false;
        self.target = self.first_target();
        if self.deadline.has_passed() {
            return Err(unavailable(&reason));
        }
        if !self
            .failures
            .is_multiple_of(self.servers.settings.addresses.len())
        {
            return Ok(());
        }
        // Between half of it and all, so that a fleet does not come back at one instant.
        let [.., random] = self.question.id().to_le_bytes();
        let pause = self.pause.mul_f32(0.5 + f32::from(random) / 510.0);
        if pause >= self.deadline.remaining() {
            return Err(unavailable(&reason));
        }
        deadline::pause(pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}
