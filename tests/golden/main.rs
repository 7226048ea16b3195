//! Whole texts compared with files: what mxdrill says is part of what it promises.

mod mistakes;
mod reports;
mod schema;
