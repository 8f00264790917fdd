//! How an engine gets its state back: journals that are replayed, snapshots that are taken in,
//! contents that are exchanged.
//!
//! Files are the shell's, and their formats other crates'.

pub mod reload;
pub mod replay;
