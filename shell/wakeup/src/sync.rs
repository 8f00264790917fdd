//! The atomics and the mutex that the protocols are made of: the real ones, or loom's.

#[cfg(not(feature = "loom"))]
mod chosen {
    pub(crate) use std::sync::Arc;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

    pub(crate) use parking_lot::Mutex;
}

#[cfg(feature = "loom")]
mod chosen {
    pub(crate) use loom::sync::Arc;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

    /// Loom's mutex, with the interface of the real one.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no thread of a model panics")
        }
    }
}

pub(crate) use chosen::*;
