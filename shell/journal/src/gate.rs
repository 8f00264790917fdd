//! Which replies of one thread may leave, and who wakes the thread when more of them may.
//!
//! Each thread that serves connections has a [`Gate`]. It keeps the replies that wait by itself;
//! the gate tells it what was released, and wakes it only while it sleeps. The protocol between the
//! two threads is [`wakeup::Gate`]'s.

use std::sync::Arc;

use wakeup::{Answer, Releaser};

use crate::health::Health;
use crate::journal::Listener;
use batch::Lsn;

/// The gate of one thread.
pub struct Gate(wakeup::Gate);

/// The log is not healthy, so nobody knows when the reply may leave, or whether the batch will
/// survive a restart. [`Journal::health`](crate::Journal::health) says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch is not known to be durable")]
pub struct NotDurable;

impl Gate {
    /// A gate for a thread that `wake` wakes. It is called from the journal's thread.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Gate {
        Gate(wakeup::Gate::new(Box::new(wake)))
    }

    /// What to hand to [`Journal::listener`](crate::Journal::listener).
    pub fn listener(&self) -> Arc<dyn Listener> {
        Arc::new(self.0.releaser())
    }

    /// Returns whether the replies that depend on this LSN may leave now.
    #[inline]
    pub fn is_open_for(&self, lsn: Lsn) -> bool {
        self.0.is_open_for(lsn.number())
    }

    /// The last LSN that replies may depend on to leave now.
    pub fn released(&self) -> Lsn {
        Lsn::new(self.0.released())
    }

    /// Returns whether the replies that depend on this LSN may leave, or nobody knows when; `None`
    /// if that will be known soon.
    pub fn answer(&self, lsn: Lsn) -> Option<Result<(), NotDurable>> {
        self.0.answer(lsn.number()).map(|answer| match answer {
            Answer::Released => Ok(()),
            Answer::Refused => Err(NotDurable),
        })
    }

    /// Asks to be woken when there is an answer for `lsn`, the lowest that the thread keeps replies
    /// for. Returns whether the thread may sleep, because there is no answer yet.
    pub fn may_sleep(&self, lsn: Lsn) -> bool {
        self.0.may_sleep(lsn.number())
    }

    /// The thread is awake and needs nobody to wake it.
    pub fn awake(&self) {
        self.0.awake();
    }
}

impl Listener for Releaser {
    fn released(&self, up_to: Lsn) {
        self.release(up_to.number());
    }

    fn health_changed(&self, health: &Health) {
        self.refuse(!health.releases());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::health::{Fault, Operation};

    fn counted() -> (Gate, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&wakes);
        let wake = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        (Gate::new(wake), wakes)
    }

    #[test]
    fn a_release_wakes_a_thread_that_sleeps_for_it_and_no_other() {
        let (gate, wakes) = counted();
        let listener = gate.listener();
        let wakes = || wakes.load(Ordering::SeqCst);
        listener.released(Lsn::new(1));
        assert_eq!(wakes(), 0);
        assert!(gate.may_sleep(Lsn::new(3)));
        listener.released(Lsn::new(2));
        assert_eq!((gate.answer(Lsn::new(3)), wakes()), (None, 0));
        listener.released(Lsn::new(5));
        assert_eq!((gate.answer(Lsn::new(3)), wakes()), (Some(Ok(())), 1));
        gate.awake();
        listener.released(Lsn::new(7));
        assert_eq!(wakes(), 1);
        assert!(!gate.may_sleep(Lsn::new(6)));
    }

    #[test]
    fn who_waits_learns_that_the_log_is_ill() {
        let (gate, wakes) = counted();
        let listener = gate.listener();
        assert!(gate.may_sleep(Lsn::new(1)));
        let fault = || Fault::new(Operation::Sync, "a", std::io::Error::other("broken"));
        listener.health_changed(&Health::OnReserve(fault()));
        assert_eq!(gate.answer(Lsn::new(1)), None);
        for (count, health) in [
            Health::Poisoned(fault()),
            Health::Fenced(fault()),
            Health::Full(fault()),
            Health::Slow(Duration::ZERO),
        ]
        .iter()
        .enumerate()
        {
            listener.health_changed(health);
            assert_eq!(wakes.load(Ordering::SeqCst), count + 1);
            assert_eq!(gate.answer(Lsn::new(1)), Some(Err(NotDurable)));
            assert!(!gate.may_sleep(Lsn::new(1)));
            listener.health_changed(&Health::Good);
            assert!(gate.may_sleep(Lsn::new(1)));
        }
        listener.released(Lsn::new(1));
        assert_eq!(gate.answer(Lsn::new(1)), Some(Ok(())));
    }
}
