//! Enrolment: a secret, its provisioning URI and its QR code, as crossauth's `create_secret`,
//! `prepare_configuration` and `reprepare_configuration` give them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::authenticator::{Authenticator, bad_request, read_request};
use crate::error::{Failure, Result, Status};
use crate::json::{Data, Fault, Object, Text};
use crate::name;
use crate::qr::{Picture, Symbol, draw_text};
use crate::secret::Secret;
use crate::uri::provisioning_uri;
use crate::wiped::Wiped;

type Warnings = Vec<Cow<'static, str>>;

/// Everything that an enrolment shows to the user.
struct Enrolment {
    totpsecret: Zeroizing<String>,
    uri: Zeroizing<String>,
    /// The PNG as `data:image/png;base64,...`, a JSON string in its quotes.
    qr: Wiped,
    png: Wiped,
    warnings: Warnings,
}

#[derive(Serialize)]
struct UserData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    totpsecret: &'a str,
    factor2: &'a str,
    qr: &'a RawValue,
    uri: &'a str,
}

impl Authenticator {
    /// `{"username","totpsecret"?}` -> `{"username","totpsecret","uri","qr"}` and the PNG.
    pub(crate) fn create_secret(&self, request: &str) -> Result<Answer> {
        #[derive(Serialize)]
        struct Body<'a> {
            username: &'a str,
            totpsecret: &'a str,
            uri: &'a str,
            qr: &'a RawValue,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: &'a Warnings,
        }
        let mut request = read_request(request, &["username", "totpsecret"])?;
        let username = request.required_text("username").map_err(bad_request)?;
        let username = username.trim();
        let given = request.text("totpsecret").map_err(bad_request)?;
        if given.is_none() {
            check_new_account(&request, username)?;
        }
        request.finish().map_err(bad_request)?;
        let secret = match given {
            Some(text) => Secret::from_base32(&text)?,
            None => self.new_secret()?,
        };
        let enrolment = self.enrol(username, &secret)?;
        let body = Body {
            username,
            totpsecret: &enrolment.totpsecret,
            uri: &enrolment.uri,
            qr: enrolment.qr()?,
            warnings: &enrolment.warnings,
        };
        let answer = Answer::with_room(&body, enrolment.room())?;
        Ok(answer.with_data(enrolment.png))
    }

    /// `{"username","totpsecret","text"?}` -> `{"uri","width","height","bytes","text"?}` and the PNG.
    pub(crate) fn qr_png(&self, request: &str) -> Result<Answer> {
        #[derive(Serialize)]
        struct Body<'a> {
            uri: &'a str,
            width: u32,
            height: u32,
            bytes: usize,
            #[serde(skip_serializing_if = "Option::is_none")]
            text: Option<&'a str>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: &'a Warnings,
        }
        let mut request = read_request(request, &["username", "totpsecret", "text"])?;
        let username = request.required_text("username").map_err(bad_request)?;
        let username = username.trim();
        let secret = request.required_text("totpsecret").map_err(bad_request)?;
        let wants_text = request.boolean("text").map_err(bad_request)? == Some(true);
        request.finish().map_err(bad_request)?;
        let secret = Secret::from_base32(&secret)?;
        let totpsecret = secret.to_base32();
        let uri = self.uri(username, &totpsecret);
        let symbol = self.symbol(&uri, &totpsecret)?;
        let picture = Picture::draw(&symbol, &self.config.qr)?;
        let text = wants_text.then(|| draw_text(&symbol, &self.config.qr));
        let body = Body {
            uri: &uri,
            width: picture.side,
            height: picture.side,
            bytes: picture.png.len(),
            text: text.as_ref().map(|text| text.as_str()),
            warnings: &warnings(username, &secret),
        };
        Ok(Answer::new(&body)?.with_data(picture.png))
    }

    /// `{"user":{"username",...}}` -> what to show to the user, and what to keep in the session.
    pub(crate) fn prepare_configuration(&self, request: &str) -> Result<Answer> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            user_data: UserData<'a>,
            session_data: SessionData<'a>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: &'a Warnings,
        }
        #[derive(Serialize)]
        struct SessionData<'a> {
            username: &'a str,
            totpsecret: &'a str,
            factor2: &'a str,
        }
        let mut request = read_request(request, &["user"])?;
        let mut user = required_object(&mut request, "user")?;
        let username = user.required_text("username").map_err(bad_request)?;
        let username = username.trim();
        check_new_account(&user, username)?;
        request.finish().map_err(bad_request)?;
        let factor2 = self.config.factor_name.as_str();
        if factor2.is_empty() {
            return Err(Failure::configuration(
                "config.factor_name: missing, and factor2_prepare_configuration needs it",
            ));
        }
        let enrolment = self.enrol(username, &self.new_secret()?)?;
        let body = Body {
            user_data: enrolment.user_data(Some(username), factor2)?,
            session_data: SessionData {
                username,
                totpsecret: &enrolment.totpsecret,
                factor2,
            },
            warnings: &enrolment.warnings,
        };
        Answer::with_room(&body, enrolment.room())
    }

    /// `{"username","sessionKey":{"data"}}` -> the enrolment that the session already has.
    pub(crate) fn reprepare_configuration(&self, request: &str) -> Result<Answer> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            user_data: UserData<'a>,
            secrets: Secrets<'a>,
            new_session_data: Option<()>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            warnings: &'a Warnings,
        }
        #[derive(Serialize)]
        struct Secrets<'a> {
            totpsecret: &'a str,
        }
        let mut request = read_request(request, &["username", "sessionKey"])?;
        let username = request.required_text("username").map_err(bad_request)?;
        let mut key = required_object(&mut request, "sessionKey")?;
        request.finish().map_err(bad_request)?;
        let data = key.data("data").map_err(bad_request)?;
        key.ignore(&["value", "created", "expires", "userid", "lastactive"]);
        key.finish().map_err(bad_request)?;
        let Some(data) = data else {
            let message = "request.sessionKey.data: missing";
            return Err(Failure::new(Status::InvalidKey, message));
        };
        let (secret, factor2) = session_factor(data)?;
        let enrolment = self.enrol(username.trim(), &secret)?;
        let body = Body {
            user_data: enrolment.user_data(None, &factor2)?,
            secrets: Secrets {
                totpsecret: &enrolment.totpsecret,
            },
            new_session_data: None,
            warnings: &enrolment.warnings,
        };
        Answer::with_room(&body, enrolment.room())
    }

    fn new_secret(&self) -> Result<Secret> {
        Secret::generate(self.config.secret_bytes)
    }

    fn enrol(&self, username: &str, secret: &Secret) -> Result<Enrolment> {
        let totpsecret = secret.to_base32();
        let uri = self.uri(username, &totpsecret);
        let symbol = self.symbol(&uri, &totpsecret)?;
        let picture = Picture::draw(&symbol, &self.config.qr)?;
        Ok(Enrolment {
            totpsecret,
            uri,
            qr: quoted_data_uri(&picture.png),
            png: picture.png,
            warnings: warnings(username, secret),
        })
    }

    fn uri(&self, username: &str, totpsecret: &str) -> Zeroizing<String> {
        let config = &self.config;
        provisioning_uri(&config.issuer, username, totpsecret, &config.scheme)
    }

    fn symbol(&self, uri: &str, totpsecret: &str) -> Result<Symbol> {
        let settings = &self.config.qr;
        Symbol::with(uri, settings).ok_or_else(|| {
            let level = settings.error_correction;
            let mostly_secret = totpsecret.len() > uri.len() / 2;
            let cause = if mostly_secret {
                "totpsecret"
            } else {
                "request.username"
            };
            Failure::bad_request(format!(
                "{cause}: with it the URI has {} bytes, more than a QR code holds at error \
                 correction {level:?}",
                uri.len()
            ))
        })
    }
}

