//! rediss://, with certificates of the tests' own authorities.

use std::path::{Path, PathBuf};
use std::process::Command;

use factor2::Status;
use serde_json::{Value, json};

use super::proxy::{Mode, Proxy};
use super::server::Server;
use super::{BUDGET, config_with, log_in, open_hasty, refused_in_time};
use crate::support::{Authenticator, run, scratch, tool};

/// The files of an authority: certificate and key.
fn authority(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (certificate, key) = files(folder, name);
    let subject = format!("/CN={name}");
    run(openssl_req(&key)
        .args(["-x509", "-days", "9999", "-subj", &subject, "-out"])
        .arg(&certificate));
    (certificate, key)
}

/// The files of a server on 127.0.0.1: certificate and key.
fn server_of((authority, its_key): &(PathBuf, PathBuf), folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = files(folder, "server");
    let (request, names) = (folder.join("request"), folder.join("names"));
    std::fs::write(&names, "subjectAltName=IP:127.0.0.1").unwrap();
    run(openssl_req(&key)
        .args(["-subj", "/CN=server", "-out"])
        .arg(&request));
    let mut sign = tool("openssl");
    sign.args(["x509", "-req", "-days", "9999", "-CAcreateserial", "-in"])
        .arg(&request);
    sign.arg("-CA").arg(authority).arg("-CAkey").arg(its_key);
    run(sign
        .arg("-extfile")
        .arg(&names)
        .arg("-out")
        .arg(&certificate));
    (certificate, key)
}

fn files(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    (
        folder.join(format!("{name}.crt")),
        folder.join(format!("{name}.key")),
    )
}

fn openssl_req(new_key: &Path) -> Command {
    let mut command = tool("openssl");
    let of_a_new_key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    command
        .arg("req")
        .args(of_a_new_key)
        .arg("-keyout")
        .arg(new_key);
    command
}

fn config(url: String, ca_file: &Path) -> Value {
    let budget = BUDGET.as_millis() as u64;
    config_with(
        url,
        json!({"ca_file": ca_file.to_str().unwrap(), "budget_ms": budget}),
    )
}

fn open(url: String, ca_file: &Path) -> Authenticator {
    Authenticator::new(config(url, ca_file))
}

#[test]
fn only_the_authority_of_the_settings_is_trusted_and_only_for_its_host() {
    let folder = scratch("tls");
    let ours = authority(&folder, "ours");
    let (certificate, key) = server_of(&ours, &folder);
    let (ours, other) = (ours.0, authority(&folder, "other").0);
    let port = super::server::free_port();
    let port_text = port.to_string();
    let mut server = Server::start(&[
        "--tls-port",
        &port_text,
        "--tls-cert-file",
        certificate.to_str().unwrap(),
        "--tls-key-file",
        key.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
        "--requirepass",
        "canary",
    ]);
    let url = format!("rediss://:canary@127.0.0.1:{port}/3");
    let authenticator = open(url.clone(), &ours);
    log_in(&authenticator, 0).ok();
    log_in(&authenticator, 0).refused(Status::TokenReused);
    log_in(&open(url.replace("rediss", "valkeys"), &ours), 0).refused(Status::TokenReused);

    let not_trusted = "no TLS with a trusted certificate";
    refused_in_time(&open(url.clone(), &other), 1, not_trusted);
    refused_in_time(
        &open(url.replace("127.0.0.1", "localhost"), &ours),
        1,
        not_trusted,
    );
    refused_in_time(
        &open_hasty(url.replace("rediss", "redis")),
        1,
        "did not answer",
    );

    // An authority beside others.
    let both = folder.join("both.pem");
    let texts = [&other, &ours].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(&both, texts.concat()).unwrap();
    log_in(&open(url, &both), 1).ok();

    server.signal(libc::SIGSTOP);
    refused_in_time(&authenticator, 2, "cannot be reached: timed out");
    server.signal(libc::SIGCONT);
    log_in(&authenticator, 3).ok();
    server.kill();
    refused_in_time(&authenticator, 4, "cannot be reached");
    server.restart(&[]);
    log_in(&authenticator, 5).ok();
}

#[test]
fn a_handshake_that_does_not_end_is_given_up() {
    let folder = scratch("tls");
    let (ours, _) = authority(&folder, "ours");
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.socket());
    let authenticator = open(proxy.url().replace("redis", "rediss"), &ours);
    let hello = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03".to_vec();
    let slow = std::time::Duration::from_millis(60);
    for mode in [
        Mode::Silence,
        Mode::Reset,
        Mode::Pass,
        Mode::Trickle(hello, slow),
    ] {
        proxy.set(mode);
        refused_in_time(&authenticator, 1, "cannot be reached");
    }
}

#[test]
fn files_without_a_certificate_are_refused() {
    let folder = scratch("tls");
    let (ours, key) = authority(&folder, "ours");
    let text = std::fs::read_to_string(&ours).unwrap();
    let cut = folder.join("cut");
    std::fs::write(&cut, &text[..text.len() / 2]).unwrap();
    let empty = folder.join("empty");
    std::fs::write(&empty, "").unwrap();
    for file in [&folder, &key, &cut, &empty, &folder.join("canary")] {
        let config = config("rediss://127.0.0.1".to_owned(), file).to_string();
        let Err(reply) = Authenticator::try_new(config.as_bytes()) else {
            panic!("{config} was taken");
        };
        let message = reply.refused(Status::Configuration);
        assert!(message.starts_with("config.guard.ca_file: "), "{message}");
        assert!(!message.contains("canary"), "{message}");
    }
}
