//! What was seen of a domain, before anybody says what it means.
//!
//! ```text
//!   DomainFacts ── mx: one Answer a source (zone file, resolver, each server, each view)
//!      ├─ hosts ── HostFacts ── aliases, addresses ── reverse names, visits over SMTP
//!      ├─ spf ──── SpfTree, every include expanded
//!      └─ srv, client names, documents, DKIM selectors, DMARC, TLSRPT, MTA-STS names, TLSA
//! ```
//!
//! An [`Answer`] keeps apart what is known to be absent from what nobody could see.

mod answer;
mod domain;
mod host;
mod record;
mod spf;

pub use answer::{Answer, Trail};
pub use domain::{ClientName, Document, DomainFacts, FromSource, Named, PolicySeen, Selector, Service, SourceKind};
pub use host::{AddressFacts, Asked, HostFacts, Secured, Visit};
pub(crate) use record::record_name;
pub use record::{Data, Rr, Tlsa, Told};
pub use spf::{SpfTerm, SpfTermKind, SpfTree};