impl Enrolment {
    fn user_data<'a>(
        &'a self,
        username: Option<&'a str>,
        factor2: &'a str,
    ) -> Result<UserData<'a>> {
        Ok(UserData {
            username,
            totpsecret: &self.totpsecret,
            factor2,
            qr: self.qr()?,
            uri: &self.uri,
        })
    }

    /// The picture as it stands in an answer: base64 has nothing that JSON escapes.
    fn qr(&self) -> Result<&RawValue> {
        serde_json::from_slice(&self.qr)
            .map_err(|_| Failure::new(Status::UnknownError, "the picture is not a JSON string"))
    }

    /// What an answer with all of it takes, in bytes.
    fn room(&self) -> usize {
        let uri = self.uri.len().saturating_mul(2);
        self.qr.len().saturating_add(uri).saturating_add(512)
    }
}

fn required_object<'a>(request: &mut Object<'a>, name: &str) -> Result<Object<'a>> {
    match request.object(name).map_err(bad_request)? {
        Some(object) => Ok(object),
        None => Err(bad_request(request.missing(name))),
    }
}

/// Refuses a name that nobody would see, or that does not fit, while there is still time for another.
fn check_new_account(object: &Object, username: &str) -> Result<()> {
    name::check_account(username)
        .map_err(|expected| bad_request(object.wrong("username", &expected)))
}

