//! What each format's fields are taken for, and what is said of those that are lost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use factor2::capi::{factor2_generate, factor2_import};
use serde_json::{Value, json};

use super::{HEX, Imported, authenticator, import, one, request, unreadable, why};
use crate::support::SECRET;

fn uri(begin: &str, end: &str) -> String {
    format!("otpauth://{begin}?secret={SECRET}{end}")
}

/// The URI of the one entry, and what it warns of.
#[track_caller]
fn uri_and_warnings(format: &str, text: &str) -> (String, Vec<String>) {
    let ([_, _, uri], warnings) = one(format, text);
    (uri, warnings)
}

const PIN: &str = "PIN: not carried over; nothing asks for it any more";
const LAST_CODE: &str = "last code: not carried over";

fn drift(steps: i64) -> String {
    format!("drift: the token's clock was {steps} steps off, which the URI cannot say")
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

#[test]
fn rows_of_privacyidea() {
    let realm = "realm: not carried over; users of other realms may have the same name";
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("S1,@", "hotp/S1", "&counter=0", &[]),
        ("S1,@,", "hotp/S1", "&counter=0", &[]),
        ("S1,@,TOTP", "totp/S1", "", &[]),
        (
            "S1 , \"@\" ,totp,8,60,sha256",
            "totp/S1",
            "&algorithm=SHA256&digits=8&period=60",
            &[],
        ),
        (
            "S1,@,hotp,,,SHA-512\r",
            "hotp/S1",
            "&algorithm=SHA512&counter=0",
            &[],
        ),
        (
            "# version: 2\nalice,local,staff,S1,@,totp",
            "totp/alice",
            "",
            &[realm],
        ),
        (
            "#version:2 \n,,,S1,@,hotp,6,3",
            "hotp/S1",
            "&counter=3",
            &[],
        ),
        ("# version: 1\nS1,@,totp", "totp/S1", "", &[]),
        (
            ",@,totp",
            "totp/",
            "",
            &["username: none; the secret is nobody's yet"],
        ),
    ];
    for (text, begin, end, told) in cases {
        let (got, warnings) = uri_and_warnings("privacyidea-csv", &text.replace('@', HEX));
        assert_eq!(got, uri(begin, end), "{text}");
        assert_eq!(warnings, *told, "{text}");
    }
    for (line, reason) in [
        ("S1", "CSV: has no second field, the seed"),
        ("S1,,totp", "CSV: has no second field, the seed"),
        ("S1,\"@,totp", "CSV: a quote is not closed"),
        ("S1,\"@\"x,totp", "CSV: no comma behind a closing quote"),
        ("serial,key,type", "totpsecret: not hex"),
        (
            "S1,@,ocra,OCRA-1:HOTP-SHA1-6:QN08",
            "digits: must be an integer from 6 to 8",
        ),
        ("S1,@,ocra", "type: must be hotp or totp"),
        (
            "S1,@,totp,6,30,md5",
            "algorithm: must be SHA1, SHA256 or SHA512",
        ),
        ("S1,@,totp,6,3", "period: must be an integer from 15 to 120"),
    ] {
        assert_eq!(
            why("privacyidea-csv", &line.replace('@', HEX)),
            reason,
            "{line}"
        );
    }
}

#[test]
fn rows_of_entra() {
    let nobody_s = "username: the token is nobody's; its serial number is there instead";
    let header = "upn,serial number,secret key,time interval,manufacturer,model";
    let cases: &[(&str, &str, &str, &str, &[&str])] = &[
        (header, "a@x,1,$,30,C,M", "totp/a%40x", "", &[]),
        (
            header,
            " \"a@x\" ,1,\"$\",\"60\",\"C, Inc.\",\"say \"\"M\"\"\"",
            "totp/a%40x",
            "&period=60",
            &[],
        ),
        (header, ",123,$,30,C,M", "totp/123", "", &[nobody_s]),
        (header, "a@x,1,$", "totp/a%40x", "", &[]),
        (
            "Model,SECRET KEY,Serial Number,UPN",
            "M,$,1,a@x\r",
            "totp/a%40x",
            "",
            &[],
        ),
        (
            "\"secretKey\",\"timeIntervalInSeconds\",\"hashFunction\",upn",
            "$,60,hmacsha256,a",
            "totp/a",
            "&algorithm=SHA256&period=60",
            &[],
        ),
        (
            "secret key",
            "$",
            "totp/",
            "",
            &["username: none; the secret is nobody's yet"],
        ),
    ];
    for (header, line, begin, end, told) in cases {
        let line = line.replace('$', SECRET);
        let (got, warnings) = uri_and_warnings("entra-csv", &format!("{header}\n{line}"));
        assert_eq!(got, uri(begin, end), "{line}");
        assert_eq!(warnings, *told, "{line}");
    }
    for (line, reason) in [
        ("a,1", "totpsecret: missing"),
        (
            "a,1,!,30",
            "totpsecret: too short, must be at least 10 bytes (16 symbols)",
        ),
        ("a,1,$,5", "period: must be an integer from 15 to 120"),
    ] {
        let line = line.replace('$', SECRET).replace('!', "JBSWY3DP");
        assert_eq!(why("entra-csv", &format!("{header}\n{line}")), reason);
    }
    for header in ["a,1,JBSWY3DPEHPK3PXP,30,C,M", "upn,serial", "\"secret key"] {
        let message =
            "request.text: its first line must name the columns, \"secret key\" among them";
        assert_eq!(unreadable("entra-csv", header), message);
    }
}

