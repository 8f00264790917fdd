//! The clients that track, by small numbers.
//!
//! A client keeps its number as long as it is connected. While its tracking is off it is told
//! nothing; when it is on again, what it has read before still counts, as in Redis: this is how a
//! client changes from one mode to another.

use crate::clients::session::SessionId;

/// A client that tracks or has done so. Its place is used again when it has gone, with another
/// generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrackerId {
    place: u32,
    generation: u32,
}

#[derive(Debug, Default)]
struct Tracker {
    generation: u32,
    /// The client, if its tracking is on.
    session: Option<SessionId>,
    table_bytes: usize,
}

/// All clients that track or have done so.
#[derive(Debug, Default)]
pub(super) struct Trackers {
    places: Vec<Tracker>,
    free: Vec<u32>,
    /// How many there are.
    count: usize,
    /// Those whose tracking is on.
    on: usize,
}

impl Trackers {
    /// How many there are, whether their tracking is on or off.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How many of them have their tracking on.
    pub(super) fn on(&self) -> usize {
        self.on
    }

    /// The tracking of a client is on from now on. It may have been before.
    pub(super) fn turn_on(&mut self, session: SessionId, known: Option<TrackerId>) -> TrackerId {
        let id = known.unwrap_or_else(|| self.add());
        if let Some(tracker) = self.find_mut(id)
            && tracker.session.replace(session).is_none()
        {
            self.on += 1;
        }
        id
    }

    /// The tracking of a client is off.
    pub(super) fn turn_off(&mut self, id: TrackerId) {
        if let Some(tracker) = self.find_mut(id)
            && tracker.session.take().is_some()
        {
            self.on -= 1;
        }
    }

    fn add(&mut self) -> TrackerId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Tracker::default());
            (self.places.len() - 1) as u32
        });
        self.count += 1;
        TrackerId {
            place,
            generation: self.places[place as usize].generation,
        }
    }

    /// A client has gone.
    pub(super) fn remove(&mut self, id: TrackerId) {
        self.turn_off(id);
        if let Some(tracker) = self.find_mut(id) {
            *tracker = Tracker {
                generation: id.generation.wrapping_add(1),
                ..Tracker::default()
            };
            self.free.push(id.place);
            self.count -= 1;
        }
    }

    fn find(&self, id: TrackerId) -> Option<&Tracker> {
        let found = self.places.get(id.place as usize)?;
        (found.generation == id.generation).then_some(found)
    }

    fn find_mut(&mut self, id: TrackerId) -> Option<&mut Tracker> {
        let found = self.places.get_mut(id.place as usize)?;
        (found.generation == id.generation).then_some(found)
    }

    /// Returns whether a client is still there.
    pub(super) fn is_there(&self, id: TrackerId) -> bool {
        self.find(id).is_some()
    }

    /// The client, if its tracking is on.
    pub(super) fn session(&self, id: TrackerId) -> Option<SessionId> {
        self.find(id)?.session
    }

    /// All whose tracking is on.
    pub(super) fn iter(&self) -> impl Iterator<Item = TrackerId> {
        let places = self.places.iter().zip(0u32..);
        let there = places.filter(|(tracker, _)| tracker.session.is_some());
        there.map(|(tracker, place)| TrackerId {
            place,
            generation: tracker.generation,
        })
    }

    /// About how many bytes the table of what was read has because of a client.
    pub(super) fn table_bytes(&self, id: TrackerId) -> usize {
        self.find(id).map_or(0, |tracker| tracker.table_bytes)
    }

    /// The table has so many bytes more because of a client.
    pub(super) fn add_bytes(&mut self, id: TrackerId, bytes: usize) {
        if let Some(tracker) = self.find_mut(id) {
            tracker.table_bytes += bytes;
        }
    }

    /// The table has so many bytes less because of a client.
    pub(super) fn take_bytes(&mut self, id: TrackerId, bytes: usize) {
        if let Some(tracker) = self.find_mut(id) {
            tracker.table_bytes -= bytes;
        }
    }

    /// The table has nothing any more.
    pub(super) fn forget_tables(&mut self) {
        for tracker in &mut self.places {
            tracker.table_bytes = 0;
        }
    }
}
