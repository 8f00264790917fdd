//! A shard: an engine and the mailboxes of its clients, behind one lock.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::node::Order;
use engine::session::SessionId;
use engine::{Engine, Lsn, Mono, Now};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::mailbox::Mailbox;

/// A shard as tasks share it.
#[derive(Debug)]
pub struct Shard {
    state: Mutex<State>,
    /// The shell's clock.
    pub clock: Clock,
    /// When the timer will look, in milliseconds of the monotonic clock.
    timer_at: AtomicU64,
    timer_bell: Notify,
    stop_bell: Notify,
    stop_asked: Notify,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) engine: Engine,
    pub(crate) mailboxes: HashMap<SessionId, Arc<Mailbox>>,
    pub(crate) stopping: bool,
}

impl Shard {
    /// A shard around an engine.
    pub fn new(engine: Engine, clock: Clock) -> Shard {
        Shard {
            state: Mutex::new(State {
                engine,
                mailboxes: HashMap::new(),
                stopping: false,
            }),
            clock,
            timer_at: AtomicU64::new(0),
            timer_bell: Notify::new(),
            stop_bell: Notify::new(),
            stop_asked: Notify::new(),
        }
    }

    /// The lock. Nobody awaits while holding it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Ends a batch of engine calls: what it has for others is delivered, the timer learns of an earlier
    /// deadline, orders are carried out.
    pub(crate) fn finish(&self, state: &mut State, now: Now) {
        if state.engine.has_outbox() {
            for delivery in state.engine.take_outbox() {
                if let Some(mailbox) = state.mailboxes.get(&delivery.session) {
                    mailbox.post(&delivery);
                }
            }
        }
        if state.engine.log().has_bytes() {
            state.engine.effects_taken();
        }
        if state.engine.has_orders() {
            for order in state.engine.take_orders() {
                self.carry_out(state, &order);
            }
        }
        let due = state.engine.next_deadline(now).map_or(u64::MAX, |at| at.0);
        if due < self.timer_at.load(Ordering::Relaxed) {
            self.timer_at.store(due, Ordering::Relaxed);
            self.timer_bell.notify_one();
        }
    }

    fn carry_out(&self, state: &mut State, order: &Order) {
        match order {
            Order::SettingsChanged => state.engine.settings_changed(),
            Order::Shutdown { .. } => {
                state.stopping = true;
                self.stop_asked.notify_one();
            }
            Order::Snapshot | Order::RewriteJournal => {}
        }
    }

    /// The batch up to which replies may leave.
    pub(crate) fn released(&self) -> Lsn {
        Lsn(u64::MAX)
    }

    /// Notes when the timer will look next.
    pub(crate) fn timer_sleeps_until(&self, at: Mono) {
        self.timer_at.store(at.0, Ordering::Relaxed);
    }

    /// Waits until something is due before the timer would look.
    pub(crate) async fn earlier_deadline(&self) {
        self.timer_bell.notified().await;
    }

    /// Waits until a client asked the server to stop.
    pub(crate) async fn stop_asked(&self) {
        self.stop_asked.notified().await;
    }

    /// Tells every connection to end.
    pub(crate) fn stop(&self) {
        self.stop_bell.notify_waiters();
    }

    /// Waits until the server stops.
    pub(crate) async fn stopped(&self) {
        self.stop_bell.notified().await;
    }
}
