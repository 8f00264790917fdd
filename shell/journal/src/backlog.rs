//! Where producers and the journal's thread meet: the batches that accumulate while a sync runs.
//!
//! A producer appends under a short lock, usually by swapping buffers; the thread takes everything
//! at once. Waking the thread is a step of its own, [`Backlog::kick`]: a producer that has more to
//! hand over soon does it once for all, and without its own locks.

use std::collections::VecDeque;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::commit::{Cut, Event, Gathered, SyncPolicy};
use crate::log::{Log, SnapshotError};
use batch::{Encoded, Lsn};

/// The batches and events that wait for the journal's thread.
pub(crate) struct Backlog<L: Log> {
    state: Mutex<State<L>>,
    arrived: Condvar,
}

struct State<L: Log> {
    gathered: Gathered,
    /// Memory for the next batches.
    spare: Encoded,
    events: VecDeque<Event<L>>,
    thread: Thread,
    rewrite: Rewriting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Thread {
    Working,
    Asleep,
    /// It will not look again.
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rewriting {
    No,
    Yes,
}

impl<L: Log> Backlog<L> {
    /// A backlog for a log that is at `last`.
    pub(crate) fn new(last: Lsn) -> Self {
        Backlog {
            state: Mutex::new(State {
                gathered: Gathered {
                    last,
                    ..Gathered::default()
                },
                spare: Encoded::default(),
                events: VecDeque::new(),
                thread: Thread::Working,
                rewrite: Rewriting::No,
            }),
            arrived: Condvar::new(),
        }
    }

    /// Adds batches, for the thread to find when it is kicked or looks by itself; `batches` is
    /// empty afterwards. What is shared in them is not copied.
    pub(crate) fn submit(&self, batches: &mut Encoded, last: Lsn) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        assert!(
            last > state.gathered.last,
            "each batch has an LSN of its own"
        );
        state.gathered.last = last;
        state.gathered.batches.add(batches, &mut state.spare);
    }

    /// Marks the place of a snapshot after everything that was submitted.
    pub(crate) fn cut(&self, at: Lsn) -> Result<(), SnapshotError> {
        let mut state = self.state.lock();
        if state.thread == Thread::Ended {
            return Err(SnapshotError::GivenUp);
        }
        if state.rewrite == Rewriting::Yes {
            return Err(SnapshotError::InProgress);
        }
        assert!(
            at == state.gathered.last,
            "a snapshot is of the state of now"
        );
        state.rewrite = Rewriting::Yes;
        let bytes = state.gathered.batches.len();
        state.gathered.cut = Some(Cut { bytes, at });
        drop(state);
        self.kick();
        Ok(())
    }

    /// Says that the rewrite which [`Backlog::cut`] began has come to its end.
    pub(crate) fn end_rewrite(&self) {
        self.state.lock().rewrite = Rewriting::No;
    }

    /// Returns whether a rewrite is in progress.
    pub(crate) fn is_rewriting(&self) -> bool {
        self.state.lock().rewrite == Rewriting::Yes
    }

    /// Adds an event; returns it if nobody will take it.
    pub(crate) fn send(&self, event: Event<L>) -> Result<(), Event<L>> {
        let mut state = self.state.lock();
        if state.thread == Thread::Ended {
            return Err(event);
        }
        state.events.push_back(event);
        drop(state);
        self.kick();
        Ok(())
    }

    /// The last batch that was submitted.
    pub(crate) fn submitted(&self) -> Lsn {
        self.state.lock().gathered.last
    }

    /// Returns how many bytes wait for the journal's thread.
    pub(crate) fn backlog_bytes(&self) -> usize {
        self.state.lock().gathered.batches.len()
    }

    /// Waits for an event; at `deadline`, that is a tick.
    pub(crate) fn wait(&self, deadline: Option<Instant>, spare: &mut Encoded) -> Event<L> {
        let mut state = self.state.lock();
        if spare.capacity() > 0 {
            state.spare = std::mem::take(spare);
        }
        loop {
            let has_batches = !state.gathered.batches.is_empty() || state.gathered.cut.is_some();
            // Events first, or they would wait for as long as producers are busy; but a close must
            // find no batches left, and a policy that asks for less is not for those before it.
            let is_for_later = match state.events.front() {
                Some(Event::Close) => true,
                Some(Event::Policy(policy)) => *policy != SyncPolicy::Always,
                Some(
                    Event::Gathered(_)
                    | Event::Synced(..)
                    | Event::SnapshotWritten(_)
                    | Event::SnapshotAbandoned
                    | Event::Trimmed
                    | Event::Tick,
                )
                | None => false,
            };
            if !(is_for_later && has_batches)
                && let Some(event) = state.events.pop_front()
            {
                return event;
            }
            if has_batches {
                let last = state.gathered.last;
                let next = Gathered {
                    last,
                    ..Gathered::default()
                };
                return Event::Gathered(std::mem::replace(&mut state.gathered, next));
            }
            state.thread = Thread::Asleep;
            let timed_out = match deadline {
                Some(deadline) => self.arrived.wait_until(&mut state, deadline).timed_out(),
                None => {
                    self.arrived.wait(&mut state);
                    false
                }
            };
            state.thread = Thread::Working;
            // If something arrived at the last moment, the tick is not lost: it comes with that.
            if timed_out && state.gathered.batches.is_empty() && state.events.is_empty() {
                return Event::Tick;
            }
        }
    }

    /// Says that nobody will look again, and drops what waits.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.thread = Thread::Ended;
        state.events.clear();
    }

