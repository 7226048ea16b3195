//! Where a command line, a message body or a BDAT chunk ends, byte for byte.
//!
//! Only CRLF ends a line and only `<CRLF>.<CRLF>` ends a body (RFC 5321 2.3.8, 4.1.1.4). A CR or
//! LF alone is counted and left as it is: what other software makes of it is for the drill to
//! show, not for us to decide.

mod bare;
mod body;
mod lines;
mod stuff;

pub use bare::Bare;
pub use body::BodyScanner;
pub use lines::{Line, LineScanner, MAX_COMMAND};
pub use stuff::{stuff, unstuff};