/// A realm with one user, whose credentials these are.
fn realm(credentials: Value) -> Value {
    json!({"realm": "r", "enabled": true, "users": [{"id": "1", "username": "a", "credentials": credentials}]})
}

fn otp(secret_data: Value, credential_data: Value) -> Value {
    json!({
        "id": "x", "type": "otp", "createdDate": 1, "secretData": secret_data.to_string(),
        "credentialData": credential_data.to_string(),
    })
}

#[test]
fn credentials_of_keycloak() {
    let secret = json!({"value": SECRET});
    let encoded = |more: Value| {
        let mut data = json!({"subType": "totp", "digits": 6, "counter": 0, "period": 30, "secretEncoding": "BASE32"});
        for (name, value) in more.as_object().unwrap() {
            data[name] = value.clone();
        }
        data
    };
    let plain = data_encoding::BASE32_NOPAD.encode(SECRET.as_bytes());
    let raw = |begin: &str, end: &str| format!("otpauth://{begin}?secret={plain}{end}");
    for (credential, expected) in [
        (otp(secret.clone(), encoded(json!({}))), uri("totp/a", "")),
        (otp(secret.clone(), json!({})), raw("totp/a", "")),
        (
            otp(
                secret.clone(),
                json!({"secretEncoding": null, "algorithm": null}),
            ),
            raw("totp/a", ""),
        ),
        (
            otp(
                secret.clone(),
                encoded(json!({"digits": 8, "period": 60, "algorithm": "HmacSHA512", "x": [[]]})),
            ),
            uri("totp/a", "&algorithm=SHA512&digits=8&period=60"),
        ),
        (
            otp(
                secret.clone(),
                encoded(json!({"subType": "hotp", "counter": 9, "period": 0})),
            ),
            uri("hotp/a", "&counter=9"),
        ),
        (
            json!({"type": "totp", "hashedSaltedValue": SECRET, "digits": 8, "period": 30, "algorithm": "HmacSHA1", "counter": 0}),
            raw("totp/a", "&digits=8"),
        ),
        (
            json!({"type": "hotp", "value": SECRET, "digits": 6, "counter": 5}),
            raw("hotp/a", "&counter=5"),
        ),
        (
            json!({"type": "otp", "secretData": {"value": SECRET}, "credentialData": encoded(json!({}))}),
            uri("totp/a", ""),
        ),
    ] {
        let realm = realm(
            json!([{"type": "password", "secretData": "{"}, credential, {"type": "webauthn"}]),
        );
        for text in [
            realm.to_string(),
            format!(" \n[{{}},{realm}]"),
            format!("{realm:#}"),
        ] {
            assert_eq!(
                uri_and_warnings("keycloak", &text),
                (expected.clone(), vec![]),
                "{text}"
            );
        }
    }
    for (credential, reason) in [
        (json!({"type": "otp"}), "secretData: missing"),
        (
            json!({"type": "otp", "secretData": "{}"}),
            "credentialData: missing",
        ),
        (
            json!({"type": "otp", "secretData": "{", "credentialData": "{}"}),
            "secretData: not a JSON object",
        ),
        (
            json!({"type": "otp", "secretData": "{}", "credentialData": "[]"}),
            "credentialData: not a JSON object",
        ),
        (otp(json!({}), json!({})), "totpsecret: missing"),
        (otp(json!({"value": 7}), json!({})), "totpsecret: missing"),
        (
            otp(json!({"value": "short"}), json!({})),
            "totpsecret: too short, must be at least 10 bytes",
        ),
        (
            otp(secret.clone(), json!({"subType": "x"})),
            "subType: must be totp or hotp",
        ),
        (
            otp(secret.clone(), encoded(json!({"secretEncoding": "HEX"}))),
            "secretEncoding: must be BASE32, or missing",
        ),
        (
            otp(secret.clone(), encoded(json!({"algorithm": "HmacMD5"}))),
            "algorithm: must be SHA1, SHA256 or SHA512",
        ),
        (
            otp(secret.clone(), encoded(json!({"period": 300}))),
            "period: must be an integer from 15 to 120",
        ),
        (
            otp(secret.clone(), encoded(json!({"digits": 6.0}))),
            "digits: must be an integer from 6 to 8",
        ),
        (
            otp(
                secret.clone(),
                encoded(json!({"subType": "hotp", "counter": -1})),
            ),
            "counter: must be an integer from 0 to 9223372036854775806",
        ),
    ] {
        assert_eq!(
            why("keycloak", &realm(json!([credential])).to_string()),
            reason
        );
    }
}

