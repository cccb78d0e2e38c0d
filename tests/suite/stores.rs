//! Every store that keeps records, for what must hold with each of them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use factor2::Status;
use serde_json::{Value, json};

use crate::clock;
#[cfg(feature = "redis")]
use crate::guard_redis::server::Server;
use crate::support::{Authenticator, Reply, scratch};

pub enum Store {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    #[cfg(feature = "redis")]
    Redis(Server),
}

impl Store {
    /// One of each, empty.
    pub fn all() -> Vec<Store> {
        let mut all = vec![Store::Memory];
        all.extend(Store::shared());
        all
    }

    /// One of each that processes share, empty.
    pub fn shared() -> Vec<Store> {
        vec![
            #[cfg(feature = "sqlite")]
            Store::Sqlite(new_path("store")),
            #[cfg(feature = "redis")]
            Store::Redis(Server::start(&[])),
        ]
    }

    /// The settings of an authenticator with this store, with more for the guard.
    pub fn config(&self, more: Value) -> Value {
        let mut guard = match self {
            Store::Memory => json!({"store": "memory"}),
            #[cfg(feature = "sqlite")]
            Store::Sqlite(path) => json!({"store": "sqlite", "path": path, "create": true}),
            #[cfg(feature = "redis")]
            Store::Redis(server) => json!({"store": "redis", "url": server.url()}),
        };
        let members = guard.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        json!({"issuer": "Test", "guard": guard})
    }

    pub fn open_with(&self, more: Value) -> Authenticator {
        Authenticator::new(self.config(more))
    }

    pub fn open(&self) -> Authenticator {
        self.open_with(json!({}))
    }

    /// How many records it keeps, where that can be asked.
    pub fn records(&self) -> Option<usize> {
        match self {
            Store::Memory => None,
            #[cfg(feature = "sqlite")]
            Store::Sqlite(path) => {
                let file = rusqlite::Connection::open(path).unwrap();
                let count = "SELECT count(*) FROM credential_2";
                let rows: i64 = file.query_one(count, [], |row| row.get(0)).unwrap();
                // The first row is nobody's.
                Some(usize::try_from(rows).unwrap() - 1)
            }
            #[cfg(feature = "redis")]
            Store::Redis(server) => Some(server.cli(&["DBSIZE"]).parse().unwrap()),
        }
    }
}

/// Authenticators with one store, at one time after the other: Redis reads its own clock unless the settings fix
/// the time, and memory is one authenticator's.
pub struct Service<'a> {
    store: &'a Store,
    more: Value,
    opened: Authenticator,
}

impl<'a> Service<'a> {
    pub fn new(store: &'a Store, more: Value) -> Service<'a> {
        let opened = store.open_with(more.clone());
        Service {
            store,
            more,
            opened,
        }
    }

    pub fn at(&mut self, time: u64) -> &Authenticator {
        clock::stand_at(time);
        if !matches!(self.store, Store::Memory) {
            let mut config = self.store.config(self.more.clone());
            config["fixed_time"] = json!(time);
            self.opened = Authenticator::new(config);
        }
        &self.opened
    }
}

/// Calls until the store answers: on a busy machine not all come at it within one budget.
pub fn until_available(call: impl Fn() -> Reply) -> Reply {
    let patience = Instant::now() + Duration::from_secs(120);
    loop {
        let reply = call();
        if reply.status != Status::StoreUnavailable as i32 || Instant::now() > patience {
            return reply;
        }
    }
}

/// A name for a database in a new folder that only we can write.
pub fn new_path(name: &str) -> PathBuf {
    let folder = scratch(name);
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    folder.join("guard.db")
}

/// A copy of a file among the tests' data, as a database that only we can write.
pub fn copy_of(data: &Path) -> PathBuf {
    let path = new_path("copy");
    fs::copy(data, &path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}
