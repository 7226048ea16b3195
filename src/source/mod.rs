//! Places in a text file, and the drawing of what is said about them.
//!
//! ```text
//!   text ──> yaml::parse ──> Node tree with spans ──> read ──> (decoders of other rooms)
//!                                                          │
//!   Diagnostic { level, title, marks, notes, help } <──────┘
//!        │ draw
//!        v
//!   error: `rcptto` is not a stage of an SMTP session
//!     --> drill.yaml:14:9
//! ```
//!
//! A mistake in a scenario and a failed expectation of a run are drawn by the same code, so
//! they look alike. This room knows nothing of mail.

mod diagnostic;
mod prose;
pub mod read;
mod remark;
mod text;
pub mod yaml;

pub use diagnostic::{Diagnostic, Level, Paint, draw, draw_all};
pub use prose::{and_list, closest, or_list, plural};
pub use remark::{Remark, draw_remarks};
pub use text::{Place, SourceText, Span, Spanned};