#[test]
fn keycloak_s_credentials_are_counted() {
    let good = otp(
        json!({"value": SECRET}),
        json!({"secretEncoding": "BASE32"}),
    );
    let bad = json!({"type": "otp"});
    let text = json!([
        {"realm": "one", "users": [
            {"credentials": [good.clone(), {"type": "password"}, bad.clone()], "username": "a"},
            {"username": "nothing"}, {"username": "b", "credentials": null}, 7,
            {"username": "b", "credentials": [good.clone(), good.clone()]},
        ]},
        {"realm": "two", "users": [{"username": "a", "credentials": [bad]}],
         "federatedUsers": [{"id": "f:1", "credentials": [good]}]},
    ]);
    let imported = import("keycloak", &text.to_string());
    let names: Vec<&str> = imported
        .entries
        .iter()
        .map(|[name, ..]| name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "b", ""]);
    assert_eq!(imported.refused_lines(), [2, 6]);
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    [&[number << 3 | 2, length], bytes].concat()
}

/// An account, with numbers for algorithm, digits, type and counter.
fn account(name: &str, issuer: &str, numbers: [u8; 4]) -> Vec<u8> {
    let secret = data_encoding::BASE32_NOPAD
        .decode(SECRET.as_bytes())
        .unwrap();
    let mut account = [
        field(1, &secret),
        field(2, name.as_bytes()),
        field(3, issuer.as_bytes()),
    ]
    .concat();
    for (number, place) in numbers.into_iter().zip(4..) {
        account.extend([place << 3, number]);
    }
    account
}

fn migration(accounts: &[Vec<u8>]) -> String {
    let accounts: Vec<u8> = accounts
        .iter()
        .flat_map(|account| field(1, account))
        .collect();
    let message = [accounts, vec![0x10, 1, 0x18, 1]].concat();
    format!(
        "otpauth-migration://offline?data={}",
        BASE64.encode(message).replace('=', "%3D")
    )
}

#[test]
fn accounts_that_are_moved() {
    let other = "issuer: the name has another one, which is not kept";
    let cases: &[(&str, &str, [u8; 4], [&str; 2], &str, &str, &[&str])] = &[
        ("a", "", [1, 1, 2, 0], ["a", ""], "totp/a", "", &[]),
        (
            "a",
            "X",
            [3, 2, 2, 9],
            ["a", "X"],
            "totp/X:a",
            "&issuer=X&algorithm=SHA512&digits=8",
            &[],
        ),
        (
            "X: a ",
            "",
            [0, 0, 1, 9],
            ["a", "X"],
            "hotp/X:a",
            "&issuer=X&counter=9",
            &[],
        ),
        (
            "Y:a",
            "X",
            [0, 0, 0, 0],
            ["a", "X"],
            "totp/X:a",
            "&issuer=X",
            &[other],
        ),
    ];
    for (name, issuer, numbers, names, begin, end, told) in cases {
        let text = migration(&[account(name, issuer, *numbers)]);
        let variants = [
            text.clone(),
            text.replace(
                "otpauth-migration://offline?",
                "OTPAUTH-MIGRATION://offline?x=1&",
            ),
            text.replace("%3D", ""),
            text.replace('+', "-")
                .replace("data=", "data=")
                .replace('/', "/"),
            text.clone() + "&batch=1#x",
        ];
        for text in variants {
            let ([username, issuer, got], warnings) = one("otpauth-migration", &text);
            assert_eq!([username.as_str(), issuer.as_str()], *names);
            assert_eq!(got, uri(begin, end));
            assert_eq!(warnings, *told);
        }
    }
    for (numbers, reason) in [
        ([4, 1, 2, 0], "algorithm: must be SHA1, SHA256 or SHA512"),
        ([1, 3, 2, 0], "digits: must be 6 or 8"),
        ([1, 1, 3, 0], "type: must be hotp or totp"),
    ] {
        let text = migration(&[account("a", "", numbers)]);
        assert_eq!(why("otpauth-migration", &text), reason);
    }
    let reason = why("otpauth-migration", &migration(&[vec![0x0a, 5, 1]]));
    assert_eq!(reason, "the protobuf message is cut off, or is none");
    let not_utf8 = [account("a", "", [0; 4]), field(2, b"\xff")].concat();
    assert_eq!(
        why("otpauth-migration", &migration(&[not_utf8])),
        "names: not UTF-8"
    );
}

