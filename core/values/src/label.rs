//! 32 bits that the owner of a value notes with it.

use std::sync::atomic::{AtomicU32, Ordering};

/// A number that may be changed where the value is shared. A clone has its own.
#[derive(Debug, Default)]
pub struct Label(AtomicU32);

impl Label {
    /// The number; 0 at first.
    #[inline]
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes the number.
    #[inline]
    pub fn set(&self, number: u32) {
        self.0.store(number, Ordering::Relaxed);
    }
}

impl Clone for Label {
    #[inline]
    fn clone(&self) -> Label {
        Label(AtomicU32::new(self.get()))
    }
}
