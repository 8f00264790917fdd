//! The keyspace, what can happen to it, and what the log is told of that.
//!
//! Everything that a recovery has to give back is in here, and changes in one place ([`apply`]).
//! Neither clients nor settings are.

pub mod apply;
pub mod dropped;
pub mod effect;
pub(crate) mod eviction;
pub mod keyspace;
pub mod libraries;
pub mod log;
pub mod notifications;
pub mod packing;
pub mod pattern_reads;
mod retention;