    /// Wakes the thread if it sleeps.
    pub(crate) fn kick(&self) {
        let mut state = self.state.lock();
        if state.thread == Thread::Asleep {
            // The first one wakes it for all.
            state.thread = Thread::Working;
            drop(state);
            self.arrived.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::file_disk::FileDisk;
    use crate::local::LocalLog;

    #[test]
    fn a_batch_that_has_no_number_of_its_own_is_not_taken() {
        let backlog = Backlog::<LocalLog<FileDisk>>::new(Lsn::new(7));
        backlog.submit(&mut b"eight".to_vec().into(), Lsn::new(8));
        for known in [8, 7, 0] {
            let submit = || backlog.submit(&mut b"more".to_vec().into(), Lsn::new(known));
            assert!(catch_unwind(AssertUnwindSafe(submit)).is_err(), "{known}");
            assert_eq!(backlog.backlog_bytes(), b"eight".len());
        }
        backlog.submit(&mut b"nine".to_vec().into(), Lsn::new(9));
        assert_eq!(backlog.submitted(), Lsn::new(9));
    }

    #[test]
    fn a_policy_that_asks_for_less_comes_behind_what_was_submitted_before() {
        let policies = [
            (SyncPolicy::Always, ["policy", "gathered"]),
            (SyncPolicy::EverySecond, ["gathered", "policy"]),
            (SyncPolicy::Never, ["gathered", "policy"]),
        ];
        for (policy, order) in policies {
            let backlog = Backlog::<LocalLog<FileDisk>>::new(Lsn::new(7));
            backlog.submit(&mut b"eight".to_vec().into(), Lsn::new(8));
            assert!(backlog.send(Event::Policy(policy)).is_ok());
            let taken = order.map(|_| backlog.wait(None, &mut Encoded::default()).name());
            assert_eq!(taken, order, "{policy:?}");
        }
    }

    #[test]
    fn a_snapshot_is_not_begun_behind_or_before_what_was_submitted() {
        for at in [7, 9] {
            let backlog = Backlog::<LocalLog<FileDisk>>::new(Lsn::new(7));
            backlog.submit(&mut b"eight".to_vec().into(), Lsn::new(8));
            let cut = catch_unwind(AssertUnwindSafe(|| backlog.cut(Lsn::new(at))));
            assert!(cut.is_err(), "{at}");
            assert!(!backlog.is_rewriting());
        }
    }
}
