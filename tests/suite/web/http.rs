//! HTTP over a socket, as bare as the tests want it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::FromRawFd;
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

/// A connection to the server from an address of this machine, 127.0.0.0/8.
pub fn connect(from: Ipv4Addr, port: u16) -> TcpStream {
    let address = |address: Ipv4Addr, port: u16| libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from(address).to_be(),
        },
        sin_zero: [0; 8],
    };
    let size = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    let (here, there) = (address(from, 0), address(Ipv4Addr::LOCALHOST, port));
    // SAFETY: the addresses have the size that is said, and the descriptor is new.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert!(socket >= 0, "{}", std::io::Error::last_os_error());
        let stream = TcpStream::from_raw_fd(socket);
        for (call, address) in [(libc::bind as Call, &here), (libc::connect, &there)] {
            let done = call(socket, std::ptr::from_ref(address).cast(), size);
            assert_eq!(done, 0, "{from}: {}", std::io::Error::last_os_error());
        }
        stream
    }
}

type Call = unsafe extern "C" fn(i32, *const libc::sockaddr, libc::socklen_t) -> i32;

/// Sends these bytes, and reads one answer. None if the server only hung up.
pub fn exchange(port: u16, bytes: &[u8]) -> Option<Answer> {
    exchange_from(Ipv4Addr::LOCALHOST, port, bytes)
}

fn exchange_from(from: Ipv4Addr, port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(from, port);
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
    request_from(Ipv4Addr::LOCALHOST, port, method, path, headers, body)
}

/// The same from another address of this machine.
pub fn request_from(
    from: Ipv4Addr,
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
    exchange_from(from, port, format!("{text}\r\n{body}").as_bytes())
}

/// An answer without a body.
pub fn head(text: &str) -> Answer {
    parse(text.as_bytes()).unwrap().0
}
