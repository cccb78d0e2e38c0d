//! The URLs of the `redis` store.
//!
//! Read here and not by a crate: those keep copies of the password, which are not wiped.

use std::ffi::OsString;
use std::fmt;
use std::net::Ipv6Addr;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::str::FromStr;

use zeroize::Zeroizing;

const EXPECTED: &str = "redis://[user:password@]host[:port][/database], rediss://... for TLS, \
     unix:///path[?user=...&pass=...&db=...], or redis-sentinel://[user:password@]host[:port],.../name[/database] \
     (rediss-sentinel:// for TLS), with % and two hex digits for signs in user and password";

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

type Result<T> = std::result::Result<T, &'static str>;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// As whom, and to which database.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Login {
    pub(super) user: Option<Zeroizing<String>>,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) database: u32,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login to database {}", self.database)
    }
}

/// What one URL says.
#[derive(Debug)]
pub(super) struct Url {
    /// One server, or the Sentinels; never empty.
    pub(super) addresses: Vec<Address>,
    /// What the Sentinels call the primary; none when the address is a server's own.
    pub(super) primary: Option<String>,
    pub(super) login: Login,
    pub(super) tls: bool,
}

impl Url {
    /// Reads a URL; if it cannot be, says what it must be.
    pub(super) fn parse(url: &str) -> Result<Url> {
        if url.contains(char::is_control) {
            return Err(EXPECTED);
        }
        let (scheme, rest) = url.split_once("://").ok_or(EXPECTED)?;
        let url = match scheme.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => server(rest, false),
            "rediss" | "valkeys" => server(rest, true),
            "redis-sentinel" | "valkey-sentinel" => sentinels(rest, false),
            "rediss-sentinel" | "valkeys-sentinel" => sentinels(rest, true),
            "unix" | "redis+unix" | "valkey+unix" => socket(rest),
            _ => Err(EXPECTED),
        }?;
        if url.login.user.is_some() && url.login.password.is_none() {
            return Err("with a password for its user");
        }
        Ok(url)
    }
}

/// `[user:password@]host[:port][/database]`
fn server(rest: &str, tls: bool) -> Result<Url> {
    let (authority, database) = split_once_or_all(rest, '/');
    let (mut login, host) = read_login(authority)?;
    login.database = read_database(database)?;
    Ok(Url {
        addresses: vec![read_host(host, SERVER_PORT)?],
        primary: None,
        login,
        tls,
    })
}

/// `[user:password@]host[:port],host[:port]/name[/database]`
fn sentinels(rest: &str, tls: bool) -> Result<Url> {
    let (authority, path) = split_once_or_all(rest, '/');
    let (name, database) = split_once_or_all(path, '/');
    // What Sentinel itself takes as a name.
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_of_a_name) {
        return Err(EXPECTED);
    }
    let (mut login, hosts) = read_login(authority)?;
    login.database = read_database(database)?;
    let hosts = hosts.split(',').map(|host| read_host(host, SENTINEL_PORT));
    Ok(Url {
        addresses: hosts.collect::<Result<_>>()?,
        primary: Some(name.to_owned()),
        login,
        tls,
    })
}

/// `/path[?user=...&pass=...&db=...]`
fn socket(rest: &str) -> Result<Url> {
    let (path, query) = split_once_or_all(rest, '?');
    let mut login = Login::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match split_once_or_all(pair, '=') {
            ("user", user) if login.user.is_none() => login.user = decode(user, true)?,
            ("pass", password) if login.password.is_none() => {
                login.password = decode(password, true)?;
            }
            ("db", database) => login.database = read_database(database)?,
            _ => return Err(EXPECTED),
        }
    }
    Ok(Url {
        addresses: vec![read_path(path)?],
        primary: None,
        login,
        tls: false,
    })
}

