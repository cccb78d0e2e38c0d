//! Many at once, and slow ones: who comes from elsewhere, or wants little, hardly notices.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::http::{connect, request};
use super::program::Server;
use super::visitor::{Visitor, code};

const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const SHEETS: usize = 60;

/// More connections than an address may have, each with a request that never ends.
fn slow_connections(from: Ipv4Addr, port: u16) -> Vec<TcpStream> {
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\n";
    let starts = [
        String::new(),
        "GE".to_owned(),
        format!("GET /login HTTP/1.1\r\n{host}Cookie: a"),
        format!("POST /login HTTP/1.1\r\n{host}{form}a"),
    ];
    let open = |n: usize| {
        let mut stream = connect(from, port);
        stream
            .write_all(starts[n % starts.len()].as_bytes())
            .unwrap();
        stream
    };
    (0..160).map(open).collect()
}

/// One more byte for each connection; gives how many the server has not ended.
fn trickle(connections: &mut [TcpStream]) -> usize {
    let alive = |stream: &mut TcpStream| {
        stream.set_nonblocking(true).unwrap();
        let ended = matches!(stream.read(&mut [0]), Ok(0)) || stream.write_all(b"a").is_err();
        !ended
    };
    connections
        .iter_mut()
        .filter_map(|stream| alive(stream).then_some(()))
        .count()
}

#[test]
fn slow_clients_shut_out_nobody() {
    let server = Server::start();
    for from in [ELSEWHERE, Ipv4Addr::LOCALHOST] {
        let mut connections = slow_connections(from, server.port);
        trickle(&mut connections);
        let name = format!("user of {from}");
        let mut ken = Visitor::new(server.port);
        let secret = ken.enroll(&name);
        trickle(&mut connections);
        ken.give_password(&name);
        ken.go("/code", &[("code", &code(&secret, 1))], "/");
        let alive = trickle(&mut connections);
        assert!(alive <= 100, "{alive} connections of {from}");
    }
    server.stop("TERM");
}

/// However its bytes trickle: it has 15 seconds, and the server looks each second.
#[test]
fn a_slow_request_comes_to_an_end() {
    let server = Server::start();
    let mut connections = slow_connections(ELSEWHERE, server.port);
    let late = Instant::now() + Duration::from_secs(120);
    while trickle(&mut connections) > 0 {
        assert!(Instant::now() < late, "a request still trickles");
        thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(
        Visitor::from(ELSEWHERE, server.port).get("/login").status,
        200
    );
    server.stop("TERM");
}

/// While thirty post passwords as fast as they can, the style sheet comes many times as often as it would
/// if it had to wait for the hashes. Beyond the bound they are told when to come again.
#[test]
fn hashes_hold_up_nobody() {
    let server = Server::start();
    let port = server.port;
    let mut lena = Visitor::new(port);
    lena.enroll("lena");
    let (hashed, refused, over) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    let measured = thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| {
                let mut visitor = Visitor::from(ELSEWHERE, port);
                visitor.get("/login");
                while !over.load(Ordering::Relaxed) {
                    let fields = [("name", "lena"), ("password", "wrong horse")];
                    let answer = visitor.post("/login", &fields);
                    match answer.status {
                        401 => hashed.fetch_add(1, Ordering::Relaxed),
                        503 => {
                            let wait = answer.header("retry-after").unwrap().parse::<u32>();
                            assert!((1..=60).contains(&wait.unwrap()), "{answer:?}");
                            thread::sleep(Duration::from_millis(20));
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                        _ => panic!("{answer:?}"),
                    };
                }
            });
        }
        // What fails here fails after the crowd has gone home.
        let measured = scope.spawn(|| {
            while refused.load(Ordering::Relaxed) == 0 && hashed.load(Ordering::Relaxed) < 100 {
                thread::sleep(Duration::from_millis(10));
            }
            let before = hashed.load(Ordering::Relaxed);
            for _ in 0..SHEETS {
                let answer = request(port, "GET", "/style.css", &[], "").unwrap();
                assert_eq!(answer.status, 200);
            }
            let posts = hashed.load(Ordering::Relaxed) - before;
            // From another address there is room for a password as well.
            lena.give_password("lena");
            posts
        });
        let measured = measured.join();
        over.store(true, Ordering::Relaxed);
        measured
    });
    let posts = measured.unwrap();
    assert!(posts < 10 * SHEETS, "{posts} hashes for {SHEETS} sheets");
    assert!(refused.load(Ordering::Relaxed) > 0, "thirty were too few");
    server.stop("TERM");
}

/// Requests that wait for a hash when the server ends, or whose client is gone by then, do no harm.
#[test]
fn ends_while_hashes_wait() {
    let server = Server::start();
    let mut visitor = Visitor::new(server.port);
    visitor.get("/login");
    let body = format!("csrf={}&name=a&password={}", visitor.csrf, "b".repeat(8));
    let post = format!(
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{body}",
        server.port,
        visitor.cookie.as_deref().unwrap(),
        super::visitor::FORM.1,
        body.len()
    );
    let mut waiting = Vec::new();
    for n in 0..12 {
        let mut stream = connect(Ipv4Addr::LOCALHOST, server.port);
        stream.write_all(post.as_bytes()).unwrap();
        if n % 2 == 0 {
            waiting.push(stream);
        }
    }
    assert_eq!(
        request(server.port, "GET", "/style.css", &[], "")
            .unwrap()
            .status,
        200
    );
    server.stop("TERM");
}
