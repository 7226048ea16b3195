//! What an attempt means for the next host.

use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult};

/// What the sender does after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing more: it was taken.
    Done,
    /// Try the next address, then the next host.
    Next,
    /// Try the same address again on a new connection without TLS.
    InClear,
    /// Return it to its sender; no other host is tried.
    Bounce,
}

/// Class `rfc5321`: any 4yz, timeout or lost connection at any stage, and 5yz in the banner or to
/// both EHLO and HELO, goes on to the next host in the same round; 5yz from MAIL on bounces; a
/// failed TLS handshake goes on in clear (opportunistic TLS, RFC 7435).
pub fn decide(attempt: &Attempt) -> Decision {
    match attempt.result {
        AttemptResult::Accepted => Decision::Done,
        AttemptResult::TlsFailed => Decision::InClear,
        AttemptResult::Permanent if attempt.stage >= Stage::Mail => Decision::Bounce,
        _ => Decision::Next,
    }
}
