//! crossauth's `prepare_configuration` and `reprepare_configuration`: an enrollment that waits in a session
//! until the user has typed a right code.

use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::json::{Data, Object, Statuses, Text};
use crate::operations::enroll::Enrollment;
use crate::request::{self, Warnings, bound_to, read_account};
use crate::response::Response;
use crate::secret::Stored;
use crate::status::Status;

/// What session data that is not as it should be is answered with.
const SESSION: Statuses = Statuses::all(Status::DataFormat);

#[derive(Serialize)]
struct UserData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    totpsecret: &'a str,
    factor2: &'a str,
    qr: &'a RawValue,
    uri: &'a str,
}

impl<'a> UserData<'a> {
    fn of(enrollment: &'a Enrollment, username: Option<&'a str>, factor2: &'a str) -> Result<Self> {
        Ok(UserData {
            username,
            totpsecret: &enrollment.totpsecret,
            factor2,
            qr: enrollment.qr()?,
            uri: &enrollment.uri,
        })
    }
}

impl Authenticator {
    /// `{"user":{"username",...}}` -> what to show to the user, and what to keep in the session.
    pub(crate) fn prepare_configuration(&self, request: &str) -> Result<Response> {
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
        let mut request = request::read(request, &[&["user"]])?;
        let username = read_account(&mut request.required_object("user")?, true)?;
        request.finish()?;
        let factor2 = self.config.factor_name.as_str();
        if factor2.is_empty() {
            return Err(Error::configuration(
                "config.factor_name: missing, and factor2_prepare_configuration needs it",
            ));
        }
        let stored = self.new_secret()?;
        let enrollment = self.enroll(&username, &stored)?;
        let to_store = self.to_store(&stored, &username)?;
        let body = Body {
            user_data: UserData::of(&enrollment, Some(&username), factor2)?,
            session_data: SessionData {
                username: &username,
                totpsecret: &to_store,
                factor2,
            },
            warnings: &enrollment.warnings,
        };
        Response::with_room(&body, enrollment.room())
    }

    /// `{"username","sessionKey":{"data"}}` -> the enrollment that the session already has.
    pub(crate) fn reprepare_configuration(&self, request: &str) -> Result<Response> {
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
        let mut request = request::read(request, &[&["username", "sessionKey"]])?;
        let username = read_account(&mut request, false)?;
        let mut key = request.required_object("sessionKey")?;
        request.finish()?;
        let data = key.data("data")?;
        key.ignore(&["value", "created", "expires", "userid", "lastactive"]);
        key.finish()?;
        let Some(data) = data else {
            let message = "request.sessionKey.data: missing";
            return Err(Error::new(Status::InvalidKey, message));
        };
        let (totpsecret, factor2) = session_factor(data)?;
        let stored = self.open_secret(&totpsecret, bound_to(Some(&username), None))?;
        let enrollment = self.enroll(&username, &stored)?;
        let body = Body {
            user_data: UserData::of(&enrollment, None, &factor2)?,
            secrets: Secrets {
                totpsecret: &self.to_store(&stored, &username)?,
            },
            new_session_data: None,
            warnings: &enrollment.warnings,
        };
        Response::with_room(&body, enrollment.room())
    }

    /// Sealed, if there are keys.
    fn to_store(&self, stored: &Stored, username: &str) -> Result<Zeroizing<String>> {
        let sealed = self.sealed(stored, bound_to(Some(username), None))?;
        Ok(sealed.unwrap_or_else(|| stored.text()))
    }
}

/// The secret and the factor's name that `factor2_prepare_configuration` put into the session. An array
/// or a string in the place of an object has neither: crossauth looks into them as well.
fn session_factor(data: Data<'_>) -> Result<(Zeroizing<String>, String)> {
    let session = match data {
        Data::Object(session) => Some(session.answering(SESSION)),
        // crossauth takes a session without text for one that is empty.
        Data::Text(text) if text.is_empty() => None,
        Data::Text(text) => {
            let path = "request.sessionKey.data";
            return factor_in(Object::read_if_any(&text, path, SESSION)?);
        }
        Data::Array | Data::Null => None,
    };
    factor_in(session)
}

/// crossauth keeps the configuration at top level or under `2fa`, beside what is not ours.
fn factor_in(session: Option<Object>) -> Result<(Zeroizing<String>, String)> {
    let mut session = session.ok_or_else(|| not_in_session("totpsecret", ""))?;
    let mut factor = match session.data("2fa")? {
        None => session,
        Some(Data::Object(nested)) => nested,
        Some(Data::Array | Data::Text(_)) => return Err(not_in_session("totpsecret", "")),
        Some(Data::Null) => return Err(session.wrong("2fa", "an object")),
    };
    let secret = text_in_session(&mut factor, "totpsecret")?;
    let factor2 = text_in_session(&mut factor, "factor2")?;
    Ok((secret.to_owned().into(), factor2.to_owned()))
}

fn text_in_session<'a>(session: &mut Object<'a>, name: &str) -> Result<Text<'a>> {
    let text = session.text(name)?;
    text.ok_or_else(|| not_in_session(name, &session.instead_of(name)))
}

fn not_in_session(name: &str, instead: &str) -> Error {
    let message = format!("request.sessionKey.data: has no {name}{instead}");
    Error::new(Status::Unauthorized, message)
}
