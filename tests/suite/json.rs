//! Requests and settings are strict JSON: C callers put it together with `snprintf`, and nothing
//! that went wrong there may be taken for something else.

use factor2::Status;
use factor2::capi::{
    factor2_describe, factor2_generate, factor2_prepare_configuration,
    factor2_reprepare_configuration, factor2_verify,
};
use serde_json::json;

use crate::json_texts::{MALFORMED, WELL_FORMED};
use crate::support::{Authenticator, KEY, OPERATIONS, Operation, RECOVERY, Reply, SECRET};

/// Members for the session's data that are all it needs.
const FACTOR: &str = r#""totpsecret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP","factor2":"totp""#;

fn authenticator() -> Authenticator {
    Authenticator::new(json!({
        "issuer": "Example", "factor_name": "totp",
        "qr": {"module_px": 1, "quiet_zone": 0}, "seal": {"keys": {"k": KEY}, "use": "k"},
    }))
}

/// A request with `text` as the value of a member that is ignored.
fn with_ignored(text: &[u8]) -> Vec<u8> {
    [br#"{"user":{"username":"alice","x":"#, text, b"}}"].concat()
}

/// The same in the session's data, which is an object here.
fn with_session(text: &[u8]) -> Vec<u8> {
    let start = format!(r#"{{"username":"alice","sessionKey":{{"data":{{{FACTOR},"x":"#);
    [start.as_bytes(), text, b"}}}"].concat()
}

/// Session data as a text.
fn with_session_text(data: &str) -> Vec<u8> {
    let request = json!({"username": "alice", "sessionKey": {"data": data}});
    request.to_string().into_bytes()
}

/// What every operation, and the making of an authenticator, say to a text.
fn replies(text: &[u8]) -> Vec<Reply> {
    let authenticator = authenticator();
    let mut replies: Vec<Reply> = OPERATIONS
        .iter()
        .map(|(_, operation)| authenticator.call_raw(*operation, text))
        .collect();
    replies.extend(Authenticator::try_new(text).err());
    assert_eq!(replies.len(), OPERATIONS.len() + 1);
    replies
}

/// MALFORMED, and a string with each of the characters that a string must escape.
fn malformed() -> Vec<Vec<u8>> {
    let controls = (0..0x20).map(|control| vec![b'"', control, b'"']);
    let texts = MALFORMED.iter().map(|text| text.to_vec());
    texts.chain(controls).collect()
}

#[test]
fn malformed_requests_are_refused() {
    for text in malformed() {
        for reply in replies(&text) {
            reply.refused(Status::BadRequest);
        }
    }
}

#[test]
fn malformed_values_are_refused_where_nobody_looks_at_them() {
    let authenticator = authenticator();
    for text in malformed() {
        let (value, shown) = (with_ignored(&text), String::from_utf8_lossy(&text));
        let reply = authenticator.call_raw(factor2_prepare_configuration, &value);
        assert_eq!(reply.status, Status::BadRequest as i32, "{shown}");
        let in_session = with_session(&text);
        let reply = authenticator.call_raw(factor2_reprepare_configuration, &in_session);
        assert_eq!(reply.status, Status::BadRequest as i32, "{shown}");
        if let Ok(text) = std::str::from_utf8(&text) {
            for data in [text.to_owned(), format!(r#"{{{FACTOR},"x":{text}}}"#)] {
                if data.is_empty() {
                    continue; // a session without data yet; see operations.rs
                }
                let request = with_session_text(&data);
                let reply = authenticator.call_raw(factor2_reprepare_configuration, &request);
                assert_eq!(reply.status, Status::DataFormat as i32, "{shown}");
            }
        }
    }
}

#[test]
fn well_formed_values_are_ignored_where_nobody_looks_at_them() {
    let authenticator = authenticator();
    for text in WELL_FORMED {
        let request = with_ignored(text.as_bytes());
        authenticator
            .call_raw(factor2_prepare_configuration, &request)
            .ok();
        let in_text = with_session_text(&format!(r#"{{{FACTOR},"x":{text}}}"#));
        for request in [with_session(text.as_bytes()), in_text] {
            authenticator
                .call_raw(factor2_reprepare_configuration, &request)
                .ok();
        }
    }
}

#[test]
fn only_an_object_is_a_request() {
    let array = format!(r#"["alice","{SECRET}"]"#);
    let texts = [
        "[]",
        "[{}]",
        r#"[["issuer","Example"]]"#,
        r#""{}""#,
        "0",
        "1.5",
        "null",
        "true",
    ];
    for text in texts.into_iter().chain([array.as_str()]) {
        for reply in replies(text.as_bytes()) {
            let message = reply.refused(Status::BadRequest);
            assert!(message.ends_with(": must be a JSON object"), "{message}");
        }
    }
}

#[test]
fn blanks_around_a_request_are_allowed() {
    let authenticator = authenticator();
    for text in [" {}", "{} ", "\t\r\n { \t\r\n } \t\r\n "] {
        authenticator
            .call_raw(factor2_describe, text.as_bytes())
            .ok();
    }
}

#[test]
fn duplicate_members_are_refused() {
    let authenticator = authenticator();
    let request = |operation, text: &str, status| {
        let message = authenticator
            .call_raw(operation, text.as_bytes())
            .refused(status);
        assert!(message.ends_with(": a member is given twice"), "{message}");
    };
    let objects = [
        r#"{"username":"alice","username":"alice"}"#,
        r#"{"username":"alice","username":"bob"}"#,
        r#"{"username":"alice","\u0075sername":"bob"}"#,
        r#"{"\u0075\u0073ername":"alice","username":"bob"}"#,
        r#"{"x":1,"username":"alice","x":1}"#,
        r#"{"":1,"":1}"#,
        r#"{"a\u0000":1,"a\u0000":1}"#,
        r#"{"\uD83D\uDD10":1,"🔐":2}"#,
        r#"{"username":null,"username":"alice"}"#,
    ];
    for object in objects {
        for (_, operation) in OPERATIONS {
            request(*operation, object, Status::BadRequest);
        }
        for nested in [
            object.to_owned(),
            format!("[{object}]"),
            format!(r#"{{"a":[1,{{"b":{object}}}]}}"#),
        ] {
            let prepare = String::from_utf8(with_ignored(nested.as_bytes())).unwrap();
            request(factor2_prepare_configuration, &prepare, Status::BadRequest);
            let session = String::from_utf8(with_session(nested.as_bytes())).unwrap();
            request(
                factor2_reprepare_configuration,
                &session,
                Status::BadRequest,
            );
            let data = format!(r#"{{{FACTOR},"x":{nested}}}"#);
            let session = String::from_utf8(with_session_text(&data)).unwrap();
            request(
                factor2_reprepare_configuration,
                &session,
                Status::DataFormat,
            );
        }
    }
    let ignored_twice = r#"{"user":{"username":"alice","x":1,"x":1}}"#;
    request(
        factor2_prepare_configuration,
        ignored_twice,
        Status::BadRequest,
    );
    let key = r#"{"username":"alice","sessionKey":{"value":1,"value":1,"data":"{}"}}"#;
    request(factor2_reprepare_configuration, key, Status::BadRequest);
    let pasted = format!(
        r#"{{"totpsecret":"{SECRET}","otp":"000000","totpsecret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}"#
    );
    request(factor2_verify, &pasted, Status::BadRequest);

    for text in [
        r#"{"issuer":"a","issuer":"b"}"#,
        r#"{"issuer":"a","digits":6,"\u0064igits":8}"#,
        r#"{"issuer":"a","window":{"past":0,"past":0}}"#,
        r#"{"issuer":"a","qr":{"module_px":1,"module_\u0070x":2}}"#,
        r#"{"issuer":"a","guard":{"store":"none","store":"none"}}"#,
        r#"{"issuer":"a","unknown":[{"b":1,"b":2}]}"#,
    ] {
        let reply = Authenticator::try_new(text.as_bytes()).err().unwrap();
        let message = reply.refused(Status::BadRequest);
        assert!(message.ends_with(": a member is given twice"), "{message}");
    }
}

/// Arrays and objects in turn, `depth` of them.
fn nested(depth: usize) -> String {
    let open: String = ["[", r#"{"a":"#]
        .into_iter()
        .cycle()
        .take(depth - 1)
        .collect();
    let close: String = ["]", "}"].into_iter().cycle().take(depth - 1).collect();
    format!("{open}[]{}", close.chars().rev().collect::<String>())
}

#[test]
fn eight_levels_are_the_deepest() {
    let authenticator = authenticator();
    // The request and `user` are two levels, or `sessionKey` and `data` two more.
    let call = |depth: usize| {
        let user = with_ignored(nested(depth - 2).as_bytes());
        let session = with_session(nested(depth - 3).as_bytes());
        let data = format!(r#"{{{FACTOR},"x":{}}}"#, nested(depth - 1));
        [
            authenticator.call_raw(factor2_prepare_configuration, &user),
            authenticator.call_raw(factor2_reprepare_configuration, &session),
            authenticator.call_raw(factor2_reprepare_configuration, &with_session_text(&data)),
        ]
    };
    for reply in call(8) {
        reply.ok();
    }
    for depth in [9, 10, 20, 127, 128, 129, 1000] {
        let [user, session, text] = call(depth);
        for (reply, status) in [
            (user, Status::BadRequest),
            (session, Status::BadRequest),
            (text, Status::DataFormat),
        ] {
            let message = reply.refused(status);
            assert!(
                message.ends_with(": nested deeper than 8 levels"),
                "{message}"
            );
        }
    }
}

#[test]
fn a_hundred_thousand_brackets_are_refused() {
    let authenticator = authenticator();
    for bracket in ["[", "{", r#"{"a":"#, "]", "[[]", "{},"] {
        let names = OPERATIONS.iter().map(|(name, _)| *name).chain(["settings"]);
        for (name, reply) in names.zip(replies(bracket.repeat(100_000).as_bytes())) {
            reply.refused(match name {
                "factor2_import" => Status::BadRequest,
                _ => Status::RequestTooLarge,
            });
        }
        let longest = bracket.repeat(60_000 / bracket.len());
        for reply in replies(longest.as_bytes()) {
            reply.refused(Status::BadRequest);
        }
        for (operation, request) in [
            (
                factor2_prepare_configuration as Operation,
                with_ignored(longest.as_bytes()),
            ),
            (
                factor2_reprepare_configuration,
                with_session(longest.as_bytes()),
            ),
        ] {
            authenticator
                .call_raw(operation, &request)
                .refused(Status::BadRequest);
        }
        let shorter = bracket.repeat(30_000 / bracket.len());
        authenticator
            .call_raw(
                factor2_reprepare_configuration,
                &with_session_text(&shorter),
            )
            .refused(Status::DataFormat);
    }
    let balanced = with_ignored(("[".repeat(30_000) + &"]".repeat(30_000)).as_bytes());
    authenticator
        .call_raw(factor2_prepare_configuration, &balanced)
        .refused(Status::BadRequest);
}

#[test]
fn sixty_four_kib_are_the_longest_but_for_imports() {
    let authenticator = authenticator();
    let padded = |text: &str, length: usize| {
        let mut text = text.to_owned();
        text.push_str(&" ".repeat(length - text.len()));
        text.into_bytes()
    };
    let code = authenticator
        .call(factor2_generate, json!({"totpsecret": SECRET}))
        .ok()["otp"]
        .to_string();
    let (recovery, recovery_code) = RECOVERY;
    let token = |counter: u32| format!("otpauth://hotp/a?secret={SECRET}&counter={counter}");
    let [first, second] = [0, 1].map(|counter| {
        let request = json!({"totpsecret": token(counter)});
        authenticator.call(factor2_generate, request).ok()["otp"].to_string()
    });
    let uri = token(0);
    let requests = [
        "{}".to_owned(),
        r#"{"username":"alice"}"#.to_owned(),
        format!(r#"{{"username":"alice","totpsecret":"{SECRET}"}}"#),
        r#"{"user":{"username":"alice"}}"#.to_owned(),
        format!(r#"{{"username":"alice","sessionKey":{{"data":{{{FACTOR}}}}}}}"#),
        format!(r#"{{"totpsecret":"{SECRET}","otp":{code}}}"#),
        format!(r#"{{"totpsecret":"{uri}","otp":{first},"next_otp":{second}}}"#),
        format!(r#"{{"totpsecret":"{SECRET}","otp":{code}}}"#),
        format!(r#"{{"uri":"{uri}"}}"#),
        format!(r#"{{"totpsecret":"{SECRET}"}}"#),
        format!(r#"{{"totpsecret":"{SECRET}"}}"#),
        format!(r#"{{"totpsecret":"{SECRET}"}}"#),
        format!(r#"{{"totpsecret":"{SECRET}","username":"alice"}}"#),
        r#"{"count":1}"#.to_owned(),
        format!(r#"{{"recovery":"{recovery}","code":"{recovery_code}"}}"#),
        r#"{"format":"otpauth","text":""}"#.to_owned(),
    ];
    assert_eq!(requests.len(), OPERATIONS.len());
    for ((name, operation), request) in OPERATIONS.iter().zip(requests) {
        let longest = match *name {
            "factor2_import" => 16 << 20,
            _ => 65_536,
        };
        let reply = authenticator.call_raw(*operation, &padded(&request, longest));
        assert_eq!(reply.status, 0, "{name}: {}", reply.text);
        authenticator
            .call_raw(*operation, &padded(&request, longest + 1))
            .refused(Status::RequestTooLarge);
    }
    let config = r#"{"issuer":"Example"}"#;
    assert!(Authenticator::try_new(&padded(config, 65_536)).is_ok());
    let reply = Authenticator::try_new(&padded(config, 65_537))
        .err()
        .unwrap();
    reply.refused(Status::RequestTooLarge);
    // Not the padding, but a value fills the request.
    let long = format!(
        "\"{}\"",
        "é".repeat((65_536 - with_ignored(b"\"\"").len()) / 2)
    );
    authenticator
        .call_raw(
            factor2_prepare_configuration,
            &with_ignored(long.as_bytes()),
        )
        .ok();
}
