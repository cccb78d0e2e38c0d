//! The time that a call of a store may take in all, and how to wait within it.

use std::thread;
use std::time::Duration;

use crate::sys::clock::monotonic_ns;

/// When a call must be over.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    /// By `monotonic_ns`: a number fits into an atomic, where an `Instant` does not.
    ns: u64,
}

impl Deadline {
    /// Of what never waits.
    pub(super) const NEVER: Deadline = Deadline { ns: u64::MAX };

    pub(super) fn after(budget: Duration) -> Self {
        Deadline::at_ns(monotonic_ns() + nanoseconds(budget))
    }

    pub(super) fn at_ns(ns: u64) -> Self {
        Deadline { ns }
    }

    pub(super) fn as_ns(self) -> u64 {
        self.ns
    }

    pub(super) fn later_by(self, time: Duration) -> Self {
        Deadline::at_ns(self.ns + nanoseconds(time))
    }

    /// The deadline of a step that may take half of the remaining time.
    pub(super) fn halfway(self) -> Self {
        Deadline::after(self.remaining() / 2)
    }

    pub(super) fn remaining(self) -> Duration {
        // A deadline that has passed leaves nothing, rather than a negative time.
        Duration::from_nanos(self.ns.saturating_sub(monotonic_ns()))
    }

    pub(super) fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }
}

/// Budgets are of seconds, and 64 bits hold centuries.
fn nanoseconds(time: Duration) -> u64 {
    time.as_secs() * 1_000_000_000 + u64::from(time.subsec_nanos())
}

/// Yield this many times before sleeping; most waits end here.
const YIELDS: u32 = 20;
const SHORTEST_SLEEP: Duration = Duration::from_micros(100);
const LONGEST_SLEEP: Duration = Duration::from_millis(1);

/// Waits until a deadline for what others hold, a little longer each time.
pub(super) struct Backoff {
    deadline: Deadline,
    waits: u32,
}

impl Backoff {
    pub(super) fn until(deadline: Deadline) -> Self {
        Backoff { deadline, waits: 0 }
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether waiting took all the time.
    pub(super) fn was_used_up(&self) -> bool {
        self.waits > 0 && self.deadline.has_passed()
    }

    /// Waits a little before another attempt. Returns false, at once, when there is no time for one.
    pub(super) fn wait(&mut self) -> bool {
        let remaining = self.deadline.remaining();
        if remaining.is_zero() {
            return false;
        }
        if self.waits < YIELDS {
            thread::yield_now();
        } else {
            let sleeps = self.waits - YIELDS + 1;
            pause((SHORTEST_SLEEP * sleeps).min(LONGEST_SLEEP).min(remaining));
        }
        self.waits += 1;
        true
    }
}

/// Sleeps at most this long, and may end early. Not `thread::sleep`: that starts again with the
/// remaining time after each signal, each time with the kernel's slack on top, so that under a stream
/// of signals it may never return. This one has a fixed end.
pub(super) fn pause(duration: Duration) {
    thread::park_timeout(duration);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_deadline_counts_down_and_stays_passed() {
        let deadline = Deadline::after(Duration::from_millis(40));
        let half = deadline.halfway();
        assert!(deadline.remaining() <= Duration::from_millis(40));
        assert!(half.remaining() <= Duration::from_millis(20));
        assert!(deadline.later_by(Duration::from_secs(1)).remaining() > deadline.remaining());
        thread::sleep(Duration::from_millis(41));
        for deadline in [deadline, half, deadline.halfway()] {
            assert!(deadline.has_passed());
            assert_eq!(deadline.remaining(), Duration::ZERO);
        }
        let seconds = Duration::new(5, 7);
        let later = Deadline::at_ns(10).later_by(seconds);
        assert_eq!(later.as_ns(), 5_000_000_017);
    }

    #[test]
    fn a_backoff_ends_with_its_deadline() {
        let start = Instant::now();
        let mut backoff = Backoff::until(Deadline::after(Duration::from_millis(30)));
        assert!(!backoff.was_used_up());
        while backoff.wait() {}
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_millis(30), "{elapsed:?}");
        assert!(backoff.was_used_up() && !backoff.wait());
        // It slept: yielding alone would have been thousands of waits.
        assert!(backoff.waits < 400, "{}", backoff.waits);
    }

    #[test]
    fn time_that_passed_without_waiting_is_not_used_up() {
        let mut backoff = Backoff::until(Deadline::at_ns(0));
        assert!(!backoff.wait() && !backoff.was_used_up());
    }
}
