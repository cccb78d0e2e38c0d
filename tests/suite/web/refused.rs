//! What no browser sends by itself, and what goes with every answer.

use std::io::{Read, Write};
use std::net::Ipv4Addr;

use super::http::{connect, exchange, request};
use super::program::Server;
use super::visitor::{CODES, FORM, PASSWORD, Visitor, between, code, encoded, wrong_code};
use crate::support::tool;

#[test]
fn headers_and_cookies() {
    let server = Server::start();
    let mut bob = Visitor::new(server.port);
    let secret = bob.sign_up("bob");
    for (method, path, status) in [
        ("GET", "/", 303),
        ("GET", "/enroll", 200),
        ("HEAD", "/enroll", 200),
        ("GET", "/style.css", 200),
        ("GET", "/none", 404),
        ("POST", "/", 405),
        ("GET", "/logout", 405),
        ("PUT", "/login", 405),
        ("POST", "/login", 415),
    ] {
        // Once with the session and once as a stranger.
        let cookie = bob.cookie.clone().unwrap();
        let status_of_stranger = if path == "/enroll" { 303 } else { status };
        for (headers, status) in [
            (vec![("Cookie", cookie.as_str())], status),
            (vec![], status_of_stranger),
        ] {
            let answer = request_with_length(server.port, method, path, &headers);
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            let policy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
                          frame-ancestors 'none'; base-uri 'none'";
            for (name, value) in [
                ("content-security-policy", policy),
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(
                    answer.header(name),
                    Some(value),
                    "{method} {path}: {answer:?}"
                );
            }
            assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
            assert!(!answer.body.contains("<script"), "{answer:?}");
        }
    }
    let answer = request(server.port, "GET", "/logout", &[], "").unwrap();
    assert_eq!(answer.header("allow"), Some("POST"));

    let answer = request(server.port, "GET", "/login", &[], "").unwrap();
    let line = answer.header("set-cookie").unwrap();
    let id = between(line, "session=", "; Path=/; HttpOnly; SameSite=Lax").unwrap();
    assert_eq!(
        line,
        format!("session={id}; Path=/; HttpOnly; SameSite=Lax")
    );
    assert!(id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    // An ended session's cookie is taken back.
    bob.get("/enroll");
    let answer = bob.post("/logout", &[]);
    assert_eq!(
        answer.header("set-cookie"),
        Some("session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    );
    assert!(!answer.body.contains(&secret));
    server.stop("TERM");
}

/// HEAD has no body, whatever its length says.
fn request_with_length(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> super::http::Answer {
    if method != "HEAD" {
        return request(port, method, path, headers, "").unwrap();
    }
    let output = crate::support::run(
        tool("curl")
            .args(["--silent", "--head"])
            .args(
                headers
                    .iter()
                    .flat_map(|(name, value)| ["-H".to_owned(), format!("{name}: {value}")]),
            )
            .arg(format!("http://127.0.0.1:{port}{path}")),
    );
    let text = String::from_utf8(output.stdout).unwrap();
    super::http::head(&text)
}

#[test]
fn behind_tls_cookies_are_for_tls_and_the_host_only() {
    let server = Server::start_command(
        super::program::with_key(&mut std::process::Command::new(super::program::sanitized()))
            .arg("login.example.com"),
    );
    let port = server.port;
    let host = ("Host", "login.example.com");
    let answer = request(port, "GET", "/login", &[host], "").unwrap();
    assert_eq!(answer.status, 200);
    let line = answer.header("set-cookie").unwrap();
    assert!(
        line.starts_with("__Host-session=")
            && line.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{line}"
    );
    assert_eq!(
        answer.header("strict-transport-security"),
        Some("max-age=31536000")
    );
    let local = format!("127.0.0.1:{port}");
    let answer = request(port, "GET", "/login", &[("Host", &local)], "").unwrap();
    assert_eq!(answer.status, 421);

    let mut visitor = Visitor::new(port);
    visitor.send("GET", "/login", &[host], "");
    let body = format!("csrf={}&name=a&password=b", visitor.csrf);
    for (origin, status) in [
        ("https://login.example.com", 401),
        ("http://login.example.com", 403),
        ("https://example.com", 403),
    ] {
        let headers = [host, FORM, ("Origin", origin)];
        let answer = visitor.send("POST", "/login", &headers, &body);
        assert_eq!(answer.status, status, "{origin}");
    }
    server.stop("TERM");
}

#[test]
fn forms_of_others() {
    let server = Server::start();
    let mut carol = Visitor::new(server.port);
    let secret = carol.sign_up("carol");
    let right = code(&secret, 0);
    let token = carol.csrf.clone();
    let other = {
        let mut other = Visitor::new(server.port);
        other.get("/login");
        other.csrf
    };
    let mut last_wrong = token.clone();
    let changed = if last_wrong.pop() == Some('0') {
        "1"
    } else {
        "0"
    };
    last_wrong += changed;
    for csrf in [
        String::new(),
        "&csrf=".to_owned(),
        format!("&csrf={other}"),
        format!("&csrf={last_wrong}"),
        format!("&csrf={}", &token[..63]),
        format!("&csrf={token}0"),
        format!("&CSRF={token}"),
        format!("&xcsrf={token}"),
        format!("&csrf={token}%00"),
    ] {
        let answer = carol.send("POST", "/enroll", &[FORM], &format!("code={right}{csrf}"));
        assert_eq!(answer.status, 403, "{csrf}: {answer:?}");
    }
    let body = format!("code={right}&csrf={token}");
    for origin in [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        &format!("https://127.0.0.1:{}", server.port),
        &format!("http://localhost:{}", server.port),
        &format!("http://127.0.0.1:{}.evil.example", server.port),
    ] {
        let headers = [FORM, ("Origin", origin)];
        let answer = carol.send("POST", "/enroll", &headers, &body);
        assert_eq!(answer.status, 403, "{origin}");
    }
    // A token without its session is worth nothing.
    let answer = request(server.port, "POST", "/enroll", &[FORM], &body).unwrap();
    assert_eq!(answer.status, 403);
    // Nothing was changed by all of these, the code not even used up.
    let origin = format!("http://127.0.0.1:{}", server.port);
    let answer = carol.send("POST", "/enroll", &[FORM, ("Origin", &origin)], &body);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some(CODES))
    );
    server.stop("TERM");
}

#[test]
fn other_hosts() {
    let server = Server::start();
    let port = server.port;
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("LocalHost:{port}"), 200),
        ("127.0.0.1".to_owned(), 421),
        ("localhost".to_owned(), 421),
        (format!("evil.example:{port}"), 421),
        (format!("localhost.evil.example:{port}"), 421),
        (format!("localhost:{port}0"), 421),
    ] {
        let answer = request(port, "GET", "/login", &[("Host", &host)], "").unwrap();
        assert_eq!(answer.status, status, "{host}");
        assert_eq!(
            answer.header("set-cookie").is_some(),
            status == 200,
            "{host}"
        );
    }
    for head in ["GET /login HTTP/1.1\r\n\r\n", "GET /login HTTP/1.0\r\n\r\n"] {
        let status = exchange(port, head.as_bytes()).unwrap().status;
        assert!(status == 421 || status == 400, "{head}: {status}");
    }
    server.stop("TERM");
}

