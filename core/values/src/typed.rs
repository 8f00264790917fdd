//! What a type of values knows of itself.

use crate::value::Value;

/// A type that the value of a key may be of.
pub trait Typed {
    /// The type's name, as `TYPE` answers it.
    const NAME: &'static str;

    /// The content of a value of this type.
    fn of(value: &Value) -> Option<&Self>;

    /// The same, to be changed. Copies what a frozen view shares of it.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;

    /// How it is kept under a key of this many bytes, as `OBJECT ENCODING` answers it.
    fn encoding(&self, key_len: usize) -> &'static str;

    /// Memory outside of the [`Value`] itself, in bytes; shared memory counts in full. About
    /// `samples` parts are looked at, all of them if that is 0.
    fn heap_bytes(&self, samples: usize) -> usize;

    /// About how many bytes are freed with it, estimated without a walk over its parts.
    fn weight(&self) -> usize;

    /// When something is due for it, in milliseconds since the epoch.
    fn next_deadline_ms(&self) -> Option<u64>;

    /// Reads what a command on it will look at first.
    fn prefetch(&self);
}
