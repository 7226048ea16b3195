//! The time of day, derived from one reading.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// A clock that was set once and runs with tokio's time from then on: it never jumps, and it
/// stands still where a test pauses time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    set_to: Timestamp,
    set_at: Instant,
}

impl Clock {
    /// A clock that shows `now` from this moment on. Call it inside of a tokio runtime where time
    /// may be paused.
    pub fn starting_at(now: Timestamp) -> Self {
        Self { set_to: now, set_at: Instant::now() }
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.set_to.saturating_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    /// How long the clock has been running.
    pub fn elapsed(&self) -> Duration {
        self.set_at.elapsed()
    }

    /// The instant of tokio's clock at which this clock shows, or showed, `at`.
    pub fn instant(&self, at: Timestamp) -> Instant {
        match Duration::try_from(at.duration_since(self.set_to)) {
            Ok(later) => self.set_at + later,
            Err(_) => self.set_at,
        }
    }
}
