//! What the engine does by itself as time passes: waits end, keys expire, silent clients go,
//! streams are packed, keys are evicted.
//!
//! When something is due is kept by the rooms below; in here is what is done then, a bounded step
//! at a time.

mod client_memory;
mod delayed;
mod eviction;
mod idle;
mod idle_consumers;
mod packing;
mod pattern_reads;
mod producers;
mod retention;
mod schedule;
mod timer;
mod topology;
