//! Waiting for what others hold, for as long as a call may take in all.

use std::thread;
use std::time::{Duration, Instant};

use crate::guard::pause;

/// So often a waiter only lets others run first; most are done by then.
const YIELDS: u32 = 20;
const SHORTEST_SLEEP: Duration = Duration::from_micros(100);
const LONGEST_SLEEP: Duration = Duration::from_millis(1);

/// What is left of the time that a call may take.
pub(super) struct Patience {
    deadline: Instant,
    waits: u32,
}

impl Patience {
    pub(super) fn new(budget: Duration) -> Self {
        let now = Instant::now();
        Patience {
            deadline: now.checked_add(budget).unwrap_or(now),
            waits: 0,
        }
    }

    /// Waits a little before another attempt; false, at once, when there is no time for one.
    pub(super) fn wait(&mut self) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        match self.waits.checked_sub(YIELDS) {
            None => thread::yield_now(),
            Some(sleeps) => {
                let sleep = SHORTEST_SLEEP.saturating_mul(sleeps.saturating_add(1));
                pause(sleep.min(LONGEST_SLEEP).min(left));
            }
        }
        self.waits = self.waits.saturating_add(1);
        true
    }
}
