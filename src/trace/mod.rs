//! The path of one message, after the fact.
//!
//! ```text
//!   a stored message ── Received: headers ──> chain ──> hop by hop: who wrote it, and why it is trusted
//! ```
//!
//! Pure. It does not know where messages come from, nor what should have happened.

pub mod chain;
