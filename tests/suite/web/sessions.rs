//! The way through the pages without a browser: the whole life of a factor, and the sessions' rules.

use std::net::Ipv4Addr;

use super::http::request;
use super::program::{Server, plain, with_key};
use super::visitor::{CODES, PASSWORD, SAVED, Visitor, between, code, shown_secret, wrong_code};
use crate::support::tool;

/// Signs up, logs in, is refused with the used code, has to wait after wrong ones.
fn whole_life(port: u16) {
    let mut alice = Visitor::new(port);
    let secret = alice.enroll("alice");
    alice.give_password("alice");
    let next = code(&secret, 1);
    let home = alice.go("/code", &[("code", &next)], "/");
    assert!(
        home.body.contains("<strong>alice</strong>"),
        "{}",
        home.body
    );
    let left = alice.cookie.clone();
    let answer = alice.post("/logout", &[]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/login"))
    );
    assert_eq!(alice.cookie, None);
    alice.cookie = left;
    assert_eq!(alice.get("/").header("location"), Some("/login"));

    alice.give_password("alice");
    let refusal = |answer: &super::http::Answer| {
        between(&answer.body, "role=\"alert\" id=\"error\">", "</p>")
            .unwrap()
            .to_owned()
    };
    let replayed = alice.post("/code", &[("code", &next)]);
    let wrong = wrong_code(&secret);
    let guessed = alice.post("/code", &[("code", &wrong)]);
    for answer in [&replayed, &guessed] {
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(answer.header("retry-after"), None);
        let text = refusal(answer);
        let wait = between(&text, "shows a new one in ", " second").unwrap();
        assert!((1..=60).contains(&wait.parse::<u32>().unwrap()), "{text}");
        assert!(
            text.starts_with("The code was not accepted. Each code works once; "),
            "{text}"
        );
    }
    for _ in 0..3 {
        assert_eq!(alice.post("/code", &[("code", &wrong)]).status, 401);
    }
    // The fifth wrong code locks; then not even a right one is looked at.
    for code in [&wrong, &wrong, &code(&secret, 2)] {
        let answer = alice.post("/code", &[("code", code)]);
        assert_eq!(answer.status, 429, "{answer:?}");
        let wait = answer.header("retry-after").unwrap();
        assert!((1..=30).contains(&wait.parse::<u32>().unwrap()), "{wait}");
        let text = refusal(&answer);
        let said = format!("The code was not accepted. The next one can be tried in {wait} second");
        assert!(text.starts_with(&said), "{text}");
    }
    assert_eq!(alice.get("/").header("location"), Some("/code"));
}

#[test]
fn the_whole_life_of_a_factor() {
    let server = Server::start();
    whole_life(server.port);
    server.stop("TERM");
}

#[test]
fn the_whole_life_under_valgrind() {
    let server = Server::start_command(with_key(
        tool("valgrind")
            .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
            .arg("--errors-for-leak-kinds=definite,indirect,possible")
            .arg(plain()),
    ));
    whole_life(server.port);
    super::recovery::whole_life(server.port);
    server.stop("INT");
}

/// A session's id is new at every step up, and an id that somebody planted is never taken.
#[test]
fn sessions_are_never_fixed() {
    let server = Server::start();
    let planted = format!("session={}", "a".repeat(64));
    let mut dave = Visitor::new(server.port);
    dave.cookie = Some(planted.clone());
    dave.get("/signup");
    let mut ids = vec![planted, dave.cookie.clone().unwrap()];
    let mut tokens = vec![dave.csrf.clone()];
    let mut note = |dave: &Visitor| {
        ids.push(dave.cookie.clone().unwrap());
        tokens.push(dave.csrf.clone());
    };
    let secret = dave.sign_up("dave");
    note(&dave);
    dave.go("/enroll", &[("code", &code(&secret, 0))], CODES);
    note(&dave);
    dave.save();
    note(&dave);
    dave.give_password("dave");
    note(&dave);
    dave.go("/code", &[("code", &code(&secret, 1))], "/");
    note(&dave);
    for list in [&mut ids, &mut tokens] {
        let length = list.len();
        list.sort();
        list.dedup();
        assert_eq!(list.len(), length, "{list:?}");
    }
    let here = dave.cookie.clone().unwrap();
    for id in ids {
        let answer = request(server.port, "GET", "/", &[("Cookie", &id)], "").unwrap();
        let status = if id == here { 200 } else { 303 };
        assert_eq!(answer.status, status, "{id}");
    }
    server.stop("TERM");
}

