//! Where the connections of one thread wait until their replies may leave.
//!
//! The journal's thread wakes each waiting thread once, not each connection: a wake from another
//! thread costs a system call, one within a thread costs nothing. So every thread has a [`Gate`];
//! its [`Gate::run`] is woken from outside, and wakes the tasks whose LSN was released. It needs no
//! particular runtime.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::health::Health;
use crate::journal::Watch;
use crate::lsn::Lsn;

/// The gate of one thread. Clones are the same one.
#[derive(Clone, Default)]
pub struct Gate {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    outside: Arc<Outside>,
    /// The tasks that wait, by LSN, and among those by arrival.
    waiting: RefCell<BTreeMap<(Lsn, u64), Waker>>,
    arrivals: Cell<u64>,
}

/// What the journal's thread sees of a gate.
#[derive(Default)]
struct Outside {
    released: AtomicU64,
    poisoned: AtomicBool,
    /// The lowest LSN that somebody waits for; 0 if nobody does.
    awaited: AtomicU64,
    runner: Mutex<Option<Waker>>,
}

/// The log is not trusted any more, so that the reply may never leave. Nobody knows whether the
/// batch will be there after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log is not trusted any more")]
pub struct Poisoned;

impl Gate {
    /// What to hand to [`Journal::watch`](crate::Journal::watch).
    pub fn watch(&self) -> Arc<dyn Watch> {
        Arc::clone(&self.inner.outside) as Arc<dyn Watch>
    }

    /// Whether the replies that depend on this LSN may leave now.
    #[inline]
    pub fn is_open_for(&self, lsn: Lsn) -> bool {
        self.inner.outside.released.load(Ordering::SeqCst) >= lsn.number()
    }

    /// Waits until the replies that depend on this LSN may leave, or will not before a rewrite.
    pub fn reached(&self, lsn: Lsn) -> Reached {
        Reached {
            gate: self.clone(),
            lsn,
            arrival: None,
        }
    }

    /// Wakes the waiting tasks of this thread, for ever. To be run as a task of its own, before
    /// anything waits.
    pub fn run(&self) -> Run {
        Run { gate: self.clone() }
    }

    fn announce(&self, waiting: &BTreeMap<(Lsn, u64), Waker>) {
        let lowest = waiting.keys().next().map_or(0, |(lsn, _)| lsn.number());
        self.inner.outside.awaited.store(lowest, Ordering::SeqCst);
    }

    fn answer(&self, lsn: Lsn) -> Option<Result<(), Poisoned>> {
        if self.is_open_for(lsn) {
            Some(Ok(()))
        } else if self.inner.outside.poisoned.load(Ordering::SeqCst) {
            Some(Err(Poisoned))
        } else {
            None
        }
    }
}

impl Watch for Outside {
    fn released(&self, up_to: Lsn) {
        self.released.store(up_to.number(), Ordering::SeqCst);
        // A task announces first and then looks; this is the other way round, so one of both sees.
        let awaited = self.awaited.load(Ordering::SeqCst);
        if awaited != 0 && awaited <= up_to.number() {
            self.wake();
        }
    }

    fn health_changed(&self, health: &Health) {
        let poisoned = matches!(health, Health::Poisoned(_));
        self.poisoned.store(poisoned, Ordering::SeqCst);
        if poisoned {
            self.wake();
        }
    }
}

impl Outside {
    fn wake(&self) {
        if let Some(runner) = &*self.runner.lock() {
            runner.wake_by_ref();
        }
    }
}

/// A reply that waits.
pub struct Reached {
    gate: Gate,
    lsn: Lsn,
    arrival: Option<u64>,
}

impl Future for Reached {
    type Output = Result<(), Poisoned>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(answer) = self.gate.answer(self.lsn) {
            self.leave();
            return Poll::Ready(answer);
        }
        let arrival = self.arrival.unwrap_or_else(|| {
            let arrivals = &self.gate.inner.arrivals;
            arrivals.set(arrivals.get() + 1);
            arrivals.get()
        });
        self.arrival = Some(arrival);
        {
            let mut waiting = self.gate.inner.waiting.borrow_mut();
            waiting.insert((self.lsn, arrival), context.waker().clone());
            self.gate.announce(&waiting);
        }
        match self.gate.answer(self.lsn) {
            Some(answer) => {
                self.leave();
                Poll::Ready(answer)
            }
            None => Poll::Pending,
        }
    }
}

