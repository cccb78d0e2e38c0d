//! Primaries that Sentinels tell of, and that change.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use factor2::Status;
use serde_json::json;

use super::server::{Server, free_port, program};
use super::{log_in, open_hasty, open_with, refused_in_time, wait_for};
use crate::support::{Authenticator, run, scratch, tool};

pub struct Sentinel {
    process: Child,
    pub port: u16,
    folder: PathBuf,
}

impl Sentinel {
    /// Watches the primary "main" at a port. `port_option`: for the Sentinel's own port.
    pub fn start(port_option: &str, primary: u16, quorum: u16, more: &str) -> Sentinel {
        let folder = scratch("sentinel");
        let port = free_port();
        let config = format!(
            "{port_option} {port}\nsentinel monitor main 127.0.0.1 {primary} {quorum}\n\
             sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 1000\n{more}"
        );
        let file = folder.join("sentinel.conf");
        fs::write(&file, config).unwrap();
        let process = program()
            .arg(&file)
            .arg("--sentinel")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("log")).unwrap())
            .spawn()
            .unwrap();
        let sentinel = Sentinel {
            process,
            port,
            folder,
        };
        let patience = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < patience, "{}", sentinel.log());
            thread::sleep(Duration::from_millis(5));
        }
        sentinel
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let login = ["-p", &port, "-a", "canary2", "--no-auth-warning"];
        let printed = run(tool("redis-cli").args(login).args(arguments)).stdout;
        String::from_utf8(printed).unwrap().trim_end().to_owned()
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Three servers, of which the first is the primary at first, and three Sentinels.
struct Service {
    servers: Vec<(Server, u16)>,
    sentinels: Vec<Sentinel>,
}

impl Service {
    /// The password of the servers is "canary", that of the Sentinels "canary2".
    fn start() -> Service {
        let login = ["--requirepass", "canary", "--masterauth", "canary"];
        let quick = ["--repl-diskless-sync-delay", "0"];
        let options = [&login[..], &quick].concat();
        let primary = Server::start_on_port(&options);
        let port = primary.1.to_string();
        let as_replica = [&options[..], &["--replicaof", "127.0.0.1", &port]].concat();
        let more = "requirepass canary2\nsentinel auth-pass main canary\n";
        let sentinels = [(); 3].map(|()| Sentinel::start("port", primary.1, 2, more));
        let replicas = [(); 2].map(|()| Server::start_on_port(&as_replica));
        let service = Service {
            servers: [primary].into_iter().chain(replicas).collect(),
            sentinels: sentinels.into(),
        };
        for sentinel in &service.sentinels {
            wait_for(|| {
                let told = sentinel.cli(&["SENTINEL", "MASTER", "main"]);
                let told: Vec<&str> = told.lines().collect();
                let tells = |name, value| told.windows(2).any(|pair| pair == [name, value]);
                tells("num-slaves", "2") && tells("num-other-sentinels", "2")
            });
        }
        service.wait_until_replicas_are_in_step(0);
        service
    }

    fn url(&self) -> String {
        let ports: Vec<String> = self
            .sentinels
            .iter()
            .map(|s| format!("127.0.0.1:{}", s.port))
            .collect();
        format!("redis-sentinel://:canary@{}/main/1", ports.join(","))
    }

    fn open(&self, budget_ms: u64) -> Authenticator {
        let more = json!({"sentinel_password": "canary2", "budget_ms": budget_ms});
        open_with(self.url(), more)
    }

    fn cli(&self, server: usize, arguments: &[&str]) -> String {
        let login = ["-a", "canary", "--no-auth-warning"];
        self.servers[server]
            .0
            .cli(&[&login[..], arguments].concat())
    }

    fn is_primary(&self, server: usize) -> bool {
        self.cli(server, &["ROLE"]).starts_with("master")
    }

    fn wait_until_replicas_are_in_step(&self, primary: usize) {
        let offset = |server: usize| {
            let told = self.cli(server, &["INFO", "replication"]);
            let line = told
                .lines()
                .find(|line| line.starts_with("master_repl_offset"));
            line.unwrap().trim().to_owned()
        };
        wait_for(|| {
            let others = (0..3).filter(|&server| server != primary);
            others
                .clone()
                .all(|server| self.cli(server, &["ROLE"]).contains("connected"))
                && others
                    .clone()
                    .all(|server| offset(server) == offset(primary))
        });
    }
}