fn split_once_or_all(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

/// Splits `user:password@rest`.
fn read_login(authority: &str) -> Result<(Login, &str)> {
    let (userinfo, rest) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = split_once_or_all(userinfo, ':');
    if userinfo.contains(['?', '#']) {
        return Err(EXPECTED);
    }
    let login = Login {
        user: decode(user, false)?,
        password: decode(password, false)?,
        database: 0,
    };
    Ok((login, rest))
}

/// `host` or `host:port`
fn read_host(text: &str, usual_port: u16) -> Result<Address> {
    let (host, port) = match text.rsplit_once(':') {
        // The last colon within brackets is a part of an address.
        Some((host, port)) if !port.ends_with(']') => (host, read_number(port)?),
        _ => (text, usual_port),
    };
    let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let host = match address {
        Some(address) => {
            let address: Ipv6Addr = address.parse().map_err(|_| EXPECTED)?;
            address.to_string()
        }
        None if is_name(host) => host.to_owned(),
        None => return Err(EXPECTED),
    };
    // Those that a server listens on to be reached at all of its addresses.
    match host.as_str() {
        "0.0.0.0" | "::" => Err(EXPECTED),
        _ => Ok(Address::Tcp(host, port)),
    }
}

/// A name of the system's, or four numbers. The system judges it; but no sign that has a meaning in
/// URLs is a part of it.
fn is_name(host: &str) -> bool {
    let is_in_name = |byte: u8| byte.is_ascii_graphic() && !b"#/:<>?@[\\]^|".contains(&byte);
    !host.is_empty() && host.bytes().all(is_in_name)
}

/// `/path`
fn read_path(path: &str) -> Result<Address> {
    let path = path.strip_prefix("localhost").unwrap_or(path);
    if !path.starts_with('/') || path.contains('#') {
        return Err(EXPECTED);
    }
    let path = OsString::from_vec(percent_decoded(path, false).to_vec());
    Ok(Address::Unix(path.into()))
}

fn read_database(text: &str) -> Result<u32> {
    match text {
        "" => Ok(0),
        _ => read_number(text),
    }
}

/// Digits alone, without a sign.
fn read_number<T: FromStr>(text: &str) -> Result<T> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok();
    number.filter(|_| is_number).ok_or(EXPECTED)
}

