//! Pictures as RFC 2397 data URIs, ready for `<img src>`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::error::{Error, Result};
use crate::wiped::Wiped;

/// A PNG as a JSON string in its quotes: base64 has nothing that JSON escapes.
pub(crate) fn quoted(png: &[u8]) -> Result<Wiped> {
    const PREFIX: &[u8] = b"\"data:image/png;base64,";
    let too_large = || Error::internal("the picture is too large for a data URI");
    let length = base64::encoded_len(png.len(), true).ok_or_else(too_large)?;
    let end = PREFIX.len() + length;
    let mut uri = Wiped::with_capacity(end + 1);
    uri.extend_from_slice(PREFIX);
    uri.resize(end, 0);
    BASE64
        .encode_slice(png, &mut uri[PREFIX.len()..])
        .map_err(|_| too_large())?;
    uri.push(b'"');
    Ok(uri)
}
