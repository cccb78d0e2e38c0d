//! privacyIDEA's OATH CSV, a token a line: serial, seed in hex, `hotp` or `totp`, digits, counter or period; what is
//! missing at the end is hotp, 6, 0 or 30. With `# version: 2` in the first line, user, resolver and realm come before
//! that. Facts from `parseOATHcsv` in privacyidea/lib/importotp.py of <https://github.com/privacyidea/privacyidea>, and
//! from LinOTP, whose file has the algorithm behind it. It is SHA1 where it is not said, however long the seed is.

use std::borrow::Cow;

use totp_rs::Algorithm;

use crate::error::Result;
use crate::otp::Scheme;
use crate::transfer::csv::fields;
use crate::transfer::fields::{algorithm, counter, decimal, digits, hex, period};
use crate::transfer::{Entry, Found, Why, lines};

pub(super) fn read(text: &str, found: &mut Found) -> Result<()> {
    let first = lines(text)
        .next()
        .and_then(|(_, line)| line.strip_prefix('#'));
    let version = first.and_then(|line| line.trim_start().strip_prefix("version:"));
    let has_users = version.is_some_and(|version| version.trim() == "2");
    for (number, line) in lines(text) {
        if !line.starts_with('#') {
            found(number, entry(line, has_users))?;
        }
    }
    Ok(())
}

fn entry(line: &str, has_users: bool) -> std::result::Result<Entry<'static>, Why> {
    let fields = fields(line)?;
    let field = |at: usize| fields.get(at).map_or("", |field| &**field);
    let begin = if has_users { 3 } else { 0 };
    let token = |at: usize| field(begin + at);
    let or = |text, usual| if text == "" { usual } else { text };
    let (serial, seed) = (token(0), token(1));
    if seed.is_empty() {
        return Err("CSV: has no second field, the seed".into());
    }
    let secret = hex(seed)?;
    let digits = digits(or(token(3), "6"))?;
    let (period, counter) = match or(token(2), "hotp") {
        kind if kind.eq_ignore_ascii_case("totp") => (period(or(token(4), "30"))?, None),
        kind if kind.eq_ignore_ascii_case("hotp") => {
            (30, Some(counter(decimal(or(token(4), "0")))?))
        }
        _ => return Err("type: must be hotp or totp".into()),
    };
    let algorithm = match token(5) {
        "" => Algorithm::SHA1,
        name => algorithm(name)?,
    };
    let mut warnings: Vec<Cow<'static, str>> = Vec::new();
    if has_users && !(field(1).is_empty() && field(2).is_empty()) {
        let what = "realm: not carried over; users of other realms may have the same name";
        warnings.push(what.into());
    }
    let user = if has_users { field(0) } else { "" };
    Ok(Entry {
        username: or(user, serial).to_owned().into(),
        issuer: "".into(),
        secret,
        scheme: Scheme {
            algorithm,
            digits,
            period,
        },
        counter,
        warnings,
    })
}
