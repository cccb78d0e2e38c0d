//! Microsoft Entra's list of hardware tokens: CSV whose header line names the columns, of which the secret in base32
//! must be there. Codes have 6 digits, <https://learn.microsoft.com/en-us/entra/identity/authentication/how-to-mfa-upload-oath-tokens>;
//! SHA256 came with the newer names of Microsoft Graph (hardwareOathTokenAuthenticationMethodDevice), which are
//! taken, too.

use std::borrow::Cow;

use totp_rs::Algorithm;

use crate::error::{Error, Result};
use crate::json::Text;
use crate::otp::Scheme;
use crate::status::Status;
use crate::transfer::csv::fields;
use crate::transfer::fields::{algorithm, base32, period};
use crate::transfer::{Entry, Found, Why, lines};

pub(super) fn read(text: &str, found: &mut Found) -> Result<()> {
    let mut lines = lines(text);
    let Some((_, header)) = lines.next() else {
        return Ok(());
    };
    let header = fields(header).map(|names| Columns::read(&names));
    let Ok(Some(columns)) = header else {
        let message =
            "request.text: its first line must name the columns, \"secret key\" among them";
        return Err(Error::new(Status::DataFormat, message));
    };
    for (number, line) in lines {
        found(number, columns.entry(line))?;
    }
    Ok(())
}

/// Where they stand.
struct Columns {
    secret: usize,
    upn: Option<usize>,
    serial: Option<usize>,
    interval: Option<usize>,
    hash: Option<usize>,
}

impl Columns {
    fn read(names: &[Text]) -> Option<Self> {
        // "Secret Key", "secret_key" and "secretKey" alike.
        let letters = |name: &str| -> String {
            let letters = name.chars().filter(char::is_ascii_alphabetic);
            letters.map(|c| c.to_ascii_lowercase()).collect()
        };
        let names: Vec<String> = names.iter().map(|name| letters(name)).collect();
        let column = |known: &[&str]| names.iter().position(|name| known.contains(&&**name));
        Some(Columns {
            secret: column(&["secretkey"])?,
            upn: column(&["upn", "userprincipalname"]),
            serial: column(&["serialnumber"]),
            interval: column(&["timeinterval", "timeintervalinseconds"]),
            hash: column(&["hashfunction"]),
        })
    }

    fn entry(&self, line: &str) -> std::result::Result<Entry<'static>, Why> {
        let fields = fields(line)?;
        let field = |at: Option<usize>| at.and_then(|at| fields.get(at)).map_or("", |field| field);
        let secret = match field(Some(self.secret)) {
            "" => return Err("totpsecret: missing".into()),
            secret => base32(secret)?,
        };
        let period = match field(self.interval) {
            "" => 30,
            seconds => period(seconds)?,
        };
        let algorithm = match field(self.hash) {
            "" => Algorithm::SHA1,
            name => algorithm(name)?,
        };
        let mut warnings: Vec<Cow<'static, str>> = Vec::new();
        let username = match (field(self.upn), field(self.serial)) {
            ("", "") => "",
            ("", serial) => {
                let what = "username: the token is nobody's; its serial number is there instead";
                warnings.push(what.into());
                serial
            }
            (upn, _) => upn,
        };
        Ok(Entry {
            username: username.to_owned().into(),
            issuer: "".into(),
            secret,
            scheme: Scheme {
                algorithm,
                digits: 6,
                period,
            },
            counter: None,
            warnings,
        })
    }
}
