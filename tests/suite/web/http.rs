//! HTTP over a socket, as bare as the tests want it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(n, _)| n == name);
        let found = all.next().map(|(_, value)| value.as_str());
        assert!(all.next().is_none(), "{name} twice: {self:?}");
        found
    }
}

/// Sends these bytes, and reads one answer. None if the server only hung up.
pub fn exchange(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // A server that has seen enough may hang up before it has read all.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut part = [0; 65536];
    loop {
        let complete = parse(&answer).filter(|(_, missing)| *missing == 0);
        if let Some((answer, _)) = complete {
            return Some(answer);
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(length) => answer.extend(&part[..length]),
        }
    }
}

/// The answer so far, and how many bytes of it are missing; None while its headers are.
fn parse(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": ").or(line.split_once(':')))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let body = &bytes[end + 4..];
    let missing = length.saturating_sub(body.len());
    let body = String::from_utf8_lossy(body).into_owned();
    Some((
        Answer {
            status,
            headers,
            body,
        },
        missing,
    ))
}

/// A request as a browser sends it, with these headers beside Host and Content-Length.
pub fn request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text += &format!("Host: 127.0.0.1:{port}\r\n");
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if method == "POST" {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    exchange(port, format!("{text}\r\n{body}").as_bytes())
}

/// An answer without a body.
pub fn head(text: &str) -> Answer {
    parse(text.as_bytes()).unwrap().0
}
