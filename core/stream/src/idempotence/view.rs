//! One producer as a reader sees it: without what has expired.

use super::record::{Lifetime, Remembered};
use super::window::Window;

/// A producer and what is remembered of it.
#[derive(Clone, Copy, Debug)]
pub struct ProducerView<'a> {
    window: &'a Window,
    lifetime: Lifetime,
}

impl<'a> ProducerView<'a> {
    pub(super) fn new(window: &'a Window, lifetime: Lifetime) -> Self {
        ProducerView { window, lifetime }
    }

    /// Returns whether it has iids that have not expired.
    pub(super) fn is_tracked(&self) -> bool {
        !self.lifetime.is_over(self.window.newest_at_ms())
    }

    /// The producer's ID.
    pub fn id(&self) -> &'a [u8] {
        self.window.name()
    }

    /// Returns how many iids have not expired; at least one.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        let mut len = 0;
        self.for_each(|_| len += 1);
        len
    }

    /// Calls `f` for each iid that has not expired, oldest first.
    pub fn for_each(&self, mut f: impl FnMut(Remembered<'_>)) {
        self.window.for_each(|record| {
            if !self.lifetime.is_over(record.added_at_ms) {
                f(record);
            }
        });
    }
}
