//! URIs, and what Google's app shows when accounts are moved.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use factor2::capi::factor2_import;

use super::{Imported, authenticator, import, one, request, unreadable, uri, why};
use crate::support::SECRET;

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
    for (name, issuer, numbers, names, begin, end, told) in [
        (
            "a",
            "",
            [1, 1, 2, 0],
            ["a", ""],
            "totp/a",
            "",
            &[] as &[&str],
        ),
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
    ] {
        let text = migration(&[account(name, issuer, numbers)]);
        let variants = [
            text.clone(),
            text.replace(
                "otpauth-migration://offline?",
                "OTPAUTH-MIGRATION://offline?x=1&",
            ),
            text.replace("%3D", ""),
            text.replace("%3D", "=").replace('+', "%2B"),
            text.clone() + "&batch=1#x",
        ];
        for text in variants {
            let ([username, issuer, got], warnings) = one("otpauth-migration", &text);
            assert_eq!([username.as_str(), issuer.as_str()], names);
            assert_eq!(got, uri(begin, end));
            assert_eq!(warnings, told);
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
