//! An audit: what names, servers and hosts say of a domain, held against what was meant.
//!
//! ```text
//!   zone files ── zone ─┐
//!                       ├─ Names ── gather ──> facts ──> check ──> findings + what was not seen
//!   DNS ───────── live ─┘                        ^         ^
//!   SMTP, HTTPS ─────────────────────────────────┘         └── inventory: the design
//! ```
//!
//! `gather` asks the same questions offline and live; `check` is pure. Nothing here decides whether
//! something may be contacted without being told so by [`live::Gate`].

pub mod check;
mod document;
mod examine;
pub mod facts;
pub mod gather;
mod kind;
pub mod live;
pub mod zone;

pub use examine::{Order, look, weigh};
pub use kind::Kind;
