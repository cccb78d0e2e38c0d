//! The authenticator: its settings, its guard and its clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::guard::Guard;
use crate::status::Status;

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
