//! The window of one producer: its name and its iids, in the form that suits their number.

use smallvec::SmallVec;
use triomphe::Arc;

use super::SoughtIid;
use super::limits::{RING_RECORDS_MAX, SHRINK_RECORDS_MAX};
use super::record::{Lifetime, Remembered};
use super::ring::{Ring, tag};
use super::small::Small;
use super::split::Split;

/// A producer's name and iids. Never empty: a producer without iids is not tracked.
#[derive(Clone, Debug)]
pub(super) enum Window {
    Small(Small),
    Ring(Arc<Named<Ring>>),
    Split(Arc<Named<Split>>),
}

#[derive(Clone, Debug)]
pub(super) struct Named<W> {
    name: SmallVec<[u8; 24]>,
    iids: W,
}

/// What a window is bounded by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) lifetime: Lifetime,
    /// The most iids; at least 1, because the new one is among them.
    pub(super) records_max: usize,
}

impl Window {
    /// The window of a producer with its first iid.
    pub(super) fn new(name: &[u8], record: Remembered<'_>, hash: u64) -> Window {
        match Small::new(name, std::iter::once(record)) {
            Some(small) => Window::Small(small),
            None => {
                let mut iids = Ring::default();
                iids.push(record, tag(hash), 1);
                Window::Ring(Arc::new(Named {
                    name: name.into(),
                    iids,
                }))
            }
        }
    }

    /// The producer's name.
    pub(super) fn name(&self) -> &[u8] {
        match self {
            Window::Small(small) => small.name(),
            Window::Ring(ring) => &ring.name,
            Window::Split(split) => &split.name,
        }
    }

    /// The number of iids, those whose time is over included.
    pub(super) fn len(&self) -> usize {
        match self {
            Window::Small(small) => small.len(),
            Window::Ring(ring) => ring.iids.len(),
            Window::Split(split) => split.iids.len(),
        }
    }

    /// About how many bytes of memory it takes beside its place in a table.
    pub(super) fn allocated_bytes(&self) -> usize {
        match self {
            Window::Small(small) => small.allocated_bytes(),
            Window::Ring(ring) => {
                size_of::<Named<Ring>>() + ring.name.len() + ring.iids.allocated_bytes()
            }
            Window::Split(split) => {
                size_of::<Named<Split>>() + split.name.len() + split.iids.allocated_bytes()
            }
        }
    }

    /// When the youngest was added: the time of no other is greater.
    pub(super) fn newest_at_ms(&self) -> u64 {
        match self {
            Window::Small(small) => small.newest_at_ms(),
            Window::Ring(ring) => ring.iids.newest_at_ms(),
            Window::Split(split) => split.iids.newest_at_ms(),
        }
    }

