//! How threads leave things for one another and wake one another.
//!
//! Three small protocols, each of a few atomics: a [`Mailbox`] hands things to a thread, a
//! [`Gate`] tells a thread what was released, and an [`Alarm`] tells a thread when to look next. A
//! wake-up from another thread costs a system call, so each of them leaves it out while the other
//! thread is at work and will look by itself. What must never happen is that both sides rely on
//! each other: then a client waits for ever. So the crate knows neither sockets nor files, and its
//! tests run on loom too, which tries every order in which two threads can meet (`cargo test -p
//! wakeup --features loom`).

mod alarm;
mod gate;
mod mailbox;
mod sync;

#[cfg(all(test, feature = "loom"))]
mod interleavings;

pub use alarm::Alarm;
pub use gate::{Answer, Gate, Releaser};
pub use mailbox::Mailbox;

/// Wakes a thread, from any other.
pub type Wake = Box<dyn Fn() + Send + Sync>;
