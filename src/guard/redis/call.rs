//! One question, until it has an answer or the budget is used up.
//!
//! A question has a random id: the answer repeats it, and the record keeps that of the last attempt
//! that changed it. So when an answer is lost, the same question is asked once more on a new
//! connection, and is not taken for a second attempt; if another attempt came between, it is, and a
//! right code is then refused. What surely did not run is tried again, with pauses, while there is
//! time.

use std::io;
use std::time::Duration;

use redis::{Cmd, Value};

use super::connection::{Connection, Expected};
use super::nodes::{self, Nodes};
use super::settings::Service;
use super::trouble::{Trouble, unavailable};
use super::url::Address;
use super::{RedisStore, SCRIPT};
use crate::error::{Failure, Result};
use crate::guard::deadline::{self, Deadline};

/// Doubled after each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

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
        let random = getrandom::u64().map_err(|_| Failure::no_randomness())?;
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

/// A question on its way.
pub(super) struct Call<'a> {
    store: &'a RedisStore,
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
    pub(super) fn new(store: &'a RedisStore, question: Question) -> Call<'a> {
        let deadline = Deadline::after(store.settings.budget);
        let nodes = store.nodes.get(Nodes::default);
        let slot = match store.settings.service {
            Service::Cluster => nodes::slot(question.key.as_bytes()),
            Service::Server | Service::Sentinels { .. } => 0,
        };
        let mut call = Call {
            target: None,
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
        };
        call.target = nodes.place(slot).or_else(|| call.first_target());
        call
    }

    /// Where to ask when nothing is known of the slot; others after each failure.
    fn first_target(&self) -> Option<Address> {
        match self.store.settings.service {
            Service::Sentinels { .. } => None,
            Service::Server | Service::Cluster => Some(self.address_in_turn()),
        }
    }

    fn address_in_turn(&self) -> Address {
        let number = self.failures.saturating_add(self.slot.into());
        self.store.settings.address(number)
    }

    pub(super) fn run(mut self) -> Result<String> {
        loop {
            let trouble = match self.ask() {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Redirected { to, once } => self.redirected(to, once)?,
                Trouble::NotRun(reason) => self.fail(reason)?,
                Trouble::AnswerLost(_) if !self.may_be_done && !self.deadline.has_passed() => {
                    self.drop_idle();
                    self.may_be_done = true;
                }
                Trouble::AnswerLost(reason) => {
                    self.drop_idle();
                    return self.give_up(&reason);
                }
                Trouble::Final(reason) => return self.give_up(&reason),
            }
        }
    }

    fn ask(&mut self) -> std::result::Result<String, Trouble> {
        let target = match &self.target {
            Some(target) => target.clone(),
            None => self.ask_for_primary()?,
        };
        self.target = Some(target.clone());
        let named_by = match &self.store.settings.service {
            _ if self.store.settings.addresses.contains(&target) => None,
            Service::Sentinels { .. } => Some("at the address that a Sentinel named"),
            Service::Server | Service::Cluster => Some("at an address that the cluster named"),
        };
        let answer = self.ask_at(target);
        answer.map_err(|trouble| match named_by {
            Some(who) => trouble.of(who),
            None => trouble,
        })
    }

    /// The primary that one of the Sentinels tells.
    fn ask_for_primary(&self) -> std::result::Result<Address, Trouble> {
        let RedisStore { settings, tls, .. } = self.store;
        let Service::Sentinels { primary, login } = &settings.service else {
            return Ok(self.address_in_turn());
        };
        // Others must have time to be asked as well, and the primary.
        let deadline = self.deadline.halfway();
        let address = self.address_in_turn();
        let sentinel = Connection::open(address, login, tls.as_ref(), Expected::Sentinel, deadline);
        let address = sentinel.and_then(|mut sentinel| sentinel.primary(primary, deadline));
        let address = address.map_err(|trouble| trouble.of("a Sentinel"))?;
        self.nodes.set_place(self.slot, address.clone());
        Ok(address)
    }

    fn ask_at(&self, target: Address) -> std::result::Result<String, Trouble> {
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
        match reply.map_err(|error| Trouble::asking(&error))? {
            Value::BulkString(reply) => {
                let answer = self.question.answer_in(&reply);
                let answer = answer.ok_or_else(Trouble::nonsense)?;
                self.nodes.keep_idle(connection);
                Ok(answer)
            }
            Value::ServerError(error) => {
                let trouble = connection.reported(&error, "the script", deadline);
                if let Trouble::Redirected { .. } = trouble {
                    self.nodes.keep_idle(connection);
                }
                Err(trouble)
            }
            _ => Err(Trouble::nonsense()),
        }
    }

    fn connect(&self, target: Address) -> std::result::Result<Connection, Trouble> {
        let RedisStore { settings, tls, .. } = self.store;
        let expected = match settings.must_be_cluster() {
            true => Expected::ClusterNode,
            false => Expected::Server,
        };
        let login = &settings.login;
        Connection::open(target, login, tls.as_ref(), expected, self.deadline)
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
                let reply = connection.exchange(&asking, deadline)?;
                if let Value::ServerError(_) = reply {
                    return Ok(reply);
                }
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

    /// Only a cluster sends elsewhere: whoever is asked next gets the password.
    fn redirected(&mut self, to: Address, once: bool) -> Result<()> {
        if !matches!(self.store.settings.service, Service::Cluster) {
            let reason =
                "is a node of a cluster: \"url\" must be an array, of one or more of its nodes";
            return self.give_up(reason);
        }
        if self.redirects >= MAX_REDIRECTS {
            return self.fail("redirects in circles".to_owned());
        }
        self.redirects = self.redirects.saturating_add(1);
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

    /// The next call finds out anew who has the record.
    fn give_up<T>(&self, reason: &str) -> Result<T> {
        self.nodes.forget_place(self.slot);
        Err(unavailable(reason))
    }

    /// Turns to the next node, after a pause when all have failed; an error when there is no time.
    fn fail(&mut self, reason: String) -> Result<()> {
        self.drop_idle();
        self.nodes.forget_place(self.slot);
        self.failures = self.failures.saturating_add(1);
        self.redirects = 0;
        self.is_guest = false;
        self.target = self.first_target();
        if self.deadline.has_passed() {
            return Err(unavailable(&reason));
        }
        if !self
            .failures
            .is_multiple_of(self.store.settings.addresses.len())
        {
            return Ok(());
        }
        // Between half of it and all, so that a fleet does not come back at one instant.
        let [.., random] = self.question.id.to_le_bytes();
        let pause = self.pause.mul_f32(0.5 + f32::from(random) / 510.0);
        if pause >= self.deadline.remaining() {
            return Err(unavailable(&reason));
        }
        deadline::pause(pause);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        Ok(())
    }
}
