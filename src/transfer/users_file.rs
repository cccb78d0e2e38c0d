//! The users file of liboath (pam_oath, ocserv) and of mod_authn_otp, a line for each token:
//!
//!     TYPE USER PIN SECRET [NUMBER [what was seen last]]
//!
//! TYPE is `HOTP`, `HOTP/E` or `HOTP/T` and seconds, then `/` and digits, if not 6; PIN is `-` if there is none, and `+`
//! if something else asks for it; SECRET is hex. NUMBER is a counter or, of a token with a clock, by how many steps it
//! was off.
//!
//! Of mod_authn_otp, the counter is the next one, and behind it stand wrong attempts, last code, its time, an address:
//! <https://github.com/archiecobbs/mod-authn-otp/wiki/UsersFile>. liboath writes the counter of the code that was
//! accepted last, and behind it that code and its time: liboath/usersfile.c of <https://gitlab.com/oath-toolkit/oath-toolkit>,
//! `new_moving_factor`. The code tells the one from the other.

use std::borrow::Cow;

use totp_rs::Algorithm;

use crate::otp::Scheme;
use crate::transfer::fields::{counter, decimal, digits, drift_warning, hex, period};
use crate::transfer::{Entry, Why};

/// A line, if it is no comment.
pub(super) fn read(line: &str) -> Option<Result<Entry<'_>, Why>> {
    (!line.starts_with('#')).then(|| entry(line))
}

fn entry(line: &str) -> Result<Entry<'_>, Why> {
    let mut fields = [None; 7];
    for (place, field) in fields.iter_mut().zip(line.split_ascii_whitespace()) {
        *place = Some(field);
    }
    let [token, username, pin, secret, number, seen @ ..] = fields;
    let (period, digits) = token_type(token.unwrap_or_default())?;
    let username = username.ok_or("username: missing")?;
    let pin = pin.ok_or("PIN: missing; it is - where there is none")?;
    let secret = hex(secret.ok_or("totpsecret: missing")?)?;
    let scheme = Scheme {
        algorithm: Algorithm::SHA1,
        digits,
        period: period.unwrap_or(30),
    };

    let mut warnings: Vec<Cow<'static, str>> = Vec::new();
    if pin != "-" && pin != "+" {
        warnings.push("PIN: not carried over; nothing asks for it any more".into());
    }
    // One alone is a number of wrong attempts.
    let mut has_last_code = seen[1].is_some();
    let counter = match period {
        None => {
            let kept = counter(decimal(number.unwrap_or("0")))?;
            let code = scheme.code(&secret, kept);
            if seen.contains(&Some(&*code)) {
                has_last_code = false;
                Some(counter(Some(kept + 1))?)
            } else {
                Some(kept)
            }
        }
        Some(_) => {
            let steps = number.unwrap_or("0").parse();
            let steps: i64 = steps.map_err(|_| "offset: must be an integer")?;
            if steps != 0 {
                warnings.push(drift_warning(steps));
            }
            None
        }
    };
    if has_last_code {
        warnings.push("last code: not carried over".into());
    }
    Ok(Entry {
        username: username.into(),
        issuer: "".into(),
        secret,
        scheme,
        counter,
        warnings,
    })
}

/// The period, of a token with a clock, and the digits.
fn token_type(text: &str) -> Result<(Option<u64>, u8), Why> {
    let mut parts = text.split('/');
    if parts.next() != Some("HOTP") {
        return Err("type: must be HOTP; others, MOTP among them, are not known".into());
    }
    let period = match parts.next().unwrap_or("E") {
        "E" => None,
        // The seconds that mod_authn_otp takes where there are none.
        "T" => Some(30),
        timed => {
            let seconds = timed.strip_prefix('T');
            let seconds = seconds.ok_or("type: must be HOTP/E or HOTP/T and seconds")?;
            Some(period(seconds)?)
        }
    };
    let digits = digits(parts.next().unwrap_or("6"))?;
    match parts.next() {
        None => Ok((period, digits)),
        Some(_) => Err("type: has too many parts".into()),
    }
}
