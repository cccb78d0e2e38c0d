//! What the settings say, and what they must not.

use factor2::Status;
use factor2::capi::factor2_describe;
use serde_json::{Value, json};

use super::server::Server;
use super::{config_with, guess, inspect, log_in, open, open_with};
use crate::support::Authenticator;

#[track_caller]
fn refused(url: Value, more: Value) -> String {
    let config = config_with(url, more).to_string();
    let Err(reply) = Authenticator::try_new(config.as_bytes()) else {
        panic!("{config} was taken");
    };
    let message = reply.refused(Status::Configuration);
    assert!(!message.contains("canary"), "{message}");
    message
}

#[test]
fn wrong_urls_are_refused_and_not_repeated() {
    for url in [
        "",
        "canary",
        "http://canary",
        "redis:",
        "redis://",
        "redis:///0",
        "redis://0.0.0.0",
        "redis://canary:99999",
        "redis://canary:x",
        "redis://canary/x",
        "redis://canary/1/2",
        "redis://canary/-1",
        "redis://canary/99999999999999999999",
        "redis://canary@host",
        "redis://:%ff@canary",
        "redis://canary#insecure",
        "redis://canary?protocol=resp3",
        "redis://canary?timeout=1",
        "redis+unix://",
        "redis+unix://canary/socket",
        "redis+unix:///socket?db=canary",
        "redis+unix:///socket?password=canary",
        "redis+unix:///socket?user=canary",
        "redis+unix:///socket#canary",
        "redis+unix:///socket?pass=a&pass=canary",
        "redis://:can/ary@host",
        "redis://:can#ary@host",
        "redis://:can?ary@host",
        "redis://:can\nary@host",
        "redis://host:",
        "redis://[::1",
        "redis://[canary]",
        "redis-sentinel://canary",
        "redis-sentinel://canary/",
        "redis-sentinel://canary,/main",
        "redis-sentinel://canary@host/main",
        "redis-sentinel://host/main/canary",
        "sentinel://canary/main",
    ] {
        let message = refused(url.into(), json!({}));
        assert!(
            message.starts_with("config.guard.url: must be "),
            "{url}: {message}"
        );
    }
    for url in [
        json!(1),
        json!(null),
        json!({}),
        json!([1]),
        json!([["redis://a"]]),
        json!([]),
    ] {
        let message = refused(url, json!({}));
        assert!(
            message.starts_with("config.guard.url: must be "),
            "{message}"
        );
    }
    let config = json!({"issuer": "Test", "guard": {"store": "redis"}}).to_string();
    let Err(reply) = Authenticator::try_new(config.as_bytes()) else {
        panic!("{config} was taken");
    };
    let message = reply.refused(Status::Configuration);
    assert_eq!(message, "config.guard.url: missing");
}

#[test]
fn the_urls_of_a_cluster_go_together() {
    for urls in [
        json!(["redis://a", "redis://:canary@b"]),
        json!(["redis://:x@a", "redis://:canary@b"]),
        json!(["redis://x:p@a", "redis://canary:p@b"]),
        json!(["redis://a/1", "redis://b/1"]),
        json!(["redis://a", "redis://b/1"]),
        json!(["redis://a", "rediss://b"]),
        Value::from(vec!["redis://a"; 65]),
        json!(["redis-sentinel://a/main", "redis-sentinel://b/main"]),
        json!(["redis://a", "redis-sentinel://b/main"]),
        json!(format!("redis-sentinel://{}/main", ["a"; 65].join(","))),
    ] {
        refused(urls, json!({}));
    }
    open(json!(["redis://a:1", "redis://b:2", "redis://c:3"]));
    open(json!(["redis://a/1"]));
}

#[test]
fn wrong_prefixes_are_refused() {
    for prefix in [
        "{canary}",
        "a{b",
        "a}b",
        "a\nb",
        "a\0b",
        "\u{7f}",
        &"x".repeat(65),
    ] {
        let message = refused("redis://host".into(), json!({"prefix": prefix}));
        assert!(
            message.starts_with("config.guard.prefix: must be "),
            "{message}"
        );
    }
}

