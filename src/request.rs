//! What the requests of all operations have in common.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::json::{Names, Object, Statuses, Text};
use crate::name;
use crate::status::Status;

/// The longest `bind`.
const MAX_BIND_BYTES: usize = 255;

/// Texts for developers and logs, beside what was asked for.
pub(crate) type Warnings = Vec<Cow<'static, str>>;

/// A request's object, whose members, of these names, the operation takes.
pub(crate) fn read(text: &str, names: Names) -> Result<Object<'_>> {
    let request = Object::read(text, "request", Statuses::all(Status::BadRequest))?;
    Ok(request.knowing(names))
}

/// The members that tell whose secret it is.
pub(crate) const WHOSE: &[&str] = &["username", "bind"];

/// What a sealed secret may be bound to.
pub(crate) struct Whose<'a> {
    username: Option<Text<'a>>,
    bind: Option<Text<'a>>,
}

impl<'a> Whose<'a> {
    /// Takes both members. The username may be any text: nobody must be locked out by a name.
    pub(crate) fn read(request: &mut Object<'a>) -> Result<Self> {
        Ok(Whose {
            username: request.text("username")?,
            bind: read_bind(request)?,
        })
    }

    /// What a secret is bound to: `bind` or, without it, the username as accounts are read.
    pub(crate) fn bound_to(&self) -> Option<&str> {
        bound_to(self.username.as_deref(), self.bind.as_deref())
    }
}

/// The secret of a request that has nothing else, and whose it is.
pub(crate) fn read_secret(text: &str) -> Result<(Text<'_>, Whose<'_>)> {
    let mut request = read(text, &[&["totpsecret"], WHOSE])?;
    let secret = request.required_text("totpsecret")?;
    let whose = Whose::read(&mut request)?;
    request.finish()?;
    Ok((secret, whose))
}

/// The refusal when a secret is to be sealed, and for nobody.
pub(crate) fn bound_to_nobody() -> Error {
    Error::bad_request(
        "request.username: must not be blank without bind: the secret is sealed for it",
    )
}

/// What takes the place of the username in a sealed secret.
pub(crate) fn read_bind<'a>(request: &mut Object<'a>) -> Result<Option<Text<'a>>> {
    match request.text("bind")? {
        Some(bind) if !(1..=MAX_BIND_BYTES).contains(&bind.len()) => {
            Err(request.wrong("bind", "1 to 255 bytes long"))
        }
        bind => Ok(bind),
    }
}

pub(crate) fn bound_to<'a>(username: Option<&'a str>, bind: Option<&'a str>) -> Option<&'a str> {
    bind.or(username
        .map(str::trim)
        .filter(|username| !username.is_empty()))
}

/// The account, without the blanks around it. A name that nobody would see, or that does not fit, is refused
/// while there is still time for another; if its secret exists, it is used all the same.
pub(crate) fn read_account(object: &mut Object, is_new: bool) -> Result<String> {
    let username = object.required_text("username")?;
    let username = username.trim();
    if is_new && let Err(expected) = name::check_account(username) {
        return Err(object.wrong("username", &expected));
    }
    Ok(username.to_owned())
}
