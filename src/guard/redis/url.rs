//! The URLs of the `redis` store.
//!
//! Users and passwords are read here, into memory that is wiped; the redis crate, which keeps copies, sees
//! the rest of a URL only.

use std::fmt;
use std::path::PathBuf;

use redis::{ConnectionAddr, IntoConnectionInfo};
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
    if path.contains('#') {
        return Err(EXPECTED);
    }
    Ok(Url {
        addresses: vec![read_address(&format!("unix://{path}"))?],
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
    match text.rsplit_once(':') {
        Some((_, "")) => Err(EXPECTED),
        // The last colon within brackets is a part of an address.
        Some((_, port)) if !port.ends_with(']') => read_address(&format!("redis://{text}")),
        _ => read_address(&format!("redis://{text}:{usual_port}")),
    }
}

/// The address of a URL without anything else, as the redis crate understands it.
fn read_address(url: &str) -> Result<Address> {
    let url = redis::parse_redis_url(url).ok_or(EXPECTED)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(EXPECTED);
    }
    let info = url.into_connection_info().map_err(|_| EXPECTED)?;
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => Ok(Address::Tcp(host.clone(), *port)),
        ConnectionAddr::Unix(path) => Ok(Address::Unix(path.clone())),
        _ => Err(EXPECTED),
    }
}

fn read_database(text: &str) -> Result<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text {
        "" => Ok(0),
        _ if is_number => text.parse().map_err(|_| EXPECTED),
        _ => Err(EXPECTED),
    }
}

/// Undoes percent-encoding; none for nothing.
fn decode(text: &str, plus_is_blank: bool) -> Result<Option<Zeroizing<String>>> {
    if text.is_empty() {
        return Ok(None);
    }
    // Never longer than the text, so it never moves and leaves a copy.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match rest {
            [b'%', high, low, after @ ..] => hex_byte(*high, *low).map(|byte| (byte, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or(match byte {
            b'+' if plus_is_blank => (b' ', after),
            _ => (byte, after),
        });
        bytes.push(byte);
        rest = after;
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| EXPECTED)?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "unix:///run/redis.sock",
            "redis+unix:///run/a%20b/redis.sock?db=3",
            "valkey+unix:///s?pass=w%6Frd&user=user",
            "unix:///s?user=a+b&pass=c%2Bd+e&db=0",
            "unix:///s?pass=a=b",
            "unix:///s?&db=1&",
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
