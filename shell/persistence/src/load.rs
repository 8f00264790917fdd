//! How far a load is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use journal::Progress;

/// The progress of a load, written by the thread that loads and read by any.
#[derive(Debug)]
pub struct Load {
    read: AtomicU64,
    total: AtomicU64,
    begun: Instant,
    /// When the last line was logged, in milliseconds since the start.
    told_ms: AtomicU64,
}

/// How often the progress of a load is logged, in milliseconds.
const TELL_MS: u64 = 1000;

impl Default for Load {
    fn default() -> Load {
        Load {
            read: AtomicU64::new(0),
            total: AtomicU64::new(0),
            begun: Instant::now(),
            told_ms: AtomicU64::new(0),
        }
    }
}

impl Load {
    /// Notes the progress, and logs it now and then.
    pub fn note(&self, progress: Progress) {
        let Progress {
            bytes_read,
            bytes_total,
        } = progress;
        self.read.store(bytes_read, Ordering::Relaxed);
        self.total.store(bytes_total, Ordering::Relaxed);
        let elapsed_ms = self.begun.elapsed().as_millis() as u64;
        if elapsed_ms >= self.told_ms.load(Ordering::Relaxed) + TELL_MS {
            self.told_ms.store(elapsed_ms, Ordering::Relaxed);
            tracing::info!(read = bytes_read, of = bytes_total, "loading");
        }
    }

    /// How far the load is.
    pub fn progress(&self) -> Progress {
        Progress {
            bytes_read: self.read.load(Ordering::Relaxed),
            bytes_total: self.total.load(Ordering::Relaxed),
        }
    }
}
