//! Which consumers of a stream's groups go by themselves.

use super::Stream;
use crate::idle_consumers::{IdleConsumers, IdleLooks};

impl Stream {
    /// When the next step of looking for consumers that go is due, in milliseconds since the epoch.
    #[inline]
    pub fn idle_look_due_ms(&self) -> Option<u64> {
        self.idle_looks.as_deref()?.due_ms()
    }

    /// Takes such a step, and counts down `looks` for what it takes. Returns what it has found in
    /// one group; `None` if it has found nothing, and either is through for now or `looks` is 0.
    /// `is_waiting` says whether a client waits as a consumer: of this group, of this name.
    pub fn look_for_idle_consumers(
        &mut self,
        now_ms: u64,
        looks: &mut usize,
        is_waiting: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Option<IdleConsumers> {
        let idle_looks = self.idle_looks.as_deref_mut()?;
        let found = idle_looks.step(&self.groups, now_ms, looks, is_waiting);
        if idle_looks.due_ms().is_none() {
            self.idle_looks = None;
        }
        found
    }

    /// A group wants idle consumers to go, and did not before, or after another time: that counts
    /// from now on.
    pub(super) fn look_for_idle_consumers_again(&mut self) {
        self.idle_looks = Some(Box::new(IdleLooks::new()));
    }
}
