//! Which sessions watch which keys (`WATCH`).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use values::Key;

use crate::clients::session::SessionId;

/// Watched keys, and the sessions whose watch was broken since they were last asked.
#[derive(Debug, Default)]
pub struct Watches {
    /// By database and key; no database without keys.
    watchers: BTreeMap<u16, BTreeMap<Key, BTreeSet<SessionId>>>,
    broken: BTreeSet<SessionId>,
}

impl Watches {
    /// A session begins to watch a key. Returns the key for it to keep, unless it watched it
    /// before. All who watch a key share its name, and so whoever is the last to go takes the name
    /// along, to free it where nobody waits.
    pub fn add(&mut self, session: SessionId, database: u16, key: Key) -> Option<Key> {
        match self.watchers.entry(database).or_default().entry(key) {
            Entry::Occupied(mut found) => {
                let is_new = found.get_mut().insert(session);
                is_new.then(|| found.key().clone())
            }
            Entry::Vacant(place) => {
                let key = place.key().clone();
                place.insert(BTreeSet::from([session]));
                Some(key)
            }
        }
    }

    /// A session no longer watches these keys.
    pub fn remove(&mut self, session: SessionId, keys: &[(u16, Key)]) {
        for (database, key) in keys {
            let Some(watched) = self.watchers.get_mut(database) else {
                continue;
            };
            if let Some(watchers) = watched.get_mut(key) {
                watchers.remove(&session);
                if watchers.is_empty() {
                    watched.remove(key);
                }
            }
            if watched.is_empty() {
                self.watchers.remove(database);
            }
        }
        self.broken.remove(&session);
    }

    /// Returns whether no key is watched.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// A key was changed.
    #[inline]
    pub(crate) fn mark(&mut self, database: u16, key: &[u8]) {
        if !self.watchers.is_empty() {
            self.mark_watched(database, key);
        }
    }

    #[cold]
    fn mark_watched(&mut self, database: u16, key: &[u8]) {
        let watched = self.watchers.get(&database);
        if let Some(watchers) = watched.and_then(|watched| watched.get(key)) {
            self.broken.extend(watchers);
        }
    }

    /// All keys of a database for which `changed` holds were changed.
    pub(crate) fn mark_database(&mut self, database: u16, changed: impl Fn(&[u8]) -> bool) {
        for (key, watchers) in self.watchers.get(&database).into_iter().flatten() {
            if changed(key) {
                self.broken.extend(watchers);
            }
        }
    }

    /// Returns whether a key that the session watches was changed.
    pub fn is_broken(&self, session: SessionId) -> bool {
        self.broken.contains(&session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::session::Sessions;
    use crate::time::Now;

    #[test]
    fn all_who_watch_a_key_share_its_name() {
        let name = || Key::from(&[b'k'; 100]);
        let mut sessions = Sessions::default();
        let mut connect = || {
            sessions.connect(
                String::new(),
                String::new(),
                &crate::users::Users::for_tests(),
                Now::default(),
            )
        };
        let (early, late) = (connect(), connect());
        let mut watches = Watches::default();
        let first = watches.add(early, 0, name()).unwrap();
        let second = watches.add(late, 0, name()).unwrap();
        assert_eq!(watches.add(late, 0, name()), None);
        assert_eq!(first.as_ptr(), second.as_ptr());
        // The first goes with what it kept; the other's watch goes on.
        watches.remove(early, &[(0, first)]);
        watches.mark(0, &name());
        assert!(watches.is_broken(late) && !watches.is_broken(early));
        watches.remove(late, &[(0, second)]);
        assert!(watches.is_empty() && !watches.is_broken(late));
    }
}
