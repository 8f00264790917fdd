//! Panics while the engine is not held: each costs only the work in which it happens.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does work on something that is given up if it fails: a connection, a snapshot. A panic is then
/// an error like any other. The work must not change what others see, unless it holds the lock,
/// under which a panic ends the process.
///
/// # Errors
/// Those of the work, and its panic, which was reported where it happened.
pub fn contained<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(io::Error::other(PANICKED)))
}

const PANICKED: &str = "it failed by an error in this program, which was logged before";
