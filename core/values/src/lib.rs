//! The values a key can hold, and the key itself.
//!
//! Everything here is a plain value whose clone costs at most a reference count: a frozen view
//! holds clones, and a later write copies only what is shared. Values know nothing of expiry,
//! databases or the protocol; those belong to the engine.

mod ahead;
mod hash;
pub mod hyperloglog;
mod label;
mod list;
pub mod listpack;
mod set;
pub mod sorted_set;
mod stream;
mod string;
mod thresholds;
mod typed;
mod value;

pub use collections::{INTEGER_TEXT_BYTES_MAX, Key, parse_integer};

pub use ahead::{Ahead, Sought};
pub use hash::{Deadline, FIELD_DEADLINE_MS_MAX, Fields, Hash, Live};
pub use label::Label;
pub use list::{End, List};
pub use set::{Combination, Growth, Member, Set, SetForm, SetIter};
pub use sorted_set::SortedSet;
pub use string::{Encoding, Scratch, StringValue};
pub use thresholds::Thresholds;
pub use typed::{SizeKind, Typed};
pub use value::Value;
