//! Records in Redis or Valkey, one server or a cluster: for a fleet.
//!
//! A record is one key, and one script (`redis.lua`) decides in one round trip. Nothing is connected to
//! before the first question: a host starts while its Redis is down.
//!
//! The files stand in a line; each uses only those below it:
//!
//! - `call.rs`: a question, until it has an answer or the budget is used up
//! - `per_process.rs`: what each process makes for itself, so that `fork` is safe
//! - `nodes.rs`: the idle connections, and which node has which slot
//! - `connection.rs`: one server, logged in to
//! - `stream.rs`: a socket, with TLS or without
//! - `tls/`: TLS
//! - `socket.rs`: a socket, whose every wait ends in time
//! - `call_error.rs`: the words for what went wrong
//! - `script.rs`: what the script is asked, and what it answers
//! - `resp.rs`: the language that servers speak
//! - `settings.rs`: what `guard` says
//! - `url.rs`: what its URLs say
//!
//! The redis crate is not used: it bounds each read and not the reply, so that a server which trickles would
//! hold a call for ever, and its TLS reads environment variables. The tests compare with it.

mod call;
mod call_error;
mod connection;
mod nodes;
mod per_process;
mod resp;
mod script;
mod settings;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
#[cfg(feature = "redis-tls")]
mod tls;
mod url;

use std::sync::Arc;

pub(crate) use self::settings::RedisSettings;

use self::call::Servers;
use self::script::Question;
use crate::error::{Error, Result};
use crate::guard::deadline::Deadline;
use crate::guard::{Attempt, Credential, Policy, Record, Store, Verdict, store_unavailable};

pub(crate) struct RedisStore {
    servers: Servers,
    prefix: String,
}

impl RedisStore {
    pub(crate) fn open(settings: &Arc<RedisSettings>) -> Result<Self> {
        Ok(RedisStore {
            servers: Servers::new(settings)?,
            prefix: settings.prefix.clone(),
        })
    }

    fn ask(
        &self,
        credential: &Credential,
        words: Vec<String>,
        deadline: Deadline,
    ) -> Result<String> {
        let mut key = self.prefix.clone();
        credential.write_hex(&mut key);
        self.servers.ask(Question::new(key, words)?, deadline)
    }
}

impl Store for RedisStore {
    fn judge(
        &self,
        credential: &Credential,
        attempt: Attempt,
        policy: &Policy,
        deadline: Deadline,
    ) -> Result<Verdict> {
        let words = script::judge_words(&attempt, policy).ok_or_else(|| {
            store_unavailable("the guard's store \"redis\" cannot count to this time")
        })?;
        let answer = self.ask(credential, words, deadline)?;
        script::read_verdict(&answer).ok_or_else(nonsense)
    }

    fn inspect(&self, credential: &Credential, deadline: Deadline) -> Result<Record> {
        let answer = self.ask(credential, vec!["inspect".to_owned()], deadline)?;
        Record::from_text(&answer).ok_or_else(nonsense)
    }

    fn reset(&self, credential: &Credential, deadline: Deadline) -> Result<Record> {
        let answer = self.ask(credential, vec!["reset".to_owned()], deadline)?;
        Record::from_text(&answer).ok_or_else(nonsense)
    }
}

fn nonsense() -> Error {
    call_error::unavailable(call_error::NONSENSE)
}
