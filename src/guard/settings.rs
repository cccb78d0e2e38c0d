//! The settings of the guard: which store, and when wrong codes have consequences.

use std::time::Duration;

use crate::error::Result;
use crate::guard::deadline::Deadline;
use crate::guard::state::RetryLimits;
use crate::guard::{Policy, Store};
use crate::json::{Names, Object};

/// Everything below `guard` in the settings.
#[derive(Debug)]
pub(crate) struct GuardSettings {
    pub(crate) policy: Policy,
    /// How long a store that waits may take in all, for one call.
    budget: Option<Duration>,
    store: StoreSettings,
}

#[derive(Debug)]
enum StoreSettings {
    None,
    Memory {
        max_records: usize,
    },
    #[cfg(feature = "sqlite")]
    Sqlite(crate::guard::sqlite::SqliteSettings),
    #[cfg(feature = "redis")]
    Redis(std::sync::Arc<crate::guard::redis::RedisSettings>),
}

/// Every store that there is, built in or not.
#[derive(Clone, Copy)]
enum StoreName {
    None,
    Memory,
    Sqlite,
    Redis,
}

// The names of the settings, by who has them.
const STORE: &[&str] = &["store"];
const POLICY: &[&str] = &["soft", "hard", "base_delay_s", "max_delay_s", "retry"];
const BUDGET: &[&str] = &["budget_ms"];
const MEMORY: &[&str] = &["max_records"];
const SQLITE: &[&str] = &["path", "create", "synchronous", "group", "filesystem"];
const REDIS: &[&str] = &[
    "url",
    "prefix",
    "max_connections",
    "ca_file",
    "cert_file",
    "key_file",
    "sentinel_user",
    "sentinel_password",
];

impl StoreName {
    /// The names of the settings of a guard with this store.
    fn settings(self) -> Names {
        match self {
            StoreName::None => &[STORE],
            StoreName::Memory => &[STORE, POLICY, MEMORY],
            StoreName::Sqlite => &[STORE, POLICY, BUDGET, SQLITE],
            StoreName::Redis => &[STORE, POLICY, BUDGET, REDIS],
        }
    }
}

impl GuardSettings {
    /// Reads `guard` from the settings; the store is `memory` when there is none.
    pub(crate) fn read(config: &mut Object) -> Result<Self> {
        let Some(guard) = config.object("guard")? else {
            return Ok(GuardSettings {
                policy: Policy::default(),
                budget: None,
                store: read_memory(None)?,
            });
        };
        let mut guard = guard.knowing(&[STORE, POLICY, BUDGET, MEMORY, SQLITE, REDIS]);
        let names = [
            ("none", StoreName::None),
            ("memory", StoreName::Memory),
            ("sqlite", StoreName::Sqlite),
            ("redis", StoreName::Redis),
        ];
        let name = guard.choice("store", &names)?;
        let name = name.ok_or_else(|| guard.missing("store"))?;
        guard = guard.knowing(name.settings());
        let budget = match name {
            StoreName::None | StoreName::Memory => None,
            StoreName::Sqlite | StoreName::Redis => Some(read_budget(&mut guard)?),
        };
        let store = match name {
            StoreName::None => StoreSettings::None,
            StoreName::Memory => read_memory(Some(&mut guard))?,
            StoreName::Sqlite => read_sqlite(&mut guard)?,
            StoreName::Redis => read_redis(&mut guard)?,
        };
        let policy = match name {
            StoreName::None => Policy::default(),
            _ => read_policy(&mut guard)?,
        };
        guard.finish()?;
        Ok(GuardSettings {
            policy,
            budget,
            store,
        })
    }

    /// When a call that begins now must be over.
    pub(crate) fn deadline(&self) -> Deadline {
        self.budget.map_or(Deadline::NEVER, Deadline::after)
    }

