//! The state machine of the guard: one code is accepted once, and few guesses are answered.
//!
//! Pure: a record, an attempt and the policy give the new record and the verdict. Every store runs
//! it, but for Redis, whose script (`redis.lua`) mirrors it line for line.

use serde::Serialize;

use crate::guard::record::{Record, Retry, RetryKey};
use crate::recovery::Numbers;

/// One code, on its way through the guard.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    /// The code, however it was spelled.
    pub(crate) code: u32,
    pub(crate) matched: Match,
    /// Of the request, if its answer may be repeated.
    pub(crate) retry_key: Option<RetryKey>,
    /// How many steps before the current one are accepted as well.
    pub(crate) past: u64,
    /// Seconds of a step; 0 for counters and for recovery codes, which have none.
    pub(crate) period: u64,
    /// Unix seconds.
    pub(crate) now: u64,
    /// Whether the settings fix `now`; if not, a store that machines share reads its own clock.
    pub(crate) time_is_fixed: bool,
    /// Random, so that a store which may have lost the answer can ask again; 0 where it never can.
    pub(crate) id: u64,
}

/// What a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Nothing,
    /// The step, or the counter, that has this code.
    Step(i64),
    /// Two codes in a row, neither of them used: the counter before, and this one.
    Pair(i64),
    /// A recovery code, by its number in the set, 1 to 32.
    Number(u8),
    /// What the caller knows to be used up: an attempt with it changes nothing.
    Old,
}

impl Match {
    /// The first step, or counter, that must not be used yet.
    pub(crate) fn first(self) -> Option<i64> {
        match self {
            Match::Step(step) => Some(step),
            Match::Pair(step) => Some(step - 1),
            Match::Nothing | Match::Number(_) | Match::Old => None,
        }
    }
}

/// When wrong codes have consequences. RFC 4226 section 7.3; NIST SP 800-63B section 5.2.2.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Policy {
    /// From this many consecutive wrong codes on, each one locks.
    pub(crate) soft: u32,
    /// At this many the credential is disabled.
    pub(crate) hard: u32,
    /// Seconds of the first lock; each further one is twice as long.
    pub(crate) base_delay_s: u64,
    /// Seconds of the longest lock.
    pub(crate) max_delay_s: u64,
    /// Whether an accepted request may be repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry: Option<RetryLimits>,
}

/// How long an accepted request may be repeated, and how often.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct RetryLimits {
    pub(crate) ttl_s: u64,
    pub(crate) limit: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            soft: 5,
            hard: 33,
            base_delay_s: 30,
            max_delay_s: 3600,
            retry: None,
        }
    }
}

/// What the guard says to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// With the recovery codes that are used now, as the record has them.
    Accepted {
        used: Numbers,
    },
    /// The request that was accepted last, once more.
    Repeated {
        last_step: i64,
        accepted_at: u64,
    },
    /// The code that was accepted last, or right, but its step or a later one was accepted before.
    Reused {
        last_step: i64,
    },
    /// Wrong, and counted.
    Wrong,
    /// Wrong and counted, and the next attempt has to wait this many seconds.
    WrongAndLocked(u64),
    /// Not evaluated: wait this many seconds.
    Throttled(u64),
    Disabled,
}

