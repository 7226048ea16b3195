//! Whole texts compared with files: what mxdrill says is part of what it promises.

mod lines;
mod mistakes;
mod reports;
mod schema;
