//! Which sessions watch which keys (`WATCH`).

use std::collections::{BTreeMap, BTreeSet};

use crate::clients::session::SessionId;

/// Watched keys, and the sessions whose watch was broken since they were last asked.
#[derive(Debug, Default)]
pub struct Watches {
    watchers: BTreeMap<(u16, Vec<u8>), BTreeSet<SessionId>>,
    broken: BTreeSet<SessionId>,
}

impl Watches {
    /// A session begins to watch a key. Returns whether it did not watch it before.
    pub fn add(&mut self, session: SessionId, database: u16, key: &[u8]) -> bool {
        self.watchers
            .entry((database, key.to_vec()))
            .or_default()
            .insert(session)
    }

    /// A session no longer watches these keys.
    pub fn remove(&mut self, session: SessionId, keys: &[(u16, Vec<u8>)]) {
        for key in keys {
            if let Some(watchers) = self.watchers.get_mut(key) {
                watchers.remove(&session);
                if watchers.is_empty() {
                    self.watchers.remove(key);
                }
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
        if let Some(watchers) = self.watchers.get(&(database, key.to_vec())) {
            self.broken.extend(watchers);
        }
    }

    /// All keys of a database for which `changed` holds were changed.
    pub(crate) fn mark_database(&mut self, database: u16, changed: impl Fn(&[u8]) -> bool) {
        for ((db, key), watchers) in &self.watchers {
            if *db == database && changed(key) {
                self.broken.extend(watchers);
            }
        }
    }

    /// Returns whether a key that the session watches was changed.
    pub fn is_broken(&self, session: SessionId) -> bool {
        self.broken.contains(&session)
    }
}
