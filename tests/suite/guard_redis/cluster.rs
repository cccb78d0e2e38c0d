//! A cluster of three.

use std::net::TcpListener;

use factor2::Status;
use serde_json::{Value, json};

use super::proxy::{Mode, Proxy};
use super::server::{Server, free_port};
use super::{NOW, log_in, log_in_at, open_hasty, refused_in_time, wait_for};
use crate::support::Authenticator;

struct Cluster {
    nodes: Vec<(Server, u16)>,
    /// Where they listen, too, if they have the files for TLS.
    #[cfg_attr(not(feature = "redis-tls"), allow(dead_code))]
    tls_ports: Vec<u16>,
}

const SLOTS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];

impl Cluster {
    fn start() -> Cluster {
        Cluster::start_with(&[])
    }

    fn start_with(more: &[&str]) -> Cluster {
        let tls_ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
        let start = |&tls_port: &u16| {
            let (bus, tls_port) = (free_port().to_string(), tls_port.to_string());
            let tls = match more.is_empty() {
                true => vec![],
                false => vec!["--tls-port", &tls_port],
            };
            let options = [
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "1000",
                "--cluster-require-full-coverage",
                "no",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
            ];
            let (server, port) = Server::start_on_port(&[&options[..], &tls, more].concat());
            (server, port, bus)
        };
        let nodes: Vec<(Server, u16, String)> = tls_ports.iter().map(start).collect();
        for (index, (server, ..)) in nodes.iter().enumerate() {
            let epoch = (index + 1).to_string();
            server.set(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
            server.set(&["CLUSTER", "ADDSLOTSRANGE", SLOTS[index].0, SLOTS[index].1]);
        }
        for (_, port, bus) in &nodes[1..] {
            let first = &nodes[0].0;
            first.set(&["CLUSTER", "MEET", "127.0.0.1", &port.to_string(), bus]);
        }
        let nodes = nodes.into_iter().map(|(server, port, _)| (server, port));
        let cluster = Cluster {
            nodes: nodes.collect(),
            tls_ports,
        };
        for (server, _) in &cluster.nodes {
            wait_for(|| {
                let info = server.cli(&["CLUSTER", "INFO"]);
                let knows_all = info.contains("cluster_slots_ok:16384");
                knows_all
                    && info.contains("cluster_state:ok")
                    && info.contains("cluster_known_nodes:3")
            });
        }
        cluster
    }

    fn urls(&self) -> Value {
        let urls = self
            .nodes
            .iter()
            .map(|(_, port)| format!("redis://127.0.0.1:{port}"));
        urls.collect::<Vec<_>>().into()
    }

    fn server(&self, node: usize) -> &Server {
        &self.nodes[node].0
    }

    fn keys_of(&self, node: usize) -> Vec<String> {
        let keys = self.server(node).cli(&["KEYS", "*"]);
        keys.lines().map(str::to_owned).collect()
    }

    /// Makes one new key, of a user who logs in; says where it is.
    fn log_in_somewhere(&self, authenticator: &Authenticator, user: usize) -> (usize, String) {
        let before: Vec<Vec<String>> = (0..3).map(|node| self.keys_of(node)).collect();
        log_in(authenticator, user).ok();
        for (node, known) in before.iter().enumerate() {
            if let Some(key) = self.keys_of(node).iter().find(|key| !known.contains(key)) {
                return (node, key.clone());
            }
        }
        panic!("user {user} has no record")
    }

    fn id(&self, node: usize) -> String {
        self.server(node).cli(&["CLUSTER", "MYID"])
    }
}

#[test]
fn records_are_where_the_cluster_wants_them_and_a_node_that_is_down_takes_only_its_own_along() {
    let mut cluster = Cluster::start();
    let several = open_hasty(cluster.urls());
    let one = open_hasty(json!([cluster.urls()[1]]));
    let places: Vec<usize> = (0..30)
        .map(|user| cluster.log_in_somewhere(&several, user).0)
        .collect();
    for node in 0..3 {
        assert!(places.contains(&node), "{places:?}");
    }
    for user in 0..30 {
        // One URL is enough to find all.
        log_in(&one, user).refused(Status::TokenReused);
    }

    cluster.nodes[2].0.kill();
    let time = NOW + 30;
    for (user, &place) in places.iter().enumerate() {
        if place != 2 {
            log_in_at(&several, user, time).ok();
        }
    }
    let lost = places.iter().position(|&place| place == 2).unwrap();
    refused_in_time(&several, lost, "");
    wait_for(|| {
        cluster
            .server(0)
            .cli(&["CLUSTER", "INFO"])
            .contains("cluster_slots_fail:5461")
    });
    refused_in_time(&several, lost, "cannot be reached");
    for (user, &place) in places.iter().enumerate() {
        if place != 2 {
            log_in_at(&several, user, time + 30).ok();
        }
    }
    cluster.nodes[2].0.restart(&[]);
    wait_for(|| {
        cluster
            .server(2)
            .cli(&["CLUSTER", "INFO"])
            .contains("cluster_state:ok")
    });
    log_in(&several, lost).refused(Status::TokenReused);
    wait_for(|| {
        cluster
            .server(0)
            .cli(&["CLUSTER", "INFO"])
            .contains("cluster_slots_ok:16384")
    });
    for (user, &place) in places.iter().enumerate() {
        if place == 2 {
            log_in_at(&several, user, time).ok();
        }
    }

    cluster.server(0).signal(libc::SIGSTOP);
    let stopped = places.iter().position(|&place| place == 0).unwrap();
    refused_in_time(&several, stopped, "did not answer in time");
    let other = places.iter().position(|&place| place == 1).unwrap();
    log_in_at(&several, other, time + 60).ok();
    cluster.server(0).signal(libc::SIGCONT);
    log_in_at(&several, stopped, time + 90).ok();
}

#[test]
fn a_slot_that_moves_is_followed() {
    let cluster = Cluster::start();
    let authenticator = open_hasty(cluster.urls());
    let (from, key) = cluster.log_in_somewhere(&authenticator, 1);
    let to = (from + 1) % 3;
    let (source, target) = (cluster.server(from), cluster.server(to));
    let slot = source.cli(&["CLUSTER", "KEYSLOT", &key]);
    let (source_id, target_id) = (cluster.id(from), cluster.id(to));
    target.set(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id]);
    source.set(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target_id]);
    // Still there: it is answered there.
    log_in_at(&authenticator, 1, NOW + 30).ok();
    // Moved, but the slot is not: ASK.
    let port = cluster.nodes[to].1.to_string();
    source.set(&["MIGRATE", "127.0.0.1", &port, &key, "0", "1000"]);
    // The target does not know the script yet, and wants to be asked again for its text.
    target.set(&["SCRIPT", "FLUSH"]);
    log_in_at(&authenticator, 1, NOW + 30).refused(Status::TokenReused);
    log_in_at(&authenticator, 1, NOW + 60).ok();
    assert_eq!(target.cli(&["CLUSTER", "COUNTKEYSINSLOT", &slot]), "1");
    assert_eq!(source.cli(&["CLUSTER", "COUNTKEYSINSLOT", &slot]), "0");
    // Now all of it: MOVED.
    for server in [target, source] {
        server.set(&["CLUSTER", "SETSLOT", &slot, "NODE", &target_id]);
    }
    log_in_at(&authenticator, 1, NOW + 60).refused(Status::TokenReused);
    log_in_at(&authenticator, 1, NOW + 90).ok();
}

