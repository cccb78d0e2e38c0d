//! One code that may be of any of a user's authenticators.
//!
//! The credential whose code it is judges it, and the others are left alone; a code of none counts as a wrong
//! one for each. So nobody is locked out of one device by using the other, and an attacker has no more guesses
//! than against the one that has the most left.

use crate::error::Result;
use crate::guard::{Attempt, Guarded, Match, Record, Verdict};

/// A credential, and what a code is to it.
pub(crate) struct Candidate<'a> {
    pub(crate) guarded: Guarded<'a>,
    pub(crate) attempt: Attempt,
    /// Whether what was typed could be a code of this credential. If not, the attempt changes nothing.
    pub(crate) is_code: bool,
}

/// Judges one code for each of one or more credentials, and tells whose verdict it is, by its place. A wrong code is
/// nobody's: the place says nothing then.
pub(crate) fn judge_several(candidates: &[Candidate]) -> Result<(usize, Verdict)> {
    if let [candidate] = candidates {
        return Ok((0, candidate.guarded.judge(candidate.attempt)?));
    }
    let codes = candidates.iter().enumerate().filter(|(_, one)| one.is_code);
    let all: Vec<(usize, &Candidate)> = codes.collect();
    let is_matched = |one: &Candidate| one.attempt.matched != Match::Nothing;
    let mut matched = all.clone();
    matched.retain(|(_, one)| is_matched(one));
    if matched.len() != 1 {
        // Two devices may show one code, and it is accepted once. And a stored code that a client sends again is
        // no guess, for none of them.
        let asked = if matched.is_empty() { &all } else { &matched };
        if let Some(known) = find_known(asked)? {
            matched = vec![known];
        }
    }
    let mut refused = None;
    for (place, candidate) in matched {
        match candidate.guarded.judge(candidate.attempt)? {
            verdict @ (Verdict::Throttled(_) | Verdict::Disabled) => {
                refused.get_or_insert((place, verdict));
            }
            verdict => return Ok((place, verdict)),
        }
    }
    match refused {
        None if all.is_empty() => judge_all(candidates.iter()),
        None => judge_all(all.iter().map(|(_, one)| *one)),
        Some(refused) => Ok(refused),
    }
}

/// The first by whom the code was accepted before.
fn find_known<'a, 'b>(
    asked: &[(usize, &'b Candidate<'a>)],
) -> Result<Option<(usize, &'b Candidate<'a>)>> {
    for (place, candidate) in asked {
        if candidate.guarded.record()?.knows(&candidate.attempt) {
            return Ok(Some((*place, candidate)));
        }
    }
    Ok(None)
}

/// For a code that is none of theirs.
fn judge_all<'a>(candidates: impl Iterator<Item = &'a Candidate<'a>>) -> Result<(usize, Verdict)> {
    let mut seen = Vec::new();
    let mut verdict = Verdict::Disabled;
    for candidate in candidates {
        // One secret may be there twice.
        let name = candidate.guarded.name();
        if !seen.contains(&name) {
            seen.push(name);
            verdict = mildest(verdict, candidate.guarded.judge(candidate.attempt)?);
        }
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
        let is_used = attempt
            .matched
            .first()
            .is_some_and(|first| first <= self.last_step);
        is_used || attempt.matched == Match::Old || self.last_code == Some(attempt.code)
    }
}
