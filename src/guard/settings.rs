//! The settings of the guard: which store, and when wrong codes have consequences.

#[cfg(any(feature = "sqlite", feature = "redis"))]
use std::time::Duration;

use crate::config::{choice, setting_failure, small};
use crate::error::Result;
use crate::guard::{Policy, Store};
use crate::json::Object;

/// Everything below `guard` in the settings.
#[derive(Debug)]
pub(crate) struct GuardSettings {
    pub(crate) policy: Policy,
    store: StoreSettings,
}

#[derive(Debug)]
enum StoreSettings {
    None,
    #[cfg(feature = "memory")]
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

/// The names of all settings that some guard has.
const EVERY_SETTING: &[&str] = &[
    "store",
    "soft",
    "hard",
    "base_delay_s",
    "max_delay_s",
    "max_records",
    "budget_ms",
    "path",
    "create",
    "synchronous",
    "group",
    "filesystem",
    "url",
    "prefix",
    "ca_file",
    "cert_file",
    "key_file",
    "sentinel_user",
    "sentinel_password",
];

impl StoreName {
    /// The names of those that a guard with this store has.
    fn settings(self) -> &'static [&'static str] {
        match self {
            StoreName::None => &["store"],
            StoreName::Memory => &[
                "store",
                "soft",
                "hard",
                "base_delay_s",
                "max_delay_s",
                "max_records",
            ],
            StoreName::Sqlite => &[
                "store",
                "soft",
                "hard",
                "base_delay_s",
                "max_delay_s",
                "budget_ms",
                "path",
                "create",
                "synchronous",
                "group",
                "filesystem",
            ],
            StoreName::Redis => &[
                "store",
                "soft",
                "hard",
                "base_delay_s",
                "max_delay_s",
                "budget_ms",
                "url",
                "prefix",
                "ca_file",
                "cert_file",
                "key_file",
                "sentinel_user",
                "sentinel_password",
            ],
        }
    }
}

impl GuardSettings {
    /// Reads `guard` from the settings; the store is `memory` when there is none.
    pub(crate) fn read(config: &mut Object) -> Result<Self> {
        let Some(guard) = config.object("guard").map_err(setting_failure)? else {
            return Ok(GuardSettings {
                policy: Policy::default(),
                store: read_memory(None)?,
            });
        };
        let mut guard = guard.knowing(EVERY_SETTING);
        let names = [
            ("none", StoreName::None),
            ("memory", StoreName::Memory),
            ("sqlite", StoreName::Sqlite),
            ("redis", StoreName::Redis),
        ];
        let name = choice(&mut guard, "store", &names)?
            .ok_or_else(|| setting_failure(guard.missing("store")))?;
        guard = guard.knowing(name.settings());
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
        guard.finish().map_err(setting_failure)?;
        Ok(GuardSettings { policy, store })
    }

    pub(crate) fn store_and_scope(&self) -> (&'static str, &'static str) {
        match &self.store {
            StoreSettings::None => ("none", "caller"),
            #[cfg(feature = "memory")]
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
            #[cfg(feature = "memory")]
            StoreSettings::Memory { max_records } => Some(Box::new(
                crate::guard::memory::MemoryStore::new(*max_records)?,
            )),
            #[cfg(feature = "sqlite")]
            StoreSettings::Sqlite(settings) => {
                Some(Box::new(crate::guard::sqlite::SqliteStore::open(settings)?))
            }
            #[cfg(feature = "redis")]
            StoreSettings::Redis(settings) => {
                Some(Box::new(crate::guard::redis::RedisStore::open(settings)?))
            }
        })
    }
}

fn read_policy(guard: &mut Object) -> Result<Policy> {
    let defaults = Policy::default();
    let hard = small(guard, "hard", 1, 100)?.unwrap_or(defaults.hard);
    let max_delay_s = small(guard, "max_delay_s", 1, 86_400)?.unwrap_or(defaults.max_delay_s);
    Ok(Policy {
        soft: small(guard, "soft", 1, hard.into())?.unwrap_or(defaults.soft.min(hard)),
        hard,
        base_delay_s: small(guard, "base_delay_s", 1, max_delay_s)?
            .unwrap_or(defaults.base_delay_s.min(max_delay_s)),
        max_delay_s,
    })
}

/// How long a store may take in all, for one call.
#[cfg(any(feature = "sqlite", feature = "redis"))]
fn read_budget(guard: &mut Object) -> Result<Duration> {
    let milliseconds = small(guard, "budget_ms", 10, 5000)?;
    Ok(Duration::from_millis(milliseconds.unwrap_or(1000)))
}

#[cfg(feature = "memory")]
fn read_memory(guard: Option<&mut Object>) -> Result<StoreSettings> {
    let given = guard.map(|guard| small(guard, "max_records", 1, 1_000_000_000));
    let max_records = given.transpose()?.flatten().unwrap_or(100_000);
    Ok(StoreSettings::Memory { max_records })
}

#[cfg(not(feature = "memory"))]
fn read_memory(_: Option<&mut Object>) -> Result<StoreSettings> {
    Err(not_built_in("memory"))
}

#[cfg(feature = "sqlite")]
fn read_sqlite(guard: &mut Object) -> Result<StoreSettings> {
    let budget = read_budget(guard)?;
    crate::guard::sqlite::SqliteSettings::read(guard, budget).map(StoreSettings::Sqlite)
}

#[cfg(not(feature = "sqlite"))]
fn read_sqlite(_: &mut Object) -> Result<StoreSettings> {
    Err(not_built_in("sqlite"))
}

#[cfg(feature = "redis")]
fn read_redis(guard: &mut Object) -> Result<StoreSettings> {
    let budget = read_budget(guard)?;
    let settings = crate::guard::redis::RedisSettings::read(guard, budget)?;
    Ok(StoreSettings::Redis(settings.into()))
}

#[cfg(not(feature = "redis"))]
fn read_redis(_: &mut Object) -> Result<StoreSettings> {
    Err(not_built_in("redis"))
}

#[cfg(not(all(feature = "memory", feature = "sqlite", feature = "redis")))]
fn not_built_in(store: &str) -> crate::error::Failure {
    crate::error::Failure::configuration(format!(
        "config.guard.store: \"{store}\" was left out when this library was built"
    ))
}
