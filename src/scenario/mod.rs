//! What should happen: the scenario file, as its writer meant it.
//!
//! ```text
//!   text ──> source::yaml ──> decode ──> Scenario ──> check ──> Scenario, or every mistake at once
//! ```
//!
//! A scenario knows nothing of what did happen (`record/`); only `judge/` reads both. Everything
//! that a verdict may speak of keeps its [`Span`](crate::source::Span), so that a failed
//! expectation is drawn at the scenario's own line.

mod bundled;
mod check;
mod decode;
pub mod expectation;
pub mod fault;
pub mod form;
mod load;
mod model;
mod policy;
pub mod schema;
pub mod standing;
mod waits;
pub mod ways;

pub use bundled::bundled;
pub(crate) use decode::smuggling as read_smuggling;
pub use expectation::{Expectation, Judged};
pub use fault::Fault;
pub use load::{Loaded, asked, fault as read_fault, load};
pub use model::{
    Busy, Defaults, Lab, LabHost, LabHostKind, LabSubmission, LabTls, Limits, MxSender, Phase, Probes, Proxy, RealHost,
    Scenario, Sender, SenderKind, Timeouts, Verify,
};
pub use policy::{CachedPolicy, LabPolicy, PolicyAction, PolicyCertificate, PolicyFault, Publish, TlsPolicy};
pub use waits::{LAB_SCALE, Waits};
