//! `mxdrill proxy` as it stands in a compose file or before a production MX: the program itself,
//! over real sockets, before a small host that takes everything.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod announce;
mod api;
mod crowd;
mod end;
mod faults;
mod runs;
mod smuggling;
mod support;
mod tls;
mod transparency;
