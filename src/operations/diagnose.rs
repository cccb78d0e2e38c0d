//! Why a code is refused, for the help desk: nothing is accepted, counted or changed.

use std::iter;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Value, json};
use totp_rs::Algorithm;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::guard::{Record, Subject};
use crate::operations::authenticating::{DRIFTS, LAST_STEPS, expected_counter};
use crate::operations::refused::given;
use crate::operations::shown::Shown;
use crate::otp::{Code, Scheme};
use crate::otpauth::MAX_COUNTER;
use crate::request::{self, WHOSE, Warnings, Whose};
use crate::response::Response;
use crate::secret::{Secret, Stored};
use crate::status::Status;

/// The members of its request beside those of every secret.
const OWN: &[&str] = &["totpsecret", "otp", "next_otp", "last_step", "drift"];

/// How far clocks are searched, in seconds.
const DAY: u64 = 86_400;

/// How many counters are searched, on either side.
const COUNTERS: u64 = 1000;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::SHA1, Algorithm::SHA256, Algorithm::SHA512];

/// What authenticators are set to, in seconds.
const PERIODS: [u64; 7] = [15, 20, 30, 45, 60, 90, 120];

/// What was found out about one code, or two in a row.
#[derive(Default, Serialize)]
struct Diagnosis {
    /// Whether it is a right code that was not used.
    right: bool,
    findings: Vec<Value>,
}

/// What is known of an authenticator, and what it shows.
struct Case<'a> {
    stored: &'a Stored,
    record: Record,
    shown: Shown,
    /// How many the shown code has.
    digits: u8,
    now: u64,
    /// What the authenticator's clock shows, as far as the caller knows.
    its_time: u64,
}

impl Authenticator {
    /// `{"totpsecret","otp","next_otp"?,"username"?,"bind"?,"last_step"?,"drift"?}` -> `{"right","findings"}`.
    pub(crate) fn diagnose(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body {
            #[serde(flatten)]
            diagnosis: Diagnosis,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: Warnings,
        }
        let mut request = request::read(request, &[OWN, WHOSE])?;
        let secret = request.text("totpsecret")?;
        let otp = request.text("otp")?;
        let next_otp = request.text("next_otp")?;
        let whose = Whose::read(&mut request)?;
        let last_step = request.integer("last_step", LAST_STEPS)?.unwrap_or(-1);
        let drift = request.integer("drift", DRIFTS)?.unwrap_or(0);
        let secret = given(&request, "totpsecret", secret)?;
        let otp = given(&request, "otp", otp)?;
        request.finish()?;

        let stored = self.open_secret(&secret, whose.bound_to())?;
        let (shown, digits) = typed(&otp, next_otp.as_deref()).ok_or_else(|| {
            let message =
                "request: otp, and next_otp if it is given, must have as many digits, 6 to 8";
            Error::new(Status::InvalidToken, message)
        })?;
        let now = self.now()?;
        let mut record = self.guard.guarded(&Subject::of(&stored))?.record()?;
        record.last_step = record.last_step.max(last_step);
        let ahead = drift * stored.scheme.period.cast_signed();
        let case = Case {
            stored: &stored,
            record,
            shown,
            digits,
            now,
            its_time: now.saturating_add_signed(ahead),
        };
        let mut diagnosis = match stored.counter {
            None => self.of_time(&case)?,
            Some(_) => self.of_counter(&case)?,
        };
        diagnosis.findings.extend(locked(&case.record, now));
        Response::new(&Body {
            diagnosis,
            warnings: stored.warnings(),
        })
    }

