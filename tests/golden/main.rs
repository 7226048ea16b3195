//! Whole texts compared with files: what mxdrill says is part of what it promises.

#![allow(clippy::expect_used, clippy::panic)] // this is how a test fails

mod audit;
mod corpus;
mod lines;
mod mistakes;
mod reports;
mod scan;
mod schema;
