//! Records in Redis or Valkey, one server or a cluster: for a fleet.
//!
//! A record is one key, and one script (`redis.lua`) decides in one round trip. `call.rs` puts the
//! question and handles what can go wrong, `connection.rs` bounds every wait by the budget,
//! `trouble.rs` has the words for what went wrong, `nodes.rs` the idle connections.
//!
//! Nothing is connected to before the first question: a host starts while its Redis is down.

mod call;
mod connection;
mod nodes;
mod per_process;
mod settings;
#[cfg(test)]
mod tests;
mod tls;
mod trouble;
mod url;

use std::sync::Arc;

pub(crate) use self::settings::RedisSettings;

use self::call::{Call, Question};
use self::nodes::Nodes;
use self::per_process::PerProcess;
use self::tls::Tls;
use crate::error::Result;
use crate::guard::{Attempt, Credential, Policy, Record, Store, Verdict, store_unavailable};

const SCRIPT: &str = include_str!("redis.lua");

/// Lua's numbers are exact up to twice this, and the longest lock ends before that.
const MAX_NUMBER: u64 = 1 << 52;

/// The store: how to reach the servers, and what this process knows of them.
pub(crate) struct RedisStore {
    settings: Arc<RedisSettings>,
    tls: Option<Tls>,
    script_hash: String,
    nodes: PerProcess<Nodes>,
}

impl RedisStore {
    pub(crate) fn open(settings: &Arc<RedisSettings>) -> Result<Self> {
        Ok(RedisStore {
            settings: Arc::clone(settings),
            tls: settings.tls.as_ref().map(Tls::new).transpose()?,
            script_hash: redis::Script::new(SCRIPT).get_hash().to_owned(),
            nodes: PerProcess::new(),
        })
    }

    fn ask(&self, credential: &Credential, words: Vec<String>) -> Result<String> {
        let mut key = self.settings.prefix.clone();
        credential.write_hex(&mut key);
        Call::new(self, Question::new(key, words)?).run()
    }
}

impl Store for RedisStore {
    fn judge(&self, credential: &Credential, attempt: Attempt, policy: &Policy) -> Result<Verdict> {
        let words = judge_words(&attempt, policy).ok_or_else(|| {
            store_unavailable("the guard's store \"redis\" cannot count to this time")
        })?;
        let answer = self.ask(credential, words)?;
        read_verdict(&answer).ok_or_else(nonsense)
    }

    fn inspect(&self, credential: &Credential) -> Result<Record> {
        let answer = self.ask(credential, vec!["inspect".to_owned()])?;
        read_record(&answer).ok_or_else(nonsense)
    }

    fn reset(&self, credential: &Credential) -> Result<Record> {
        let answer = self.ask(credential, vec!["reset".to_owned()])?;
        read_record(&answer).ok_or_else(nonsense)
    }
}

fn nonsense() -> crate::error::Failure {
    trouble::unavailable(trouble::NONSENSE)
}

/// The script's arguments after the id; none when a number is too large for it.
fn judge_words(attempt: &Attempt, policy: &Policy) -> Option<Vec<String>> {
    let step = match attempt.matched {
        None => "none".to_owned(),
        Some(step) if step < MAX_NUMBER.cast_signed() => step.to_string(),
        Some(_) => return None,
    };
    let now = match attempt.now {
        _ if !attempt.time_is_fixed => "clock".to_owned(),
        now if now < MAX_NUMBER => now.to_string(),
        _ => return None,
    };
    // As one word: a server refuses commands of more than ten, and does not say why, to those who
    // did not log in.
    let policy = format!(
        "{} {} {} {}",
        policy.soft, policy.hard, policy.base_delay_s, policy.max_delay_s
    );
    let code = attempt.code.to_string();
    Some(vec!["judge".to_owned(), step, code, now, policy])
}

fn read_verdict(answer: &str) -> Option<Verdict> {
    let (name, number) = answer.split_once(' ')?;
    let seconds = || number.parse().ok();
    Some(match name {
        "accepted" => Verdict::Accepted,
        "reused" => Verdict::Reused {
            last_step: number.parse().ok()?,
        },
        "wrong" => Verdict::Wrong,
        "locked" => Verdict::WrongAndLocked(seconds()?),
        "throttled" => Verdict::Throttled(seconds()?),
        "disabled" => Verdict::Disabled,
        _ => return None,
    })
}

fn read_record(answer: &str) -> Option<Record> {
    let mut fields = answer.split(' ');
    if fields.next()? != "1" {
        return None;
    }
    let record = Record {
        last_step: fields.next()?.parse().ok()?,
        last_code: match fields.next()? {
            "-1" => None,
            code => Some(code.parse().ok()?),
        },
        failures: fields.next()?.parse().ok()?,
        locked_until: fields.next()?.parse().ok()?,
        lock_s: fields.next()?.parse().ok()?,
        disabled: fields.next()? == "1",
        attempt: fields.next()?.parse().ok()?,
    };
    fields.next().is_none().then_some(record)
}
