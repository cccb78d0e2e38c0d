//! Servers that are down, busy, full, locked or read-only: always a refusal in time, and the first
//! call afterwards works.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use factor2::Status;
use serde_json::json;

use super::server::Server;
use super::{
    NOW, guess, inspect, log_in, open, open_hasty, open_with, refused_in_time, reset, wait_for,
};
use crate::support::{Authenticator, tool};

/// The server makes every call be refused for this reason; after its repair the first call works.
#[track_caller]
fn refuses_while(authenticator: &Authenticator, reason: &str, repair: impl FnOnce()) {
    refused_in_time(authenticator, 1, reason);
    repair();
    log_in(authenticator, 2).ok();
}

#[test]
fn a_server_that_stands_still() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 0).ok();
    server.signal(libc::SIGSTOP);
    refuses_while(&authenticator, "did not answer in time", || {
        server.signal(libc::SIGCONT);
    });
}

#[test]
fn a_server_that_stands_still_and_takes_no_more_connections() {
    let server = Server::start(&["--tcp-backlog", "1"]);
    let authenticator = open_hasty(server.url());
    server.signal(libc::SIGSTOP);
    // One of these waits until the server goes on.
    let socket = server.socket();
    let waiting = thread::spawn(move || {
        let connect = |_| UnixStream::connect(&socket).unwrap();
        (0..8).map(connect).collect::<Vec<_>>()
    });
    thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    refuses_while(&authenticator, "cannot be reached", || {
        server.signal(libc::SIGCONT);
        waiting.join().unwrap();
    });
}

#[test]
fn a_server_that_is_killed_and_started_again() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let authenticator = open_hasty(server.url());
    for user in 10..30 {
        // More than one connection goes stale.
        thread::scope(|scope| {
            for n in 0..4 {
                let authenticator = &authenticator;
                scope.spawn(move || log_in(authenticator, 1000 * n + user).ok());
            }
        });
        server.kill();
        if user == 10 {
            refused_in_time(&authenticator, 1, "cannot be reached");
        }
        server.restart(&[]);
        log_in(&authenticator, user).refused(Status::TokenReused);
        log_in(&authenticator, 2000 + user).refused(Status::TokenReused);
    }
}

#[test]
fn a_server_that_comes_back_within_the_budget_is_waited_for() {
    let mut server = Server::start(&[]);
    let authenticator = open_with(server.url(), json!({"budget_ms": 5000}));
    log_in(&authenticator, 1).ok();
    server.kill();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| log_in(&authenticator, 2));
        thread::sleep(Duration::from_millis(100));
        assert!(!waiting.is_finished());
        server.restart(&[]);
        waiting.join().unwrap().ok();
    });
}

#[test]
fn an_authenticator_is_made_while_its_server_is_down() {
    let mut server = Server::start(&[]);
    server.kill();
    let authenticator = open_hasty(server.url());
    refuses_while(&authenticator, "cannot be reached", || server.restart(&[]));
}

#[test]
fn a_server_without_the_script() {
    let server = Server::start(&[]);
    let authenticator = open(server.url());
    for user in 0..3 {
        server.set(&["SCRIPT", "FLUSH"]);
        log_in(&authenticator, user).ok();
        server.set(&["SCRIPT", "FLUSH"]);
        assert_eq!(inspect(&authenticator, user)["last_step"], NOW / 30);
    }
}

#[test]
fn a_server_without_memory() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    server.configure("maxmemory", "100000");
    let reason = "answered OOM to the script";
    refuses_while(&authenticator, reason, || {
        server.configure("maxmemory", "0")
    });
}