    /// A code of the settings' own scheme first, by the right clock and then by a wrong one; then one of an
    /// authenticator that is set in another way.
    fn of_time(&self, case: &Case) -> Result<Diagnosis> {
        let scheme = &case.stored.scheme;
        if case.digits == scheme.digits {
            let window = self.window(scheme, case.its_time);
            let (found, chance) = case.find(scheme, window)?;
            if let Some(&step) = found.last() {
                return Ok(case.right_or_used("step", step, chance));
            }
            if let Some(used) = case.last_code() {
                return Ok(used);
            }
            let (found, chance) = case.find(scheme, day(scheme, case.now))?;
            let mut drifts: Vec<i64> = found.iter().map(|&step| case.drift(scheme, step)).collect();
            drifts.sort_by_key(|drift| drift.abs());
            if !drifts.is_empty() {
                let clock = |drift: &i64| clock(scheme, *drift, chance);
                return Ok(Diagnosis::of(drifts.iter().map(clock)));
            }
        }
        let others = PERIODS
            .into_iter()
            .filter(|&period| period != scheme.period);
        let schemes = iter::once(scheme.period).chain(others);
        let schemes = schemes.map(|period| Scheme { period, ..*scheme });
        self.of_another_scheme(case, schemes, |scheme| match case.shown.before {
            // One code alone would often be found in a day of so many schemes.
            None => self.window(scheme, case.its_time),
            Some(_) => day(scheme, case.now),
        })
    }

    fn of_counter(&self, case: &Case) -> Result<Diagnosis> {
        let scheme = &case.stored.scheme;
        let expected = expected_counter(case.stored, case.record.last_step);
        let last = |counters: u64| (expected.saturating_add(counters) - 1).min(MAX_COUNTER);
        let window = expected..=last(self.config.look_ahead);
        if case.digits == scheme.digits {
            let (found, chance) = case.find(scheme, window.clone())?;
            if let Some(&counter) = found.first() {
                return Ok(case.right_or_used("counter", counter, chance));
            }
            let before = expected.saturating_sub(COUNTERS)..=expected.saturating_sub(1);
            let (found, chance) = case.find(scheme, before)?;
            if let Some(&counter) = found.last().filter(|&&counter| counter < expected) {
                return Ok(case.right_or_used("counter", counter, chance));
            }
            let (found, chance) = case.find(scheme, expected..=last(COUNTERS))?;
            if let Some(counter) = found.first() {
                let ahead = counter - expected;
                let finding = json!({"what": "counter", "ahead": ahead, "chance": chance});
                return Ok(Diagnosis::of([finding]));
            }
        }
        self.of_another_scheme(case, iter::once(*scheme), |_| window.clone())
    }

    /// Authenticators that have ignored some of the settings: those that have ignored the fewest.
    fn of_another_scheme(
        &self,
        case: &Case,
        schemes: impl Iterator<Item = Scheme>,
        counters: impl Fn(&Scheme) -> RangeInclusive<u64>,
    ) -> Result<Diagnosis> {
        let mut searched = 0;
        let mut found = Vec::new();
        for scheme in schemes {
            for algorithm in ALGORITHMS {
                let scheme = Scheme {
                    algorithm,
                    digits: case.digits,
                    ..scheme
                };
                if scheme == case.stored.scheme {
                    continue;
                }
                let counters = counters(&scheme);
                searched += counters.clone().count() as u64;
                let hits = case.shown.find(&scheme, &case.stored.secret, counters)?;
                found.extend(hits.into_iter().map(|counter| (scheme, counter)));
            }
        }
        let chance = case.shown.chance(case.digits, searched);
        let told = found.iter().map(|(scheme, counter)| {
            let mut findings = differences(&case.stored.scheme, scheme, chance);
            let in_window = self.window(scheme, case.its_time).contains(counter);
            if case.stored.counter.is_none() && !in_window {
                findings.push(clock(scheme, case.drift(scheme, *counter), chance));
            }
            findings
        });
        let findings = told.min_by_key(Vec::len).unwrap_or_default();
        Ok(Diagnosis::of(findings))
    }

    fn window(&self, scheme: &Scheme, time: u64) -> RangeInclusive<u64> {
        let (current, window) = (scheme.step_at(time), &self.config.window);
        current.saturating_sub(window.past)..=current + window.future
    }
}

