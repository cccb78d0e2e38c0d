//! The settings of the `redis` store.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::url::{Address, Login, Url};
use crate::error::{Error, Result};
use crate::json::Object;

/// More nodes or Sentinels than this never need to be named: one tells the others.
const MAX_ADDRESSES: usize = 64;
const MAX_PREFIX_BYTES: usize = 64;

/// Everything that `guard` says for the `redis` store.
#[derive(Debug)]
pub(crate) struct RedisSettings {
    /// Where to ask first; never empty.
    pub(super) addresses: Vec<Address>,
    pub(super) service: Service,
    /// The same for all servers.
    pub(super) login: Login,
    /// None when the URLs are without TLS.
    pub(super) tls: Option<TlsSettings>,
    pub(super) prefix: String,
    /// How many calls of a process may be under way at once.
    pub(super) max_connections: usize,
}

/// What is at the addresses of the settings.
#[derive(Debug)]
pub(super) enum Service {
    /// One server, which sends nobody elsewhere.
    Server,
    /// Nodes of one cluster, which may send to any other.
    Cluster,
    /// Sentinels, with a login of their own, which tell where the primary of this name is.
    Sentinels { primary: String, login: Login },
}

/// Whom to trust, and as whom to be known.
#[derive(Debug)]
#[cfg_attr(not(feature = "redis-tls"), allow(dead_code))]
pub(super) struct TlsSettings {
    pub(super) authorities: Authorities,
    /// The files of the client's certificate and of its key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug)]
#[cfg_attr(not(feature = "redis-tls"), allow(dead_code))]
pub(super) enum Authorities {
    /// Those that the system trusts.
    System,
    /// Those of this file.
    File(PathBuf),
}

impl RedisSettings {
    pub(crate) fn read(guard: &mut Object) -> Result<Self> {
        let may_be_cluster = guard.is_array("url");
        let texts = guard.texts("url", "a string, or an array of strings")?;
        let texts = texts.ok_or_else(|| guard.missing("url"))?;
        let urls = texts.iter().map(|url| Url::parse(url));
        let urls: Vec<Url> = urls
            .collect::<std::result::Result<_, _>>()
            .map_err(|expected| guard.wrong("url", expected))?;
        let Some(first) = urls.first() else {
            return Err(guard.wrong("url", "one URL or more"));
        };
        let (login, tls) = (first.login.clone(), first.tls);
        let primary = first.primary.clone();
        if urls.len() > 1 {
            if !urls.iter().all(|url| url.login == login && url.tls == tls) {
                let expected =
                    "URLs with the same user, password and TLS, for they are one cluster";
                return Err(guard.wrong("url", expected));
            }
            if login.database != 0 {
                let expected = "without a database, which a cluster does not have";
                return Err(guard.wrong("url", expected));
            }
            if urls.iter().any(|url| url.primary.is_some()) {
                return Err(guard.wrong("url", "one URL, if it is of Sentinels"));
            }
        }
        let addresses: Vec<Address> = urls.into_iter().flat_map(|url| url.addresses).collect();
        if addresses.len() > MAX_ADDRESSES {
            return Err(guard.wrong("url", "of at most 64 hosts"));
        }
        let service = match primary {
            Some(primary) => Service::Sentinels {
                primary,
                login: read_sentinel_login(guard)?,
            },
            None if may_be_cluster => Service::Cluster,
            None => Service::Server,
        };
        let prefix = guard.text("prefix")?;
        let prefix = prefix.map_or("factor2:".to_owned(), |prefix| prefix.to_owned());
        // Braces would tell a cluster to place all records on one node.
        let is_odd = |c: char| c.is_control() || c == '{' || c == '}';
        if prefix.len() > MAX_PREFIX_BYTES || prefix.contains(is_odd) {
            let expected = "at most 64 bytes without braces and control characters";
            return Err(guard.wrong("prefix", expected));
        }
        Ok(RedisSettings {
            addresses,
            service,
            login,
            tls: read_tls(guard, tls)?,
            prefix,
            max_connections: guard.integer("max_connections", 1..=1024)?.unwrap_or(64),
        })
    }

    /// One of the addresses; all in turn for consecutive numbers.
    pub(super) fn address(&self, number: usize) -> Address {
        self.addresses[number % self.addresses.len()].clone()
    }

    /// Whether servers that are not in a cluster are to be refused: each of several would accept a code of
    /// its own.
    pub(super) fn must_be_cluster(&self) -> bool {
        matches!(self.service, Service::Cluster) && self.addresses.len() > 1
    }
}

fn read_sentinel_login(guard: &mut Object) -> std::result::Result<Login, Error> {
    let user = guard.text("sentinel_user")?;
    let password = guard.text("sentinel_password")?;
    if user.is_some() && password.is_none() {
        return Err(guard.missing("sentinel_password"));
    }
    Ok(Login {
        user: user.map(|user| Zeroizing::new(user.to_owned())),
        password: password.map(|password| Zeroizing::new(password.to_owned())),
        database: 0,
    })
}

fn read_tls(guard: &mut Object, tls: bool) -> std::result::Result<Option<TlsSettings>, Error> {
    let mut files = [None, None, None];
    let names = ["ca_file", "cert_file", "key_file"];
    for (file, name) in files.iter_mut().zip(names) {
        *file = guard.text(name)?.map(|path| PathBuf::from(&*path));
        if file.is_some() && !tls {
            return Err(guard.wrong(name, "absent, for the URL is without TLS"));
        }
    }
    if !tls {
        return Ok(None);
    }
    if cfg!(not(feature = "redis-tls")) {
        let expected = "without TLS, which was left out when this library was built";
        return Err(guard.wrong("url", expected));
    }
    let [ca_file, cert_file, key_file] = files;
    let authorities = match ca_file {
        None => return Err(guard.missing("ca_file")),
        Some(file) if file == Path::new("system") => Authorities::System,
        Some(file) => Authorities::File(file),
    };
    let identity = match (cert_file, key_file) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, Some(_)) => return Err(guard.missing("cert_file")),
        (Some(_), None) => return Err(guard.missing("key_file")),
    };
    Ok(Some(TlsSettings {
        authorities,
        identity,
    }))
}
