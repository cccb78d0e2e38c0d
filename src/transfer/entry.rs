//! One credential, on its way from a foreign form to the one that is stored.

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::name;
use crate::otp::Scheme;
use crate::otpauth::provisioning_uri;
use crate::secret::Secret;
use crate::transfer::Why;

/// The longest URI. Requests may have 64 KiB, and one with the URI, sealed, and a name with all its escapes has less.
const MAX_URI_BYTES: usize = 16 * 1024;

/// What a format says of one credential.
pub(crate) struct Entry<'a> {
    /// Empty where it says nothing of that; so is the issuer.
    pub(super) username: Cow<'a, str>,
    pub(super) issuer: Cow<'a, str>,
    pub(super) secret: Secret,
    pub(super) scheme: Scheme,
    /// The next one, of type hotp.
    pub(super) counter: Option<u64>,
    /// What was not carried over, and what was taken for something else.
    pub(super) warnings: Vec<Cow<'static, str>>,
}

impl Entry<'_> {
    pub(crate) fn username(&self) -> &str {
        self.username.trim()
    }

    pub(crate) fn issuer(&self) -> &str {
        self.issuer.trim()
    }

    /// The form in which it is stored, if it can be: one that is read back to the same.
    pub(crate) fn uri(&self) -> Result<Zeroizing<String>, Why> {
        let (username, issuer) = (self.username(), self.issuer());
        let has_nul = |name: &str| name.contains('\0');
        if has_nul(username) {
            return Err("username: has a NUL".into());
        }
        if has_nul(issuer) {
            return Err("issuer: has a NUL".into());
        }
        // Before all of them are encoded.
        let names_fit = username.len() + 2 * issuer.len() <= MAX_URI_BYTES;
        let uri = names_fit.then(|| {
            let secret = self.secret.to_base32();
            provisioning_uri(issuer, username, &secret, &self.scheme, self.counter)
        });
        let uri = uri.filter(|uri| uri.len() <= MAX_URI_BYTES);
        uri.ok_or_else(|| format!("names: the URI would have over {MAX_URI_BYTES} bytes").into())
    }

    /// All that is to be said of it.
    pub(crate) fn warnings(&self) -> Vec<Cow<'static, str>> {
        let mut warnings = self.warnings.clone();
        match self.username() {
            "" => warnings.push("username: none; the secret is nobody's yet".into()),
            username => warnings.extend(name::warnings(username)),
        }
        if !self.issuer().is_empty()
            && let Err(expected) = name::check_issuer(self.issuer())
        {
            warnings.push(format!("issuer: should be {expected}").into());
        }
        warnings.extend(self.secret.warnings());
        warnings
    }
}
