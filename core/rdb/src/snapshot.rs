//! Snapshots: the keys of all databases in one file.
//!
//! `REDIS`, the version as four digits, then records, each beginning with a code:
//!
//! | code | then | meaning |
//! |---|---|---|
//! | 0 to 28 | key (string), body | a value; the code is its type; skipped and named if weir does not have it |
//! | `f4` | three numbers | a cluster slot and its sizes; skipped |
//! | `f5` | string | a function library |
//! | `f7` | number, then values, each behind its kind (number), until kind 0 | data of a module that belongs to no key; skipped and named |
//! | `f8` | number | the next key was last used this many seconds ago |
//! | `f9` | 1 byte | how often the next key is used (logarithmic) |
//! | `fa` | name, value (strings) | something about the file |
//! | `fb` | two numbers | how many keys the database has, and how many that expire |
//! | `fc` | 8 bytes, little endian | when the next key expires, in ms since the epoch |
//! | `fd` | 4 bytes, little endian | the same in seconds |
//! | `fe` | number | the database of the keys that follow |
//! | `ff` | | the end; then CRC-64 of all before it, little endian, or 0 for none |
//!
//! What weir knows beyond Redis goes into `fa` records, which Redis skips.

mod read;
mod write;

pub use read::{Item, Record, SnapshotReader};
pub use write::SnapshotWriter;

/// How a key was used, as far as a snapshot says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// Nothing is told.
    #[default]
    Unknown,
    /// Seconds since it was last used.
    IdleSeconds(u64),
    /// How often it is used, as the logarithmic counter of `maxmemory-policy …-lfu`.
    Frequency(u8),
}

const MAGIC: &[u8; 5] = b"REDIS";

#[cfg(test)]
mod tests;
