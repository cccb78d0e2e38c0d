//! The provisioning URI that authenticator apps read from the QR code, after the otpauth key URI
//! format of Google Authenticator.

use std::fmt::Write;

use totp_rs::Algorithm;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::totp::Scheme;

/// `otpauth://totp/ISSUER:ACCOUNT?secret=S&issuer=ISSUER`, then what differs from SHA1, 6 digits and
/// 30 seconds.
pub(crate) fn provisioning_uri(
    issuer: &str,
    account: &str,
    secret: &Secret,
    scheme: &Scheme,
) -> Zeroizing<String> {
    let secret = secret.to_base32();
    let issuer = percent_encoded(issuer);
    let account = percent_encoded(account);
    // Room for all of it, so that the secret is never left behind by a growing string.
    let capacity = [issuer.len(), issuer.len(), account.len(), secret.len(), 100]
        .iter()
        .fold(0, |sum: usize, part| sum.saturating_add(*part));
    let mut uri = Zeroizing::new(String::with_capacity(capacity));
    for part in ["otpauth://totp/", &issuer, ":", &account] {
        uri.push_str(part);
    }
    for part in ["?secret=", &secret, "&issuer=", &issuer] {
        uri.push_str(part);
    }
    if scheme.algorithm != Algorithm::SHA1 {
        let _ = write!(uri, "&algorithm={}", scheme.algorithm);
    }
    if scheme.digits != 6 {
        let _ = write!(uri, "&digits={}", scheme.digits);
    }
    if scheme.period != 30 {
        let _ = write!(uri, "&period={}", scheme.period);
    }
    uri
}

/// RFC 3986 section 2: every byte that is not unreserved becomes `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len().saturating_mul(3));
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
