//! How long nothing was accepted.

use std::thread;
use std::time::{Duration, Instant};

use crate::exactly_once::Clients;

/// How often to look whether appends go on.
pub(super) const LOOK: Duration = Duration::from_millis(2);

/// How long nothing was accepted.
pub(super) struct Watch {
    appends: u64,
    since: Instant,
    /// The longest time between two appends until now.
    pub(super) longest: Duration,
}

impl Watch {
    pub(super) fn new(clients: &Clients) -> Watch {
        Watch {
            appends: clients.appends(),
            since: Instant::now(),
            longest: Duration::ZERO,
        }
    }

    pub(super) fn look(&mut self, clients: &Clients) {
        self.longest = self.longest.max(self.since.elapsed());
        let appends = clients.appends();
        if appends != self.appends {
            (self.appends, self.since) = (appends, Instant::now());
        }
    }

    /// Looks on for some time.
    pub(super) fn rest(&mut self, clients: &Clients, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            thread::sleep(LOOK);
            self.look(clients);
        }
    }
}
