//! Recovery codes: saved after the enrollment, typed where the phone is lost, renewed.

use super::http::{Answer, request};
use super::program::Server;
use super::visitor::{CODES, SAVED, Visitor, between, code, shown_codes, wrong_code};

/// A recovery code of nobody.
const NO_CODE: &str = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF";

fn alert(answer: &Answer) -> &str {
    between(&answer.body, "role=\"alert\" id=\"error\">", "</p>").unwrap()
}

/// How many are left, as the account's page says it.
#[track_caller]
fn left(page: &str) -> u32 {
    between(page, "<p>You have ", " recovery code")
        .unwrap()
        .parse()
        .unwrap()
}

/// Logs in by a recovery code. Gives the account's page.
#[track_caller]
fn recover(visitor: &mut Visitor, name: &str, typed: &str) -> String {
    let page = visitor.give_password(name).body;
    assert!(page.contains("<a href=\"/recovery\">"), "{page}");
    assert_eq!(visitor.get("/recovery").status, 200);
    visitor.go("/recovery", &[("recovery", typed)], "/").body
}

/// Tries to log in by a recovery code, and leaves.
#[track_caller]
fn refused(visitor: &mut Visitor, name: &str, typed: &str) {
    visitor.give_password(name);
    let answer = visitor.post("/recovery", &[("recovery", typed)]);
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(
        alert(&answer),
        "The recovery code was not accepted. Each works once."
    );
    assert_eq!(visitor.get("/").header("location"), Some("/code"));
    visitor.post("/logout", &[]);
}

/// Enrolls, saves the codes, loses the phone, is in by a code, has new ones.
pub fn whole_life(port: u16) {
    let mut alice = Visitor::new(port);
    let (_, codes) = alice.confirm("prudent");
    let file = alice.get("/recovery-codes.txt");
    assert_eq!(file.status, 200);
    assert_eq!(
        file.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"factor2-recovery-codes.txt\"")
    );
    assert_eq!(file.header("cache-control"), Some("no-store"));
    let (head, list) = file.body.split_once("\n\n").unwrap();
    assert!(head.starts_with("Recovery codes of prudent for factor2 demo\n"));
    assert_eq!(list.lines().collect::<Vec<_>>(), codes);
    // They are shown until they are saved, and that has to be said.
    assert_eq!(shown_codes(&alice.get(CODES).body), codes);
    assert_eq!(alice.get("/").header("location"), Some(CODES));
    let answer = alice.post(SAVED, &[]);
    assert_eq!(answer.status, 400);
    assert!(alert(&answer).starts_with("Save the codes first."));
    alice.save();
    for path in [CODES, "/recovery-codes.txt"] {
        assert_eq!(alice.get(path).header("location"), Some("/login"), "{path}");
    }

    let home = recover(
        &mut alice,
        "prudent",
        &codes[4].to_lowercase().replace('-', " "),
    );
    assert!(
        home.contains("role=\"status\">That recovery code is used up"),
        "{home}"
    );
    assert_eq!(left(&home), 9);
    let home = alice.get("/").body;
    assert!(!home.contains("used up"), "once: {home}");
    alice.post("/logout", &[]);
    refused(&mut alice, "prudent", &codes[4]);

    // New ones; the old ones work until those are saved.
    recover(&mut alice, "prudent", &codes[0]);
    let renewed = shown_codes(&alice.go(CODES, &[], CODES).body);
    assert!(renewed.iter().all(|code| !codes.contains(code)));
    assert_eq!(shown_codes(&alice.go(CODES, &[], CODES).body), renewed);
    assert_eq!(alice.get("/").header("location"), Some(CODES));
    let mut elsewhere = Visitor::new(port);
    assert_eq!(left(&recover(&mut elsewhere, "prudent", &codes[1])), 7);
    let home = alice.go(SAVED, &[("saved", "yes")], "/").body;
    assert!(home.contains("The old ones are void"), "{home}");
    assert_eq!(left(&home), 10);
    assert_eq!(alice.get(CODES).header("location"), Some("/"));
    alice.post("/logout", &[]);
    refused(&mut alice, "prudent", &codes[2]);
    assert_eq!(left(&recover(&mut alice, "prudent", &renewed[2])), 9);
}

#[test]
fn the_whole_life_of_recovery_codes() {
    let server = Server::start();
    whole_life(server.port);
    server.stop("TERM");
}

