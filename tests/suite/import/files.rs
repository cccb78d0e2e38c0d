//! What liboath, mod_authn_otp and pam_google_authenticator leave behind in their files.

use factor2::Status;
use factor2::capi::factor2_generate;
use serde_json::json;

use super::{HEX, import, one, uri, uri_and_warnings, why};
use crate::hotp::press;
use crate::support::{Authenticator, SECRET};

const PIN: &str = "PIN: not carried over; nothing asks for it any more";
const LAST_CODE: &str = "last code: not carried over";

fn drift(steps: i64) -> String {
    format!(
        "drift: not in the URI; the token's clock was {steps} steps off, give that to factor2_verify"
    )
}

#[test]
fn tokens_of_users_files() {
    let drift = drift(-2);
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("HOTP a - @", "hotp/a", "&counter=0", &[]),
        ("HOTP/E a + @ 7", "hotp/a", "&counter=7", &[]),
        (
            "HOTP/E/7\ta\t1234\t@\t7\t0",
            "hotp/a",
            "&digits=7&counter=7",
            &[PIN],
        ),
        ("HOTP/T a - @", "totp/a", "", &[]),
        ("HOTP/T30/6 a - @", "totp/a", "", &[]),
        (
            "HOTP/T60/7 a -- @ 0",
            "totp/a",
            "&digits=7&period=60",
            &[PIN],
        ),
        (
            "HOTP/T45 a - @ -2 2 883913 2009-06-04T21:17:03L 10.1.1.153",
            "totp/a",
            "&period=45",
            &[&drift, LAST_CODE],
        ),
        (
            "HOTP a - @ 21 0 820658 2009-06-12T17:52:32L 192.168.1.1",
            "hotp/a",
            "&counter=21",
            &[LAST_CODE],
        ),
    ];
    for (line, begin, end, told) in cases {
        let (got, warnings) = uri_and_warnings("users-file", &line.replace('@', HEX));
        assert_eq!(got, uri(begin, end), "{line}");
        assert_eq!(warnings, *told, "{line}");
    }
}

/// liboath remembers the counter of the code that was accepted last, and the code. It must not let in once more.
#[test]
fn a_code_that_liboath_has_accepted_is_used_up() {
    // RFC 4226 appendix D.
    let secret = "3132333435363738393031323334353637383930";
    let base32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for (line, next, told) in [
        (
            "HOTP a - @ 4 338314 2009-12-07T23:23:49L",
            5,
            &[] as &[&str],
        ),
        ("HOTP a - @ 0 755224 2009-12-07T23:23:49L", 1, &[]),
        // mod_authn_otp remembers the next counter.
        ("HOTP a - @ 5 338314 2009-12-07T23:23:49L", 5, &[LAST_CODE]),
        (
            "HOTP a - @ 5 0 338314 2009-12-07T23:23:49L",
            5,
            &[LAST_CODE],
        ),
        ("HOTP a - @ 5 0", 5, &[]),
    ] {
        let (got, warnings) = uri_and_warnings("users-file", &line.replace('@', secret));
        assert_eq!(
            got,
            format!("otpauth://hotp/a?secret={base32}&counter={next}")
        );
        assert_eq!(warnings, told, "{line}");
        let verifying = Authenticator::new(json!({"issuer": "Example", "look_ahead": 1}));
        press(&verifying, &got, next - 1).refused(Status::InvalidToken);
        press(&verifying, &got, next).ok();
    }
}

#[test]
fn users_files_have_lines_that_are_refused() {
    for (line, reason) in [
        ("HOTP", "username: missing"),
        ("HOTP a", "PIN: missing; it is - where there is none"),
        ("HOTP a -", "totpsecret: missing"),
        (
            "hotp a - @",
            "type: must be HOTP; others, MOTP among them, are not known",
        ),
        (
            "MOTP/E a 1234 @",
            "type: must be HOTP; others, MOTP among them, are not known",
        ),
        ("HOTP/X a - @", "type: must be HOTP/E or HOTP/T and seconds"),
        (
            "HOTP/T14 a - @",
            "period: must be an integer from 15 to 120",
        ),
        (
            "HOTP/T+30 a - @",
            "period: must be an integer from 15 to 120",
        ),
        ("HOTP/T60/5 a - @", "digits: must be an integer from 6 to 8"),
        ("HOTP/E/6/6 a - @", "type: has too many parts"),
        ("HOTP a - @0", "totpsecret: not hex"),
        ("HOTP a - x@", "totpsecret: not hex"),
        (
            "HOTP a - 0102030405060708",
            "totpsecret: too short, must be at least 10 bytes",
        ),
        (
            "HOTP a - 00000000000000000000",
            "totpsecret: all bits are zero",
        ),
        (
            "HOTP a - @ -1",
            "counter: must be an integer from 0 to 9223372036854775806",
        ),
        (
            "HOTP a - @ 9223372036854775807",
            "counter: must be an integer from 0 to 9223372036854775806",
        ),
        ("HOTP/T a - @ x", "offset: must be an integer"),
    ] {
        assert_eq!(why("users-file", &line.replace('@', HEX)), reason, "{line}");
    }
    let long = format!("HOTP a - {}", "ab".repeat(513));
    assert_eq!(
        why("users-file", &long),
        "totpsecret: too long, must be at most 512 bytes"
    );
    let short = "totpsecret: shorter than the 128 bits that RFC 4226 requires";
    assert_eq!(
        one("users-file", "HOTP/T a - 0102030405060708090a").1,
        [short]
    );
}