#[test]
fn several_codes_with_moved_accounts() {
    let one = migration(&[account("a", "", [0; 4]), account("b", "", [4; 4])]);
    let two = migration(&[account("c", "", [0; 4])]);
    let imported = import("otpauth-migration", &format!("{one}\r\n\nx\n{two}\n"));
    let names: Vec<&str> = imported
        .entries
        .iter()
        .map(|[name, ..]| name.as_str())
        .collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(imported.refused_lines(), [2, 3]);
    assert_eq!(
        imported.refused[1].1,
        "a URI must begin with otpauth-migration:"
    );
    for (text, message) in [
        ("", "there is no otpauth-migration URI"),
        (" \n", "there is no otpauth-migration URI"),
        (
            "otpauth://totp/a?secret=JBSWY3DPEHPK3PXP",
            "a URI must begin with otpauth-migration:",
        ),
        ("otpauth-migration://offline?dat=CgA", "the URI has no data"),
        ("otpauth-migration://offline?data=", "the URI has no data"),
        (
            "otpauth-migration://offline?data=C!A",
            "the URI's data are not base64",
        ),
        (
            "otpauth-migration://offline?data=%00%ff",
            "the URI's data are not base64",
        ),
        (
            "otpauth-migration://offline?data=CgA\u{e9}",
            "the URI's data are not base64",
        ),
        (
            "otpauth-migration://offline?data=Cg",
            "the protobuf message is cut off, or is none",
        ),
    ] {
        assert_eq!(
            unreadable("otpauth-migration", text),
            format!("request.text: {message}")
        );
    }
    // Cut off where the last account ends, it cannot be told from one that is whole.
    let (whole, mut refused) = (import("otpauth-migration", &two), 0);
    for end in 0..two.len() {
        let reply = authenticator().call(factor2_import, request("otpauth-migration", &two[..end]));
        match reply.status {
            0 => assert_eq!(Imported::of(&reply.ok()), whole, "{end}"),
            _ => refused += 1,
        }
    }
    assert!(refused > 70, "{refused}");
}

#[test]
fn uris_are_written_anew() {
    let other = "issuer: the URI's label has another one, which is not kept";
    let colon = "username: its colon is written %3A in the URI; some apps cut the name there";
    for (line, names, expected, told) in [
        (
            format!(
                "OTPAUTH://TOTP/a%20b?Secret={}&image=x&period=030",
                SECRET.to_lowercase()
            ),
            ["a b", ""],
            uri("totp/a%20b", ""),
            &[] as &[&str],
        ),
        (
            uri("totp/X:a", "&issuer=Y&digits=8"),
            ["a", "Y"],
            uri("totp/Y:a", "&issuer=Y&digits=8"),
            &[other],
        ),
        (
            uri("hotp/X%3Aa", "&counter=7"),
            ["a", "X"],
            uri("hotp/X:a", "&issuer=X&counter=7"),
            &[],
        ),
        (
            uri("totp/:a%3Ab", ""),
            ["a:b", ""],
            uri("totp/:a%3Ab", ""),
            &[colon],
        ),
    ] {
        let ([username, issuer, got], warnings) = one("otpauth", &line);
        assert_eq!([username.as_str(), issuer.as_str()], names, "{line}");
        assert_eq!(got, expected, "{line}");
        assert_eq!(warnings, told, "{line}");
        assert_eq!(one("otpauth", &got).0, [username, issuer, expected]);
    }
    let moved = migration(&[account("a", "", [0; 4])]);
    assert_eq!(
        why("otpauth", &moved),
        "an otpauth-migration URI, which is another format"
    );
    assert_eq!(
        why("otpauth", "x"),
        "totpsecret: the URI must begin with otpauth://"
    );
}

/// The code that the system before would take is right.
#[test]
fn codes_are_those_of_the_system_before() {
    let authenticator =
        crate::support::Authenticator::new(json!({"issuer": "Example", "fixed_time": 59}));
    // RFC 6238 appendix B, and its seed.
    let text = "HOTP/T30/8 a - 3132333435363738393031323334353637383930";
    let ([_, _, uri], _) = one("users-file", text);
    let answer = authenticator
        .call(factor2_generate, json!({"totpsecret": uri}))
        .ok();
    assert_eq!(answer["otp"], "94287082");
}
