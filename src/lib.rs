//! mxdrill proves where mail really goes.
pub mod collect;
pub mod dns;
pub mod inventory;
pub mod judge;
pub mod mail;
pub mod plan;
pub mod proxy;
pub mod record;
pub mod report;
pub mod scenario;
pub mod send;
pub mod smtp;
pub mod source;
pub mod terms;
pub mod tls;
pub mod world;
