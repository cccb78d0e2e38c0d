//! The settings of an authenticator, read once and never changed.

use serde::Serialize;
use totp_rs::Algorithm;

use crate::error::Result;
use crate::guard::GuardSettings;
use crate::json::{Object, Statuses};
use crate::name;
use crate::otp::Scheme;
use crate::qr::QrSettings;
use crate::secret::Keys;
use crate::status::Status;

/// The names of all settings.
const NAMES: &[&str] = &[
    "issuer",
    "factor_name",
    "friendly_name",
    "algorithm",
    "digits",
    "period",
    "window",
    "look_ahead",
    "secret_bytes",
    "qr",
    "guard",
    "seal",
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
    /// How many counters of a secret of type hotp are accepted, from the expected one on.
    pub(crate) look_ahead: u64,
    pub(crate) secret_bytes: usize,
    pub(crate) qr: QrSettings,
    pub(crate) seal: Option<Keys>,
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
        let statuses = Statuses {
            text: Status::BadRequest,
            member: Status::Configuration,
        };
        let mut config = Object::read(text, "config", statuses)?.knowing(&[NAMES]);
        let issuer = config.required_text("issuer")?;
        let issuer = issuer.trim();
        name::check_issuer(issuer).map_err(|expected| config.wrong("issuer", &expected))?;
        let settings = Config {
            issuer: issuer.to_owned(),
            factor_name: label(&mut config, "factor_name")?.unwrap_or_default(),
            friendly_name: label(&mut config, "friendly_name")?
                .unwrap_or_else(|| "Authenticator app".to_owned()),
            scheme: read_scheme(&mut config)?,
            window: read_window(&mut config)?,
            look_ahead: config.integer("look_ahead", 1..=50)?.unwrap_or(10),
            secret_bytes: config.integer("secret_bytes", 16..=64)?.unwrap_or(20),
            qr: QrSettings::read(&mut config)?,
            seal: Keys::read(&mut config)?,
            fixed_time: config.integer("fixed_time", 0..=u64::MAX)?,
        };
        let guard = GuardSettings::read(&mut config)?;
        config.finish()?;
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
        algorithm: config
            .choice("algorithm", &algorithms)?
            .unwrap_or(Algorithm::SHA1),
        digits: config.integer("digits", 6..=8)?.unwrap_or(6),
        period: config.integer("period", 15..=120)?.unwrap_or(30),
    })
}

fn read_window(config: &mut Object) -> Result<Window> {
    let Some(mut window) = config.object("window")? else {
        return Ok(Window { past: 1, future: 1 });
    };
    let read = Window {
        past: window.integer("past", 0..=2)?.unwrap_or(1),
        future: window.integer("future", 0..=2)?.unwrap_or(1),
    };
    window.finish()?;
    Ok(read)
}

/// A name that is shown or stored, but never part of a URI.
fn label(config: &mut Object, name: &str) -> Result<Option<String>> {
    let text = config.text(name)?;
    let Some(text) = text else { return Ok(None) };
    let fits = (1..=name::MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits {
        Ok(Some(text.to_owned()))
    } else {
        let expected = "1 to 255 bytes without control characters";
        Err(config.wrong(name, expected))
    }
}
