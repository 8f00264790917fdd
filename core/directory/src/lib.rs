//! An extendible hash of small copy-on-write tables.
//!
//! A [`Directory`] holds values that carry their own key; the caller hashes the key (64 bits, a
//! seeded hash) and says when two are equal. The leading bits of the hash lead through a few
//! branches of 256 slots to a table of at most about a hundred values. A table that overflows
//! splits in two and two sparse neighbours merge, so neither growth nor shrinking ever pauses.
//! Tables are in the order of their hash prefix, which serves as a cursor: for `SCAN`, for
//! snapshots, and as a cluster's slot index when the slot is the head of the hash. Branches and
//! tables are reference-counted: a clone is a frozen view that costs one pointer, and a later write
//! copies the table that it touches and the branches above it, nothing else.

mod branch;
mod directory;
mod limits;
mod scan;
mod table;

pub use directory::{Directory, Entry, OccupiedEntry, VacantEntry};
pub use limits::{PREFIX_BITS, TABLE_LEN_MAX};
pub use scan::Iter;

#[cfg(test)]
mod tests;
