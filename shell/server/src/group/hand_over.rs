//! A leader gives the lead to another server, as planned.
//!
//! Writes are held back meanwhile, as by `CLIENT PAUSE WRITE`. Everything that was executed becomes
//! durable, then the lease ends and the other one leads ([`super::Member`] is told). Should it come
//! to nothing, because the log was in doubt meanwhile, this server leads as before.

use std::thread;
use std::time::{Duration, Instant};

use engine::topology;
use persistence::Part;
use replication::NodeId;

use super::Successor;
use crate::memory::Meter;
use crate::shard::{Shard, State};

/// How long a server that stops waits for another one to lead.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

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
            if begun.elapsed() >= PATIENCE {
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

    /// Begins to hand the lead over, under the lock. Returns whether that could begin: not while a
    /// script is not finished, whose rest could neither be executed nor left out.
    pub(super) fn begin_hand_over(&self, state: &mut State, to: NodeId) -> bool {
        let pause = &mut state.engine.server.pause;
        if pause.unfinished().is_some() || !self.leads() {
            return false;
        }
        tracing::info!(to = to.0, "the lead is handed over");
        pause.hand_over(true);
        // What was executed before goes first.
        self.journal.kick();
        if let Some(driver) = &*self.group.driver.lock() {
            driver.hand_over(to);
        }
        true
    }

    fn leads(&self) -> bool {
        let log = self.journal.shared();
        log.is_some_and(|log| matches!(log.part(), Part::Leads | Part::LeadsInVain))
    }
}
