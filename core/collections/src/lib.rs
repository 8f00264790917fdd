//! Collections that are cheap to clone.
//!
//! A clone is a frozen view: it costs a few pointers, whatever the size, and a later write copies
//! only the small nodes that it touches (`tests/frozen.rs` counts the bytes). So a snapshot is
//! taken without a pause, and a large value is read while it changes. [`Timers`] and [`Deadlines`]
//! alone are not in any snapshot, and a clone copies them. All of them are plain data: none knows a
//! clock, and the same calls give the same content in the same order. Texts that make a value up
//! are kept in pages, with two bytes for each beside its own, so that most values are small and a
//! small one is a single piece of memory.

mod boxed;
mod counted;
mod deadlines;
pub mod directory;
pub mod element;
pub mod hash;
mod integer;
pub mod integers;
mod key;
pub mod map;
pub mod names;
mod owned;
mod packed;
mod page;
mod places;
mod seen;
pub mod sequence;
mod sizes;
pub mod sorted;
mod steps;
pub mod timers;
pub mod tree;
mod trie;
pub mod wheel;

pub use boxed::{BOXED_BYTES_MAX, Boxed};
pub use deadlines::{Deadlines, Part};
pub use directory::Directory;
pub use element::{Element, head};
pub use integer::{INTEGER_TEXT_BYTES_MAX, parse_integer};
pub use integers::Integers;
pub use key::{Key, STAMP_MAX, Sought, Stamped, Timed};
pub use map::Map;
pub use names::NameMap;
pub use owned::owned;
pub use page::allocated;
pub use places::Places;
pub use seen::Seen;
pub use sequence::Sequence;
pub use sorted::Sorted;
pub use steps::{STEP, in_steps, touch, try_in_steps};
pub use timers::{TimerId, Timers};
pub use tree::Tree;
pub use wheel::Wheel;
