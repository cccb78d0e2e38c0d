//! rediss://, with certificates of the tests' own authorities.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use factor2::Status;
use serde_json::{Value, json};

use super::process;
use super::proxy::{Mode, Proxy};
use super::server::{Server, free_port};
use super::{BUDGET, config_with, log_in, open_hasty, refused_in_time};
use crate::private_mounts::unshare;
use crate::support::{Authenticator, run, scratch, tool};

/// A certificate and its key.
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Who signs certificates.
pub struct Authority {
    folder: PathBuf,
    own: Files,
}

/// What `openssl ca` wants to be told.
const SIGNING: &str = "[ca]\ndefault_ca = here\n[here]\ndatabase = index\nnew_certs_dir = .\n\
     default_md = sha256\npolicy = names\nrand_serial = yes\nunique_subject = no\n\
     default_days = 9999\n[names]\ncommonName = supplied\n";

impl Authority {
    pub fn new(name: &str) -> Authority {
        let folder = scratch("tls");
        let own = Files::within(&folder, name);
        let subject = format!("/CN={name}");
        run(openssl_req(&own.key)
            .args(["-x509", "-days", "9999", "-subj", &subject, "-out"])
            .arg(&own.certificate));
        fs::write(folder.join("signing"), SIGNING).unwrap();
        fs::write(folder.join("index"), "").unwrap();
        Authority { folder, own }
    }

    /// The certificate for such hosts.
    pub fn sign(&self, name: &str, hosts: Option<&str>) -> Files {
        let hosts = hosts.map(|hosts| format!("subjectAltName={hosts}"));
        self.sign_with(name, &hosts.unwrap_or_default(), &[])
    }

    fn sign_with(&self, name: &str, extensions: &str, more: &[&str]) -> Files {
        let files = Files::within(&self.folder, name);
        let (request, names) = (self.folder.join("request"), self.folder.join("names"));
        let subject = format!("/CN={name}");
        run(openssl_req(&files.key)
            .args(["-subj", &subject, "-out"])
            .arg(&request));
        fs::write(&names, format!("basicConstraints=CA:FALSE\n{extensions}\n")).unwrap();
        let mut sign = tool("openssl");
        sign.args(["ca", "-batch", "-notext", "-config", "signing"]);
        sign.current_dir(&self.folder).arg("-in").arg(&request);
        sign.arg("-cert").arg(&self.own.certificate);
        sign.arg("-keyfile").arg(&self.own.key);
        sign.arg("-extfile").arg(&names).args(more);
        run(sign.arg("-out").arg(&files.certificate));
        files
    }

    pub fn certificate(&self) -> &str {
        self.own.certificate.to_str().unwrap()
    }
}

impl Files {
    fn within(folder: &Path, name: &str) -> Files {
        Files {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        }
    }

    fn paths(&self) -> [&str; 2] {
        [&self.certificate, &self.key].map(|path| path.to_str().unwrap())
    }

    /// For a server that has these, and knows clients by the authority.
    pub fn server_options(&self, authority: &Authority) -> Vec<String> {
        let [certificate, key] = self.paths();
        let options = [
            ["--tls-cert-file", certificate],
            ["--tls-key-file", key],
            ["--tls-ca-cert-file", authority.certificate()],
        ];
        options.concat().into_iter().map(str::to_owned).collect()
    }
}

fn openssl_req(new_key: &Path) -> Command {
    let mut command = tool("openssl");
    let curve = "ec_paramgen_curve:P-256";
    command.args([
        "req", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-keyout",
    ]);
    command.arg(new_key);
    command
}

/// A server with TLS, and where it listens.
pub fn start(files: &Files, authority: &Authority, more: &[&str]) -> (Server, u16) {
    let port = free_port();
    let options = files.server_options(authority);
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    let port_text = port.to_string();
    options.extend(["--tls-port", &port_text]);
    (Server::start(&[&options, more].concat()), port)
}

/// One that lets everybody connect.
fn start_open(files: &Files, authority: &Authority) -> (Server, u16) {
    start(files, authority, &["--tls-auth-clients", "no"])
}

fn config(url: impl Into<Value>, ca_file: &str, more: Value) -> Value {
    let mut config = config_with(url, more);
    config["guard"]["ca_file"] = ca_file.into();
    config
}

fn open(url: impl Into<Value>, ca_file: &str) -> Authenticator {
    Authenticator::new(config(url, ca_file, json!({})))
}

/// With a budget that a test can wait for.
fn hasty(url: impl Into<Value>, ca_file: &str) -> Authenticator {
    let budget = json!({"budget_ms": BUDGET.as_millis() as u64});
    Authenticator::new(config(url, ca_file, budget))
}

