//! Networks that lose, delay, invent and break off.

use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use factor2::Status;
use serde_json::json;

use super::proxy::{Mode, Proxy};
use super::server::Server;
use super::{
    NOW, guess, inspect, log_in, log_in_at, open, open_hasty, open_with, refused_in_time,
    retry_after,
};
use crate::support::announce;

fn server_and_proxy() -> (Server, Proxy) {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.socket());
    (server, proxy)
}

#[test]
fn a_right_code_whose_answer_was_lost_is_accepted_once() {
    let (_server, proxy) = server_and_proxy();
    let authenticator = open(proxy.url());
    for user in 0..20 {
        proxy.set(Mode::LoseReplies(1));
        let answered = proxy.answered();
        log_in(&authenticator, user).ok();
        assert!(proxy.answered() >= answered + 2, "nothing was lost");
        log_in(&authenticator, user).refused(Status::TokenReused);
    }
}

#[test]
fn a_wrong_code_whose_answer_was_lost_is_counted_once() {
    let (_server, proxy) = server_and_proxy();
    let authenticator = open_with(
        proxy.url(),
        json!({"soft": 3, "hard": 4, "base_delay_s": 1}),
    );
    // The script must be known, or the lost reply would be that it is not.
    inspect(&authenticator, 1);
    for failures in 1..=3 {
        proxy.set(Mode::LoseReplies(1));
        let reply = guess(&authenticator, 1);
        reply.refused(Status::InvalidToken);
        assert_eq!(retry_after(&reply), (failures == 3).then_some(1));
        assert_eq!(inspect(&authenticator, 1)["failures"], failures);
    }
    thread::sleep(Duration::from_millis(1100));
    proxy.set(Mode::LoseReplies(1));
    guess(&authenticator, 1).refused(Status::Disabled);
    assert_eq!(inspect(&authenticator, 1)["failures"], 4);
}

#[test]
fn answers_that_are_lost_twice_end_in_a_refusal_and_leave_no_hole() {
    let (_server, proxy) = server_and_proxy();
    let authenticator = open(proxy.url());
    inspect(&authenticator, 1);
    proxy.set(Mode::LoseReplies(2));
    let message = log_in(&authenticator, 1).refused(Status::StoreUnavailable);
    assert!(message.contains("did not answer"), "{message}");
    log_in(&authenticator, 1).refused(Status::TokenReused);
}

#[test]
fn a_connection_that_died_unnoticed_is_replaced_within_the_call() {
    let (_server, proxy) = server_and_proxy();
    let authenticator = open_hasty(proxy.url());
    for user in 0..3 {
        log_in(&authenticator, user).ok();
        let connections = proxy.connections();
        proxy.set(Mode::SilenceForOld);
        log_in(&authenticator, 10 + user).ok();
        assert_eq!(proxy.connections(), connections + 1);
        proxy.set(Mode::Pass);
    }
}

#[test]
fn connections_are_kept_and_used_again() {
    let (_server, proxy) = server_and_proxy();
    let authenticator = open(proxy.url());
    for user in 0..50 {
        log_in(&authenticator, user).ok();
    }
    assert_eq!(proxy.connections(), 1);
}

/// In `mode` a right code is refused in time, with connections that were there and with new ones;
/// when it passes, the first call works.
#[track_caller]
fn refuses_in(mode: Mode, reason: &str) {
    let (_server, proxy) = server_and_proxy();
    let authenticator = open_hasty(proxy.url());
    log_in(&authenticator, 0).ok();
    for user in [1, 2] {
        proxy.set(mode.clone());
        refused_in_time(&authenticator, user, reason);
        proxy.set(Mode::Pass);
        // A request that was given up may still arrive, so this is another user's.
        log_in(&authenticator, 10 + user).ok();
        log_in(&authenticator, 10 + user).refused(Status::TokenReused);
    }
}

#[test]
fn silence() {
    refuses_in(Mode::Silence, "did not answer in time");
}

#[test]
fn resets() {
    refuses_in(Mode::Reset, "did not answer");
}