    pub(crate) fn store_and_scope(&self) -> (&'static str, &'static str) {
        match &self.store {
            StoreSettings::None => ("none", "caller"),
            StoreSettings::Memory { .. } => ("memory", "process"),
            #[cfg(feature = "sqlite")]
            StoreSettings::Sqlite(_) => ("sqlite", "machine"),
            #[cfg(feature = "redis")]
            StoreSettings::Redis(_) => ("redis", "fleet"),
        }
    }

    pub(crate) fn open_store(&self) -> Result<Option<Box<dyn Store>>> {
        Ok(match &self.store {
            StoreSettings::None => None,
            StoreSettings::Memory { max_records } => Some(Box::new(
                crate::guard::memory::MemoryStore::new(*max_records)?,
            )),
            #[cfg(feature = "sqlite")]
            StoreSettings::Sqlite(settings) => Some(Box::new(
                crate::guard::sqlite::SqliteStore::open(settings, self.deadline())?,
            )),
            #[cfg(feature = "redis")]
            StoreSettings::Redis(settings) => {
                Some(Box::new(crate::guard::redis::RedisStore::open(settings)?))
            }
        })
    }
}

fn read_policy(guard: &mut Object) -> Result<Policy> {
    let defaults = Policy::default();
    let hard = guard.integer("hard", 1..=100)?.unwrap_or(defaults.hard);
    let max_delay_s = guard
        .integer("max_delay_s", 1..=86_400)?
        .unwrap_or(defaults.max_delay_s);
    Ok(Policy {
        soft: guard
            .integer("soft", 1..=hard)?
            .unwrap_or(defaults.soft.min(hard)),
        hard,
        base_delay_s: guard
            .integer("base_delay_s", 1..=max_delay_s)?
            .unwrap_or(defaults.base_delay_s.min(max_delay_s)),
        max_delay_s,
        retry: read_retry(guard)?,
    })
}

fn read_retry(guard: &mut Object) -> Result<Option<RetryLimits>> {
    let Some(mut retry) = guard.object("retry")? else {
        return Ok(None);
    };
    let limits = RetryLimits {
        ttl_s: retry.integer("ttl_s", 1..=3600)?.unwrap_or(30),
        limit: retry.integer("limit", 1..=100)?.unwrap_or(5),
    };
    retry.finish()?;
    Ok(Some(limits))
}

fn read_budget(guard: &mut Object) -> Result<Duration> {
    let milliseconds = guard.integer("budget_ms", 10..=5000)?;
    Ok(Duration::from_millis(milliseconds.unwrap_or(1000)))
}

fn read_memory(guard: Option<&mut Object>) -> Result<StoreSettings> {
    let given = guard.map(|guard| guard.integer("max_records", 1..=1_000_000_000));
    let max_records = given.transpose()?.flatten().unwrap_or(100_000);
    Ok(StoreSettings::Memory { max_records })
}

#[cfg(feature = "sqlite")]
fn read_sqlite(guard: &mut Object) -> Result<StoreSettings> {
    crate::guard::sqlite::SqliteSettings::read(guard).map(StoreSettings::Sqlite)
}

#[cfg(not(feature = "sqlite"))]
fn read_sqlite(_: &mut Object) -> Result<StoreSettings> {
    Err(not_built_in("sqlite"))
}

#[cfg(feature = "redis")]
fn read_redis(guard: &mut Object) -> Result<StoreSettings> {
    let settings = crate::guard::redis::RedisSettings::read(guard)?;
    Ok(StoreSettings::Redis(settings.into()))
}

#[cfg(not(feature = "redis"))]
fn read_redis(_: &mut Object) -> Result<StoreSettings> {
    Err(not_built_in("redis"))
}

#[cfg(not(all(feature = "sqlite", feature = "redis")))]
fn not_built_in(store: &str) -> crate::error::Error {
    crate::error::Error::configuration(format!(
        "config.guard.store: \"{store}\" was left out when this library was built"
    ))
}
