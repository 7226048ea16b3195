//! Bodies that are read slowly.

use std::time::Duration;

use tokio::time::Instant;

use crate::scenario::fault::Rate;

/// Parts of a second in which a piece is read.
const PIECES: u64 = 20;

/// How far a body may have been read by now. The client feels it once its send window and our
/// receive buffer are full.
#[derive(Debug)]
pub(in crate::proxy) struct Pace {
    rate: u64,
    start: Instant,
    taken: u64,
}

impl Pace {
    /// Nothing is read for `stall`, then `rate` bytes a second.
    pub(in crate::proxy) fn new(rate: Rate, stall: Option<Duration>) -> Self {
        Self { rate: rate.0.max(1), start: Instant::now() + stall.unwrap_or_default(), taken: 0 }
    }

    /// When the next byte may be read.
    pub(in crate::proxy) fn next(&self) -> Instant {
        self.start + Duration::from_secs_f64(self.taken as f64 / self.rate as f64)
    }

    /// How many bytes may be read at once.
    pub(in crate::proxy) fn piece(&self) -> usize {
        usize::try_from(self.rate / PIECES).unwrap_or(usize::MAX).max(1)
    }

    /// So many bytes were read.
    pub(in crate::proxy) fn took(&mut self, count: usize) {
        self.taken += count as u64;
    }
}
