//! What apps and tokens are known to make of settings and names: facts, each beside where it is from.
//! The warnings about a secret are the secret's own.

use std::borrow::Cow;

use totp_rs::Algorithm;

use crate::otp::Scheme;

type Warnings = Vec<Cow<'static, str>>;
type Rule = (fn(&Scheme) -> bool, &'static str);

/// What breaks apps, and how. All of them take SHA1, 6 digits and 30 seconds.
///
/// Google's own page says that its apps ignore the others,
/// <https://github.com/google/google-authenticator/wiki/Key-Uri-Format>. That for iPhones follows them
/// now; that for Android has constants, `PIN_LENGTH` and `DEFAULT_INTERVAL` in `otp/OtpProvider.java` of
/// <https://github.com/google/google-authenticator-android>.
const RULES: [Rule; 4] = [
    // Apps tested in November 2022:
    // https://gist.github.com/gwelch-contegix/afa52c7b45693a19c198ab0bfb886fe2
    (
        |scheme| scheme.algorithm != Algorithm::SHA1,
        "algorithm: some apps take SHA1 whatever the URI says (Google's on Android, \
         Microsoft's, Authy)",
    ),
    // https://docs.yubico.com/yesdk/users-manual/application-oath/oath-commands.html
    (
        |scheme| scheme.algorithm == Algorithm::SHA512,
        "algorithm: a YubiKey knows SHA512 from firmware 4.3.1 on",
    ),
    // The same test as above.
    (
        |scheme| scheme.digits != 6,
        "digits: some apps show 6 whatever the URI says (Google's on Android, Microsoft's)",
    ),
    // https://github.com/privacyidea/privacyidea/issues/3634
    (
        |scheme| scheme.period != 30,
        "period: some apps take 30 seconds whatever the URI says (Google's on Android, Microsoft's)",
    ),
];

/// Bytes that a YubiKey has for a name. It is `ISSUER:ACCOUNT`, with `PERIOD/` before it if that is not 30,
/// <https://docs.yubico.com/yesdk/yubikey-api/Yubico.YubiKey.Oath.Credential.Name.html>. What is longer was
/// lost without a word, <https://github.com/Yubico/yubioath-flutter/issues/91>.
const YUBIKEY_NAME: usize = 64;

/// What most addresses need.
const USUAL_ACCOUNT: usize = 16;

/// About settings, before there is an account.
pub(crate) fn warnings(scheme: &Scheme, issuer: &str) -> Warnings {
    let mut warnings = scheme_warnings(scheme);
    let left = YUBIKEY_NAME.saturating_sub(yubikey_name(scheme, issuer, ""));
    if left < USUAL_ACCOUNT {
        let text = format!(
            "issuer: leaves {left} of the {YUBIKEY_NAME} bytes that a YubiKey has for a name"
        );
        warnings.push(text.into());
    }
    warnings
}

/// About an account's.
pub(crate) fn account_warnings(scheme: &Scheme, issuer: &str, account: &str) -> Warnings {
    let mut warnings = scheme_warnings(scheme);
    let length = yubikey_name(scheme, issuer, account);
    if length > YUBIKEY_NAME {
        let text = format!(
            "username: {length} bytes with the issuer; a YubiKey has {YUBIKEY_NAME} for a name"
        );
        warnings.push(text.into());
    }
    warnings
}

fn scheme_warnings(scheme: &Scheme) -> Warnings {
    let rules = RULES.iter().filter(|(applies, _)| applies(scheme));
    rules.map(|&(_, text)| text.into()).collect()
}

fn yubikey_name(scheme: &Scheme, issuer: &str, account: &str) -> usize {
    let period = match scheme.period {
        30 => 0,
        other => format!("{other}/").len(),
    };
    period + issuer.len() + ":".len() + account.len()
}
