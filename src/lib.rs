//! mxdrill proves where mail really goes.
pub mod inventory;
pub mod lab;
pub mod mail;
pub mod record;
pub mod scenario;
pub mod smtp;
pub mod source;
pub mod terms;
pub mod tls;
pub mod world;