#[test]
fn a_server_that_asks_for_a_password() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 0).ok();
    server.configure("requirepass", "canary");
    // The connection that is there stays logged in.
    log_in(&authenticator, 0).refused(Status::TokenReused);
    let kill = [
        "-a",
        "canary",
        "--no-auth-warning",
        "CLIENT",
        "KILL",
        "TYPE",
        "normal",
    ];
    server.cli(&kill);
    let with = |pass: &str| open_hasty(format!("{}?pass={pass}", server.url()));
    let right = with("canary");
    log_in(&right, 3).ok();
    refused_in_time(&with("canary2"), 1, "answered WRONGPASS to AUTH");
    refuses_while(&authenticator, "answered NOAUTH to the script", || {
        server.set(&[
            "-a",
            "canary",
            "--no-auth-warning",
            "CONFIG",
            "SET",
            "requirepass",
            "",
        ]);
    });
    // Where a password is given and none is wanted, the server says so.
    refused_in_time(&with("canary"), 1, "answered ERR to AUTH");
}

/// All that README asks for, and without one of them the message names that one.
#[test]
fn the_rights_that_a_user_needs() {
    const RIGHTS: [&str; 7] = [
        "~factor2:*",
        "+eval",
        "+evalsha",
        "+get",
        "+set",
        "+time",
        "+select",
    ];
    let server = Server::start(&[]);
    let set_user = |rights: &[&str]| {
        let user = ["ACL", "SETUSER", "bob", "reset", "on", ">pa%ss"];
        server.set(&[&user[..], rights].concat());
        // The rights of a connection are those of its user's; but the script must be new as well.
        server.set(&["SCRIPT", "FLUSH"]);
    };
    let authenticator = open_hasty(format!("{}?user=bob&pass=pa%25ss&db=2", server.url()));
    for (index, right) in RIGHTS.iter().enumerate() {
        let others = [&RIGHTS[..index], &RIGHTS[index + 1..]].concat();
        set_user(&others);
        server.cli(&["CLIENT", "KILL", "USER", "bob"]);
        let (to, right) = match *right {
            "+select" => ("SELECT", "+select"),
            "~factor2:*" => ("the script", "~prefix*"),
            right => ("the script", right),
        };
        let lacks = format!("answered NOPERM to {to}: its user lacks {right}");
        refuses_while(&authenticator, &lacks, || set_user(&RIGHTS));
        server.set(&["FLUSHALL"]);
    }
    // Reading is not enough.
    set_user(&[&["%R~factor2:*"], &RIGHTS[1..]].concat());
    let lacks = "answered NOPERM to the script: its user lacks ~prefix*";
    refuses_while(&authenticator, lacks, || set_user(&RIGHTS));
    assert_eq!(server.cli(&["-n", "2", "DBSIZE"]), "1");
    // All operations, and wrong codes.
    guess(&authenticator, 5).refused(Status::InvalidToken);
    assert_eq!(inspect(&authenticator, 5)["failures"], 1);
    reset(&authenticator, 5);
    // Another prefix is another's.
    let other = json!({"prefix": "other:", "budget_ms": 300});
    let url = format!("{}?user=bob&pass=pa%25ss&db=2", server.url());
    refused_in_time(&open_with(url, other), 1, lacks);
}

#[test]
fn a_server_that_has_too_many_clients() {
    for over_tcp in [false, true] {
        let options = ["--maxclients", "5", "--requirepass", "canary"];
        let (server, port) = Server::start_on_port(&options);
        let url = match over_tcp {
            false => format!("{}?pass=canary", server.url()),
            true => format!("redis://:canary@127.0.0.1:{port}"),
        };
        let patient = open_with(url.as_str(), json!({"budget_ms": 5000}));
        let mut clients = Vec::new();
        while clients.len() < 5 {
            let mut client = UnixStream::connect(server.socket()).unwrap();
            // One that it has no room for yet is told so without being asked.
            let _ = client.write_all(b"PING\r\n");
            let mut answer = [0; 64];
            if client.read(&mut answer).is_ok() && answer.starts_with(b"-NOAUTH") {
                clients.push(client);
            }
        }
        let reason = "answered \"max number of clients reached\"";
        refused_in_time(&open_hasty(url), 1, reason);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| log_in(&patient, 2));
            thread::sleep(Duration::from_millis(200));
            assert!(!waiting.is_finished());
            drop(clients);
            waiting.join().unwrap().ok();
        });
    }
}

