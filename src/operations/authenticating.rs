//! What a typed code is to one of a user's authenticators.

use std::ops::RangeInclusive;

use crate::authenticator::Authenticator;
use crate::error::Result;
use crate::guard::{Attempt, Candidate, Match, Subject, Verdict};
use crate::json::Text;
use crate::operations::refused::{Texts, refused};
use crate::otp::Code;
use crate::otpauth::MAX_COUNTER;
use crate::secret::Stored;

/// What a request may have as `last_step`.
pub(super) const LAST_STEPS: RangeInclusive<i64> = -1..=i64::MAX;

/// What a request may have as `drift`.
pub(super) const DRIFTS: RangeInclusive<i64> = -MAX_DRIFT..=MAX_DRIFT;

/// How many steps a token's clock may be wrong.
pub(super) const MAX_DRIFT: i64 = 1000;

pub(super) const TEXTS: Texts = Texts {
    wrong: "request.otp: wrong code",
    reused: "request.otp: this code, or a later one, was accepted before",
    disabled: "too many wrong codes: the credential is disabled until factor2_reset or a new enrollment",
};

const TEXTS_AFTER_A_LATER_TIME: Texts = Texts {
    reused: "request.otp: a code of a later time was accepted before: the clock was ahead then, or was \
             set back since",
    ..TEXTS
};

/// What is the same for all of a user's authenticators.
pub(super) struct Typed<'a> {
    pub(super) otp: Text<'a>,
    pub(super) retry_key: Option<Text<'a>>,
    pub(super) now: u64,
}

/// What the caller keeps of one authenticator.
#[derive(Clone, Copy)]
pub(super) struct FromCaller {
    /// The step or counter of the last accepted code, or -1.
    pub(super) last_step: i64,
    /// Steps that the authenticator's clock is ahead or, below 0, behind.
    pub(super) drift: i64,
}

/// One of a user's authenticators.
pub(super) struct Authenticating {
    pub(super) stored: Stored,
    /// The caller's, or -1.
    last_step: i64,
    /// The step or counter that has the typed code, if one has.
    matched: Option<i64>,
    now: u64,
    /// The newest step whose code would be accepted.
    newest: i64,
}

/// What an accepted code belongs to.
pub(super) enum Accepted {
    Step {
        step: i64,
        /// The current one.
        current: i64,
    },
    Counter(i64),
}

impl Authenticator {
    /// Finds out what the typed text is to one secret.
    pub(super) fn try_code(
        &self,
        text: &str,
        bound_to: Option<&str>,
        typed: &Typed,
        from_caller: FromCaller,
    ) -> Result<(Authenticating, Candidate<'_>)> {
        let stored = self.open_secret(text, bound_to)?;
        let scheme = &stored.scheme;
        let code = Code::typed(&typed.otp, scheme.digits);
        let is_code = code.is_some();
        let code = code.unwrap_or_else(Code::none);
        let subject = Subject::of(&stored);
        let guarded = self.guard.guarded(&subject)?;
        let retry_key = typed.retry_key.as_deref();
        let retry_key = retry_key.map(|key| subject.retry_key(key)).transpose()?;
        let centre = scheme.step_at(typed.now).cast_signed() + from_caller.drift;
        let newest = centre + self.config.window.future.cast_signed();
        let (last, matched) = match stored.counter {
            None => {
                let steps = self.steps_around(centre).rev();
                let matched = scheme.first_match(&stored.secret, &code, steps)?;
                (from_caller.last_step, matched)
            }
            Some(_) => {
                let last = from_caller.last_step.max(guarded.record()?.last_step);
                let expected = expected_counter(&stored, last);
                let counters = expected..=expected.saturating_add(self.config.look_ahead - 1);
                // The last accepted one again is no guess. The lowest is taken: a higher one that has the same code
                // would leave the token behind.
                let counters = u64::try_from(last).into_iter().chain(counters);
                let counters = counters.take_while(|&counter| counter <= MAX_COUNTER);
                (last, scheme.first_match(&stored.secret, &code, counters)?)
            }
        };
        let matched = matched.map(u64::cast_signed);
        let attempt = self.attempt(
            &stored,
            code.value(),
            match matched {
                // It changes nothing, and does all that a wrong one does: time must not tell who has a secret.
                _ if !is_code => Match::Old,
                None => Match::Nothing,
                Some(number) if number <= last => Match::Old,
                Some(number) => Match::Step(number),
            },
            typed.now,
        );
        let candidate = Candidate {
            guarded,
            attempt: Attempt {
                retry_key,
                ..attempt
            },
            is_code,
        };
        let authenticating = Authenticating {
            stored,
            last_step: from_caller.last_step,
            matched,
            now: typed.now,
            newest,
        };
        Ok((authenticating, candidate))
    }

