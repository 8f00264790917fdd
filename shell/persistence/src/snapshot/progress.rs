//! The progress of a snapshot that is being written.

use std::sync::atomic::{AtomicU64, Ordering};

/// The progress of a snapshot. One thread updates it, and any thread may read it.
#[derive(Debug, Default)]
pub struct Progress {
    keys: AtomicU64,
    keys_total: AtomicU64,
    bytes: AtomicU64,
}

/// What was written at some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Keys written.
    pub keys: u64,
    /// Keys that the snapshot will have; 0 if none is being written.
    pub keys_total: u64,
    /// Bytes written, those of the key that is being written included.
    pub bytes: u64,
}

impl Progress {
    /// Begins a snapshot of this many keys.
    pub(super) fn begin(&self, keys_total: u64) {
        self.keys.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.keys_total.store(keys_total, Ordering::Relaxed);
    }

    /// Notes that this many keys were written.
    pub(super) fn keys(&self, keys: u64) {
        self.keys.store(keys, Ordering::Relaxed);
    }

    /// Notes that this many bytes were written.
    pub(super) fn bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Forgets the snapshot, which has ended.
    pub fn end(&self) {
        self.begin(0);
    }

    /// What has been written so far.
    pub fn written(&self) -> Written {
        Written {
            keys: self.keys.load(Ordering::Relaxed),
            keys_total: self.keys_total.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
