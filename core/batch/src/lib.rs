//! What the engine hands to a log, and neither of them owns.
//!
//! The effects of one command or transaction are one atomic batch. [`Lsn`] numbers batches, and
//! [`Encoded`] has the bytes of some of them. What a batch means is the engine's business
//! (`engine::store::log`), where it is kept is the log's. [`GroupSizes`] counts how many are
//! written at once.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a test may fail by panicking")
)]

mod encoded;
mod group_sizes;
mod lsn;

pub use encoded::Encoded;
pub use group_sizes::GroupSizes;
pub use lsn::Lsn;
