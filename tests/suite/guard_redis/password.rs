//! The server's password is in memory while its authenticator lives, once, and nowhere afterwards.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use factor2::capi::factor2_describe;
use serde_json::{Value, json};

use super::server::{Server, free_port};
use super::{log_in, process};
use crate::support::Authenticator;

/// Constants are not in memory that is written to, which is searched.
const PASSWORD: &str = "half a canary,/ and its Other half";
const PERCENT_ENCODED: &str = "half%20a%20canary%2C%2F%20and%20its%20%4fther%20half";

/// Both at once: percent-encoded, and that with an escape of JSON.
const ESCAPED: &str = "half%20a%20canary%2C%2F%20and%20its%20\\u004fther%20half";

/// What stands for the password in the settings that another process gets.
const PLACES: [(&str, &str); 3] = [
    ("<plain>", PASSWORD),
    ("<encoded>", PERCENT_ENCODED),
    ("<escaped>", ESCAPED),
];

/// In how many places of this process's writable memory either half of a text is.
fn count(text: &str) -> usize {
    let (first, second) = text.as_bytes().split_at(text.len() / 2);
    let memory = File::open("/proc/self/mem").unwrap();
    // What is read is itself in memory, in a buffer that is not searched.
    let mut buffer = vec![0_u8; 1 << 20];
    let own = buffer.as_ptr_range();
    let own = own.start as u64..own.end as u64;
    let mut found = 0;
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut fields = line.split(' ');
        let (start, end) = fields.next().unwrap().split_once('-').unwrap();
        if !fields.next().unwrap().starts_with("rw") {
            continue;
        }
        let [mut at, end] = [start, end].map(|number| u64::from_str_radix(number, 16).unwrap());
        while at < end {
            let wanted = usize::try_from(end - at).unwrap().min(buffer.len());
            let Ok(length) = memory.read_at(&mut buffer[..wanted], at) else {
                break;
            };
            for half in [first, second] {
                for (offset, window) in buffer[..length].windows(half.len()).enumerate() {
                    let place = at + offset as u64;
                    // The first byte sifts; the rest seldom has to be compared.
                    if window[0] == half[0] && window == half && !own.contains(&place) {
                        found += 1;
                    }
                }
            }
            if length <= second.len() {
                break;
            }
            // Once more what may be the beginning of a match.
            at += (length - second.len() + 1) as u64;
            if at + second.len() as u64 > end {
                break;
            }
        }
    }
    // The search leaves no traces for the next one.
    buffer.fill(0);
    found
}

/// The settings with the passwords in their places, in memory that never moves.
fn written_out(template: &str) -> Vec<u8> {
    let mut config = Vec::with_capacity(4096);
    let mut rest = template;
    while let Some(at) = rest.find('<') {
        config.extend_from_slice(&rest.as_bytes()[..at]);
        let (place, text) = PLACES
            .iter()
            .find(|(place, _)| rest[at..].starts_with(place))
            .unwrap();
        config.extend_from_slice(text.as_bytes());
        rest = &rest[at + place.len()..];
    }
    config.extend_from_slice(rest.as_bytes());
    config
}

/// In a process that has never seen the password but as a constant.
pub fn look(job: &Value) {
    let template = job["template"].as_str().unwrap();
    let outcome = job["outcome"].as_str().unwrap();
    let forms = PLACES.map(|(_, text)| text);
    assert_eq!(forms.map(count), [0; 3]);
    let mut config = written_out(template);
    // The instrument itself: it sees both halves.
    assert!(forms.map(count).contains(&2));
    let made = Authenticator::try_new(&config);
    config.fill(0);
    match made {
        Ok(authenticator) => {
            for user in 0..2 {
                let reply = log_in(&authenticator, user);
                assert!(reply.text.contains(outcome), "{}", reply.text);
                authenticator.call(factor2_describe, json!({})).ok();
                // It is known, in one place.
                assert_eq!(forms.map(count), [2, 0, 0], "after a call");
            }
        }
        Err(reply) => assert!(reply.text.contains(outcome), "{}", reply.text),
    }
    assert_eq!(forms.map(count), [0; 3], "at the end");
}

/// In a process of its own; `outcome` is a part of each answer.
#[track_caller]
fn leaves_nothing(outcome: &str, url: &str, more: Value) {
    let mut guard = json!({"store": "redis", "url": url});
    guard
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let template = json!({"issuer": "Test", "guard": guard}).to_string();
    let job = json!({"template": template, "outcome": outcome});
    let output = process::command("look for the password", &job)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{template}: {told}");
}

#[test]
fn the_password_is_gone_with_its_authenticator() {
    let (server, port) = Server::start_on_port(&["--requirepass", PASSWORD]);
    let bob = [
        "ACL",
        "SETUSER",
        "bob",
        "on",
        "~*",
        "+@all",
        &format!(">{PASSWORD}"),
    ];
    server.set(&[&["-a", PASSWORD, "--no-auth-warning"][..], &bob].concat());
    let unix = server.url();
    let none = json!({});
    // A database each, for the codes are the same.
    let accepted = "\"step\"";
    let tcp = |userinfo: &str, database| format!("redis://{userinfo}@127.0.0.1:{port}/{database}");
    leaves_nothing(accepted, &tcp(":<encoded>", 0), none.clone());
    leaves_nothing(accepted, &tcp("bob:<encoded>", 1), none.clone());
    leaves_nothing(
        accepted,
        &format!("{unix}?pass=<encoded>&db=2"),
        none.clone(),
    );
    leaves_nothing(
        accepted,
        &format!("{unix}?db=3&pass=<escaped>"),
        none.clone(),
    );

    let (_other, port) = Server::start_on_port(&["--requirepass", "another"]);
    let refused = format!("redis://:<encoded>@127.0.0.1:{port}");
    leaves_nothing("WRONGPASS", &refused, none.clone());
    let nowhere = format!("127.0.0.1:{}", free_port());
    leaves_nothing(
        "connection refused",
        &format!("redis://:<encoded>@{nowhere}"),
        none,
    );
    let sentinels = format!("redis-sentinel://{nowhere}/main");
    let more = json!({"sentinel_password": "<plain>"});
    leaves_nothing("connection refused", &sentinels, more);
    // Settings that are refused after the URL was read, and while it was.
    leaves_nothing(
        "Configuration",
        "redis://:<encoded>@host",
        json!({"unknown": 1}),
    );
    leaves_nothing("Configuration", "redis://:<encoded>@host/x", json!({}));
    leaves_nothing("Configuration", "redis://:<encoded>%ff@host", json!({}));
}

#[test]
#[cfg(feature = "redis-tls")]
fn the_password_is_gone_with_its_authenticator_and_its_tls() {
    let ours = super::tls::Authority::new("ours");
    let files = ours.sign("server", Some("IP:127.0.0.1"));
    let more = ["--tls-auth-clients", "no", "--requirepass", PASSWORD];
    let (_server, port) = super::tls::start(&files, &ours, &more);
    let url = format!("rediss://:<encoded>@127.0.0.1:{port}");
    leaves_nothing("\"step\"", &url, json!({"ca_file": ours.certificate()}));
}
