//! Replies that trickle.

use std::time::Duration;

use crate::scenario::fault::Rate;

/// The shortest pause between two pieces.
const PAUSE: Duration = Duration::from_millis(50);

/// How many bytes go at once, and the pause behind them, for a rate of whole bytes a second.
pub(in crate::proxy) fn tarpit_piece(rate: Rate) -> (usize, Duration) {
    let rate = rate.0.max(1);
    let piece = (u128::from(rate) * PAUSE.as_millis() / 1000).max(1) as usize;
    (piece, Duration::from_secs_f64(piece as f64 / rate as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_rate_is_single_bytes_and_a_fast_one_is_pieces() {
        assert_eq!(tarpit_piece(Rate(1)), (1, Duration::from_secs(1)));
        assert_eq!(tarpit_piece(Rate(1000)), (50, Duration::from_millis(50)));
        assert_eq!(tarpit_piece(Rate(0)), (1, Duration::from_secs(1)));
    }
}
