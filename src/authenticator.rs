//! The authenticator: its settings, its guard, its keys and its clock.

use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::guard::Guard;
use crate::secret::Stored;
use crate::status::Status;

/// The secret that stands for a user who has none, as long as most. It is read and computed like any
/// other, and no code of it is ever accepted.
pub(crate) const NOBODY: &str = "WOI5LFUYSLVZUCDGLJKIOFHWM7PDGNGQ";

/// What it is bound to.
pub(crate) const NOBODYS: &str = "nobody";

/// Settings, and what they can do. It never changes after it was made, so any thread may use it.
#[derive(Debug)]
pub(crate) struct Authenticator {
    pub(crate) config: Config,
    pub(crate) guard: Guard,
    /// The stored form of nobody's secret, sealed as others are.
    pub(crate) nobody: Zeroizing<String>,
}

impl Authenticator {
    pub(crate) fn new(config: &str) -> Result<Self> {
        let (config, guard) = Config::read(config)?;
        let guard = Guard::open(guard)?;
        let nobody = match &config.seal {
            Some(keys) => keys.seal(NOBODY, NOBODYS)?,
            None => Zeroizing::new(NOBODY.to_owned()),
        };
        Ok(Authenticator {
            config,
            guard,
            nobody,
        })
    }

    /// Opens a secret in any of the forms in which it may be stored.
    pub(crate) fn open_secret(&self, text: &str, bound_to: Option<&str>) -> Result<Stored> {
        let config = &self.config;
        Stored::open(text, bound_to, config.seal.as_ref(), &config.scheme)
    }

    /// Unix seconds, from the system's clock unless the settings fix them.
    pub(crate) fn now(&self) -> Result<u64> {
        if let Some(time) = self.config.fixed_time {
            return Ok(time);
        }
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Ok(since.as_secs()),
            Err(_) => Err(Error::new(
                Status::UnknownError,
                "the system's clock shows a time before 1970",
            )),
        }
    }
}
