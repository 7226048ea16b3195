//! What the larger fault actions do to bytes, one file each. Pure: the session says when.
//!
//! To add one: a variant of [`Action`](crate::scenario::fault::Action) with its stages, a file
//! here where it changes bytes, its arm in `session/act.rs`, and a dialog for each of its stages.

mod corrupt;
mod hide;
mod tarpit;
mod throttle;

pub(super) use corrupt::corrupted;
pub(super) use hide::without_capability;
pub(super) use tarpit::tarpit_piece;
pub(super) use throttle::Pace;