#[test]
fn trickles() {
    let slow = Duration::from_millis(20);
    let reply = |bytes: &[u8]| Mode::Trickle(bytes.to_vec(), slow);
    let late = "did not answer in time";
    refuses_in(
        reply(&[b"$200\r\n", "1".repeat(200).as_bytes()].concat()),
        late,
    );
    refuses_in(reply("+".repeat(200).as_bytes()), late);
    refuses_in(
        reply(b"-LOADING Redis is loading the dataset in memory\r\n"),
        late,
    );
}

#[test]
fn garbage() {
    let none = "gave an answer that is none";
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\0\0\0\0",
        b"\r\n",
        b"+OK\r\n",
        b"+accepted 0\r\n",
        b":0\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"$10\r\naccepted 0\r\n",
        b"$12\r\n1 accepted 0\r\n",
        b"$12\r\n0 accepted 0\r\n",
        b"$1\r\n\xff\r\n",
        b"$5\r\nabcdefgh\r\n",
        b"$x\r\n",
        b":99999999999999999999\r\n",
        b"*1\r\n$10\r\naccepted 0\r\n",
        b"*-1\r\n",
        b"%1\r\n+a\r\n+b\r\n",
        b"#t\r\n",
        b"_\r\n",
        b"-MOVED\r\n",
        b"-MOVED 1\r\n",
        b"-MOVED 1 \r\n",
        b"-MOVED 1 ?:1\r\n",
        b"-MOVED 1 127.0.0.1:65536\r\n",
        b"-ASK 1 x\r\n",
    ] {
        refuses_in(Mode::Answer(garbage.to_vec()), none);
    }
    // A connection that has answered before does not look for TLS any more.
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let either = format!("{none}|it speaks TLS");
    refuses_in(Mode::Answer(tls.to_vec()), &either);
    let nested = b"*1\r\n".repeat(1000);
    refuses_in(Mode::Answer(nested), none);
    let endless = [b"$1000000000\r\n", &[b'x'; 60_000][..]].concat();
    refuses_in(Mode::Answer(endless), none);
}

#[test]
fn a_login_that_goes_wrong() {
    let server = Server::start(&["--requirepass", "canary"]);
    let proxy = Proxy::before(server.socket());
    let url = proxy.url().replace("//", "//:canary@");
    let slow = Duration::from_millis(20);
    for (user, mode, reason) in [
        (1, Mode::Silence, "did not answer in time"),
        (2, Mode::Reset, "did not answer"),
        (
            3,
            Mode::Trickle(vec![b'+'; 200], slow),
            "did not answer in time",
        ),
        (
            4,
            Mode::Answer(b"HTTP/1.1 400\r\n".to_vec()),
            "gave an answer that is none",
        ),
        (
            5,
            Mode::Answer(b"+canary\r\n".to_vec()),
            "gave an answer that is none",
        ),
        (
            6,
            Mode::Answer(b"-LOADING canary\r\n".to_vec()),
            "answered LOADING",
        ),
    ] {
        let authenticator = open_hasty(url.clone());
        proxy.set(mode);
        refused_in_time(&authenticator, user, reason);
        proxy.set(Mode::Pass);
        log_in(&authenticator, 10 + user).ok();
    }
}

#[test]
fn errors_are_named_by_their_code_alone() {
    let text = |text: &str| Mode::Answer(text.as_bytes().to_vec());
    refuses_in(text("-TRYAGAIN canary\r\n"), "answered TRYAGAIN");
    refuses_in(text("-CLUSTERDOWN canary\r\n"), "answered CLUSTERDOWN");
    refuses_in(
        text("-NOREPLICAS canary\r\n"),
        "answered NOREPLICAS to the script",
    );
    refuses_in(
        text("-ERR max number of clients reached\r\n"),
        "answered \"max number of clients reached\"",
    );
    let (_server, proxy) = server_and_proxy();
    let authenticator = open_hasty(proxy.url());
    for error in [
        "-CANARYcanary\r\n",
        "-ERR canary\r\n",
        "-canary\r\n",
        "-\r\n",
        "- canary\r\n",
    ] {
        proxy.set(text(error));
        refused_in_time(&authenticator, 1, "answered ");
    }
    // A server that never knows the script, even when it is told.
    refuses_in(
        text("-NOSCRIPT canary\r\n"),
        "answered NOSCRIPT to the script",
    );
}

