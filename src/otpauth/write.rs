//! The provisioning URI that authenticator apps read from the QR code, after the otpauth key URI
//! format of Google Authenticator.

use std::fmt::Write;

use data_encoding::HEXUPPER;
use totp_rs::Algorithm;
use zeroize::Zeroizing;

use crate::otp::Scheme;

/// `otpauth://totp/ISSUER:ACCOUNT?secret=S&issuer=ISSUER`, then what differs from SHA1, 6 digits and
/// 30 seconds; with a counter, type hotp, which ends with it and has no period. An empty issuer is left out, but
/// for the colon behind it where the account has one, which would be taken for it. The secret is in base32.
pub(crate) fn provisioning_uri(
    issuer: &str,
    account: &str,
    totpsecret: &str,
    scheme: &Scheme,
    counter: Option<u64>,
) -> Zeroizing<String> {
    // Room for all of it, so that the secret is never left behind by a growing string.
    let capacity = 120 + totpsecret.len() + 3 * (2 * issuer.len() + account.len());
    let mut uri = Zeroizing::new(String::with_capacity(capacity));
    uri.push_str(match counter {
        None => "otpauth://totp/",
        Some(_) => "otpauth://hotp/",
    });
    push_percent_encoded(&mut uri, issuer);
    if !issuer.is_empty() || account.contains(':') {
        uri.push(':');
    }
    push_percent_encoded(&mut uri, account);
    uri.push_str("?secret=");
    uri.push_str(totpsecret);
    if !issuer.is_empty() {
        uri.push_str("&issuer=");
        push_percent_encoded(&mut uri, issuer);
    }
    if scheme.algorithm != Algorithm::SHA1 {
        let _ = write!(uri, "&algorithm={}", scheme.algorithm);
    }
    if scheme.digits != 6 {
        let _ = write!(uri, "&digits={}", scheme.digits);
    }
    match counter {
        Some(counter) => {
            let _ = write!(uri, "&counter={counter}");
        }
        None if scheme.period != 30 => {
            let _ = write!(uri, "&period={}", scheme.period);
        }
        None => {}
    }
    uri
}

/// RFC 3986 section 2: every byte that is not unreserved becomes `%XX`.
fn push_percent_encoded(uri: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            HEXUPPER.encode_append(&[byte], uri);
        }
    }
}