#[test]
fn files_are_for_tls() {
    for name in ["ca_file", "cert_file", "key_file"] {
        let message = refused("redis://host".into(), json!({name: "/canary"}));
        let expected = format!("config.guard.{name}: must be absent");
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
#[cfg(feature = "redis-tls")]
fn files_that_are_missing_are_named() {
    for (more, missing) in [
        (json!({}), "ca_file"),
        (
            json!({"ca_file": "system", "cert_file": "/canary"}),
            "key_file",
        ),
        (
            json!({"ca_file": "system", "key_file": "/canary"}),
            "cert_file",
        ),
    ] {
        let message = refused("rediss://host".into(), more);
        assert_eq!(message, format!("config.guard.{missing}: missing"));
    }
}

#[test]
fn the_login_of_sentinels_is_for_sentinels() {
    for name in ["sentinel_user", "sentinel_password"] {
        let message = refused("redis://host".into(), json!({name: "canary"}));
        assert_eq!(message, format!("config.guard: unknown member \"{name}\""));
    }
    let message = refused(
        "redis-sentinel://host/main".into(),
        json!({"sentinel_user": "canary"}),
    );
    assert_eq!(message, "config.guard.sentinel_password: missing");
}

#[test]
#[cfg(not(feature = "redis-tls"))]
fn tls_that_was_left_out_is_named() {
    let message = refused("rediss://host".into(), json!({"ca_file": "/etc/passwd"}));
    assert!(message.contains("left out"), "{message}");
}

#[test]
fn databases_and_prefixes_do_not_mix() {
    let (server, port) = Server::start_on_port(&[]);
    let unix = server.url();
    let authenticators = [
        open(unix.clone()),
        open(format!("{unix}?db=1")),
        open(format!("redis://127.0.0.1:{port}/2")),
        open_with(unix.clone(), json!({"prefix": "other app:"})),
        open_with(unix.clone(), json!({"prefix": ""})),
    ];
    for authenticator in &authenticators {
        log_in(authenticator, 1).ok();
    }
    for authenticator in &authenticators {
        log_in(authenticator, 1).refused(Status::TokenReused);
    }
    let keys = server.cli(&["KEYS", "*"]);
    let mut keys: Vec<&str> = keys.lines().collect();
    keys.sort_unstable_by_key(|key| key.len());
    let [bare, standard, other] = keys[..] else {
        panic!("{keys:?}");
    };
    assert!(
        bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit()),
        "{bare}"
    );
    assert_eq!(standard, format!("factor2:{bare}"));
    assert_eq!(other, format!("other app:{bare}"));
    for database in ["1", "2"] {
        assert_eq!(server.cli(&["-n", database, "KEYS", "*"]), standard);
    }
    // The same place by other names.
    for url in [
        format!("unix://{}", server.socket().display()),
        format!("valkey+unix://{}?db=0", server.socket().display()),
        format!("redis://127.0.0.1:{port}"),
        format!("redis://127.0.0.1:{port}/0"),
        format!("valkey://127.0.0.1:{port}/"),
    ] {
        log_in(&open(url), 1).refused(Status::TokenReused);
    }
}

#[test]
fn a_database_that_does_not_exist() {
    let server = Server::start(&[]);
    let authenticator = open(format!("{}?db=16", server.url()));
    let message = log_in(&authenticator, 1).refused(Status::StoreUnavailable);
    assert!(message.contains("answered ERR to SELECT"), "{message}");
}

#[test]
fn the_description_names_the_store_and_its_policy() {
    let authenticator = open_with("redis://user:canary@host", json!({"soft": 3}));
    let reply = authenticator.call(factor2_describe, json!({}));
    let guard = &reply.ok()["guard"];
    assert_eq!(
        (&guard["store"], &guard["scope"]),
        (&json!("redis"), &json!("fleet"))
    );
    assert_eq!(guard["soft"], 3);
    assert!(!reply.text.contains("canary"));
}

#[test]
fn the_policy_of_the_settings_holds() {
    let server = Server::start(&[]);
    let authenticator = open_with(
        server.url(),
        json!({"soft": 1, "hard": 2, "base_delay_s": 7}),
    );
    let reply = guess(&authenticator, 1);
    assert_eq!(super::retry_after(&reply), Some(7));
    assert_eq!(inspect(&authenticator, 1)["failures"], 1);
}
