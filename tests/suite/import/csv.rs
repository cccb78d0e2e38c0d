//! Lists of tokens: privacyIDEA's and Entra's.

use super::{HEX, unreadable, uri, uri_and_warnings, why};
use crate::support::SECRET;

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
