//! What a reader must know in addition to the bytes.

use stream::Retention;
use values::Thresholds;

/// What the bytes of a value do not say.
#[derive(Clone, Debug)]
pub struct Context {
    /// The current time, in milliseconds since the epoch: remembered appends never count as later
    /// than this, and those that have expired by then are left out.
    pub now_ms: u64,
    /// Seed of the hashes of producers and idempotent ids.
    pub hash_seed: u64,
    /// The settings of a stream from before Redis 8.6, which has none of its own.
    pub retention: Retention,
    /// When Redis keeps a value in a compact form.
    pub thresholds: Thresholds,
    /// When full chunks of streams are packed.
    pub packing: Packing,
}

/// When full chunks of a stream that is read are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// While reading, from this offset in the input on. So a large file never takes more memory
    /// than its packed form, and a small one is read without that work.
    BeyondBytes(u64),
    /// Later, when its owner decides.
    Later,
}