impl Record {
    /// Judges an attempt, and changes the record accordingly.
    pub(crate) fn judge(&mut self, attempt: &Attempt, policy: &Policy) -> Verdict {
        if attempt.id != 0 && attempt.id == self.attempt {
            return self.verdict_again(attempt);
        }
        if self.disabled {
            return Verdict::Disabled;
        }
        // A clock that was set back must not make a lock longer than it was set for. Past the end of time it
        // is not longer, either.
        let latest = attempt.now.saturating_add(self.lock_s);
        self.locked_until = self.locked_until.min(latest);
        if self.locked_until > attempt.now {
            return Verdict::Throttled(self.locked_until - attempt.now);
        }
        if let Some(limits) = policy.retry
            && let Some(verdict) = self.repeat(attempt, limits)
        {
            return verdict;
        }
        let last_step = self.last_step;
        match attempt.matched {
            Match::Step(step) | Match::Pair(step) if attempt.matched.first() > Some(last_step) => {
                let retry_key = attempt.retry_key.filter(|_| policy.retry.is_some());
                *self = Record {
                    last_step: step,
                    last_code: Some(attempt.code),
                    attempt: attempt.id,
                    retry: retry_key.map(|key| Retry {
                        key,
                        accepted_at: attempt.now,
                        repeated: 0,
                    }),
                    used: self.used,
                    ..Record::NEW
                };
                Verdict::Accepted { used: self.used }
            }
            Match::Number(number) if !self.used.contains(number) => {
                let used = self.used.with(number);
                self.reset();
                self.used = used;
                self.attempt = attempt.id;
                Verdict::Accepted { used }
            }
            Match::Step(_) | Match::Pair(_) | Match::Number(_) | Match::Old => {
                Verdict::Reused { last_step }
            }
            // From a client that sends the code it has stored: no guess, however late.
            Match::Nothing if self.last_code == Some(attempt.code) => Verdict::Reused { last_step },
            Match::Nothing => {
                self.attempt = attempt.id;
                self.failures = self.failures.saturating_add(1);
                if self.failures >= policy.hard {
                    self.disabled = true;
                } else if self.failures >= policy.soft {
                    self.lock_s = policy.delay_after(self.failures);
                    self.locked_until = attempt.now.saturating_add(self.lock_s);
                }
                self.verdict_on_wrong(attempt.now)
            }
        }
    }

    /// The answer of the attempt that changed this record last, for a store that lost it.
    fn verdict_again(&self, attempt: &Attempt) -> Verdict {
        match (attempt.matched, self.last_request(attempt)) {
            (_, Some(retry)) if retry.repeated > 0 => self.verdict_on_repeated(retry),
            (Match::Step(_) | Match::Pair(_) | Match::Number(_), _) => {
                Verdict::Accepted { used: self.used }
            }
            (Match::Nothing | Match::Old, _) => self.verdict_on_wrong(attempt.now),
        }
    }

    /// Answers the request that was accepted last as it was then, if the attempt is this one again. A clock that
    /// was changed since must not make the time longer.
    fn repeat(&mut self, attempt: &Attempt, limits: RetryLimits) -> Option<Verdict> {
        let retry = self.last_request(attempt)?;
        let is_late = attempt.now.abs_diff(retry.accepted_at) > limits.ttl_s;
        if is_late || retry.repeated >= limits.limit {
            return None;
        }
        self.attempt = attempt.id;
        self.retry = Some(Retry {
            repeated: retry.repeated + 1,
            ..retry
        });
        Some(self.verdict_on_repeated(retry))
    }

    /// What is kept of the request that was accepted last, if the attempt has its code and its key.
    fn last_request(&self, attempt: &Attempt) -> Option<Retry> {
        let retry = self.retry?;
        let is_same = attempt.retry_key == Some(retry.key) && self.last_code == Some(attempt.code);
        is_same.then_some(retry)
    }

    fn verdict_on_repeated(&self, retry: Retry) -> Verdict {
        Verdict::Repeated {
            last_step: self.last_step,
            accepted_at: retry.accepted_at,
        }
    }

    fn verdict_on_wrong(&self, now: u64) -> Verdict {
        if self.disabled {
            Verdict::Disabled
        } else if self.locked_until > now {
            Verdict::WrongAndLocked(self.locked_until - now)
        } else {
            Verdict::Wrong
        }
    }

    /// Forgets the wrong codes, never what was accepted.
    pub(crate) fn reset(&mut self) {
        *self = Record {
            last_step: self.last_step,
            last_code: self.last_code,
            used: self.used,
            retry: self.retry,
            ..Record::NEW
        };
    }
}

impl Policy {
    /// Seconds that the `failures`-th wrong code locks for: `base * 2^(failures - soft)`, capped.
    fn delay_after(&self, failures: u32) -> u64 {
        // As many doublings make any delay longer than the longest.
        let doublings = (failures - self.soft).min(u64::BITS);
        let delay = u128::from(self.base_delay_s) << doublings;
        delay.min(self.max_delay_s.into()) as u64
    }
}

#[cfg(test)]
mod tests;
