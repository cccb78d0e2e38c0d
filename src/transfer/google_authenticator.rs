//! `~/.google_authenticator`, the state of pam_google_authenticator: the secret in base32, options in lines that begin
//! with `"`, then scratch codes. Facts from src/pam_google_authenticator.c of
//! <https://github.com/google/google-authenticator-libpam>: 6 digits and SHA1 always; `HOTP_COUNTER` is the next counter,
//! and above 0 it makes the secret one with a counter, whatever else is there.

use std::borrow::Cow;

use totp_rs::Algorithm;

use crate::error::Result;
use crate::otp::Scheme;
use crate::transfer::fields::{base32, counter, decimal, drift_warning, period};
use crate::transfer::{Entry, Found, Lines, Why, lines};

/// Options that are not carried over, and what becomes of them.
const LOST: [(&str, &str); 3] = [
    (
        "RATE_LIMIT",
        "RATE_LIMIT: not carried over; the guard's settings are for all",
    ),
    (
        "WINDOW_SIZE",
        "WINDOW_SIZE: not carried over; config.window is for all",
    ),
    (
        "DISALLOW_REUSE",
        "DISALLOW_REUSE: the steps that were used are not carried over",
    ),
];

/// The file of one user.
pub(super) fn read(text: &str, username: &str, found: &mut Found) -> Result<()> {
    let mut lines = lines(text);
    let Some((number, secret)) = lines.next() else {
        return found(1, Err("totpsecret: missing".into()));
    };
    let rest = lines.clone();
    found(number, entry(secret, rest, username))?;
    for (number, line) in lines {
        if !line.starts_with('"') && !is_scratch_code(line) {
            found(number, Err("neither an option nor a scratch code".into()))?;
        }
    }
    Ok(())
}

fn entry<'a>(
    secret: &str,
    rest: Lines<'a>,
    username: &'a str,
) -> std::result::Result<Entry<'a>, Why> {
    let option = |name| rest.clone().find_map(|(_, line)| value(line, name));
    let secret = base32(secret)?;
    let mut warnings: Vec<Cow<'static, str>> = Vec::new();

    let is_timed = option("TOTP_AUTH").is_some();
    let counter = match option("HOTP_COUNTER") {
        Some("0") if is_timed => None,
        Some(number) => Some(counter(decimal(number))?),
        None => None,
    };
    let period = match option("STEP_SIZE") {
        Some(seconds) if counter.is_none() => period(seconds)?,
        _ => 30,
    };
    if counter.is_none() && !is_timed {
        warnings.push("type: neither TOTP_AUTH nor HOTP_COUNTER is there; taken for totp".into());
    }
    for (name, warning) in LOST {
        if option(name).is_some_and(|value| !value.is_empty()) {
            warnings.push(warning.into());
        }
    }
    let skew = option("TIME_SKEW").and_then(|steps| steps.parse().ok());
    if let Some(steps) = skew.filter(|steps| *steps != 0) {
        warnings.push(drift_warning(steps));
    }
    if rest.clone().any(|(_, line)| is_scratch_code(line)) {
        let what = "scratch codes: not carried over; factor2_create_recovery_codes makes others";
        warnings.push(what.into());
    }
    Ok(Entry {
        username: username.into(),
        issuer: "".into(),
        secret,
        scheme: Scheme {
            algorithm: Algorithm::SHA1,
            digits: 6,
            period,
        },
        counter,
        warnings,
    })
}

/// The value of an option, `" NAME VALUE`, if the line has this one.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line.strip_prefix('"')?.trim_start().strip_prefix(name)?;
    (value.is_empty() || value.starts_with([' ', '\t'])).then(|| value.trim())
}

fn is_scratch_code(line: &str) -> bool {
    line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit())
}
