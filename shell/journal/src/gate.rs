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
pub struct Gate {
    gate: wakeup::Gate,
    /// What must also run for a reply to leave; none if this machine need not ask.
    lease: Option<Arc<dyn Lease>>,
}

/// For how long this machine may answer anybody at all, if others may take its place.
pub trait Lease: Send + Sync {
    /// Returns whether it runs now. Asked after a request has been executed, whenever something is
    /// about to leave. If it does not, the one who asks waits for
    /// [`Listener::lease_renewed`], which is called after the next renewal.
    fn runs(&self) -> bool;
}

/// The log is not healthy, so nobody knows when the reply may leave, or whether the batch will
/// survive a restart. [`Journal::health`](crate::Journal::health) says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch is not known to be durable")]
pub struct NotDurable;

impl Gate {
    /// A gate for a thread that `wake` wakes. It is called from the journal's thread.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Gate {
        Gate {
            gate: wakeup::Gate::new(Box::new(wake)),
            lease: None,
        }
    }

    /// The same gate, through which replies leave only while the lease runs.
    #[must_use]
    pub fn under(mut self, lease: Option<Arc<dyn Lease>>) -> Gate {
        self.lease = lease;
        self
    }

    /// Returns whether there is a lease: what depends on nothing may have to wait, too.
    #[inline]
    pub fn is_leased(&self) -> bool {
        self.lease.is_some()
    }

    /// What to hand to [`Journal::listener`](crate::Journal::listener).
    pub fn listener(&self) -> Arc<dyn Listener> {
        Arc::new(self.gate.releaser())
    }

    /// Returns whether the replies that depend on this LSN may leave now.
    #[inline]
    pub fn is_open_for(&self, lsn: Lsn) -> bool {
        self.gate.is_open_for(lsn.number()) && self.may_answer()
    }

    /// The last LSN that replies may depend on to leave now.
    pub fn released(&self) -> Lsn {
        Lsn::new(self.gate.released())
    }

    /// Returns whether the replies that depend on this LSN may leave, or nobody knows when; `None`
    /// if that will be known soon.
    pub fn answer(&self, lsn: Lsn) -> Option<Result<(), NotDurable>> {
        match self.gate.answer(lsn.number())? {
            Answer::Released if self.may_answer() => Some(Ok(())),
            Answer::Released if !self.gate.refuses() => None,
            Answer::Released | Answer::Refused => Some(Err(NotDurable)),
        }
    }

    /// Asks to be woken when there is an answer for `lsn`, the lowest that the thread keeps replies
    /// for. Returns whether the thread may sleep, because there is no answer yet.
    pub fn may_sleep(&self, lsn: Lsn) -> bool {
        // Zero would say that it does not sleep.
        let number = match self.lease {
            Some(_) => lsn.number().max(1),
            None => lsn.number(),
        };
        self.gate.may_sleep(number) || self.answer(lsn).is_none()
    }

    /// The thread is awake and needs nobody to wake it.
    pub fn awake(&self) {
        self.gate.awake();
    }

    #[inline]
    fn may_answer(&self) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.runs())
    }
}

impl Listener for Releaser {
    fn released(&self, up_to: Lsn) {
        self.release(up_to.number());
    }

    fn health_changed(&self, health: &Health) {
        self.refuse(!health.releases());
    }

    fn lease_renewed(&self) {
        self.nudge();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

    struct Switch(AtomicBool);

    impl Lease for Switch {
        fn runs(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn nothing_leaves_while_a_lease_does_not_run() {
        let (gate, wakes) = counted();
        let lease = Arc::new(Switch(AtomicBool::new(true)));
        let gate = gate.under(Some(Arc::clone(&lease) as Arc<dyn Lease>));
        let listener = gate.listener();
        listener.released(Lsn::new(4));
        for lsn in [Lsn::ZERO, Lsn::new(4)] {
            assert!(gate.is_open_for(lsn) && !gate.may_sleep(lsn));
            assert_eq!(gate.answer(lsn), Some(Ok(())));
            lease.0.store(false, Ordering::SeqCst);
            assert!(!gate.is_open_for(lsn));
            assert_eq!(gate.answer(lsn), None);
            // Whoever waits sleeps until it runs again.
            assert!(gate.may_sleep(lsn));
            let before = wakes.load(Ordering::SeqCst);
            lease.0.store(true, Ordering::SeqCst);
            listener.lease_renewed();
            assert_eq!(wakes.load(Ordering::SeqCst), before + 1);
            assert_eq!(gate.answer(lsn), Some(Ok(())));
            gate.awake();
            listener.lease_renewed();
            assert_eq!(wakes.load(Ordering::SeqCst), before + 1);
        }
        lease.0.store(false, Ordering::SeqCst);
        listener.health_changed(&Health::Slow(Duration::ZERO));
        assert_eq!(gate.answer(Lsn::ZERO), Some(Err(NotDurable)));
    }
}
