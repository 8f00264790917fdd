//! Where each client is served: its thread, and its place among that thread's connections.

use engine::clients::session::SessionId;

/// Where a client is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    /// The thread's number.
    pub(crate) thread: usize,
    /// The connection's place among those of the thread.
    pub(crate) place: usize,
}

/// The locations of all clients.
#[derive(Debug, Default)]
pub(crate) struct Locations {
    by_slot: Vec<Option<(SessionId, Location)>>,
}

impl Locations {
    /// Notes where a client is served.
    pub(crate) fn insert(&mut self, session: SessionId, location: Location) {
        let slot = session.slot();
        if self.by_slot.len() <= slot {
            self.by_slot.resize(slot + 1, None);
        }
        self.by_slot[slot] = Some((session, location));
    }

    /// Forgets a client that has gone.
    pub(crate) fn remove(&mut self, session: SessionId) {
        if let Some(slot) = self.by_slot.get_mut(session.slot()) {
            slot.take_if(|(holder, _)| *holder == session);
        }
    }

    /// Returns where a client is served, unless it has gone.
    pub(crate) fn find(&self, session: SessionId) -> Option<Location> {
        let (holder, location) = (*self.by_slot.get(session.slot())?)?;
        (holder == session).then_some(location)
    }
}