#[test]
fn a_node_without_slots_refuses() {
    let bus = free_port().to_string();
    let options = ["--cluster-enabled", "yes", "--cluster-port", &bus];
    let (server, port) = Server::start_on_port(&options);
    let authenticator = open_hasty(json!([format!("redis://127.0.0.1:{port}")]));
    refused_in_time(&authenticator, 1, "answered CLUSTERDOWN");
    server.set(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    wait_for(|| {
        server
            .cli(&["CLUSTER", "INFO"])
            .contains("cluster_state:ok")
    });
    log_in(&authenticator, 2).ok();
}

/// Each would accept a code of its own.
#[test]
fn servers_that_are_no_cluster_are_not_taken_for_one() {
    let (_a, port_a) = Server::start_on_port(&[]);
    let (_b, port_b) = Server::start_on_port(&[]);
    let urls = [port_a, port_b].map(|port| format!("redis://127.0.0.1:{port}"));
    refused_in_time(&open_hasty(json!(urls)), 1, "answered ERR to CLUSTER");
}

#[test]
fn redirects_in_circles_end() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.socket());
    let authenticator = open_hasty(json!([proxy.url()]));
    log_in(&authenticator, 1).ok();
    let port = proxy.url().rsplit_once(':').unwrap().1.to_owned();
    for (user, host) in [(2, "127.0.0.1"), (3, "")] {
        proxy.set(Mode::Answer(
            format!("-MOVED 1 {host}:{port}\r\n").into_bytes(),
        ));
        refused_in_time(&authenticator, user, "redirects in circles");
        proxy.set(Mode::Pass);
        log_in(&authenticator, 10 + user).ok();
    }
}

