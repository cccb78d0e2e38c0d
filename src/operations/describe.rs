//! What an authenticator is and can do.

use serde_json::json;

use crate::authenticator::Authenticator;
use crate::error::Result;
use crate::otpauth::apps;
use crate::request;
use crate::response::Response;

impl Authenticator {
    /// `{}` -> what this authenticator is and can do, under crossauth's names, and its settings.
    pub(crate) fn describe(&self, request: &str) -> Result<Response> {
        request::read(request, &[])?.finish()?;
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
            "look_ahead": config.look_ahead,
            "secret_bytes": config.secret_bytes,
            "qr": config.qr,
            "guard": self.guard.describe(),
        });
        let warnings = apps::warnings(&config.scheme, &config.issuer);
        if let Some(members) = description.as_object_mut() {
            if let Some(keys) = &config.seal {
                members.insert("seal".to_owned(), json!(keys.describe()));
            }
            if let Some(time) = config.fixed_time {
                members.insert("fixed_time".to_owned(), time.into());
            }
            if !warnings.is_empty() {
                members.insert("warnings".to_owned(), json!(warnings));
            }
        }
        Response::new(&description)
    }
}
