//! What one process knows of the servers: idle connections, and which node has which slot.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connection::Connection;
use super::url::Address;
use crate::guard::queue::Queue;

/// Slots of a cluster.
const SLOTS: u16 = 16384;

pub(super) struct Nodes {
    /// Each has a connection at most, so no more are open than have a turn.
    pub(super) turns: Queue<(), String>,
    max_connections: usize,
    /// Locked for moments only, never while a server is asked.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    idle: Vec<Connection>,
    /// Where the cluster said that a slot is, if that was not the node asked first; or a Sentinel, that the
    /// primary is.
    places: HashMap<u16, Address>,
}

impl Nodes {
    pub(super) fn new(max_connections: usize) -> Self {
        Nodes {
            turns: Queue::new(max_connections),
            max_connections,
            known: Mutex::default(),
        }
    }

    /// A thread that panicked with the lock left nothing half-done.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection to this node, the one used last.
    pub(super) fn take_idle(&self, address: &Address) -> Option<Connection> {
        let idle = &mut self.lock().idle;
        let index = idle.iter().rposition(|c| c.address() == address)?;
        Some(idle.remove(index))
    }

    /// Keeps it for the next call. There are more than can be open where a cluster has many nodes; those that were
    /// used longest ago go first.
    pub(super) fn keep_idle(&self, connection: Connection) {
        let idle = &mut self.lock().idle;
        if idle.len() >= self.max_connections {
            idle.remove(0);
        }
        idle.push(connection);
    }

    /// When one connection to a node is of no use, the idle ones hardly are.
    pub(super) fn drop_idle(&self, address: &Address) {
        self.lock().idle.retain(|c| c.address() != address);
    }

    pub(super) fn place(&self, slot: u16) -> Option<Address> {
        self.lock().places.get(&slot).cloned()
    }

    pub(super) fn set_place(&self, slot: u16, address: Address) {
        self.lock().places.insert(slot, address);
    }

    pub(super) fn forget_place(&self, slot: u16) {
        self.lock().places.remove(&slot);
    }
}

/// The slot of a key without braces: CRC-16/XMODEM modulo the number of slots.
pub(super) fn slot(key: &[u8]) -> u16 {
    let crc = key.iter().fold(0u16, |crc, &byte| {
        // The polynomial x^16 + x^12 + x^5 + 1, for eight bits at once.
        let mut bits = crc >> 8 ^ u16::from(byte);
        bits ^= bits >> 4;
        crc << 8 ^ bits << 12 ^ bits << 5 ^ bits
    });
    crc % SLOTS
}
