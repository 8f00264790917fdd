//! How far a snapshot is, for those who watch it being written.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far a snapshot is. One thread writes it, any may look.
#[derive(Debug, Default)]
pub struct Progress {
    keys: AtomicU64,
    keys_total: AtomicU64,
    bytes: AtomicU64,
}

/// What was written at some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Keys written.
    pub(crate) keys: u64,
    /// Keys that the snapshot will have; 0 if none is being written.
    pub(crate) keys_total: u64,
    /// Bytes written, those of the key that is being written included.
    pub(crate) bytes: u64,
}

impl Progress {
    /// Begins a snapshot of so many keys.
    pub(super) fn begin(&self, keys_total: u64) {
        self.keys.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.keys_total.store(keys_total, Ordering::Relaxed);
    }

    /// Notes that so many keys were written.
    pub(super) fn keys(&self, keys: u64) {
        self.keys.store(keys, Ordering::Relaxed);
    }

    /// Notes that so many bytes were written.
    pub(super) fn bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Forgets the snapshot, which has ended.
    pub(crate) fn end(&self) {
        self.begin(0);
    }

    /// What was written by now.
    pub(crate) fn written(&self) -> Written {
        Written {
            keys: self.keys.load(Ordering::Relaxed),
            keys_total: self.keys_total.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
