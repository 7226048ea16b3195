//! Files that are read whatever is in them.

pub(crate) use super::product::decides;
