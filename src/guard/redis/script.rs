//! The script, `redis.lua`: what it is asked, and what it answers.

use data_encoding::HEXLOWER;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::resp;
use crate::error::{Error, Result};
use crate::guard::{Attempt, Match, Policy, Verdict};
use crate::recovery::Numbers;

pub(super) const SCRIPT: &str = include_str!("redis.lua");

/// Lua's numbers are exact up to twice this, and the longest lock ends before that.
pub(super) const MAX_NUMBER: u64 = 1 << 52;

/// The name by which servers that have seen the script know it.
pub(super) fn hash() -> String {
    HEXLOWER.encode(&Sha1::digest(SCRIPT))
}

/// What is asked about one record.
pub(super) struct Question {
    id: u64,
    key: String,
    words: Vec<String>,
}

impl Question {
    pub(super) fn new(key: String, words: Vec<String>) -> Result<Question> {
        let random = getrandom::u64().map_err(|_| Error::no_randomness())?;
        Ok(Question {
            id: random | 1, // never 0, which stands for none
            key,
            words,
        })
    }

    /// The name of the record.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Random, and the same whenever this question is asked.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn by_hash(&self, hash: &str) -> Zeroizing<Vec<u8>> {
        self.command("EVALSHA", hash)
    }

    pub(super) fn by_text(&self) -> Zeroizing<Vec<u8>> {
        self.command("EVAL", SCRIPT)
    }

    fn command(&self, name: &str, script: &str) -> Zeroizing<Vec<u8>> {
        let id = self.id.to_string();
        let mut words = vec![name, script, "1", &self.key, &id];
        words.extend(self.words.iter().map(String::as_str));
        resp::command(&words)
    }

    /// What a reply says, if it belongs to this question and to no other.
    pub(super) fn answer_in(&self, reply: &str) -> Option<String> {
        let (id, answer) = reply.split_once(' ')?;
        (id == self.id.to_string()).then(|| answer.to_owned())
    }
}

/// The script's arguments after the id; none when a number is too large for it.
pub(super) fn judge_words(attempt: &Attempt, policy: &Policy) -> Option<Vec<String>> {
    let matched = match attempt.matched {
        Match::Nothing => "nothing".to_owned(),
        Match::Old => "old".to_owned(),
        Match::Number(number) => format!("number {number}"),
        Match::Step(step) => format!("step {step} {step}"),
        Match::Pair(step) => format!("step {} {step}", step - 1),
    };
    let now = match attempt.now {
        _ if !attempt.time_is_fixed => "clock".to_owned(),
        now if now < MAX_NUMBER => now.to_string(),
        _ => return None,
    };
    let (ttl_s, limit) = policy
        .retry
        .map_or((0, 0), |retry| (retry.ttl_s, retry.limit));
    // As one word: a server refuses commands of more than ten, and does not say why, to those who
    // did not log in.
    let policy = format!(
        "{} {} {} {} {ttl_s} {limit}",
        policy.soft, policy.hard, policy.base_delay_s, policy.max_delay_s
    );
    let retry_key = attempt.retry_key.map(|key| HEXLOWER.encode(&key));
    let code_and_key = format!("{} {}", attempt.code, retry_key.as_deref().unwrap_or("-"));
    Some(vec!["judge".to_owned(), matched, code_and_key, now, policy])
}

pub(super) fn read_verdict(answer: &str) -> Option<Verdict> {
    let (name, numbers) = answer.split_once(' ')?;
    let number = || numbers.parse().ok();
    Some(match name {
        "accepted" => Verdict::Accepted {
            used: Numbers::from_bits(numbers.parse().ok()?),
        },
        "repeated" => {
            let (last_step, accepted_at) = numbers.split_once(' ')?;
            Verdict::Repeated {
                last_step: last_step.parse().ok()?,
                accepted_at: accepted_at.parse().ok()?,
            }
        }
        "reused" => Verdict::Reused {
            last_step: numbers.parse().ok()?,
        },
        "wrong" => Verdict::Wrong,
        "locked" => Verdict::WrongAndLocked(number()?),
        "throttled" => Verdict::Throttled(number()?),
        "disabled" => Verdict::Disabled,
        _ => return None,
    })
}
