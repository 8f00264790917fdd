//! Collections that are cheap to clone.
//!
//! A clone is a frozen view: it costs a few pointers, whatever the size, and a later write copies
//! only the small nodes that it touches (`tests/frozen.rs` counts the bytes). So a snapshot is
//! taken without a pause, and a large value is read while it changes. All of them are plain data:
//! none knows a clock, and the same calls give the same content in the same order. What has to be
//! hashed is hashed by the caller.

pub mod directory;
pub mod names;
pub mod tree;
pub mod wheel;

pub use directory::Directory;
pub use names::NameMap;
pub use tree::Tree;
pub use wheel::Wheel;