#[test]
fn names_and_passwords() {
    let server = Server::start();
    let mut visitor = Visitor::new(server.port);
    let markup = "<script>alert('1')</script>\"&amp;";
    let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;amp;";
    let secret = visitor.enroll(markup);
    let page = visitor.post("/login", &[("name", markup), ("password", "wrong horse")]);
    assert_eq!(page.status, 401);
    let value = format!("value=\"{escaped}\"");
    assert!(
        page.body.contains(&value) && !page.body.contains("<script"),
        "{}",
        page.body
    );
    visitor.give_password(markup);
    let page = visitor.go("/code", &[("code", &code(&secret, 1))], "/");
    let hello = format!("<strong>{escaped}</strong>");
    assert!(
        page.body.contains(&hello) && !page.body.contains("<script"),
        "{}",
        page.body
    );
    visitor.post("/logout", &[]);

    let long = "x".repeat(65);
    let very_long = "x".repeat(129);
    for (name, password, status) in [
        ("", PASSWORD, 400),
        (&long, PASSWORD, 400),
        ("a\u{200B}b", PASSWORD, 400),
        ("a\nb", PASSWORD, 400),
        ("a\0b", PASSWORD, 400),
        ("gina", "1234567", 400),
        ("gina", "", 400),
        ("gina", &very_long, 400),
        (markup, PASSWORD, 409),
    ] {
        visitor.get("/signup");
        let answer = visitor.post("/signup", &[("name", name), ("password", password)]);
        assert_eq!(answer.status, status, "{name:?} {password:?}: {answer:?}");
        assert!(answer.body.contains("role=\"alert\""));
        assert!(!answer.body.contains(PASSWORD));
    }
    // Not UTF-8.
    visitor.get("/signup");
    let body = format!(
        "csrf={}&name=%ff&password={}",
        visitor.csrf,
        encoded(PASSWORD)
    );
    assert_eq!(visitor.send("POST", "/signup", &[FORM], &body).status, 400);
    // Wrong name and wrong password look the same.
    visitor.get("/login");
    let one = visitor.post("/login", &[("name", markup), ("password", "wrong horse")]);
    let other = visitor.post("/login", &[("name", "nobody"), ("password", PASSWORD)]);
    assert_eq!(
        one.body.replace(escaped, ""),
        other.body.replace("value=\"nobody\"", "value=\"\"")
    );
    // Codes that are none.
    visitor.give_password(markup);
    let a_code_has_six_digits = |answer: super::http::Answer, typed: &str| {
        assert_eq!(answer.status, 401, "{typed}: {answer:?}");
        let text = between(&answer.body, "role=\"alert\" id=\"error\">", "</p>").unwrap();
        let expected = "A code has six digits. Type in the one that the app shows now.";
        assert_eq!(text, expected, "{typed}");
    };
    for typed in [
        "",
        "12345",
        "1234567",
        "12ab",
        "12345O",
        "x",
        "\"},{\"",
        "é",
        "١٢٣٤٥",
        &"1".repeat(1000),
    ] {
        a_code_has_six_digits(visitor.post("/code", &[("code", typed)]), typed);
    }
    for typed in ["%ff%fe", "12%003456", "%"] {
        let body = format!("csrf={}&code={typed}", visitor.csrf);
        a_code_has_six_digits(visitor.send("POST", "/code", &[FORM], &body), typed);
    }
    // Six digits are looked at, and that they were wrong is another text.
    for typed in [&wrong_code(&secret), "000 000", "00-00-00"] {
        let answer = visitor.post("/code", &[("code", typed)]);
        assert_eq!(answer.status, 401, "{typed}: {answer:?}");
        assert!(!answer.body.contains("six digits"), "{typed}: {answer:?}");
    }
    // At the first code, too.
    let mut other = Visitor::new(server.port);
    other.sign_up("other");
    a_code_has_six_digits(other.post("/enroll", &[("code", "12 34")]), "12 34");
    server.stop("TERM");
}

