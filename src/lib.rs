//! mxdrill proves where mail really goes.
pub mod collect;
pub mod inventory;
pub mod mail;
pub mod record;
pub mod scenario;
pub mod source;
pub mod terms;
pub mod world;
