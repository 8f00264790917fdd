//! A leader gives the lead to another server, as planned.
//!
//! Writes are held back meanwhile, as by `CLIENT PAUSE WRITE`. Everything that was executed becomes
//! durable, and the replies to it leave; so does the one to who asked for this. Only then the lease
//! ends, and the other one leads ([`super::Member`] is told). Should it come to nothing, because
//! the log does not answer, this server leads as before.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use engine::topology;
use persistence::Part;
use replication::NodeId;

use super::Successor;
use crate::memory::Meter;
use crate::shard::{Shard, State};

/// How long what was executed may take to become durable, and how long a server that stops waits
/// for another one to lead.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Hands the lead over each time that this is asked for, until nobody can ask any more. It is a
/// thread of its own, because it waits for those that serve clients.
pub(super) fn run(shard: &Shard, asked: &Receiver<NodeId>, mut meter: Meter) {
    for to in asked {
        shard.hand_over(to, &mut meter);
    }
}

impl Shard {
    /// Hands the lead over before the server stops, if it leads and another one can take it.
    pub(super) fn hand_over_before_stop(&self, meter: &mut Meter) {
        let first = self.group.successors.lock().first().copied();
        let Some(Successor { id: to, .. }) = first else {
            return;
        };
        let begun = Instant::now();
        if !self.with_state(meter, |state, _| self.begin_hand_over(state, to)) {
            return;
        }
        while self.leads() {
            if begun.elapsed() >= 2 * PATIENCE {
                tracing::warn!("nobody has taken the lead over");
                return;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Begins to hand the lead over to the server that clients know by this name (`FAILOVER`). It
    /// may have gone meanwhile, or this one may have lost the lead: then nothing changes.
    pub(crate) fn hand_over_to(&self, state: &mut State, name: topology::NodeId) {
        let successors = self.group.successors.lock();
        let found = successors.iter().find(|it| it.name == name).copied();
        drop(successors);
        let has_begun = found.is_some_and(|found| self.begin_hand_over(state, found.id));
        if !has_begun {
            tracing::warn!(to = %name, "the lead cannot be handed over now");
        }
    }

    /// Begins to hand the lead over, under the lock. Returns whether that could begin, or has begun
    /// before: not while a script is not finished, whose rest could neither be executed nor left
    /// out.
    fn begin_hand_over(&self, state: &mut State, to: NodeId) -> bool {
        let pause = &mut state.engine.server.pause;
        if pause.is_handing_over() {
            return true;
        }
        let hand_overs = self.group.hand_overs.lock();
        let Some(hand_overs) = hand_overs.as_ref().filter(|_| self.leads()) else {
            return false;
        };
        if pause.unfinished().is_some() || !hand_overs.ask(to) {
            return false;
        }
        tracing::info!(to = to.0, "the lead is handed over");
        pause.hand_over(true);
        // What was executed before goes first.
        self.journal.kick();
        true
    }

    /// Hands the lead over, which has begun.
    fn hand_over(&self, to: NodeId, meter: &mut Meter) {
        let is_durable = self.wait_until_durable(meter);
        if is_durable {
            self.answer_all();
        }
        self.with_state(meter, |state, now| {
            let pause = &mut state.engine.server.pause;
            if !pause.is_handing_over() {
                // Another server has taken the lead meanwhile.
                return;
            }
            match &*self.group.driver.lock() {
                Some(driver) if is_durable => driver.hand_over(to),
                Some(_) | None => {
                    tracing::warn!("the log does not answer: the lead is not handed over");
                    pause.hand_over(false);
                    state.engine.end_what_is_due(now);
                }
            }
        });
    }

    /// Waits until everything that was executed is durable and may be told. Returns whether it is.
    fn wait_until_durable(&self, meter: &mut Meter) -> bool {
        let Some(log) = self.journal.shared() else {
            return false;
        };
        let last = self.with_state(meter, |state, _| state.engine.log().last());
        let begun = Instant::now();
        while log.durable() < last || !log.lease().runs() {
            if begun.elapsed() >= PATIENCE {
                return false;
            }
            thread::sleep(PAUSE);
        }
        true
    }

    fn leads(&self) -> bool {
        let log = self.journal.shared();
        log.is_some_and(|log| matches!(log.part(), Part::Leads | Part::LeadsInVain))
    }
}