#[test]
fn garbage_and_too_much() {
    let server = Server::start();
    let port = server.port;
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let large = "x".repeat(5000);
    for (request, status) in [
        (
            format!("POST /login HTTP/1.1\r\n{host}{form}Content-Length: 5000\r\n\r\n{large}"),
            413,
        ),
        (
            format!(
                "POST /login HTTP/1.1\r\n{host}{form}Content-Length: 4294967297\r\n\r\n{large}"
            ),
            413,
        ),
        (
            format!(
                "POST /login HTTP/1.1\r\n{host}{form}Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n"
            ),
            411,
        ),
        (
            format!(
                "POST /login HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Type: text/plain\r\n\r\nx"
            ),
            415,
        ),
        (
            format!(
                "POST /login HTTP/1.1\r\n{host}Content-Length: 1\r\n\
                 Content-Type: application/x-www-form-urlencodedx\r\n\r\nx"
            ),
            415,
        ),
        (format!("GET /../etc/passwd HTTP/1.1\r\n{host}\r\n"), 404),
    ] {
        let answer = exchange(port, request.as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{request}: {answer:?}");
    }
    for garbage in [
        b"\0\0\0\0\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        [b"GET /".as_slice(), &[b'x'; 100_000], b" HTTP/1.1\r\n\r\n"].concat(),
        format!(
            "GET /login HTTP/1.1\r\n{host}Cookie: {}\r\n\r\n",
            "a=b;".repeat(9000)
        )
        .into_bytes(),
        format!("POST /login HTTP/1.1\r\n{host}{form}Content-Length: -1\r\n\r\n").into_bytes(),
    ] {
        if let Some(answer) = exchange(port, &garbage) {
            assert!((400..=505).contains(&answer.status), "{answer:?}");
        }
    }
    // Forms that are not well made, with a good token.
    let mut visitor = Visitor::new(port);
    visitor.get("/login");
    let token = visitor.csrf.clone();
    for rest in [
        "&name=%",
        "&name=%4",
        "&name=%zz&password=%",
        "&&&=&name",
        "&name=a%00b",
    ] {
        let answer = visitor.send("POST", "/login", &[FORM], &format!("csrf={token}{rest}"));
        assert_eq!(answer.status, 401, "{rest}");
    }
    // It is still there.
    visitor.enroll("heidi");
    server.stop("TERM");
}

/// Requests whose end a proxy could find at another place: one answer, and no look at what follows.
#[test]
fn no_request_hides_in_another() {
    let server = Server::start();
    let host = format!("Host: 127.0.0.1:{}\r\n", server.port);
    let hidden = format!("GET /style.css HTTP/1.1\r\n{host}\r\n");
    let length = hidden.len();
    for method in ["POST", "GET", "PUT"] {
        for lines in [
            format!("Content-Length: 0\r\nContent-Length: {length}"),
            format!("Content-Length: {length}\r\ncontent-length: 0"),
            "Content-Length: 0\r\nContent-Length: 0".to_owned(),
            format!("Content-Length: 0, {length}"),
            format!("Content-Length: +{length}"),
            format!("Content-Length : {length}"),
            format!("Content-Length: 0\r\nContent-Length\t: {length}"),
            format!("Content-Length: 0\r\n Content-Length: {length}"),
            format!("Content-Length: 0\r\n\x0bContent-Length: {length}"),
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
            "Content-Length: 0\r\nTransfer-Encoding : chunked".to_owned(),
            "Transfer-Encoding: xchunked\r\nContent-Length: 0".to_owned(),
        ] {
            let (form, value) = FORM;
            let head =
                format!("{method} /login HTTP/1.1\r\n{host}{form}: {value}\r\n{lines}\r\n\r\n");
            let mut stream = connect(Ipv4Addr::LOCALHOST, server.port);
            stream.write_all((head + &hidden).as_bytes()).unwrap();
            let mut answers = String::new();
            // A reset is an end as well.
            let _ = stream.read_to_string(&mut answers);
            assert!(
                answers.starts_with("HTTP/1.1 400 "),
                "{method} {lines}: {answers}"
            );
            assert!(!answers.contains("text/css"), "{method} {lines}: {answers}");
        }
    }
    server.stop("TERM");
}
