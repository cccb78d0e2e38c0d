//! The settings of the `redis` store.

use std::path::PathBuf;
use std::time::Duration;

use redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};

use crate::config::setting_failure;
use crate::error::Result;
use crate::json::{Fault, Object};

/// More nodes than this never need to be named: one tells the others.
const MAX_URLS: usize = 64;
const MAX_PREFIX_BYTES: usize = 64;

/// Everything that `guard` says for the `redis` store.
#[derive(Clone, Debug)]
pub(crate) struct RedisSettings {
    /// Where to ask first; never empty. Several are nodes of one cluster.
    pub(super) nodes: Vec<Address>,
    /// User, password and database, the same for all nodes. Its `Debug` hides the password.
    pub(super) login: RedisConnectionInfo,
    /// The certificates that TLS trusts; none when the URLs are without TLS.
    pub(super) ca_file: Option<PathBuf>,
    pub(super) prefix: String,
    pub(super) budget: Duration,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// What one URL says.
struct Node {
    address: Address,
    login: RedisConnectionInfo,
    tls: bool,
}

impl RedisSettings {
    pub(crate) fn read(guard: &mut Object, budget: Duration) -> Result<Self> {
        Self::read_members(guard, budget).map_err(setting_failure)
    }

    fn read_members(
        guard: &mut Object,
        budget: Duration,
    ) -> std::result::Result<RedisSettings, Fault> {
        let urls = guard.texts("url")?.ok_or_else(|| guard.missing("url"))?;
        if urls.len() > MAX_URLS {
            return Err(guard.wrong("url", "at most 64 URLs"));
        }
        let nodes = urls.iter().map(|url| Node::parse(url));
        let nodes: Vec<Node> = nodes
            .collect::<std::result::Result<_, _>>()
            .map_err(|expected| guard.wrong("url", expected))?;
        let (login, tls) = match nodes.first() {
            Some(first) => (first.login.clone(), first.tls),
            None => return Err(guard.wrong("url", "one URL or more")),
        };
        if !nodes.iter().all(|node| node.is_like(&login, tls)) {
            let expected = "URLs with the same user, password and TLS, for they are one cluster";
            return Err(guard.wrong("url", expected));
        }
        if nodes.len() > 1 && login.db() != 0 {
            return Err(guard.wrong("url", "without a database, which a cluster does not have"));
        }
        let ca_file = guard.text("ca_file")?.map(|path| PathBuf::from(&*path));
        if tls && ca_file.is_none() {
            return Err(guard.missing("ca_file"));
        }
        if tls && cfg!(not(feature = "redis-tls")) {
            let expected = "without TLS, which was left out when this library was built";
            return Err(guard.wrong("url", expected));
        }
        if !tls && ca_file.is_some() {
            return Err(guard.wrong("ca_file", "absent, for the URL is without TLS"));
        }
        let prefix = guard.text("prefix")?;
        let prefix = prefix.map_or("factor2:".to_owned(), |prefix| prefix.to_owned());
        // Braces would tell a cluster to place all records on one node.
        let is_odd = |c: char| c.is_control() || c == '{' || c == '}';
        if prefix.len() > MAX_PREFIX_BYTES || prefix.contains(is_odd) {
            let expected = "at most 64 bytes without braces and control characters";
            return Err(guard.wrong("prefix", expected));
        }
        Ok(RedisSettings {
            nodes: nodes.into_iter().map(|node| node.address).collect(),
            login,
            ca_file,
            prefix,
            budget,
        })
    }
}

impl RedisSettings {
    /// One of the nodes; all in turn for consecutive numbers.
    pub(super) fn node(&self, number: usize) -> Address {
        let index = number.checked_rem(self.nodes.len());
        let node = index.and_then(|index| self.nodes.get(index));
        node.cloned().unwrap_or(Address::Unix(PathBuf::new()))
    }
}

impl Node {
    /// Reads a URL, as the redis crate understands it; if it cannot be, says what it must be.
    fn parse(url: &str) -> std::result::Result<Node, &'static str> {
        const EXPECTED: &str = "redis://[user:password@]host[:port][/database], rediss://... for \
             TLS, or redis+unix:///path[?user=...&pass=...&db=...]";
        let mut url = redis::parse_redis_url(url).ok_or(EXPECTED)?;
        let tls = matches!(url.scheme(), "rediss" | "valkeys");
        if tls {
            // The crate's own TLS is left out: see Cargo.toml.
            url.set_scheme("redis").map_err(|()| EXPECTED)?;
        }
        let is_unix = url.scheme().ends_with("unix");
        let understood = url.fragment().is_none()
            && match is_unix {
                true => url
                    .query_pairs()
                    .all(|(name, _)| matches!(&*name, "user" | "pass" | "db")),
                false => url.query().is_none(),
            };
        let info = url.into_connection_info().map_err(|_| EXPECTED)?;
        let address = match info.addr() {
            ConnectionAddr::Tcp(host, port) => Address::Tcp(host.clone(), *port),
            ConnectionAddr::Unix(path) => Address::Unix(path.clone()),
            _ => return Err(EXPECTED),
        };
        let login = info.redis_settings().clone();
        if login.username().is_some() && login.password().is_none() {
            return Err("with a password for its user");
        }
        if !understood || login.db() < 0 {
            return Err(EXPECTED);
        }
        Ok(Node {
            address,
            login,
            tls,
        })
    }

    fn is_like(&self, login: &RedisConnectionInfo, tls: bool) -> bool {
        self.tls == tls
            && self.login.username() == login.username()
            && self.login.password() == login.password()
            && self.login.db() == login.db()
    }
}