fn warnings(username: &str, secret: &Secret) -> Warnings {
    let mut warnings = secret.warnings();
    warnings.extend(name::warnings(username));
    warnings
}

/// The secret and the factor's name that `factor2_prepare_configuration` put into the session. An array
/// or a string in the place of an object has neither: crossauth looks into them as well.
fn session_factor(data: Data) -> Result<(Secret, String)> {
    let session = match data {
        Data::Object(session) => Some(session),
        // crossauth takes a session without text for one that is empty.
        Data::Text(text) if text.is_empty() => None,
        Data::Text(text) => {
            let path = "request.sessionKey.data";
            return factor_in(Object::read_if_any(&text, path).map_err(not_session_data)?);
        }
        Data::Array | Data::Null => None,
    };
    factor_in(session)
}

/// crossauth keeps the configuration at top level or under `2fa`, beside what is not ours.
fn factor_in(session: Option<Object>) -> Result<(Secret, String)> {
    let mut session = session.ok_or_else(|| not_in_session("totpsecret", ""))?;
    let mut factor = match session.data("2fa").map_err(not_session_data)? {
        None => session,
        Some(Data::Object(nested)) => nested,
        Some(Data::Array | Data::Text(_)) => return Err(not_in_session("totpsecret", "")),
        Some(Data::Null) => return Err(not_session_data(session.wrong("2fa", "an object"))),
    };
    let secret = text_in_session(&mut factor, "totpsecret")?;
    let factor2 = text_in_session(&mut factor, "factor2")?;
    Ok((Secret::from_base32(&secret)?, factor2.to_owned()))
}

fn text_in_session<'a>(session: &mut Object<'a>, name: &str) -> Result<Text<'a>> {
    let text = session.text(name).map_err(not_session_data)?;
    text.ok_or_else(|| not_in_session(name, &session.instead_of(name)))
}

fn not_in_session(name: &str, instead: &str) -> Failure {
    let message = format!("request.sessionKey.data: has no {name}{instead}");
    Failure::new(Status::Unauthorized, message)
}

fn not_session_data(fault: Fault) -> Failure {
    Failure::new(Status::DataFormat, fault.into_message())
}

/// RFC 2397, ready for `<img src>`, in quotes.
fn quoted_data_uri(png: &[u8]) -> Wiped {
    const PREFIX: &[u8] = b"\"data:image/png;base64,";
    let length = base64::encoded_len(png.len(), true).unwrap_or(0);
    let end = PREFIX.len().saturating_add(length);
    let mut uri = Wiped::with_capacity(end.saturating_add(1));
    uri.extend_from_slice(PREFIX);
    uri.resize(end, 0);
    if let Some(place) = uri.get_mut(PREFIX.len()..) {
        // There is room for exactly this.
        let _ = BASE64.encode_slice(png, place);
    }
    uri.push(b'"');
    uri
}