impl Case<'_> {
    /// Where the shown code is found, and how probable it is that a wrong one is.
    fn find(&self, scheme: &Scheme, counters: RangeInclusive<u64>) -> Result<(Vec<u64>, f64)> {
        let chance = self
            .shown
            .chance(self.digits, counters.clone().count() as u64);
        let secret: &Secret = &self.stored.secret;
        Ok((self.shown.find(scheme, secret, counters)?, chance))
    }

    fn right_or_used(&self, unit: &str, number: u64, chance: f64) -> Diagnosis {
        let is_last = self.record.last_code == Some(self.shown.code.value());
        let first = match self.shown.before {
            None => number.cast_signed(),
            Some(_) => number.cast_signed() - 1,
        };
        if first > self.record.last_step && !is_last && !self.is_before_the_first(number) {
            return Diagnosis {
                right: true,
                findings: Vec::new(),
            };
        }
        Diagnosis::of([json!({"what": "used", unit: number, "chance": chance})])
    }

    /// Whether it is a counter that the stored URI says was used.
    fn is_before_the_first(&self, counter: u64) -> bool {
        self.stored.counter.is_some_and(|first| counter < first)
    }

    /// Whether it is the code that was accepted last, however long ago.
    fn last_code(&self) -> Option<Diagnosis> {
        let is_last = self.record.last_code == Some(self.shown.code.value());
        let chance = 10f64.powi(-i32::from(self.digits));
        let finding = || json!({"what": "used", "step": self.record.last_step, "chance": chance});
        is_last.then(|| Diagnosis::of([finding()]))
    }

    /// Steps that an authenticator which shows this one is ahead.
    fn drift(&self, scheme: &Scheme, step: u64) -> i64 {
        step.cast_signed() - scheme.step_at(self.now).cast_signed()
    }
}

impl Diagnosis {
    fn of(findings: impl IntoIterator<Item = Value>) -> Self {
        Diagnosis {
            right: false,
            findings: findings.into_iter().collect(),
        }
    }
}

/// The codes that were typed, and how many digits each has.
fn typed(otp: &str, next_otp: Option<&str>) -> Option<(Shown, u8)> {
    let code = |text, digits| Code::typed(text, digits);
    (6..=8).find_map(|digits| {
        let first = code(otp, digits)?;
        let shown = match next_otp {
            None => Shown {
                before: None,
                code: first,
            },
            Some(next_otp) => Shown {
                before: Some(first),
                code: code(next_otp, digits)?,
            },
        };
        Some((shown, digits))
    })
}

fn day(scheme: &Scheme, now: u64) -> RangeInclusive<u64> {
    let (current, reach) = (scheme.step_at(now), DAY / scheme.period);
    current.saturating_sub(reach)..=current + reach
}

fn clock(scheme: &Scheme, drift: i64, chance: f64) -> Value {
    let seconds = drift * scheme.period.cast_signed();
    json!({"what": "clock", "drift": drift, "drift_s": seconds, "chance": chance})
}

/// What an authenticator has that is set to `other`.
fn differences(own: &Scheme, other: &Scheme, chance: f64) -> Vec<Value> {
    let mut findings = Vec::new();
    if own.algorithm != other.algorithm {
        let name = other.algorithm.as_str();
        findings.push(json!({"what": "algorithm", "algorithm": name, "chance": chance}));
    }
    if own.digits != other.digits {
        findings.push(json!({"what": "digits", "digits": other.digits, "chance": chance}));
    }
    if own.period != other.period {
        findings.push(json!({"what": "period", "period": other.period, "chance": chance}));
    }
    findings
}

/// Whether codes are looked at at all.
fn locked(record: &Record, now: u64) -> Option<Value> {
    let left = record.locked_until.saturating_sub(now).min(record.lock_s);
    if record.disabled {
        return Some(json!({"what": "disabled"}));
    }
    (left > 0).then(|| json!({"what": "locked", "retry_after_s": left}))
}
