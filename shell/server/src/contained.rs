//! Panics while the engine is not held: each costs no more than the work in which it happens.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does work on something that is given up if it fails: a connection, a snapshot. A panic is an
/// error like any other then. What others see must not be changed by the work, unless the lock is
/// held, under which a panic ends the process.
///
/// # Errors
/// Those of the work, and its panic, which was reported where it happened.
pub(crate) fn contained<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(io::Error::other(PANICKED)))
}

const PANICKED: &str = "it failed by an error in this program, which was logged before";
