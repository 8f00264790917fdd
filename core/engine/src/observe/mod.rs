//! What the engine counts and remembers of its own work, for `INFO`, `SLOWLOG`, `LATENCY` and
//! metrics.
//!
//! Nothing in here decides anything. Figures of the machine are the shell's, which hands them in.

pub mod hot_keys;
pub mod slow_log;
pub mod stages;
pub mod stats;