/// No step can be left out.
#[test]
fn steps_come_in_their_order() {
    let server = Server::start();
    let mut erin = Visitor::new(server.port);
    let secret = erin.enroll("erin");
    erin.get("/login");
    let next = code(&secret, 1);
    for path in ["/code", "/enroll", "/recovery", CODES, SAVED] {
        let answer = erin.post(path, &[("code", &next)]);
        assert_eq!(answer.header("location"), Some("/login"), "{path}");
        if path != SAVED {
            assert_eq!(erin.get(path).header("location"), Some("/login"), "{path}");
        }
    }
    erin.give_password("erin");
    assert_eq!(erin.get("/").header("location"), Some("/code"));
    assert_eq!(erin.get("/login").header("location"), Some("/code"));
    assert_eq!(
        erin.post("/signup", &[("name", "x"), ("password", PASSWORD)])
            .header("location"),
        Some("/code")
    );
    // An enrollment that nobody confirmed is no user.
    let mut frank = Visitor::new(server.port);
    frank.sign_up("frank");
    let mut other = Visitor::new(server.port);
    other.get("/login");
    let fields = [("name", "frank"), ("password", PASSWORD)];
    assert_eq!(other.post("/login", &fields).status, 401);
    // The name goes to who confirms it first.
    let secret = other.sign_up("frank");
    other.go("/enroll", &[("code", &code(&secret, 0))], CODES);
    let answer = frank.get("/enroll");
    let pending = shown_secret(&answer.body);
    let answer = frank.post("/enroll", &[("code", &code(&pending, 0))]);
    assert_eq!(answer.status, 409, "{answer:?}");
    server.stop("TERM");
}

/// Strangers push out sessions of their own address, and nobody's who has given a password.
#[test]
fn sessions_are_bounded() {
    let server = Server::start();
    let mut ivan = Visitor::new(server.port);
    let secret = ivan.enroll("ivan");
    ivan.give_password("ivan");
    ivan.go("/code", &[("code", &code(&secret, 1))], "/");
    let mut at_the_code = Visitor::new(server.port);
    at_the_code.give_password("ivan");
    let mut enrolling = Visitor::new(server.port);
    enrolling.sign_up("judy");
    let mut early = Visitor::new(server.port);
    early.get("/login");
    let mut elsewhere = Visitor::from(Ipv4Addr::new(127, 0, 0, 2), server.port);
    elsewhere.get("/login");
    for path in ["/login", "/signup"] {
        for _ in 0..1100 {
            let answer = request(server.port, "GET", path, &[], "").unwrap();
            assert_eq!(answer.status, 200);
        }
    }
    assert_eq!(ivan.get("/").status, 200);
    assert_eq!(at_the_code.get("/code").status, 200);
    assert_eq!(enrolling.get("/enroll").status, 200);
    let fields = [("name", "ivan"), ("password", PASSWORD)];
    assert_eq!(early.post("/login", &fields).status, 403);
    elsewhere.go("/login", &fields, "/code");
    server.stop("TERM");
}

/// Who knows a password pushes out that user's sessions that wait for a code, and no others.
#[test]
fn sessions_of_a_user_are_bounded() {
    let server = Server::start();
    let mut judy = Visitor::new(server.port);
    let secret = judy.enroll("judy");
    judy.give_password("judy");
    judy.go("/code", &[("code", &code(&secret, 1))], "/");
    let mut ivan = Visitor::new(server.port);
    ivan.enroll("ivan");
    ivan.give_password("ivan");
    let mut others: Vec<Visitor> = (0..6).map(|_| Visitor::new(server.port)).collect();
    for other in &mut others {
        other.give_password("judy");
    }
    let at_the_code: Vec<bool> = others
        .iter_mut()
        .map(|other| other.get("/code").status == 200)
        .collect();
    assert_eq!(at_the_code, [false, true, true, true, true, true]);
    assert_eq!(judy.get("/").status, 200);
    assert_eq!(ivan.get("/code").status, 200);
    server.stop("TERM");
}
