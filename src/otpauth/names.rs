//! What a URI says of names: whose secret it is, and who has issued it. No code depends on them.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::otpauth::percent::{Decoded, decode};

/// The names of a URI without the blanks around them, empty where it has none.
pub(crate) struct Names {
    pub(crate) issuer: Zeroizing<String>,
    /// The label's, where the parameter names another.
    pub(crate) label_issuer: Option<Zeroizing<String>>,
    pub(crate) account: Zeroizing<String>,
    /// What was mended, and what apps may take for something else.
    #[cfg_attr(not(test), expect(dead_code, reason = "no operation tells them yet"))]
    pub(crate) warnings: Vec<Cow<'static, str>>,
}

impl Names {
    /// Of a label that is still encoded, and the issuer that the query has.
    pub(super) fn read(label: &str, issuer: Option<Decoded>) -> Result<Self> {
        let mut warnings = Vec::new();
        let mut warn = |applies: bool, what: &'static str| {
            if applies {
                warnings.push(Cow::Borrowed(what));
            }
        };
        let label = Label::read(label)?;
        let is_odd = issuer.as_ref().is_some_and(|issuer| issuer.is_odd);
        let issuer = issuer.map_or_else(Zeroizing::default, |issuer| trimmed(&issuer.text));
        let no_issuer = issuer.is_empty() || label.issuer.is_empty();
        let with_plus =
            !no_issuer && label.issuer != issuer && label.issuer.replace('+', " ") == *issuer;
        let differs = !no_issuer && label.issuer != issuer && !with_plus;
        warn(
            label.is_odd || is_odd,
            "totpsecret: the URI's names are written in a way that some apps do not read",
        );
        warn(
            with_plus,
            "totpsecret: the issuer in the URI's label has \"+\" for a blank, which apps show",
        );
        warn(
            differs,
            "totpsecret: the URI's label has another issuer than its parameter, and some apps show that one",
        );
        warn(
            label.account.is_empty(),
            "totpsecret: the URI has no account",
        );
        warn(
            label.account.contains(':'),
            "totpsecret: the URI's account has a colon; some apps cut the name there",
        );
        let (issuer, label_issuer) = match issuer.is_empty() {
            true => (label.issuer, None),
            false => (issuer, differs.then_some(label.issuer)),
        };
        Ok(Names {
            issuer,
            label_issuer,
            account: label.account,
            warnings,
        })
    }
}

/// `ISSUER:ACCOUNT`, or the account alone.
struct Label {
    issuer: Zeroizing<String>,
    account: Zeroizing<String>,
    is_odd: bool,
}

impl Label {
    /// The first colon parts them; one that is encoded does if no other is there.
    fn read(label: &str) -> Result<Self> {
        if let Some((issuer, account)) = label.split_once(':') {
            let (issuer, account) = (decode(issuer, false)?, decode(account, false)?);
            return Ok(Label {
                issuer: trimmed(&issuer.text),
                account: trimmed(&account.text),
                is_odd: issuer.is_odd || account.is_odd,
            });
        }
        let label = decode(label, false)?;
        let (issuer, account) = label.text.split_once(':').unwrap_or(("", &label.text));
        Ok(Label {
            issuer: trimmed(issuer),
            account: trimmed(account),
            is_odd: label.is_odd,
        })
    }
}

fn trimmed(text: &str) -> Zeroizing<String> {
    text.trim().to_owned().into()
}