#[test]
fn only_the_authority_of_the_settings_is_trusted_and_only_for_its_host() {
    let ours = Authority::new("ours");
    let files = ours.sign(
        "server",
        Some("IP:127.0.0.1,DNS:*.example.org,URI:x:canary"),
    );
    let other = Authority::new("other");
    let auth = ["--tls-auth-clients", "no", "--requirepass", "canary"];
    let (mut server, port) = start(&files, &ours, &auth);
    let url = format!("rediss://:canary@127.0.0.1:{port}/3");
    let authenticator = open(url.clone(), ours.certificate());
    log_in(&authenticator, 0).ok();
    log_in(&authenticator, 0).refused(Status::TokenReused);
    let valkeys = url.replace("rediss", "valkeys");
    log_in(&open(valkeys, ours.certificate()), 0).refused(Status::TokenReused);

    let unknown =
        "cannot be reached: its certificate is of an authority that ca_file does not name";
    refused_in_time(&open(url.clone(), other.certificate()), 1, unknown);
    let elsewhere = url.replace("127.0.0.1", "localhost");
    let other_names = "its certificate is for other names: 127.0.0.1, *.example.org";
    refused_in_time(&open(elsewhere, ours.certificate()), 1, other_names);
    let plain = "cannot be reached: it speaks TLS, for which the URL begins with rediss://";
    refused_in_time(&open_hasty(url.replace("rediss", "redis")), 1, plain);
    let without_password = format!("redis://127.0.0.1:{port}");
    refused_in_time(&open_hasty(without_password), 1, plain);

    // An authority beside others.
    let both = scratch("tls").join("both.pem");
    let texts = [&other, &ours].map(|authority| fs::read_to_string(authority.certificate()));
    fs::write(&both, texts.map(Result::unwrap).concat()).unwrap();
    log_in(&open(url.clone(), both.to_str().unwrap()), 1).ok();

    let hasty = hasty(url, ours.certificate());
    server.signal(libc::SIGSTOP);
    refused_in_time(&hasty, 2, "cannot be reached: timed out");
    server.signal(libc::SIGCONT);
    log_in(&authenticator, 3).ok();
    server.kill();
    refused_in_time(&hasty, 4, "cannot be reached");
    server.restart(&[]);
    log_in(&authenticator, 5).ok();
}

#[test]
fn what_is_wrong_with_a_certificate_is_named() {
    let ours = Authority::new("ours");
    let host = Some("IP:127.0.0.1");
    let (server, port) = start_open(&ours.sign("good", host), &ours);
    let authenticator = open(format!("rediss://127.0.0.1:{port}"), ours.certificate());
    log_in(&authenticator, 0).ok();
    let host = "subjectAltName=IP:127.0.0.1";
    let client_only = format!("{host}\nextendedKeyUsage=clientAuth");
    let dates = |from: &'static str, to: &'static str| ["-startdate", from, "-enddate", to];
    let past = dates("20200101000000Z", "20210101000000Z");
    let future = dates("20900101000000Z", "20910101000000Z");
    let of_authority = Files::within(&ours.folder, "ours");
    for (files, reason) in [
        (
            ours.sign_with("expired", host, &past),
            "its certificate has expired",
        ),
        (
            ours.sign_with("future", host, &future),
            "its certificate is not valid yet",
        ),
        (
            ours.sign("named", None),
            "its certificate has no subjectAltName",
        ),
        (
            ours.sign("email", Some("email:a@b.c")),
            "its certificate has no subjectAltName",
        ),
        (
            ours.sign("one", Some("DNS:one")),
            "its certificate is for other names: one",
        ),
        (
            ours.sign(
                "many",
                Some("DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g,DNS:h,IP:::1"),
            ),
            "its certificate is for other names: a, b, c, d, e, f, g, h and more",
        ),
        (
            ours.sign_with("client", &client_only, &[]),
            "its certificate is not one of a server",
        ),
        (of_authority, "its certificate is an authority's own"),
        (
            Authority::new("other").sign("foreign", Some("IP:127.0.0.1")),
            "its certificate is of an authority that ca_file does not name",
        ),
    ] {
        let [certificate, key] = files.paths();
        server.set(&[
            "CONFIG",
            "SET",
            "tls-cert-file",
            certificate,
            "tls-key-file",
            key,
        ]);
        server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        refused_in_time(&authenticator, 1, &format!("cannot be reached: {reason}"));
    }
}

