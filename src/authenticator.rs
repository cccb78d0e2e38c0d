//! The authenticator: its settings, its clock, and how its operations read requests.
//!
//! The operations are methods from a request's text to an answer, beside it in `enrolment.rs` and
//! `verification.rs`.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::answer::Answer;
use crate::config::Config;
use crate::error::{Failure, Result, Status};
use crate::guard::Guard;
use crate::json::{Fault, Object};

/// Settings, and what they can do. It never changes after it was made, so any thread may use it.
#[derive(Debug)]
pub(crate) struct Authenticator {
    pub(crate) config: Config,
    pub(crate) guard: Guard,
}

impl Authenticator {
    pub(crate) fn new(config: &str) -> Result<Self> {
        let (config, guard) = Config::read(config)?;
        let guard = Guard::open(guard)?;
        Ok(Authenticator { config, guard })
    }

    /// `{}` -> what this authenticator is and can do, under crossauth's names, and its settings.
    pub(crate) fn describe(&self, request: &str) -> Result<Answer> {
        read_request(request, &[])?.finish().map_err(bad_request)?;
        let config = &self.config;
        let mut description = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "mfa_type": "otp",
            "mfa_channel": "none",
            "factor_name": config.factor_name,
            "friendly_name": config.friendly_name,
            "secret_names": ["totpsecret"],
            "transient_secret_names": ["otp"],
            "create_one_time_secrets": {},
            "validate_secrets": [],
            "can_create_user": true,
            "can_update_user": true,
            "can_update_secrets": false,
            "capabilities": {
                "can_create_user": true,
                "can_update_user": true,
                "can_update_secrets": false,
            },
            "require_user_entry": true,
            "skip_email_verification_on_signup": false,
            "issuer": config.issuer,
            "algorithm": config.scheme.algorithm.as_str(),
            "digits": config.scheme.digits,
            "period": config.scheme.period,
            "window": config.window,
            "secret_bytes": config.secret_bytes,
            "qr": config.qr,
            "guard": self.guard.describe(),
        });
        if let (Some(time), Some(members)) = (config.fixed_time, description.as_object_mut()) {
            members.insert("fixed_time".to_owned(), time.into());
        }
        Answer::new(&description)
    }

    /// Unix seconds, from the system's clock unless the settings fix them.
    pub(crate) fn now(&self) -> Result<u64> {
        if let Some(time) = self.config.fixed_time {
            return Ok(time);
        }
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Ok(since.as_secs()),
            Err(_) => Err(Failure::new(
                Status::UnknownError,
                "the system's clock shows a time before 1970",
            )),
        }
    }
}

/// A request's object, whose members, of these names, the operation takes.
pub(crate) fn read_request<'a>(
    text: &'a str,
    names: &'static [&'static str],
) -> Result<Object<'a>> {
    let request = Object::read(text, "request").map_err(bad_request)?;
    Ok(request.knowing(names))
}

pub(crate) fn bad_request(fault: Fault) -> Failure {
    Failure::bad_request(fault.into_message())
}
