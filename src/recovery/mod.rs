//! Recovery codes: the way back in when the device is lost. Look-up secrets in the words of NIST SP 800-63B.

mod code;
mod numbers;
mod set;

pub(crate) use code::RecoveryCode;
pub(crate) use numbers::Numbers;
pub(crate) use set::{MAX_CODES, RecoverySet};