/// As Redis does unless it is told otherwise.
#[test]
fn a_server_that_wants_a_client_certificate() {
    let ours = Authority::new("ours");
    let other = Authority::new("other");
    let files = ours.sign("server", Some("IP:127.0.0.1"));
    let client = ours.sign("client", None);
    let past = [
        "-startdate",
        "20200101000000Z",
        "-enddate",
        "20210101000000Z",
    ];
    let expired = ours.sign_with("expired", "", &past);
    let stranger = other.sign("stranger", None);
    let (server, port) = start(&files, &ours, &["--requirepass", "canary"]);
    let url = format!("rediss://:canary@127.0.0.1:{port}");
    let with = |files: &Files| {
        let [certificate, key] = files.paths();
        let more = json!({"cert_file": certificate, "key_file": key});
        Authenticator::new(config(url.as_str(), ours.certificate(), more))
    };
    let mut user = 0;
    for versions in ["TLSv1.2 TLSv1.3", "TLSv1.2", "TLSv1.3"] {
        server.set(&[
            "-a",
            "canary",
            "--no-auth-warning",
            "CONFIG",
            "SET",
            "tls-protocols",
            versions,
        ]);
        let known = with(&client);
        for _ in 0..3 {
            user += 1;
            log_in(&known, user).ok();
            log_in(&known, user).refused(Status::TokenReused);
        }
        let refused = "cannot be reached: it refused the client certificate";
        for (authenticator, reason) in [
            (
                open(url.as_str(), ours.certificate()),
                "cannot be reached: it wants a client certificate, which cert_file and key_file name",
            ),
            (with(&stranger), refused),
            (with(&expired), &format!("{refused}, which has expired")),
        ] {
            // Each time: it depends on who of the two is faster.
            for _ in 0..10 {
                refused_in_time(&authenticator, 1000, reason);
            }
        }
    }
}

#[test]
fn keys_of_every_form_are_read() {
    let ours = Authority::new("ours");
    let files = ours.sign("server", Some("IP:127.0.0.1"));
    let (_server, port) = start(&files, &ours, &[]);
    let client = ours.sign("client", None);
    let forms = scratch("keys");
    let sec1 = forms.join("sec1");
    run(tool("openssl")
        .arg("ec")
        .arg("-in")
        .arg(&client.key)
        .arg("-out")
        .arg(&sec1));
    let mut pairs = vec![
        (client.certificate.clone(), client.key.clone()),
        (client.certificate.clone(), sec1),
    ];
    // RSA, in its old form and in the usual one.
    for (name, how) in [("pkcs1", &["-traditional"][..]), ("pkcs8", &[])] {
        let (key, request) = (forms.join(name), forms.join("request"));
        run(tool("openssl")
            .arg("genrsa")
            .args(how)
            .arg("-out")
            .arg(&key)
            .arg("2048"));
        run(tool("openssl")
            .args(["req", "-new", "-subj", "/CN=rsa", "-key"])
            .arg(&key)
            .arg("-out")
            .arg(&request));
        let certificate = forms.join(format!("{name}.crt"));
        let mut sign = tool("openssl");
        sign.args(["x509", "-req", "-days", "99", "-CAcreateserial", "-in"])
            .arg(&request);
        sign.arg("-CA")
            .arg(&ours.own.certificate)
            .arg("-CAkey")
            .arg(&ours.own.key);
        run(sign.arg("-out").arg(&certificate));
        pairs.push((certificate, key));
    }
    // Both in one file.
    let both = forms.join("both");
    let texts = [&client.certificate, &client.key].map(|file| fs::read_to_string(file).unwrap());
    fs::write(&both, texts.concat()).unwrap();
    fs::set_permissions(&both, fs::Permissions::from_mode(0o400)).unwrap();
    pairs.push((both.clone(), both));
    for (user, (certificate, key)) in pairs.iter().enumerate() {
        let text = fs::read_to_string(key).unwrap();
        println!("{}", text.lines().next().unwrap());
        let more = json!({"cert_file": certificate.to_str(), "key_file": key.to_str()});
        let url = format!("rediss://127.0.0.1:{port}");
        log_in(
            &Authenticator::new(config(url, ours.certificate(), more)),
            user,
        )
        .ok();
    }
}

/// The settings are refused, and this is what the message begins with.
#[track_caller]
fn refused(ca_file: &str, more: Value, reason: &str) {
    let config = config("rediss://127.0.0.1", ca_file, more).to_string();
    let Err(reply) = Authenticator::try_new(config.as_bytes()) else {
        panic!("{config} was taken");
    };
    let message = reply.refused(Status::Configuration);
    assert!(message.starts_with(reason), "{message}");
    assert!(!message.contains("canary"), "{message}");
}

