//! What the surroundings give a run: a clock, dice, secrets, and a way to other machines.
//!
//! ```text
//!   main.rs ── wall clock, entropy, environment ──> World
//!                                                     │ handed in
//!        proxy   lab   send   collect   run  <────────┘
//! ```
//!
//! Nothing else in the crate reads the time of day, entropy or the environment, so that a test
//! can hand in its own. Durations are measured by tokio's clock, which tests can pause.

mod clock;
mod dial;
mod dice;
mod group;
mod secret;
mod vantage;

pub use clock::Clock;
pub use dial::{Callers, Calls, Dialer, Listening};
pub use dice::Dice;
pub use group::ProcessGroup;
pub use secret::{Environment, SecretError};
