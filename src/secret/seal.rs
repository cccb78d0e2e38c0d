//! Sealed secrets: what a database holds tells nothing without a key, and opens for one user alone.
//!
//! Format `f2s1.KEY.TEXT`, KEY the key's name and TEXT base64url without padding of
//!
//!     nonce (24 random bytes) || commit || XChaCha20-Poly1305(enc, nonce, aad, the secret's text) || tag
//!
//! where `enc || commit` is HKDF-SHA256 (RFC 5869) of the key, with the nonce as salt and "factor2 seal 1", a zero
//! byte and KEY as info; and aad is "f2s1", KEY and what the secret is bound to, each after its length in two bytes. The
//! commitment is there because the cipher alone has texts that open by two keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{Key as EncryptionKey, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::status::Status;
use crate::wiped::Wiped;

const FORMAT: &str = "f2s1";
const INFO: &[u8] = b"factor2 seal 1\0";

pub(super) const KEY: usize = 32;
const NONCE: usize = 24;
const COMMIT: usize = 32;
const TAG: usize = 16;

/// A key with its name.
pub(super) struct Key {
    pub(super) name: String,
    /// In memory of its own, so that a list of keys that grows leaves none behind.
    pub(super) bytes: Wiped,
}

/// The parts of a sealed text, none of them checked.
pub(super) struct Sealed<'a> {
    pub(super) key: &'a str,
    text: &'a str,
}

/// What a key and a nonce give.
struct Derived {
    cipher: XChaCha20Poly1305,
    commit: Zeroizing<[u8; COMMIT]>,
}

/// Whether a text is the beginning of a sealed one, of which the rest is lost. No secret is as short.
pub(super) fn begins_sealed(text: &str) -> bool {
    !text.is_empty() && FORMAT.starts_with(text)
}

/// The one answer to all that does not open.
pub(super) fn does_not_open() -> Error {
    let message = "totpsecret: sealed, and does not open: it was changed, is another user's, or its key is not \
                   in config.seal.keys";
    Error::new(Status::InvalidSecret, message)
}

impl<'a> Sealed<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (format, rest) = text.split_once('.')?;
        let (key, text) = rest.split_once('.')?;
        (format == FORMAT).then_some(Sealed { key, text })
    }
}

impl Key {
    /// Seals a text for whom `bound_to` names.
    pub(super) fn seal(&self, text: &str, bound_to: &str) -> Result<Zeroizing<String>> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| Error::no_randomness())?;
        let impossible = || Error::internal("the secret could not be sealed");
        let derived = self.derive(&nonce)?;
        let mut sealed = Wiped::with_capacity(NONCE + COMMIT + text.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&*derived.commit);
        let begin = sealed.len();
        sealed.extend_from_slice(text.as_bytes());
        let nonce = XNonce::from(nonce);
        let buffer = (&mut sealed[begin..]).into();
        let aad = self.aad(bound_to);
        let tag = derived.cipher.encrypt_inout_detached(&nonce, &aad, buffer);
        sealed.extend_from_slice(&tag.map_err(|_| impossible())?);
        let mut text = Zeroizing::new(format!("{FORMAT}.{}.", self.name));
        BASE64.encode_string(&*sealed, &mut text);
        Ok(text)
    }

    /// How long [`Key::seal`] makes a text of so many bytes.
    pub(super) fn sealed_length(&self, bytes: usize) -> usize {
        let base64 = (4 * (NONCE + COMMIT + bytes + TAG)).div_ceil(3);
        FORMAT.len() + self.name.len() + 2 + base64
    }

    /// Opens what [`Key::seal`] made for the same; `None` for everything else.
    pub(super) fn open(&self, sealed: &Sealed, bound_to: &str) -> Result<Option<Wiped>> {
        let mut bytes = Wiped::zeroed(sealed.text.len() * 3 / 4 + 3);
        let Ok(length) = BASE64.decode_slice(sealed.text, &mut bytes) else {
            return Ok(None);
        };
        bytes.truncate(length);
        let Some((nonce, rest)) = bytes.split_first_chunk::<NONCE>() else {
            return Ok(None);
        };
        let Some((commit, rest)) = rest.split_first_chunk::<COMMIT>() else {
            return Ok(None);
        };
        let Some((text, tag)) = rest.split_last_chunk::<TAG>() else {
            return Ok(None);
        };
        let derived = self.derive(nonce)?;
        if !bool::from(derived.commit.ct_eq(commit)) {
            return Ok(None);
        }
        let mut opened = Wiped::with_capacity(text.len());
        opened.extend_from_slice(text);
        let (nonce, tag) = (XNonce::from(*nonce), Tag::from(*tag));
        let aad = self.aad(bound_to);
        let buffer = (&mut *opened).into();
        let outcome = derived
            .cipher
            .decrypt_inout_detached(&nonce, &aad, buffer, &tag);
        Ok(outcome.is_ok().then_some(opened))
    }

    fn derive(&self, nonce: &[u8; NONCE]) -> Result<Derived> {
        let mut derived = Zeroizing::new([0; KEY + COMMIT]);
        let hkdf = Hkdf::<Sha256>::new(Some(nonce), &self.bytes);
        let expanded = hkdf.expand_multi_info(&[INFO, self.name.as_bytes()], &mut *derived);
        expanded.map_err(|_| Error::internal("HKDF gives no 64 bytes"))?;
        let (key, commit) = derived.split_at(KEY);
        let cipher = <&EncryptionKey>::try_from(key).map(XChaCha20Poly1305::new);
        let mut kept = Zeroizing::new([0; COMMIT]);
        kept.copy_from_slice(commit);
        Ok(Derived {
            cipher: cipher.map_err(|_| Error::internal("the cipher takes no such key"))?,
            commit: kept,
        })
    }

    /// What it is bound to is shorter than 64 KiB, as the requests are that open it.
    fn aad(&self, bound_to: &str) -> Vec<u8> {
        let mut aad = Vec::with_capacity(6 + FORMAT.len() + self.name.len() + bound_to.len());
        for text in [FORMAT, &self.name, bound_to] {
            let [.., high, low] = text.len().to_be_bytes();
            aad.extend([high, low]);
            aad.extend(text.as_bytes());
        }
        aad
    }
}