#[test]
fn files_without_what_they_should_have_are_refused() {
    let ours = Authority::new("ours");
    let client = ours.sign("client", None);
    let [certificate, key] = client.paths();
    let folder = scratch("wrong");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let text = fs::read_to_string(certificate).unwrap();
    let cut = write("cut", &text[..text.len() / 2]);
    let empty = write("empty", "");
    let missing = folder.join("canary");
    let missing = missing.to_str().unwrap();
    let folder_itself = folder.to_str().unwrap();
    for (file, what) in [
        (folder_itself, "cannot be read"),
        (missing, "cannot be read"),
        (key, "there is no certificate in it"),
        (&empty, "there is no certificate in it"),
        (&cut, "not PEM"),
    ] {
        refused(file, json!({}), &format!("config.guard.ca_file: {what}"));
        let more = json!({"cert_file": file, "key_file": key});
        refused(
            ours.certificate(),
            more,
            &format!("config.guard.cert_file: {what}"),
        );
    }
    let encrypted = folder.join("encrypted");
    let pass = ["-aes128", "-passout", "pass:canary"];
    run(tool("openssl")
        .args(["pkey", "-in", key])
        .args(pass)
        .arg("-out")
        .arg(&encrypted));
    fs::set_permissions(&encrypted, fs::Permissions::from_mode(0o600)).unwrap();
    let text = fs::read_to_string(key).unwrap();
    let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (file, what) in [
        (folder_itself, "cannot be read"),
        (missing, "cannot be read"),
        (certificate, "others may read it"),
        (&empty, "there is no key in it"),
        (&write("cut key", &text[..text.len() / 2]), "not PEM"),
        (&write("garbage", garbage), "neither an RSA key"),
        (encrypted.to_str().unwrap(), "encrypted"),
        (
            ours.own.paths()[1],
            "its key is not that of the first certificate",
        ),
    ] {
        let more = json!({"cert_file": certificate, "key_file": file});
        refused(
            ours.certificate(),
            more,
            &format!("config.guard.key_file: {what}"),
        );
    }
    // As ssh: nobody else may read it, in any way.
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(key, fs::Permissions::from_mode(mode)).unwrap();
        let more = json!({"cert_file": certificate, "key_file": key});
        refused(
            ours.certificate(),
            more,
            "config.guard.key_file: others may read it",
        );
    }
}

#[test]
fn a_server_without_tls_is_told_from_one_that_is_slow() {
    let ours = Authority::new("ours");
    let (server, port) = Server::start_on_port(&[]);
    let url = format!("rediss://127.0.0.1:{port}");
    let authenticator = hasty(url, ours.certificate());
    let plain = "cannot be reached: it does not speak TLS";
    // What it makes of the greeting depends on random bytes.
    for _ in 0..10 {
        refused_in_time(&authenticator, 1, plain);
    }
    server.configure("requirepass", "canary");
    refused_in_time(&authenticator, 1, plain);
}

#[test]
fn a_handshake_that_does_not_end_is_given_up() {
    let ours = Authority::new("ours");
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.socket());
    let authenticator = hasty(proxy.url().replace("redis", "rediss"), ours.certificate());
    let hello = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03".to_vec();
    let slow = Duration::from_millis(60);
    for mode in [Mode::Silence, Mode::Reset, Mode::Trickle(hello, slow)] {
        proxy.set(mode);
        refused_in_time(&authenticator, 1, "cannot be reached");
    }
}

/// In a mount namespace of its own, whose system trusts the test's authority.
#[test]
fn the_systems_authorities_are_trusted_if_the_settings_say_so() {
    let ours = Authority::new("ours");
    let (_server, port) = start_open(&ours.sign("server", Some("IP:127.0.0.1")), &ours);
    let config = config(format!("rediss://127.0.0.1:{port}"), "system", json!({}));
    // No environment variable makes it trust others.
    let mut alone = process::command("log in", &config);
    alone.env("SSL_CERT_FILE", ours.certificate());
    let output = alone.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("an authority that ca_file does not name"),
        "{told}"
    );

    let job = process::command("log in", &config);
    let Some(mut within) = unshare() else { return };
    within.args(["sh", "-c"]);
    within.arg("mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec \"$@\"");
    within
        .arg(ours.certificate())
        .arg(job.get_program())
        .args(job.get_args());
    within.envs(
        job.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let told = run(&mut within).stderr;
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("\"accepted\":true"), "{told}");
}

#[test]
fn sentinels_and_their_primary_with_tls() {
    let ours = Authority::new("ours");
    let files = ours.sign("server", Some("IP:127.0.0.1"));
    let (_server, port) = start_open(&files, &ours);
    let [certificate, key] = files.paths();
    let tls = format!(
        "tls-cert-file {certificate}\ntls-key-file {key}\ntls-ca-cert-file {}\n\
         tls-auth-clients no\ntls-replication yes\nport 0\n",
        ours.certificate()
    );
    let sentinel = super::sentinel::Sentinel::start("tls-port", port, 1, &tls);
    let url = format!("rediss-sentinel://127.0.0.1:{}/main", sentinel.port);
    let authenticator = open(url, ours.certificate());
    log_in(&authenticator, 1).ok();
    log_in(&authenticator, 1).refused(Status::TokenReused);
}
