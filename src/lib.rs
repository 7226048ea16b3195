//! mxdrill proves where mail really goes.
pub mod mail;
pub mod source;
