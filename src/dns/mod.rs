//! Names: looking them up, choosing MX hosts, and the lab's own authority.
//!
//! ```text
//!   send ── route(domain) ──> Lookups ──┬── Resolver ──> the system's server, `--dns`, or
//!    │                                  │                      Authority (the lab's zones)
//!    │                                  └── a literal world in tests
//!    └── addresses(host), one host at a time, when its turn comes
//! ```
//!
//! An audit asks servers one by one instead ([`ask`]), and sees who says what with which authority.
//!
//! What an MX set means is in [`route`]; nothing here knows SMTP.

mod ask;
mod authority;
mod faulty;
mod resolver;
mod route;
mod zone;

pub use ask::{Recursion, ask, system_server};
pub use authority::{Authority, AuthorityError};
pub use resolver::{LookupError, Lookups, MxSet, Resolver, ResolverError};
pub use route::{Candidate, NoRoute, Route, route};
pub use zone::{ZoneError, records as zone_records};
