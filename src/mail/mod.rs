//! What the RFCs define about mail, without any input or output.
//!
//! ```text
//!   stage     where in an SMTP session something happens
//!   status    enhanced status codes, `4.7.650` (RFC 3463)
//!   command   what a client asked, read leniently
//!   reply     what a server answered, every line kept (RFC 5321 4.2)
//!   address   mailboxes, reverse-paths, tags in local parts
//!   framing   where a command, a body or a BDAT chunk ends, byte for byte
//!   dsn       delivery status notifications (RFC 3464)
//!   proxy_protocol   for whom a connection is made, in front of its first byte
//! ```
//!
//! This room imports nothing of ours, and must not know that networks exist.

pub mod address;
pub mod command;
pub mod dsn;
pub mod framing;
pub mod proxy_protocol;
pub mod received;
pub mod reply;
pub mod stage;
pub mod status;

pub use address::Address;
pub use command::Command;
pub use reply::{Reply, Severity};
pub use stage::Stage;
pub use status::EnhancedStatus;
