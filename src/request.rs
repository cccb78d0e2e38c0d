//! What the requests of all operations have in common.

use std::borrow::Cow;

use crate::error::Result;
use crate::json::{Names, Object, Statuses};
use crate::name;
use crate::secret::Secret;
use crate::status::Status;

/// Texts for developers and logs, beside what was asked for.
pub(crate) type Warnings = Vec<Cow<'static, str>>;

/// A request's object, whose members, of these names, the operation takes.
pub(crate) fn read<'a>(text: &'a str, names: Names) -> Result<Object<'a>> {
    let request = Object::read(text, "request", Statuses::all(Status::BadRequest))?;
    Ok(request.knowing(names))
}

/// The secret of a request that has nothing else.
pub(crate) fn read_secret(text: &str) -> Result<Secret> {
    let mut request = read(text, &[&["totpsecret"]])?;
    let secret = request.required_text("totpsecret")?;
    request.finish()?;
    Secret::from_base32(&secret)
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