    /// The youngest, whether its time is over or not.
    pub(super) fn last(&self) -> Option<Remembered<'_>> {
        match self {
            Window::Small(small) => small.last(),
            Window::Ring(ring) => ring.iids.get(ring.iids.len().wrapping_sub(1)),
            Window::Split(split) => split.iids.last(),
        }
    }

    /// Returns how many of the oldest have expired by then.
    pub(super) fn expired_len(&self, lifetime: Lifetime) -> usize {
        let is_over = |record: &Remembered<'_>| lifetime.is_over(record.added_at_ms);
        match self {
            Window::Small(small) => small.expired_len(lifetime),
            Window::Ring(ring) => ring.iids.iter().take_while(is_over).count(),
            Window::Split(split) => split.iids.iter().take_while(is_over).count(),
        }
    }

    /// Finds an iid with this hash, also one whose time is over.
    #[inline]
    pub(super) fn find(&self, iid: &[u8], hash: u64) -> Option<Remembered<'_>> {
        match self {
            Window::Small(small) => small.find(iid).map(|(_, record)| record),
            Window::Ring(ring) => {
                let iids = &ring.iids;
                iids.find(iid, tag(hash)).and_then(|age| iids.get(age))
            }
            Window::Split(split) => split.iids.find(iid, hash),
        }
    }

    /// Adds an iid as the youngest, and first removes those that make room for it: expired ones, an
    /// older one of the same iid, and the oldest beyond the bounds. `removed` gets the time at
    /// which each of them was added. The caller ensures that times never decrease, and has looked
    /// for the iid.
    pub(super) fn record(
        &mut self,
        record: Remembered<'_>,
        sought: SoughtIid,
        bounds: Bounds,
        hash: impl Fn(&[u8]) -> u64,
        mut removed: impl FnMut(u64),
    ) {
        let records_max = bounds.records_max;
        loop {
            match self {
                Window::Small(small) => {
                    match small_with(small, record, sought, bounds, &mut removed) {
                        Some(new) => *small = new,
                        None => {
                            *self = grown(small, records_max, &hash);
                            continue;
                        }
                    }
                }
                Window::Ring(shared) => {
                    let Named { name, iids } = Arc::make_mut(shared);
                    let tag = tag(sought.hash);
                    let len = iids.len();
                    while let Some(added_at_ms) = iids.pop_expired(bounds.lifetime) {
                        removed(added_at_ms);
                    }
                    if iids.len() < len
                        && iids.len() <= SHRINK_RECORDS_MAX
                        && let Some(small) = Small::new(name, iids.iter())
                    {
                        *self = Window::Small(small);
                        continue;
                    }
                    if sought.is_stored
                        && let Some(age) = iids.find(record.iid, tag)
                    {
                        iids.get(age)
                            .into_iter()
                            .for_each(|old| removed(old.added_at_ms));
                        iids.remove(age);
                    }
                    while iids.len() >= records_max {
                        iids.pop().into_iter().for_each(&mut removed);
                    }
                    if iids.len() >= RING_RECORDS_MAX {
                        *self = split(name, iids, records_max, &hash);
                        continue;
                    }
                    iids.push(record, tag, records_max.min(RING_RECORDS_MAX));
                }
                Window::Split(shared) => {
                    let Named { name, iids } = Arc::make_mut(shared);
                    let len = iids.len();
                    while let Some(added_at_ms) = iids.pop_expired(bounds.lifetime) {
                        removed(added_at_ms);
                    }
                    if iids.len() < len
                        && iids.len() <= SHRINK_RECORDS_MAX
                        && let Some(small) = Small::new(name, iids.iter())
                    {
                        *self = Window::Small(small);
                        continue;
                    }
                    if sought.is_stored {
                        iids.remove(record.iid, sought.hash)
                            .into_iter()
                            .for_each(&mut removed);
                    }
                    while iids.len() >= records_max {
                        iids.pop().into_iter().for_each(&mut removed);
                    }
                    iids.push(record, sought.hash);
                }
            }
            return;
        }
    }

    /// Calls `f` for each iid, oldest first, also for those whose time is over.
    pub(super) fn for_each(&self, f: impl FnMut(Remembered<'_>)) {
        match self {
            Window::Small(small) => small.iter().for_each(f),
            Window::Ring(ring) => ring.iids.iter().for_each(f),
            Window::Split(split) => split.iids.iter().for_each(f),
        }
    }
}

/// A small window after one more iid; `None` if it has to take another form first.
fn small_with(
    small: &Small,
    record: Remembered<'_>,
    sought: SoughtIid,
    bounds: Bounds,
    removed: &mut impl FnMut(u64),
) -> Option<Small> {
    let expired = small.expired_len(bounds.lifetime);
    let older = if sought.is_stored {
        small.find(record.iid)
    } else {
        None
    };
    let (new, dropped) = match older {
        Some((place, _)) if place >= expired => {
            // An older one of the same iid makes room as well, so more are dropped only if the
            // bound has changed.
            let excess = (small.len() - expired).saturating_sub(bounds.records_max);
            let dropped = expired + excess;
            let stays = |&(index, _): &(usize, Remembered<'_>)| index >= dropped && index != place;
            let kept = small.iter().enumerate().filter(stays).map(|(_, old)| old);
            let new = Small::new(small.name(), kept.chain(std::iter::once(record)))?;
            if place >= dropped {
                small
                    .iter()
                    .nth(place)
                    .into_iter()
                    .for_each(|old| removed(old.added_at_ms));
            }
            (new, dropped)
        }
        Some(_) | None => {
            let dropped = expired.max((small.len() + 1).saturating_sub(bounds.records_max));
            (small.with(dropped, record)?, dropped)
        }
    };
    small
        .iter()
        .take(dropped)
        .for_each(|old| removed(old.added_at_ms));
    Some(new)
}

/// A small window that its next iid does not fit, as a ring.
fn grown(small: &Small, records_max: usize, hash: &impl Fn(&[u8]) -> u64) -> Window {
    let mut iids = Ring::default();
    for record in small.iter() {
        iids.push(
            record,
            tag(hash(record.iid)),
            records_max.min(RING_RECORDS_MAX),
        );
    }
    Window::Ring(Arc::new(Named {
        name: small.name().into(),
        iids,
    }))
}

/// A full ring as several.
fn split(name: &[u8], ring: &Ring, records_max: usize, hash: &impl Fn(&[u8]) -> u64) -> Window {
    let mut iids = Split::new(records_max);
    for record in ring.iter() {
        iids.push(record, hash(record.iid));
    }
    Window::Split(Arc::new(Named {
        name: name.into(),
        iids,
    }))
}
