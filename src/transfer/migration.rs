//! What Google's app shows as QR codes when accounts are moved: `otpauth-migration://offline?data=`, then a message of
//! protocol buffers in base64, percent-encoded. Google has not published it; as all who read it have found it:
//!
//!     field 1 of the message, repeated:    1 secret, 2 name, 3 issuer, 4 algorithm, 5 digits, 6 type, 7 counter
//!
//! The rest of it numbers the QR codes.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use totp_rs::Algorithm;

use crate::error::{Error, Result};
use crate::otp::Scheme;
use crate::otpauth::decode;
use crate::status::Status;
use crate::transfer::fields::{counter, raw};
use crate::transfer::protobuf::{Fields, Malformed, Value};
use crate::transfer::{Entry, Found, Why, lines};
use crate::wiped::Wiped;

/// Padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const SCHEME: &str = "otpauth-migration:";
const CUT_OFF: &str = "the protobuf message is cut off, or is none";

/// A URI a line. One that cannot be read has a number like a credential; if none can, it is an error.
pub(super) fn read(text: &str, found: &mut Found) -> Result<()> {
    let messages = || lines(text).map(|(_, line)| message(line));
    if !messages().any(|message| message.is_ok()) {
        let why = messages().find_map(|message| message.err());
        let why = why.unwrap_or("there is no otpauth-migration URI");
        let message = format!("request.text: {why}");
        return Err(Error::new(Status::DataFormat, message));
    }
    let mut number = 0;
    for message in messages() {
        let message = match message {
            Ok(message) => message,
            Err(why) => {
                number += 1;
                found(number, Err(why.into()))?;
                continue;
            }
        };
        for field in Fields(&message) {
            if let Ok((1, Value::Bytes(account))) = field {
                number += 1;
                found(number, entry(account))?;
            }
        }
    }
    Ok(())
}

/// The message of a URI, whose fields can be read.
fn message(uri: &str) -> std::result::Result<Wiped, &'static str> {
    let (scheme, rest) = uri.split_at_checked(SCHEME.len()).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err("a URI must begin with otpauth-migration:");
    }
    let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (_, query) = rest.split_once('?').unwrap_or_default();
    let data = query.split('&').find_map(|part| part.strip_prefix("data="));
    let data = data.filter(|data| !data.is_empty());
    let data = data.ok_or("the URI has no data")?;
    let not_base64 = "the URI's data are not base64";
    let decoded = decode(data, false).map_err(|_| not_base64)?;
    let mut base64 = Wiped::with_capacity(decoded.text.len());
    // Also as base64url; and a blank was a plus before somebody decoded the query.
    base64.extend(decoded.text.bytes().map(|byte| match byte {
        b'-' | b' ' => b'+',
        b'_' => b'/',
        byte => byte,
    }));
    let mut message = Wiped::zeroed(base64.len() / 4 * 3 + 3);
    let length = BASE64.decode_slice(&*base64, &mut message);
    message.truncate(length.map_err(|_| not_base64)?);
    match Fields(&message).all(|field| field.is_ok()) {
        true => Ok(message),
        false => Err(CUT_OFF),
    }
}

fn entry(account: &[u8]) -> std::result::Result<Entry<'_>, Why> {
    let (mut secret, mut name, mut issuer): (&[u8], &[u8], &[u8]) = Default::default();
    let mut numbers = [0; 4];
    for field in Fields(account) {
        match field.map_err(|Malformed| CUT_OFF)? {
            (1, Value::Bytes(bytes)) => secret = bytes,
            (2, Value::Bytes(bytes)) => name = bytes,
            (3, Value::Bytes(bytes)) => issuer = bytes,
            (4, Value::Number(number)) => numbers[0] = number,
            (5, Value::Number(number)) => numbers[1] = number,
            (6, Value::Number(number)) => numbers[2] = number,
            (7, Value::Number(number)) => numbers[3] = number,
            _ => {}
        }
    }
    let [algorithm, digits, kind, next] = numbers;
    // Zero is the app's default.
    let algorithm = match algorithm {
        0 | 1 => Algorithm::SHA1,
        2 => Algorithm::SHA256,
        3 => Algorithm::SHA512,
        _ => return Err("algorithm: must be SHA1, SHA256 or SHA512".into()),
    };
    let digits = match digits {
        0 | 1 => 6,
        2 => 8,
        _ => return Err("digits: must be 6 or 8".into()),
    };
    let counter = match kind {
        1 => Some(counter(Some(next))?),
        0 | 2 => None,
        _ => return Err("type: must be hotp or totp".into()),
    };
    let text = |bytes| str::from_utf8(bytes).map_err(|_| Why::Borrowed("names: not UTF-8"));
    let (name, issuer) = (text(name)?, text(issuer)?.trim());
    // As in the label of an otpauth URI.
    let (label_issuer, username) = name.split_once(':').unwrap_or(("", name));
    let label_issuer = label_issuer.trim();
    let issuer_or_labels = if issuer.is_empty() {
        label_issuer
    } else {
        issuer
    };
    let differs = !label_issuer.is_empty() && label_issuer != issuer_or_labels;
    let differs = differs.then_some("issuer: the name has another one, which is not kept");
    Ok(Entry {
        username: username.into(),
        issuer: issuer_or_labels.into(),
        secret: raw(secret)?,
        scheme: Scheme {
            algorithm,
            digits,
            period: 30,
        },
        counter,
        warnings: differs.into_iter().map(Into::into).collect(),
    })
}