    /// The steps of the window around one. There is none before the first.
    pub(super) fn steps_around(&self, centre: i64) -> impl DoubleEndedIterator<Item = u64> {
        let window = &self.config.window;
        let oldest = centre - window.past.cast_signed();
        let newest = centre + window.future.cast_signed();
        (oldest.max(0)..=newest).map(i64::cast_unsigned)
    }

    /// An attempt with a code of this value, for the guard of a secret.
    pub(super) fn attempt(&self, stored: &Stored, code: u32, matched: Match, now: u64) -> Attempt {
        let is_of_time = stored.counter.is_none();
        Attempt {
            code,
            matched,
            retry_key: None,
            past: self.config.window.past,
            period: if is_of_time { stored.scheme.period } else { 0 },
            now,
            time_is_fixed: self.config.fixed_time.is_some(),
            id: 0,
        }
    }

    /// The counter that an authenticator shows next, if it shows counters, as far as the guard knows.
    pub(super) fn next_counter(&self, stored: &Stored) -> Result<Option<u64>> {
        if stored.counter.is_none() {
            return Ok(None);
        }
        let last = self
            .guard
            .guarded(&Subject::of(stored))?
            .record()?
            .last_step;
        Ok(Some(expected_counter(stored, last)))
    }
}

/// The first counter that was not used, where `last` was used last, or is -1.
pub(super) fn expected_counter(stored: &Stored, last: i64) -> u64 {
    let first = stored.counter.unwrap_or_default();
    first.max(last.saturating_add(1).cast_unsigned())
}

impl Authenticating {
    /// What an accepted code belongs to, or the refusal.
    pub(super) fn accepted(&self, verdict: Verdict) -> Result<Accepted> {
        match (verdict, self.matched) {
            (Verdict::Accepted { .. }, Some(number)) => Ok(self.accepted_at(number, self.now)),
            (
                Verdict::Repeated {
                    last_step,
                    accepted_at,
                },
                _,
            ) => Ok(self.accepted_at(last_step, accepted_at)),
            (Verdict::Reused { last_step }, _)
                if self.stored.counter.is_none() && last_step.max(self.last_step) > self.newest =>
            {
                Err(refused(verdict, &TEXTS_AFTER_A_LATER_TIME))
            }
            _ => Err(refused(verdict, &TEXTS)),
        }
    }

    fn accepted_at(&self, number: i64, time: u64) -> Accepted {
        Accepted::of(&self.stored, number, time)
    }
}

impl Accepted {
    pub(super) fn of(stored: &Stored, number: i64, time: u64) -> Self {
        match stored.counter {
            Some(_) => Accepted::Counter(number),
            None => Accepted::Step {
                step: number,
                current: stored.scheme.step_at(time).cast_signed(),
            },
        }
    }

    pub(super) fn step(&self) -> Option<i64> {
        match self {
            Accepted::Step { step, .. } => Some(*step),
            Accepted::Counter(_) => None,
        }
    }

    /// Steps that the code is after, or below 0 before, the current one.
    pub(super) fn drift(&self) -> Option<i64> {
        match self {
            Accepted::Step { step, current } => Some(step - current),
            Accepted::Counter(_) => None,
        }
    }

    pub(super) fn counter(&self) -> Option<i64> {
        match self {
            Accepted::Step { .. } => None,
            Accepted::Counter(counter) => Some(*counter),
        }
    }
}
