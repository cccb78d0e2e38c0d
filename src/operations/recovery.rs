//! Recovery codes: a new set, and the use of one.

use serde::Serialize;

use crate::authenticator::Authenticator;
use crate::error::{Error, Result};
use crate::guard::{Attempt, Match, Subject, Verdict};
use crate::operations::refused::{Texts, given, refused};
use crate::otp::Code;
use crate::recovery::{MAX_CODES, Numbers, RecoveryCode, RecoverySet};
use crate::request;
use crate::response::Response;
use crate::status::Status;

/// How many codes a set has that nobody asked to be larger or smaller.
const USUAL_CODES: u8 = 10;

/// The set that stands for a user who has none, as long as most. No code of it is ever accepted: nobody knows
/// one.
const NOBODY: &str = "f2r1.x_rqRldaiEdYAGVjs7gxA0blfulY-9Fz7fRwOAknrTDxmrBlCj_3yhK3syQZKBS1oYhjR98PepG\
    WDG7aGagATyDFazakT9fmdNNTmYSGdUTLtdpUFcSOK08Y1PqDHYksHHC-hHfafVsc4q7i0_Zk7_eVdPb\
    6CLKH-4c6n4JJ_fog3SQfSQwKauIE1971qFkHVab_v_USQYWQOAcBgWuzyMPJZv5l8VrJYTfCwywmIwU";

const TEXTS: Texts = Texts {
    wrong: "request.code: wrong recovery code",
    reused: "request.code: this recovery code was used before",
    disabled: "too many wrong codes: the recovery codes are disabled until factor2_reset or a new set",
};

impl Authenticator {
    /// `{"count"?}` -> `{"codes","recovery"}`.
    pub(crate) fn create_recovery_codes(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body<'a> {
            codes: Vec<&'a str>,
            recovery: &'a str,
        }
        let mut request = request::read(request, &[&["count"]])?;
        let count = request
            .integer("count", 1..=MAX_CODES)?
            .unwrap_or(USUAL_CODES);
        request.finish()?;
        let (set, codes) = RecoverySet::create(count)?;
        let codes: Vec<_> = codes.iter().map(RecoveryCode::to_text).collect();
        Response::new(&Body {
            codes: codes.iter().map(|code| code.as_str()).collect(),
            recovery: &set.to_text(),
        })
    }

    /// `{"recovery","code","number"?,"used"?}` -> `{"accepted":true,"number","remaining"}`.
    pub(crate) fn verify_recovery_code(&self, request: &str) -> Result<Response> {
        #[derive(Serialize)]
        struct Body {
            accepted: bool,
            number: u8,
            remaining: usize,
        }
        let mut request = request::read(request, &[&["recovery", "code", "number", "used"]])?;
        let recovery = request.text_or_null("recovery", NOBODY, "a string or null")?;
        let code = request.text("code")?;
        let demanded = request.integer("number", 1..=MAX_CODES)?;
        let used = request.integers("used", 1..=MAX_CODES)?;
        let used: Numbers = used.into_iter().flatten().collect();
        let (recovery, is_nobody) = given(&request, "recovery", recovery)?;
        let code = given(&request, "code", code)?;
        request.finish()?;

        let set = RecoverySet::read(&recovery)?;
        let code = RecoveryCode::typed(&code);
        // What is no code changes nothing, and does all that a wrong one does.
        let is_code = code.is_some();
        let code = code.unwrap_or_else(RecoveryCode::none);
        let number = set.number_of(&code, demanded);
        let attempt = Attempt {
            code: Code::none().value(),
            matched: match number {
                _ if !is_code || is_nobody => Match::Old,
                None => Match::Nothing,
                Some(number) if used.contains(number) => Match::Old,
                Some(number) => Match::Number(number),
            },
            retry_key: None,
            past: 0,
            period: 0,
            now: self.now()?,
            time_is_fixed: self.config.fixed_time.is_some(),
            id: 0,
        };
        let guarded = self.guard.guarded(&Subject::RecoverySet(set.id()))?;
        let verdict = guarded.judge(attempt)?;
        match (verdict, number) {
            _ if !is_code => Err(Error::new(
                Status::InvalidToken,
                "request.code: must be a recovery code, 24 letters and digits",
            )),
            _ if is_nobody => Err(refused(Verdict::Wrong, &TEXTS)),
            (Verdict::Accepted { used: kept }, Some(number)) => Response::new(&Body {
                accepted: true,
                number,
                remaining: set.remaining(kept.and(used)),
            }),
            _ => Err(refused(verdict, &TEXTS)),
        }
    }
}