/// A part of a login, without its percent-encoding; none for nothing.
fn decode(text: &str, plus_is_blank: bool) -> Result<Option<Zeroizing<String>>> {
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = percent_decoded(text, plus_is_blank);
    let text = std::str::from_utf8(&bytes).map_err(|_| EXPECTED)?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// Undoes percent-encoding, and leaves what is none.
fn percent_decoded(text: &str, plus_is_blank: bool) -> Zeroizing<Vec<u8>> {
    // Never longer than the text, so it never moves and leaves a copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let escaped = match after {
            [high, low, after @ ..] if *byte == b'%' => {
                hex_byte(*high, *low).map(|byte| (byte, after))
            }
            _ => None,
        };
        let (byte, after) = match (escaped, byte) {
            (Some(escaped), _) => escaped,
            (None, b'+') if plus_is_blank => (b' ', after),
            (None, byte) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use redis::{ConnectionAddr, IntoConnectionInfo};

    /// The redis crate's reading is the oracle for ours.
    #[track_caller]
    fn agrees_with_the_crate(url: &str) {
        let ours = Url::parse(url).unwrap();
        let theirs = redis::parse_redis_url(url).unwrap();
        let theirs = theirs.into_connection_info().unwrap();
        let address = match theirs.addr() {
            ConnectionAddr::Tcp(host, port) => Address::Tcp(host.clone(), *port),
            ConnectionAddr::Unix(path) => Address::Unix(path.clone()),
            other => panic!("{other}"),
        };
        let login = theirs.redis_settings();
        assert_eq!(ours.addresses, [address], "{url}");
        let text = |text: &Option<Zeroizing<String>>| text.as_ref().map(|text| text.to_string());
        assert_eq!(text(&ours.login.user).as_deref(), login.username(), "{url}");
        let password = text(&ours.login.password);
        assert_eq!(password.as_deref(), login.password(), "{url}");
        assert_eq!(i64::from(ours.login.database), login.db(), "{url}");
    }

    #[test]
    fn urls_are_read_as_the_redis_crate_reads_them() {
        for url in [
            "redis://host",
            "redis://host/",
            "REDIS://Host:1/15",
            "valkey://127.0.0.1:6380",
            "redis://[::1]",
            "redis://[2001:db8::1]:7/2",
            "redis://:word@host",
            "redis://:@host",
            "redis://user:word@host:1/2",
            "redis://us%65r:w%6Frd%40%2f%3A%25@host",
            "redis://user:a:b@c@host",
            "redis://:a+b%2Bc@host",
            "redis://:100%@host",
            "redis://:%zz%4@host",
            "redis://:pässwörd €@host",
            "redis://:p%C3%A4ss@[::1]:1",
            "redis://my-host_1.example.org:00080",
            "redis://::ffff@host",
            "redis://[::FFFF:1.2.3.4]:65535",
            "redis://[0:0::0:1]",
            "redis://10.1:0",
            "unix:///run/redis.sock",
            "redis+unix:///run/a%20b/redis.sock?db=3",
            "valkey+unix:///s?pass=w%6Frd&user=user",
            "unix:///s?user=a+b&pass=c%2Bd+e&db=0",
            "unix:///s?pass=a=b",
            "unix:///s?&db=1&",
            "unix://localhost/run/redis.sock",
            "unix:///run/%ff%00//a+b%2fc%zz%4",
            "unix:///",
        ] {
            agrees_with_the_crate(url);
        }
        let printable = (0x20_u8..0x7F).map(char::from);
        for sign in printable.filter(|sign| !"#/?".contains(*sign)) {
            agrees_with_the_crate(&format!("redis://:a{sign}b{sign}@host"));
        }
        for byte in 0..0x80 {
            agrees_with_the_crate(&format!("redis://us%{byte:02x}er:%{byte:02X}x@host"));
            agrees_with_the_crate(&format!("unix:///s?user=us%{byte:02x}&pass=%{byte:02X}x"));
        }
    }

    /// What the redis crate refuses, we do; where we take an address, it takes the same.
    #[test]
    fn hosts_are_not_read_as_others() {
        for wrong in [
            "",
            ":1",
            "a:",
            "a:+1",
            "a:-1",
            "a:65536",
            "a:1:2",
            "a b",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]:",
            "[::1%25eth0]",
            "[1.2.3.4]",
            "[::]",
            "[0::0]:1",
            "0.0.0.0",
            "h\u{e4}st",
        ] {
            assert_eq!(
                Url::parse(&format!("redis://{wrong}")).err(),
                Some(EXPECTED),
                "{wrong}"
            );
        }
        let runner = &mut proptest::test_runner::TestRunner::default();
        let host = "[a-z0-9.:\\[\\]%@?#/ <>^|_+-]{0,12}(:[0-9]{0,6})?";
        let outcome = runner.run(&host, |host| {
            let url = format!("redis://{host}");
            let theirs =
                redis::parse_redis_url(&url).and_then(|url| url.into_connection_info().ok());
            let ours = Url::parse(&url).ok().map(|url| url.addresses);
            match (ours.as_deref(), theirs.as_ref().map(|theirs| theirs.addr())) {
                (Some([Address::Tcp(host, port)]), Some(ConnectionAddr::Tcp(other, number))) => {
                    prop_assert_eq!((host, port), (other, number));
                }
                (Some(ours), theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs),
                (None, _) => {}
            }
            Ok(())
        });
        outcome.unwrap();
    }

    #[test]
    fn sentinels_are_read() {
        let url = "rediss-sentinel://user:a%2Cb,c@one,[::1],two:1,[::2]:3/my-Primary_1.x/4";
        let url = Url::parse(url).unwrap();
        let tcp = |host: &str, port| Address::Tcp(host.to_owned(), port);
        let expected = [
            tcp("one", 26379),
            tcp("::1", 26379),
            tcp("two", 1),
            tcp("::2", 3),
        ];
        assert_eq!(url.addresses, expected);
        assert_eq!(url.primary.as_deref(), Some("my-Primary_1.x"));
        assert_eq!(url.login.password.unwrap().as_str(), "a,b,c");
        assert_eq!(url.login.database, 4);
        assert!(url.tls);
        for wrong in [
            "redis-sentinel://",
            "redis-sentinel://a",
            "redis-sentinel://a/",
            "redis-sentinel:///name",
            "redis-sentinel://a,/name",
            "redis-sentinel://,a/name",
            "redis-sentinel://a,b:/name",
            "redis-sentinel://a b/name",
            "redis-sentinel://a:x/name",
            "redis-sentinel://a/na me",
            "redis-sentinel://a/na%20me",
            "redis-sentinel://a/name/x",
            "redis-sentinel://a/name/1/2",
            "redis-sentinel://a/name?db=1",
            "redis-sentinel://user@a/name",
            "redis-sentinel://a?b/name",
        ] {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }
}