impl Reached {
    fn leave(&mut self) {
        if let Some(arrival) = self.arrival.take() {
            self.gate
                .inner
                .waiting
                .borrow_mut()
                .remove(&(self.lsn, arrival));
        }
    }
}

impl Drop for Reached {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Wakes the tasks of one thread.
pub struct Run {
    gate: Gate,
}

impl Future for Run {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let inner = &self.gate.inner;
        {
            let mut runner = inner.outside.runner.lock();
            if !runner
                .as_ref()
                .is_some_and(|waker| waker.will_wake(context.waker()))
            {
                *runner = Some(context.waker().clone());
            }
        }
        let mut ready = Vec::new();
        loop {
            let mut waiting = inner.waiting.borrow_mut();
            while let Some(first) = waiting.first_entry() {
                let (lsn, _) = *first.key();
                if self.gate.answer(lsn).is_none() {
                    break;
                }
                ready.push(first.remove());
            }
            self.gate.announce(&waiting);
            // What was released between the last look and the announcement is seen here.
            let lowest = waiting.keys().next().map(|&(lsn, _)| lsn);
            if lowest.is_none_or(|lsn| self.gate.answer(lsn).is_none()) {
                break;
            }
        }
        ready.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;
    use crate::health::{Fault, Operation};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll<F: Future + Unpin>(future: &mut F, count: &Arc<Count>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(count));
        Pin::new(future).poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn a_release_wakes_the_thread_once_and_the_tasks_that_are_ready() {
        let (gate, runner, task) = (Gate::default(), Arc::default(), Arc::default());
        let watch = gate.watch();
        let mut run = gate.run();
        assert!(poll(&mut run, &runner).is_pending());
        let mut waits: Vec<_> = (1..=5).map(|lsn| gate.reached(Lsn::new(lsn))).collect();
        for wait in &mut waits {
            assert!(poll(wait, &task).is_pending());
        }
        drop(waits.remove(0));
        watch.released(Lsn::new(3));
        assert_eq!(runner.0.load(Ordering::SeqCst), 1);
        assert!(poll(&mut run, &runner).is_pending());
        assert_eq!(task.0.load(Ordering::SeqCst), 2);
        let polled: Vec<_> = waits.iter_mut().map(|wait| poll(wait, &task)).collect();
        assert_eq!(polled[..2], [Poll::Ready(Ok(())); 2]);
        assert!(polled[2..].iter().all(Poll::is_pending));
        // Nobody waits for this one: nobody is woken.
        let before = runner.0.load(Ordering::SeqCst);
        drop(waits);
        assert!(poll(&mut run, &runner).is_pending());
        watch.released(Lsn::new(9));
        assert_eq!(runner.0.load(Ordering::SeqCst), before);
        assert_eq!(
            poll(&mut gate.reached(Lsn::new(9)), &task),
            Poll::Ready(Ok(()))
        );
    }

    #[test]
    fn who_waits_learns_that_the_log_is_not_trusted() {
        let (gate, runner, task) = (Gate::default(), Arc::default(), Arc::default());
        let watch = gate.watch();
        let mut run = gate.run();
        assert!(poll(&mut run, &runner).is_pending());
        let mut wait = gate.reached(Lsn::new(1));
        assert!(poll(&mut wait, &task).is_pending());
        let fault = Fault::new(Operation::Sync, "a", std::io::Error::other("broken"));
        watch.health_changed(&Health::Poisoned(fault));
        assert!(poll(&mut run, &runner).is_pending());
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll(&mut wait, &task), Poll::Ready(Err(Poisoned)));
        watch.health_changed(&Health::Good);
        watch.released(Lsn::new(1));
        assert_eq!(
            poll(&mut gate.reached(Lsn::new(1)), &task),
            Poll::Ready(Ok(()))
        );
    }
}