#[test]
fn options_of_state_files() {
    let lost = [
        "RATE_LIMIT: not carried over; the guard's settings are for all",
        "WINDOW_SIZE: not carried over; config.window is for all",
        "DISALLOW_REUSE: the steps that were used are not carried over",
        "scratch codes: not carried over; factor2_create_recovery_codes makes others",
    ];
    let unknown = "type: neither TOTP_AUTH nor HOTP_COUNTER is there; taken for totp";
    let drift = drift(3);
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("\" TOTP_AUTH", "totp/alice", "", &[]),
        (
            "\" STEP_SIZE 60\n\" TOTP_AUTH\n\" STEP_SIZE 30",
            "totp/alice",
            "&period=60",
            &[],
        ),
        ("\" HOTP_COUNTER 1", "hotp/alice", "&counter=1", &[]),
        ("\" HOTP_COUNTER 0", "hotp/alice", "&counter=0", &[]),
        // The module takes it for one with a counter, from 1 on.
        (
            "\" TOTP_AUTH\n\" HOTP_COUNTER 1",
            "hotp/alice",
            "&counter=1",
            &[],
        ),
        ("\" TOTP_AUTH\n\" HOTP_COUNTER 0", "totp/alice", "", &[]),
        (
            "\"\tTOTP_AUTH\n\" DISALLOW_REUSE\n\" TIME_SKEW 0",
            "totp/alice",
            "",
            &[],
        ),
        ("\" TOTP_AUTH\n\" TIME_SKEW 3", "totp/alice", "", &[&drift]),
        ("\" TOTP_AUTH_\n\" X", "totp/alice", "", &[unknown]),
        (
            "\" TOTP_AUTH\n12345678\n\" RATE_LIMIT 3 30 1 2\n\" WINDOW_SIZE 17\n\" DISALLOW_REUSE 1 2\n",
            "totp/alice",
            "",
            &lost,
        ),
    ];
    for (options, begin, end, told) in cases {
        let text = format!("{SECRET}\n{options}");
        let (got, warnings) = uri_and_warnings("google-authenticator", &text);
        assert_eq!(got, uri(begin, end), "{options}");
        assert_eq!(warnings, *told, "{options}");
    }
    for (text, reason) in [
        ("", "totpsecret: missing"),
        (
            "\" TOTP_AUTH",
            "totpsecret: not base32: symbol 1 is a punctuation mark",
        ),
        (
            "@\n\" STEP_SIZE 10",
            "period: must be an integer from 15 to 120",
        ),
        (
            "@\n\" HOTP_COUNTER x",
            "counter: must be an integer from 0 to 9223372036854775806",
        ),
    ] {
        assert_eq!(
            why("google-authenticator", &text.replace('@', SECRET)),
            reason
        );
    }
    let imported = import(
        "google-authenticator",
        &format!("{SECRET}\nx\n\" TOTP_AUTH\n1234567\n"),
    );
    assert_eq!(imported.entries.len(), 1);
    assert_eq!(imported.refused_lines(), [2, 4]);
}

/// The code that the system before would take is right.
#[test]
fn codes_are_those_of_the_system_before() {
    let authenticator = Authenticator::new(json!({"issuer": "Example", "fixed_time": 59}));
    // RFC 6238 appendix B, and its seed.
    let text = "HOTP/T30/8 a - 3132333435363738393031323334353637383930";
    let ([_, _, uri], _) = one("users-file", text);
    let answer = authenticator
        .call(factor2_generate, json!({"totpsecret": uri}))
        .ok();
    assert_eq!(answer["otp"], "94287082");
}
