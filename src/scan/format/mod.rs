//! Readers of common formats: each turns a text into settings with dotted keys, and says what is
//! commented out. They know nothing of products, and nothing that they meet is an error: what they
//! do not understand stays a lead.

pub(crate) mod blocks;
pub(crate) mod code;
pub(crate) mod lines;
pub(crate) mod sql;
pub(crate) mod xml;
pub(crate) mod yaml;
