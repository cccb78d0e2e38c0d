//! The members of requests: every one has its type, must be there or may be left out, and no other
//! member is taken.

use factor2::Status;
use factor2::capi::{
    factor2_create_recovery_codes, factor2_create_secret, factor2_describe, factor2_diagnose,
    factor2_generate, factor2_import, factor2_inspect, factor2_prepare_configuration, factor2_qr,
    factor2_reprepare_configuration, factor2_reset, factor2_resync, factor2_seal, factor2_verify,
    factor2_verify_recovery_code,
};
use serde_json::json;

use crate::support::{Authenticator, KEY, Operation, RECOVERY, SECRET};

fn authenticator() -> Authenticator {
    Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp", "guard": {"store": "memory", "retry": {}},
        "seal": {"keys": {"k": KEY}, "use": "k"},
    }))
}

/// A request whose `$` is a good secret, and `&` a good set of recovery codes.
fn filled(request: &str) -> String {
    request.replace('$', SECRET).replace('&', RECOVERY.0)
}

/// What a member may hold, and how messages call it.
type Kind = (&'static str, &'static [&'static str]);

const STRING: Kind = ("a string", &[r#""6""#]);
const STRING_OR_NULL: Kind = ("a string or null", &[r#""6""#, "null"]);
const SECRETS: Kind = (
    "a string, null, or an array of 1 to 8 strings",
    &[r#""6""#, "null", r#"["6"]"#],
);
/// About arrays there are other complaints.
const LAST_STEP: Kind = (
    "an integer from -1 to 9223372036854775807",
    &["0", "-1", "-0", "9007199254740993", "[]", r#"["6"]"#],
);
const ONE_LAST_STEP: Kind = (LAST_STEP.0, &["0", "-1", "-0", "9007199254740993"]);
const DRIFT: Kind = (
    "an integer from -1000 to 1000",
    &["0", "-1", "-2", "-0", "[]", r#"["6"]"#],
);
const ONE_DRIFT: Kind = (DRIFT.0, &["0", "-1", "-2", "-0"]);
const SECRETS_ELEMENT: Kind = (SECRETS.0, &[r#""6""#]);
const NUMBER: Kind = ("an integer from 1 to 32", &[]);
const NUMBERS: Kind = ("integers from 1 to 32", &["[]"]);
const OBJECT: Kind = ("an object", &["{}", r#"{"$ne":null}"#]);
/// An array and null are data without members, as crossauth has it.
const STRING_OR_OBJECT: Kind = (
    "a string or an object",
    &[r#""6""#, "{}", r#"{"$ne":null}"#, "null", "[]", r#"["6"]"#],
);

/// Requests with `@` where a member's value belongs, and `$` for a good secret.
#[rustfmt::skip]
const TYPED: &[(Operation, &str, &str, Kind)] = &[
    (factor2_create_secret, r#"{"username":@}"#, "username", STRING),
    (factor2_create_secret, r#"{"username":"alice","totpsecret":@}"#, "totpsecret", STRING),
    (factor2_qr, r#"{"username":@,"totpsecret":"$"}"#, "username", STRING),
    (factor2_qr, r#"{"username":"alice","totpsecret":@}"#, "totpsecret", STRING),
    (factor2_qr, r#"{"username":"alice","totpsecret":"$","format":@}"#, "format", STRING),
    (factor2_prepare_configuration, r#"{"user":@}"#, "user", OBJECT),
    (factor2_prepare_configuration, r#"{"user":{"username":@}}"#, "user.username", STRING),
    (factor2_reprepare_configuration, r#"{"username":@,"sessionKey":{}}"#, "username", STRING),
    (factor2_reprepare_configuration, r#"{"username":"alice","sessionKey":@}"#, "sessionKey", OBJECT),
    (factor2_reprepare_configuration, r#"{"username":"alice","sessionKey":{"data":@}}"#, "sessionKey.data", STRING_OR_OBJECT),
    (factor2_verify, r#"{"totpsecret":@,"otp":"000000"}"#, "totpsecret", SECRETS),
    (factor2_verify, r#"{"totpsecret":["$",@],"otp":"000000"}"#, "totpsecret", SECRETS_ELEMENT),
    (factor2_verify, r#"{"totpsecret":"$","otp":"000000","bind":@}"#, "bind", STRING),
    (factor2_verify, r#"{"totpsecret":"$","otp":"000000","retry_key":@}"#, "retry_key", STRING),
    (factor2_verify, r#"{"totpsecret":"$","otp":@}"#, "otp", STRING),
    (factor2_verify, r#"{"totpsecret":"$","otp":"000000","username":@}"#, "username", STRING),
    (factor2_verify, r#"{"totpsecret":"$","otp":"000000","last_step":@}"#, "last_step", LAST_STEP),
    (factor2_verify, r#"{"totpsecret":"$","otp":"000000","drift":@}"#, "drift", DRIFT),
    (factor2_resync, r#"{"totpsecret":@,"otp":"000000","next_otp":"000000"}"#, "totpsecret", STRING),
    (factor2_resync, r#"{"totpsecret":"$","otp":@,"next_otp":"000000"}"#, "otp", STRING),
    (factor2_resync, r#"{"totpsecret":"$","otp":"000000","next_otp":@}"#, "next_otp", STRING),
    (factor2_resync, r#"{"totpsecret":"$","otp":"000000","next_otp":"000000","last_step":@}"#, "last_step", ONE_LAST_STEP),
    (factor2_diagnose, r#"{"totpsecret":@,"otp":"000000"}"#, "totpsecret", STRING),
    (factor2_diagnose, r#"{"totpsecret":"$","otp":@}"#, "otp", STRING),
    (factor2_diagnose, r#"{"totpsecret":"$","otp":"000000","next_otp":@}"#, "next_otp", STRING),
    (factor2_diagnose, r#"{"totpsecret":"$","otp":"000000","last_step":@}"#, "last_step", ONE_LAST_STEP),
    (factor2_diagnose, r#"{"totpsecret":"$","otp":"000000","drift":@}"#, "drift", ONE_DRIFT),
    (factor2_create_secret, r#"{"username":"alice","type":@}"#, "type", STRING),
    (factor2_qr, r#"{"username":"alice","totpsecret":"$","type":@}"#, "type", STRING),
    (factor2_generate, r#"{"totpsecret":@}"#, "totpsecret", STRING),
    (factor2_inspect, r#"{"totpsecret":@}"#, "totpsecret", STRING),
    (factor2_reset, r#"{"totpsecret":@}"#, "totpsecret", STRING),
    (factor2_inspect, r#"{"totpsecret":"$","username":@}"#, "username", STRING),
    (factor2_reset, r#"{"totpsecret":"$","bind":@}"#, "bind", STRING),
    (factor2_inspect, r#"{"recovery":@}"#, "recovery", STRING),
    (factor2_reset, r#"{"recovery":@}"#, "recovery", STRING),
    (factor2_create_secret, r#"{"username":"alice","bind":@}"#, "bind", STRING),
    (factor2_qr, r#"{"username":"alice","totpsecret":"$","bind":@}"#, "bind", STRING),
    (factor2_generate, r#"{"totpsecret":"$","username":@}"#, "username", STRING),
    (factor2_generate, r#"{"totpsecret":"$","bind":@}"#, "bind", STRING),
    (factor2_seal, r#"{"totpsecret":@,"username":"alice"}"#, "totpsecret", STRING),
    (factor2_seal, r#"{"totpsecret":"$","username":@}"#, "username", STRING),
    (factor2_seal, r#"{"totpsecret":"$","bind":@}"#, "bind", STRING),
    (factor2_create_recovery_codes, r#"{"count":@}"#, "count", NUMBER),
    (factor2_verify_recovery_code, r#"{"recovery":@,"code":"6"}"#, "recovery", STRING_OR_NULL),
    (factor2_verify_recovery_code, r#"{"recovery":"&","code":@}"#, "code", STRING),
    (factor2_verify_recovery_code, r#"{"recovery":"&","code":"6","number":@}"#, "number", NUMBER),
    (factor2_verify_recovery_code, r#"{"recovery":"&","code":"6","used":@}"#, "used", NUMBERS),
    (factor2_import, r#"{"format":@,"text":""}"#, "format", STRING),
    (factor2_import, r#"{"format":"otpauth","text":@}"#, "text", STRING),
    (factor2_import, r#"{"format":"google-authenticator","text":"","username":@}"#, "username", STRING),
];

#[test]
fn members_of_another_type_are_refused() {
    let values = [
        "0",
        "-1",
        "-2",
        "1.0",
        "1e1",
        "-0",
        "9007199254740993",
        "9223372036854775808",
        "\"6\"",
        "true",
        "false",
        "null",
        "[]",
        r#"["6"]"#,
        "{}",
        r#"{"$ne":null}"#,
    ];
    let authenticator = authenticator();
    for (operation, request, member, (kind, allowed)) in TYPED {
        for value in values {
            let request = filled(request).replace('@', value);
            let reply = authenticator.call_raw(*operation, request.as_bytes());
            let complaint = format!("request.{member}: must be {kind}");
            if allowed.contains(&value) {
                assert!(
                    !reply.text.contains(&complaint),
                    "{request}: {}",
                    reply.text
                );
            } else {
                assert_eq!(reply.refused(Status::BadRequest), complaint, "{request}");
            }
        }
    }
}

#[test]
fn missing_members_are_named() {
    let authenticator = authenticator();
    let cases: &[(Operation, &str, Status, &str)] = &[
        (
            factor2_create_secret,
            r#"{}"#,
            Status::BadRequest,
            "username",
        ),
        (
            factor2_create_secret,
            r#"{"totpsecret":"$"}"#,
            Status::BadRequest,
            "username",
        ),
        (
            factor2_qr,
            r#"{"totpsecret":"$"}"#,
            Status::BadRequest,
            "username",
        ),
        (
            factor2_qr,
            r#"{"username":"alice"}"#,
            Status::BadRequest,
            "totpsecret",
        ),
        (
            factor2_prepare_configuration,
            r#"{}"#,
            Status::BadRequest,
            "user",
        ),
        (
            factor2_prepare_configuration,
            r#"{"user":{}}"#,
            Status::BadRequest,
            "user.username",
        ),
        (
            factor2_reprepare_configuration,
            r#"{"sessionKey":{"data":"{}"}}"#,
            Status::BadRequest,
            "username",
        ),
        (
            factor2_reprepare_configuration,
            r#"{"username":"alice"}"#,
            Status::BadRequest,
            "sessionKey",
        ),
        (
            factor2_reprepare_configuration,
            r#"{"username":"alice","sessionKey":{}}"#,
            Status::InvalidKey,
            "sessionKey.data",
        ),
        (
            factor2_reprepare_configuration,
            r#"{"username":"alice","sessionKey":{"value":"x"}}"#,
            Status::InvalidKey,
            "sessionKey.data",
        ),
        (factor2_verify, r#"{}"#, Status::InvalidToken, "totpsecret"),
        (
            factor2_verify,
            r#"{"otp":"000000"}"#,
            Status::InvalidToken,
            "totpsecret",
        ),
        (
            factor2_verify,
            r#"{"totpsecret":"$"}"#,
            Status::InvalidToken,
            "otp",
        ),
        (
            factor2_verify,
            r#"{"totpsecret":"$","username":"alice","last_step":0}"#,
            Status::InvalidToken,
            "otp",
        ),
        (factor2_generate, r#"{}"#, Status::BadRequest, "totpsecret"),
        (factor2_inspect, r#"{}"#, Status::BadRequest, "totpsecret"),
        (factor2_reset, r#"{}"#, Status::BadRequest, "totpsecret"),
        (
            factor2_seal,
            r#"{"username":"alice"}"#,
            Status::BadRequest,
            "totpsecret",
        ),
        (
            factor2_import,
            r#"{"text":""}"#,
            Status::BadRequest,
            "format",
        ),
        (
            factor2_import,
            r#"{"format":"otpauth"}"#,
            Status::BadRequest,
            "text",
        ),
        (
            factor2_import,
            r#"{"format":"google-authenticator","text":""}"#,
            Status::BadRequest,
            "username",
        ),
        (
            factor2_verify_recovery_code,
            r#"{"code":"6"}"#,
            Status::InvalidToken,
            "recovery",
        ),
        (
            factor2_verify_recovery_code,
            r#"{"recovery":"&"}"#,
            Status::InvalidToken,
            "code",
        ),
    ];
    for (operation, request, status, member) in cases {
        let request = filled(request);
        let reply = authenticator.call_raw(*operation, request.as_bytes());
        assert_eq!(
            reply.refused(*status),
            format!("request.{member}: missing"),
            "{request}"
        );
    }
}

/// Requests with a misspelt member, and how the message goes on after the missing one's name.
#[rustfmt::skip]
const MISSPELT: &[(Operation, &str, Status, &str, &str)] = &[
    (factor2_create_secret, r#"{"totpsecret":"$","user_name":"bob"}"#, Status::BadRequest, "username: missing", r#"unknown member "user_name""#),
    (factor2_create_secret, r#"{"otp":"000000"}"#, Status::BadRequest, "username: missing", r#"unknown member "otp""#),
    (factor2_qr, r#"{"username":"bob","secret":"$","format":"text"}"#, Status::BadRequest, "totpsecret: missing", r#"unknown member "secret""#),
    (factor2_prepare_configuration, r#"{"usr":{}}"#, Status::BadRequest, "user: missing", r#"unknown member "usr""#),
    (factor2_prepare_configuration, r#"{"user":{"email":"x","userName":"bob"}}"#, Status::BadRequest, "user.username: missing", r#"unknown member "userName""#),
    (factor2_reprepare_configuration, r#"{"username":"bob","session_key":{}}"#, Status::BadRequest, "sessionKey: missing", r#"unknown member "session_key""#),
    (factor2_reprepare_configuration, r#"{"username":"bob","sessionKey":{"data":{"totpSecret":"$","factor2":"totp"}}}"#, Status::Unauthorized, "sessionKey.data: has no totpsecret", r#"unknown member "totpSecret""#),
    (factor2_reprepare_configuration, r#"{"username":"bob","sessionKey":{"data":"{\"2fa\":{\"totpsecret\":\"$\",\"factor\":\"totp\"}}"}}"#, Status::Unauthorized, "sessionKey.data: has no factor2", r#"unknown member "factor""#),
    (factor2_verify, r#"{"totpsecret":"$","opt":"000000"}"#, Status::InvalidToken, "otp: missing", r#"unknown member "opt""#),
    (factor2_verify, r#"{"secret":"$","otp":"000000"}"#, Status::InvalidToken, "totpsecret: missing", r#"unknown member "secret""#),
    (factor2_inspect, r#"{"totpsecrets":"$"}"#, Status::BadRequest, "totpsecret: missing", r#"unknown member "totpsecrets""#),
    (factor2_reset, r#"{"user":"bob"}"#, Status::BadRequest, "totpsecret: missing", r#"unknown member "user""#),
    (factor2_seal, r#"{"username":"bob","secret":"$"}"#, Status::BadRequest, "totpsecret: missing", r#"unknown member "secret""#),
    (factor2_import, r#"{"fmt":"otpauth","text":""}"#, Status::BadRequest, "format: missing", r#"unknown member "fmt""#),
    (factor2_import, r#"{"format":"google-authenticator","text":"","user":"bob"}"#, Status::BadRequest, "username: missing", r#"unknown member "user""#),
    (factor2_verify_recovery_code, r#"{"recover":"&","code":"6"}"#, Status::InvalidToken, "recovery: missing", r#"unknown member "recover""#),
    (factor2_verify_recovery_code, r#"{"recovery":"&","otp":"6"}"#, Status::InvalidToken, "code: missing", r#"unknown member "otp""#),
    (factor2_generate, r#"{"TOTPSECRET":"$"}"#, Status::BadRequest, "totpsecret: missing", "a member with an unknown name"),
    (factor2_generate, r#"{"$":"totpsecret"}"#, Status::BadRequest, "totpsecret: missing", "a member with an unknown name"),
];

#[test]
fn a_misspelt_member_is_named_beside_the_missing_one() {
    let authenticator = authenticator();
    for (operation, request, status, missing, instead) in MISSPELT {
        let request = filled(request);
        let reply = authenticator.call_raw(*operation, request.as_bytes());
        assert_eq!(
            reply.refused(*status),
            format!("request.{missing}; {instead}"),
            "{request}"
        );
    }
    // Where other members are allowed, they are no misspellings.
    for (operation, request, message) in [
        (
            factor2_prepare_configuration as Operation,
            r#"{"user":{"name":"bob","email":"x"}}"#,
            "request.user.username: missing",
        ),
        (
            factor2_reprepare_configuration,
            r#"{"username":"bob","sessionKey":{"data":{"email":"x"}}}"#,
            "request.sessionKey.data: has no totpsecret",
        ),
    ] {
        let text = authenticator.call_raw(operation, request.as_bytes()).text;
        assert!(text.contains(&format!("\"{message}\"")), "{text}");
    }
}

/// Requests that would be good without the member `@`, and where it stands.
#[rustfmt::skip]
const GOOD: &[(Operation, &str, &str)] = &[
    (factor2_describe, "{@}", "request"),
    (factor2_create_secret, r#"{"username":"alice",@}"#, "request"),
    (factor2_create_secret, r#"{@,"username":"alice","totpsecret":"$"}"#, "request"),
    (factor2_qr, r#"{"username":"alice","totpsecret":"$",@}"#, "request"),
    (factor2_prepare_configuration, r#"{"user":{"username":"alice"},@}"#, "request"),
    (factor2_reprepare_configuration, r#"{"username":"alice","sessionKey":{"data":{"totpsecret":"$","factor2":"totp"}},@}"#, "request"),
    (factor2_reprepare_configuration, r#"{"username":"alice","sessionKey":{"data":{"totpsecret":"$","factor2":"totp"},@}}"#, "request.sessionKey"),
    (factor2_verify, r#"{"totpsecret":"$","otp":"000000",@}"#, "request"),
    (factor2_verify, r#"{@,"totpsecret":"$","otp":"000000"}"#, "request"),
    (factor2_generate, r#"{"totpsecret":"$",@}"#, "request"),
    (factor2_inspect, r#"{"totpsecret":"$",@}"#, "request"),
    (factor2_reset, r#"{"totpsecret":"$",@}"#, "request"),
    (factor2_inspect, r#"{"recovery":"&",@}"#, "request"),
    (factor2_seal, r#"{"totpsecret":"$","username":"alice",@}"#, "request"),
    (factor2_create_recovery_codes, "{@}", "request"),
    (factor2_create_recovery_codes, r#"{"count":1,@}"#, "request"),
    (factor2_verify_recovery_code, r#"{"recovery":"&","code":"6",@}"#, "request"),
    (factor2_import, r#"{"format":"otpauth","text":"",@}"#, "request"),
];

#[test]
fn unknown_members_are_refused() {
    let authenticator = authenticator();
    // A name that might be a secret or a code is not repeated.
    let names = [
        ("colour", true),
        ("fixed_time", true),
        ("Username", true),
        ("Otp", true),
        ("totpSecret", true),
        ("window", true),
        ("time", true),
        ("accepted", true),
        ("", false),
        ("000000", false),
        ("JBSWY3DPEHPK3PXP", false),
        ("jbswy3dpehpk3pxp", false),
        ("a b", false),
        ("otp\u{0}", false),
        ("otp ", false),
        ("öffnen", false),
        ("OTP", false),
        ("a_name_that_goes_on_and_on", false),
    ];
    for (operation, request, path) in GOOD {
        for (name, repeated) in names {
            for value in ["1", "null", "{}"] {
                let member = format!("{}:{value}", json!(name));
                let request = filled(request).replace('@', &member);
                let reply = authenticator.call_raw(*operation, request.as_bytes());
                let complaint = if repeated {
                    format!("{path}: unknown member \"{name}\"")
                } else {
                    format!("{path}: a member with an unknown name")
                };
                assert_eq!(reply.refused(Status::BadRequest), complaint, "{request}");
            }
        }
    }
}
