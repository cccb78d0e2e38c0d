//! Waiting for what others hold, for as long as a call may take in all.

use std::thread;
use std::time::Duration;

use crate::guard::pause;
use crate::sys::clock::monotonic_ns;

/// So often a waiter only lets others run first; most are done by then.
const YIELDS: u32 = 20;
const SHORTEST_SLEEP: Duration = Duration::from_micros(100);
const LONGEST_SLEEP: Duration = Duration::from_millis(1);

/// What is left of the time that a call may take.
pub(super) struct Patience {
    /// By `monotonic_ns`.
    deadline: u64,
    waits: u32,
}

impl Patience {
    pub(super) fn new(budget: Duration) -> Self {
        let budget = u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX);
        Patience::until(monotonic_ns().saturating_add(budget))
    }

    pub(super) fn until(deadline: u64) -> Self {
        Patience { deadline, waits: 0 }
    }

    pub(super) fn deadline(&self) -> u64 {
        self.deadline
    }

    /// Whether waiting took all the time.
    pub(super) fn was_used_up(&self) -> bool {
        self.waits > 0 && self.left().is_zero()
    }

    /// Waits a little before another attempt; false, at once, when there is no time for one.
    pub(super) fn wait(&mut self) -> bool {
        let left = self.left();
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

    fn left(&self) -> Duration {
        Duration::from_nanos(self.deadline.saturating_sub(monotonic_ns()))
    }
}