#[test]
fn guessing_at_the_one_never_locks_the_other() {
    let server = Server::start();
    let mut visitor = Visitor::new(server.port);
    let (secret, codes) = visitor.confirm("mia");
    visitor.save();
    visitor.give_password("mia");
    let wrong = wrong_code(&secret);
    for _ in 0..5 {
        visitor.post("/code", &[("code", &wrong)]);
    }
    let locked = visitor.post("/code", &[("code", &code(&secret, 1))]);
    assert_eq!(locked.status, 429, "{locked:?}");
    visitor.go("/recovery", &[("recovery", &codes[0])], "/");
    visitor.post("/logout", &[]);

    let (secret, codes) = visitor.confirm("noah");
    visitor.save();
    visitor.give_password("noah");
    for _ in 0..5 {
        visitor.post("/recovery", &[("recovery", NO_CODE)]);
    }
    let locked = visitor.post("/recovery", &[("recovery", &codes[0])]);
    assert_eq!(locked.status, 429, "{locked:?}");
    let wait = locked.header("retry-after").unwrap();
    assert!((1..=30).contains(&wait.parse::<u32>().unwrap()), "{wait}");
    let said = format!("The code was not accepted. The next one can be tried in {wait} second");
    assert!(alert(&locked).starts_with(&said), "{locked:?}");
    visitor.go("/code", &[("code", &code(&secret, 1))], "/");
    server.stop("TERM");
}

#[test]
fn what_is_no_recovery_code_is_told_so() {
    let server = Server::start();
    let mut visitor = Visitor::new(server.port);
    let (_, codes) = visitor.confirm("olga");
    visitor.save();
    visitor.give_password("olga");
    let long = "A".repeat(1000);
    for typed in ["", "123456", "\"}", "\u{e9}", &NO_CODE[1..], &long] {
        let answer = visitor.post("/recovery", &[("recovery", typed)]);
        assert_eq!(answer.status, 401, "{typed}: {answer:?}");
        let said = "A recovery code has 24 letters and digits, in groups of four.";
        assert_eq!(alert(&answer), said, "{typed}");
    }
    // None of them was counted, and a code of somebody else is none.
    let mut other = Visitor::new(server.port);
    let (_, others) = other.confirm("paul");
    let answer = visitor.post("/recovery", &[("recovery", &others[0])]);
    assert_eq!(answer.status, 401, "{answer:?}");
    visitor.go("/recovery", &[("recovery", &codes[9])], "/");
    server.stop("TERM");
}

/// The codes are for who confirmed the secret, and a form of another site changes nothing.
#[test]
fn nobody_else_sees_or_makes_codes() {
    let server = Server::start();
    let mut quinn = Visitor::new(server.port);
    let (secret, codes) = quinn.confirm("quinn");
    let mut stranger = Visitor::new(server.port);
    stranger.get("/login");
    let mut at_the_code = Visitor::new(server.port);
    at_the_code.give_password("quinn");
    for (visitor, next) in [(&mut stranger, "/login"), (&mut at_the_code, "/code")] {
        for path in [CODES, "/recovery-codes.txt"] {
            assert_eq!(visitor.get(path).header("location"), Some(next), "{path}");
        }
        for path in [CODES, SAVED] {
            let answer = visitor.post(path, &[("saved", "yes")]);
            assert_eq!(answer.header("location"), Some(next), "{path}");
        }
    }
    // The enrollment alone is no login.
    let answer = quinn.post("/code", &[("code", &code(&secret, 1))]);
    assert_eq!(answer.header("location"), Some(CODES));
    quinn.save();

    recover(&mut quinn, "quinn", &codes[0]);
    let cookie = quinn.cookie.clone().unwrap();
    for path in [CODES, SAVED] {
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let headers = [("Cookie", cookie.as_str()), form];
        let body = "saved=yes";
        let answer = request(server.port, "POST", path, &headers, body).unwrap();
        assert_eq!(answer.status, 403, "{answer:?}");
        let from = [headers[0], form, ("Origin", "https://evil.example")];
        let body = format!("csrf={}&saved=yes", quinn.csrf);
        let answer = request(server.port, "POST", path, &from, &body).unwrap();
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    assert_eq!(left(&quinn.get("/").body), 9);
    for (number, code) in codes[1..7].iter().enumerate() {
        quinn.post("/logout", &[]);
        let home = recover(&mut quinn, "quinn", code);
        let soon = home.contains("Make new ones soon.");
        assert_eq!(soon, left(&home) <= 3, "{number}: {home}");
    }
    server.stop("TERM");
}