/// Whoever is asked next gets user and password.
#[test]
fn a_single_server_sends_nobody_elsewhere() {
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start(&[]);
    server.set(&["ACL", "SETUSER", "default", ">canary"]);
    let proxy = Proxy::before(server.socket());
    let url = proxy.url().replace("//", "//:canary@");
    let place = stranger.local_addr().unwrap();
    for (user, kind) in [(1, "MOVED"), (2, "ASK")] {
        for logged_in in [false, true] {
            let authenticator = open_hasty(url.as_str());
            if logged_in {
                log_in(&authenticator, 10 + user).ok();
            }
            let reply = format!("-{kind} 1 {place}\r\n");
            proxy.set(Mode::Answer(reply.into_bytes()));
            refused_in_time(
                &authenticator,
                user,
                "is a node of a cluster: \"url\" must be",
            );
            proxy.set(Mode::Pass);
            log_in(&authenticator, 20 + 2 * user + usize::from(logged_in)).ok();
        }
    }
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.accept().is_err(), "it was connected to");
    // A real node of a cluster says the same.
    let cluster = Cluster::start();
    let authenticator = open_hasty(cluster.urls()[0].clone());
    let refused = (0..20).filter(|&user| {
        let reply = log_in(&authenticator, user);
        reply.status != 0
            && reply
                .refused(Status::StoreUnavailable)
                .contains("is a node of a cluster")
    });
    assert!(refused.count() > 1);
}

const RIGHTS: [&str; 6] = ["~factor2:*", "+eval", "+evalsha", "+get", "+set", "+time"];

#[test]
fn the_rights_that_a_user_needs_in_a_cluster() {
    let cluster = Cluster::start();
    let set_user = |more: &[&str]| {
        let user = ["ACL", "SETUSER", "bob", "reset", "on", ">canary"];
        for (server, _) in &cluster.nodes {
            server.set(&[&user[..], &RIGHTS, more].concat());
            server.cli(&["CLIENT", "KILL", "USER", "bob"]);
        }
    };
    let urls = cluster.urls().to_string().replace("//", "//bob:canary@");
    let authenticator = open_hasty(serde_json::from_str::<Value>(&urls).unwrap());
    set_user(&[]);
    let lacks = "answered NOPERM to CLUSTER: its user lacks +cluster";
    refused_in_time(&authenticator, 1, lacks);
    set_user(&["+cluster|myid"]);
    let (from, key) = cluster.log_in_somewhere(&authenticator, 2);

    let to = (from + 1) % 3;
    let (source, target) = (cluster.server(from), cluster.server(to));
    let slot = source.cli(&["CLUSTER", "KEYSLOT", &key]);
    let (source_id, target_id) = (cluster.id(from), cluster.id(to));
    target.set(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source_id]);
    source.set(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target_id]);
    let port = cluster.nodes[to].1.to_string();
    source.set(&["MIGRATE", "127.0.0.1", &port, &key, "0", "1000"]);
    let lacks = "answered NOPERM to the script: its user lacks +asking";
    refused_in_time(&authenticator, 2, lacks);
    set_user(&["+cluster|myid", "+asking"]);
    log_in_at(&authenticator, 2, NOW + 30).ok();
}

/// A cluster names its nodes by addresses, unless it is told to name their hosts.
#[test]
#[cfg(feature = "redis-tls")]
fn a_cluster_that_names_what_its_certificates_do_not() {
    let authority = super::tls::Authority::new("ours");
    let files = authority.sign("node", Some("DNS:localhost"));
    let mut options = files.server_options(&authority);
    options.extend(["--tls-cluster", "--tls-auth-clients"].map(str::to_owned));
    options.insert(options.len() - 1, "yes".to_owned());
    options.push("no".to_owned());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let cluster = Cluster::start_with(&options);
    let url = format!("rediss://localhost:{}", cluster.tls_ports[0]);
    let more = json!({"ca_file": authority.certificate(), "budget_ms": 5000});
    let authenticator = super::open_with(json!([url]), more);
    let mut is_named = false;
    for user in 0..20 {
        let reply = log_in(&authenticator, user);
        if reply.status != 0 {
            let message = reply.refused(Status::StoreUnavailable);
            let reason = "cannot be reached: its certificate is for other names: localhost \
                 (at an address that the cluster named)";
            assert!(message.contains(reason), "{message}");
            is_named = true;
        }
    }
    assert!(is_named);
    for (server, _) in &cluster.nodes {
        server.configure("cluster-announce-hostname", "localhost");
        server.configure("cluster-preferred-endpoint-type", "hostname");
    }
    wait_for(|| {
        let slots = cluster.server(0).cli(&["CLUSTER", "SLOTS"]);
        slots.matches("localhost").count() >= 3
    });
    for user in 20..40 {
        log_in(&authenticator, user).ok();
    }
}