#[test]
fn a_failover_is_followed() {
    let mut service = Service::start();
    let authenticator = service.open(5000);
    let other = service.open(5000);
    for user in 0..5 {
        log_in(&authenticator, user).ok();
        log_in(&other, user).refused(Status::TokenReused);
    }
    assert_eq!(service.cli(0, &["-n", "1", "DBSIZE"]), "5");

    // One that is asked for: the old primary stays, as a replica.
    service.wait_until_replicas_are_in_step(0);
    assert_eq!(
        service.sentinels[1].cli(&["SENTINEL", "FAILOVER", "main"]),
        "OK"
    );
    wait_for(|| !service.is_primary(0));
    // Within the call, on connections to the old one.
    log_in(&authenticator, 5).ok();
    log_in(&other, 5).refused(Status::TokenReused);
    log_in(&other, 6).ok();
    for user in 0..7 {
        log_in(&authenticator, user).refused(Status::TokenReused);
    }

    // One that is needed.
    let primary = (1..3).find(|&server| service.is_primary(server)).unwrap();
    service.wait_until_replicas_are_in_step(primary);
    let answers =
        |sentinel: &Sentinel| sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
    let port = service.servers[primary].1.to_string();
    for sentinel in &service.sentinels {
        wait_for(|| answers(sentinel).ends_with(&port));
    }
    service.servers[primary].0.kill();
    let patience = Instant::now() + Duration::from_secs(60);
    let mut user = 100;
    // What was refused was not counted anywhere: each is a user of one's own.
    loop {
        let reply = log_in(&authenticator, user);
        if reply.status == 0 {
            break;
        }
        let message = reply.refused(Status::StoreUnavailable);
        assert!(
            message.contains("cannot be reached: connection refused"),
            "{message}"
        );
        assert!(Instant::now() < patience, "{message}");
        user += 1;
    }
    log_in(&other, user).refused(Status::TokenReused);
    for user in 0..7 {
        log_in(&other, user).refused(Status::TokenReused);
        log_in(&service.open(5000), user).refused(Status::TokenReused);
    }

    // A Sentinel that is gone is passed over.
    service.sentinels.swap(0, 2);
    let url = service.url();
    service.sentinels.truncate(2);
    let without_one = open_with(url, json!({"sentinel_password": "canary2"}));
    log_in(&without_one, 200).ok();
}

/// A primary that hangs takes its connections along, but not the next call, which asks who is primary now.
#[test]
fn a_primary_that_stands_still_is_left() {
    let (old, old_port) = Server::start_on_port(&[]);
    let (new, new_port) = Server::start_on_port(&[]);
    let sentinel = Sentinel::start("port", old_port, 1, "");
    let authenticator = open_hasty(format!("redis-sentinel://127.0.0.1:{}/main", sentinel.port));
    log_in(&authenticator, 0).ok();
    old.signal(libc::SIGSTOP);
    refused_in_time(&authenticator, 1, "did not answer in time");
    let new_port = new_port.to_string();
    for command in [
        &["SENTINEL", "REMOVE", "main"][..],
        &["SENTINEL", "MONITOR", "main", "127.0.0.1", &new_port, "1"],
    ] {
        assert_eq!(sentinel.cli(command), "OK");
    }
    log_in(&authenticator, 2).ok();
    assert_eq!(new.cli(&["DBSIZE"]), "1");
}

#[test]
fn a_sentinel_and_a_server_are_not_taken_for_each_other() {
    let (_server, port) = Server::start_on_port(&[]);
    let sentinel = Sentinel::start("port", port, 1, "");
    let is_sentinel = "is a Sentinel: its URL is redis-sentinel://host/name";
    let at = |userinfo: &str, path: &str| {
        open_hasty(format!(
            "redis://{userinfo}127.0.0.1:{}{path}",
            sentinel.port
        ))
    };
    for (userinfo, path) in [
        ("", ""),
        ("", "/2"),
        (":canary@", ""),
        ("bob:canary@", "/2"),
    ] {
        refused_in_time(&at(userinfo, path), 1, is_sentinel);
    }
    // A server that wants a password, or has none, is none.
    let is_no_sentinel = "is not a Sentinel: the URL of a server begins with redis:// (a Sentinel)";
    let sentinel_at =
        |port: u16, name: &str| open_hasty(format!("redis-sentinel://127.0.0.1:{port}/{name}"));
    refused_in_time(&sentinel_at(port, "main"), 1, is_no_sentinel);
    let unknown = "knows no primary of this name (a Sentinel)";
    refused_in_time(&sentinel_at(sentinel.port, "other"), 1, unknown);
    log_in(&sentinel_at(sentinel.port, "main"), 1).ok();

    assert_eq!(
        sentinel.cli(&["ACL", "SETUSER", "default", ">canary2"]),
        "OK"
    );
    refused_in_time(&at("", ""), 1, is_sentinel);
    refused_in_time(&at(":canary@", ""), 1, is_sentinel);
    let lacks_password = "answered NOAUTH to SENTINEL (a Sentinel)";
    refused_in_time(&sentinel_at(sentinel.port, "main"), 1, lacks_password);
    // All that a user of the Sentinels needs.
    let user = [
        "ACL",
        "SETUSER",
        "bob",
        "on",
        ">canary",
        "+sentinel|get-master-addr-by-name",
    ];
    assert_eq!(sentinel.cli(&user), "OK");
    let url = format!("redis-sentinel://127.0.0.1:{}/main", sentinel.port);
    let as_bob = |password: &str| {
        let more = json!({"sentinel_user": "bob", "sentinel_password": password});
        open_with(url.as_str(), more)
    };
    log_in(&as_bob("canary"), 2).ok();
    refused_in_time(
        &as_bob("canary2"),
        1,
        "answered WRONGPASS to AUTH (a Sentinel)",
    );
    assert_eq!(sentinel.cli(&["ACL", "SETUSER", "bob", "-sentinel"]), "OK");
    let lacks = "answered NOPERM to SENTINEL: its user lacks +sentinel (a Sentinel)";
    refused_in_time(&as_bob("canary"), 1, lacks);
}
