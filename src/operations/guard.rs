//! What the guard remembers of a credential, and how an administrator clears it.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::Result;
use crate::guard::{Guarded, Record, Subject};
use crate::request::read_secret;
use crate::response::Response;

impl Authenticator {
    /// `{"totpsecret"}` -> the guard's record of this credential.
    pub(crate) fn inspect(&self, request: &str) -> Result<Response> {
        let record = self.credential_in(request)?.inspect()?;
        self.describe_record(&record)
    }

    /// `{"totpsecret"}` -> the record that is left when its wrong codes are forgotten.
    pub(crate) fn reset(&self, request: &str) -> Result<Response> {
        let record = self.credential_in(request)?.reset()?;
        self.describe_record(&record)
    }

    fn credential_in(&self, request: &str) -> Result<Guarded<'_>> {
        let secret = read_secret(request)?;
        self.guard
            .guarded(&Subject::Totp(&secret, self.config.scheme.period))
    }

    fn describe_record(&self, record: &Record) -> Result<Response> {
        #[derive(Serialize)]
        struct Body {
            /// null when no code was accepted yet.
            last_step: Option<u64>,
            failures: u32,
            /// 0 when it was never locked.
            locked_until: u64,
            disabled: bool,
        }
        Response::new(&Body {
            last_step: u64::try_from(record.last_step).ok(),
            failures: record.failures,
            locked_until: record.locked_until,
            disabled: record.disabled,
        })
    }
}
