//! The settings of an authenticator, read once and never changed.

use serde::Serialize;
use totp_rs::Algorithm;

use crate::error::{Failure, Result, Status};
use crate::guard::GuardSettings;
use crate::json::{Fault, Object};
use crate::name;
use crate::qr::QrSettings;
use crate::totp::Scheme;

/// The names of all settings.
const NAMES: &[&str] = &[
    "issuer",
    "factor_name",
    "friendly_name",
    "algorithm",
    "digits",
    "period",
    "window",
    "secret_bytes",
    "qr",
    "guard",
    "fixed_time",
];

/// Everything that `factor2_authenticator_new` is told.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) issuer: String,
    /// Empty when it was not set.
    pub(crate) factor_name: String,
    pub(crate) friendly_name: String,
    pub(crate) scheme: Scheme,
    pub(crate) window: Window,
    pub(crate) secret_bytes: usize,
    pub(crate) qr: QrSettings,
    /// For tests: what the clock shows, in Unix seconds.
    pub(crate) fixed_time: Option<u64>,
}

/// How many steps before and after the current one are accepted.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Window {
    pub(crate) past: u64,
    pub(crate) future: u64,
}

impl Config {
    /// Reads the settings, and those of the guard, and applies every default and limit.
    pub(crate) fn read(text: &str) -> Result<(Self, GuardSettings)> {
        let config = Object::read(text, "config").map_err(setting_failure)?;
        let mut config = config.knowing(NAMES);
        let issuer = config.required_text("issuer").map_err(setting_failure)?;
        let issuer = issuer.trim();
        name::check_issuer(issuer)
            .map_err(|expected| setting_failure(config.wrong("issuer", &expected)))?;
        let settings = Config {
            issuer: issuer.to_owned(),
            factor_name: label(&mut config, "factor_name")?.unwrap_or_default(),
            friendly_name: label(&mut config, "friendly_name")?
                .unwrap_or_else(|| "Authenticator app".to_owned()),
            scheme: read_scheme(&mut config)?,
            window: read_window(&mut config)?,
            secret_bytes: small(&mut config, "secret_bytes", 16, 64)?.unwrap_or(20),
            qr: QrSettings::read(&mut config)?,
            fixed_time: config
                .integer("fixed_time", 0..=u64::MAX)
                .map_err(setting_failure)?,
        };
        let guard = GuardSettings::read(&mut config)?;
        config.finish().map_err(setting_failure)?;
        Ok((settings, guard))
    }
}

fn read_scheme(config: &mut Object) -> Result<Scheme> {
    let algorithms = [
        ("SHA1", Algorithm::SHA1),
        ("SHA256", Algorithm::SHA256),
        ("SHA512", Algorithm::SHA512),
    ];
    Ok(Scheme {
        algorithm: choice(config, "algorithm", &algorithms)?.unwrap_or(Algorithm::SHA1),
        digits: small(config, "digits", 6, 8)?.unwrap_or(6),
        period: small(config, "period", 15, 120)?.unwrap_or(30),
    })
}

fn read_window(config: &mut Object) -> Result<Window> {
    let Some(mut window) = config.object("window").map_err(setting_failure)? else {
        return Ok(Window { past: 1, future: 1 });
    };
    let read = Window {
        past: small(&mut window, "past", 0, 2)?.unwrap_or(1),
        future: small(&mut window, "future", 0, 2)?.unwrap_or(1),
    };
    window.finish().map_err(setting_failure)?;
    Ok(read)
}

/// An integer setting of a type that all of `least..=most` fits into.
pub(crate) fn small<T: TryFrom<u64>>(
    object: &mut Object,
    name: &str,
    least: u64,
    most: u64,
) -> Result<Option<T>> {
    let number = object
        .integer(name, least..=most)
        .map_err(setting_failure)?;
    Ok(number.and_then(|n| T::try_from(n).ok()))
}

/// A setting that is one of a few words.
pub(crate) fn choice<T: Copy>(
    object: &mut Object,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>> {
    let Some(text) = object.text(name).map_err(setting_failure)? else {
        return Ok(None);
    };
    match words.iter().find(|(word, _)| *word == &*text) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let known = known.join(", ");
            Err(setting_failure(
                object.wrong(name, &format!("one of {known}")),
            ))
        }
    }
}

/// A name that is shown or stored, but never part of a URI.
fn label(config: &mut Object, name: &str) -> Result<Option<String>> {
    let text = config.text(name).map_err(setting_failure)?;
    let Some(text) = text else { return Ok(None) };
    let fits = (1..=name::MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits {
        Ok(Some(text.to_owned()))
    } else {
        let expected = "1 to 255 bytes without control characters";
        Err(setting_failure(config.wrong(name, expected)))
    }
}

/// A text that is not one JSON object is a bad request; a wrong setting in it a configuration error.
pub(crate) fn setting_failure(fault: Fault) -> Failure {
    let status = match fault {
        Fault::Text(_) => Status::BadRequest,
        Fault::Member(_) => Status::Configuration,
    };
    Failure::new(status, fault.into_message())
}
