//! One code that may be of any of a user's authenticators.
//!
//! The credential whose code it is judges it, and the others are left alone; a code of none counts as a wrong
//! one for each. So nobody is locked out of one device by using the other, and an attacker has no more guesses
//! than against the one that has the most left.

use crate::error::Result;
use crate::guard::{Attempt, Guarded, Match, Record, Verdict};

/// A credential, and what a code is to it.
pub(crate) type Candidate<'a> = (Guarded<'a>, Attempt);

/// Judges one code for each of one or more credentials, and tells whose verdict it is, by its place. A wrong code is
/// nobody's: the place says nothing then.
pub(crate) fn judge_several(candidates: &[Candidate]) -> Result<(usize, Verdict)> {
    if let [(guarded, attempt)] = candidates {
        return Ok((0, guarded.judge(*attempt)?));
    }
    let all = || candidates.iter().enumerate();
    let mut matched: Vec<_> = all()
        .filter(|(_, (_, attempt))| attempt.matched != Match::Nothing)
        .collect();
    if matched.len() != 1 {
        // Two devices may show one code, and it is accepted once. And a stored code that a client sends again is
        // no guess, for none of them.
        let asked = if matched.is_empty() {
            all().collect()
        } else {
            matched.clone()
        };
        for candidate in asked {
            let (_, (guarded, attempt)) = candidate;
            if guarded.record()?.knows(attempt) {
                matched = vec![candidate];
            }
        }
    }
    let mut refused = None;
    for (place, (guarded, attempt)) in matched {
        match guarded.judge(*attempt)? {
            verdict @ (Verdict::Throttled(_) | Verdict::Disabled) => {
                refused.get_or_insert((place, verdict));
            }
            verdict => return Ok((place, verdict)),
        }
    }
    match refused {
        Some(refused) => Ok(refused),
        None => judge_wrong(candidates),
    }
}

/// Counts a code that is none of theirs.
fn judge_wrong(candidates: &[Candidate]) -> Result<(usize, Verdict)> {
    let mut seen = Vec::new();
    let mut verdict = Verdict::Disabled;
    for (guarded, attempt) in candidates {
        // One secret may be there twice.
        if seen.contains(&guarded.name()) {
            continue;
        }
        seen.push(guarded.name());
        verdict = mildest(verdict, guarded.judge(*attempt)?);
    }
    Ok((0, verdict))
}

/// What two credentials say together: the next code is looked at when the first of them looks at it.
fn mildest(one: Verdict, other: Verdict) -> Verdict {
    use Verdict::{Disabled, Throttled, WrongAndLocked};
    match (one, other) {
        (Disabled, verdict) | (verdict, Disabled) => verdict,
        (Throttled(a), Throttled(b)) => Throttled(a.min(b)),
        (WrongAndLocked(a) | Throttled(a), WrongAndLocked(b) | Throttled(b)) => {
            WrongAndLocked(a.min(b))
        }
        (WrongAndLocked(_) | Throttled(_), verdict) | (verdict, _) => verdict,
    }
}

impl Record {
    /// Whether the code was accepted before.
    fn knows(&self, attempt: &Attempt) -> bool {
        let is_old = match attempt.matched {
            Match::Step(step) => step <= self.last_step,
            Match::Old => true,
            Match::Number(_) | Match::Nothing => false,
        };
        is_old || self.last_code == Some(attempt.code)
    }
}