/// An answer that another question was given, by a connection out of step.
#[test]
fn an_answer_to_another_question_is_none() {
    let (server, proxy) = server_and_proxy();
    let authenticator = open_hasty(proxy.url());
    log_in(&authenticator, 1).ok();
    let key = server.cli(&["KEYS", "*"]);
    let record = server.cli(&["GET", &key]);
    let id = record.split(' ').nth(7).unwrap();
    let answer = format!("{id} accepted 0");
    let reply = format!("${}\r\n{answer}\r\n", answer.len());
    proxy.set(Mode::Answer(reply.into_bytes()));
    log_in(&authenticator, 2).refused(Status::StoreUnavailable);
    proxy.set(Mode::Pass);
    log_in(&authenticator, 2).ok();
}

/// What comes after a reply is never taken for the next one.
#[test]
fn more_than_a_reply_does_no_harm() {
    let (_server, proxy) = server_and_proxy();
    let authenticator = open_hasty(proxy.url());
    log_in(&authenticator, 1).ok();
    proxy.set(Mode::Answer(
        b"-NOSCRIPT\r\n$12\r\n1 accepted 0\r\n".to_vec(),
    ));
    log_in_at(&authenticator, 1, NOW + 30).refused(Status::StoreUnavailable);
    proxy.set(Mode::Pass);
    log_in_at(&authenticator, 1, NOW + 30).ok();
}

#[test]
fn a_port_where_nobody_listens() {
    let port = super::server::free_port();
    let authenticator = open_hasty(format!("redis://127.0.0.1:{port}"));
    refused_in_time(&authenticator, 1, "connection refused");
}

#[test]
fn a_host_that_does_not_exist() {
    let authenticator = open_hasty("redis://no-such-host.invalid");
    let message = log_in(&authenticator, 1).refused(Status::StoreUnavailable);
    assert!(message.contains("cannot be reached"), "{message}");
}

#[test]
fn a_port_that_accepts_no_connection_after_the_first_few() {
    // The system accepts a few for a listener that never does, and then drops the rest unanswered.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let descriptor = listener.as_raw_fd();
    // SAFETY: a listening socket, whose queue becomes shorter.
    assert_eq!(unsafe { libc::listen(descriptor, 0) }, 0);
    let filler = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let authenticator = open_hasty(format!("redis://127.0.0.1:{port}"));
    refused_in_time(&authenticator, 1, "cannot be reached: timed out");
    drop((filler, listener));
}

#[test]
fn names_and_both_kinds_of_addresses() {
    let (_server, port) = Server::start_on_port(&["--bind", "127.0.0.1", "-::1"]);
    let mut hosts = vec!["127.0.0.1", "localhost"];
    if TcpListener::bind("[::1]:0").is_ok() {
        hosts.push("[::1]");
    } else {
        announce("SKIPPED: IPv6, which this machine does not have");
    }
    for (user, host) in hosts.into_iter().enumerate() {
        log_in(&open(format!("redis://{host}:{port}")), user).ok();
    }
}

#[test]
fn the_budget_of_the_settings_is_kept() {
    let (_server, proxy) = server_and_proxy();
    proxy.set(Mode::Silence);
    for milliseconds in [10, 600] {
        let authenticator = open_with(proxy.url(), json!({"budget_ms": milliseconds}));
        let start = Instant::now();
        log_in(&authenticator, 1).refused(Status::StoreUnavailable);
        let elapsed = start.elapsed();
        assert!(
            elapsed >= Duration::from_millis(milliseconds),
            "{elapsed:?}"
        );
    }
}