#[test]
fn a_server_that_lacks_its_replicas() {
    let quick = [
        "--repl-diskless-sync-delay",
        "0",
        "--min-replicas-to-write",
        "1",
    ];
    let (server, port) = Server::start_on_port(&quick);
    let authenticator = open_hasty(server.url());
    let replica = Server::start(&[]);
    let patient = open_with(server.url(), json!({"budget_ms": 5000}));
    refused_in_time(&authenticator, 1, "answered NOREPLICAS to the script");
    // It arrives while a call waits; on a busy machine, not always in time.
    let port = port.to_string();
    let arrives_in_time = |attempt: usize| {
        replica.set(&["REPLICAOF", "NO", "ONE"]);
        wait_for(|| {
            server
                .cli(&["INFO", "replication"])
                .contains("connected_slaves:0")
        });
        thread::scope(|scope| {
            let waiting = scope.spawn(|| log_in(&patient, 10 + attempt));
            thread::sleep(Duration::from_millis(200));
            assert!(!waiting.is_finished());
            replica.set(&["REPLICAOF", "127.0.0.1", &port]);
            waiting.join().unwrap().status == 0
        })
    };
    assert!((0..5).any(arrives_in_time));
    log_in(&authenticator, 2).ok();
}

#[test]
fn a_server_that_loads_its_data() {
    let mut server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    server.set(&["DEBUG", "POPULATE", "5000", "key", "100"]);
    server.set(&["SAVE"]);
    server.kill();
    let slow = [
        "--key-load-delay",
        "300",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    server.restart(&slow);
    refuses_while(&authenticator, "answered LOADING", || {
        wait_for(|| server.cli(&["PING"]) == "PONG");
    });
}

#[test]
fn a_server_that_is_busy_with_another_script() {
    let server = Server::start(&["--lua-time-limit", "10"]);
    let authenticator = open_hasty(server.url());
    let endless = ["EVAL", "while true do end", "0"];
    let mut busy = tool("redis-cli");
    busy.arg("-s").arg(server.socket()).args(endless);
    let mut busy = busy.stdout(Stdio::null()).spawn().unwrap();
    wait_for(|| server.cli(&["PING"]).starts_with("BUSY"));
    refuses_while(&authenticator, "answered BUSY", || {
        server.set(&["SCRIPT", "KILL"]);
        busy.wait().unwrap();
    });
}

#[test]
fn a_server_that_cannot_write_to_its_disk() {
    let server = Server::start(&["--save", "3600 1"]);
    let authenticator = open_hasty(server.url());
    server.set(&["SET", "key", "value"]);
    let in_the_way = server.folder.join("dump.rdb");
    fs::create_dir(&in_the_way).unwrap();
    let save = |result: &str| {
        server.cli(&["BGSAVE"]);
        wait_for(|| server.cli(&["INFO", "persistence"]).contains(result));
    };
    save("rdb_last_bgsave_status:err");
    refuses_while(&authenticator, "answered MISCONF to the script", || {
        fs::remove_dir(&in_the_way).unwrap();
        save("rdb_last_bgsave_status:ok");
    });
}

#[test]
fn a_server_that_is_a_replica() {
    let server = Server::start(&[]);
    let authenticator = open_hasty(server.url());
    log_in(&authenticator, 0).ok();
    server.set(&["REPLICAOF", "127.0.0.1", "1"]);
    // What it knows does not help it: it would have to write.
    refused_in_time(&authenticator, 0, "answered READONLY");
    refuses_while(&authenticator, "answered READONLY", || {
        server.set(&["REPLICAOF", "NO", "ONE"]);
    });
    server.configure("replica-serve-stale-data", "no");
    server.set(&["REPLICAOF", "127.0.0.1", "1"]);
    refused_in_time(&authenticator, 1, "answered MASTERDOWN");
}
