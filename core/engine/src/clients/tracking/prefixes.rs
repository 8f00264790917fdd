//! The prefixes of clients in `BCAST` mode.

use std::collections::{BTreeMap, BTreeSet};

use values::Key;

use super::trackers::TrackerId;
use crate::error::{CmdError, TrackingError};
use crate::limits::{CLIENT_PREFIXES_MAX, PREFIX_BYTES_MAX, PREFIXES_MAX};

/// How many prefixes there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) of_client: usize,
    pub(super) of_all: usize,
    pub(super) bytes: usize,
}

/// All prefixes.
#[derive(Debug)]
pub(super) struct Prefixes {
    clients: BTreeMap<Key, BTreeSet<TrackerId>>,
    /// How many of them have how many bytes: each length that there is costs a lookup when a key
    /// changes.
    lengths: BTreeMap<usize, usize>,
    pub(super) bounds: Bounds,
}

impl Default for Prefixes {
    fn default() -> Prefixes {
        Prefixes {
            clients: BTreeMap::new(),
            lengths: BTreeMap::new(),
            bounds: Bounds {
                of_client: CLIENT_PREFIXES_MAX,
                of_all: PREFIXES_MAX,
                bytes: PREFIX_BYTES_MAX,
            },
        }
    }
}

impl Prefixes {
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Returns whether a client that has some may have these too.
    ///
    /// # Errors
    /// They are too many or too long, or one of them is the beginning of another: a key would be
    /// told twice.
    pub(super) fn check(&self, new: &[&[u8]], own: &BTreeSet<Key>) -> Result<(), CmdError> {
        let bounds = &self.bounds;
        if new.len() + own.len() > bounds.of_client
            || new.len() + self.clients.len() > bounds.of_all
            || new.iter().any(|prefix| prefix.len() > bounds.bytes)
        {
            return Err(CmdError::Tracking(TrackingError::TooManyPrefixes));
        }
        for (index, prefix) in new.iter().enumerate() {
            let overlaps = |other: &[u8]| prefix.starts_with(other) || other.starts_with(prefix);
            if let Some(other) = own.iter().find(|other| overlaps(other)) {
                return Err(overlap(prefix, "an existing prefix", other));
            }
            if let Some(other) = new[index + 1..].iter().find(|other| overlaps(other)) {
                return Err(overlap(prefix, "another provided prefix", other));
            }
        }
        Ok(())
    }

    /// A client is told of keys with a prefix. Returns the prefix for it to keep: all who have it
    /// share its text.
    pub(super) fn add(&mut self, prefix: &[u8], client: TrackerId) -> Key {
        let known = self.clients.get_key_value(prefix);
        let key = known.map_or_else(|| Key::from(prefix), |(known, _)| known.clone());
        let clients = self.clients.entry(key.clone()).or_default();
        if clients.is_empty() {
            *self.lengths.entry(prefix.len()).or_default() += 1;
        }
        clients.insert(client);
        key
    }

    /// A client is no longer told.
    pub(super) fn remove(&mut self, prefix: &[u8], client: TrackerId) {
        let Some(clients) = self.clients.get_mut(prefix) else {
            return;
        };
        clients.remove(&client);
        if clients.is_empty() {
            self.clients.remove(prefix);
            if let Some(count) = self.lengths.get_mut(&prefix.len()) {
                *count -= 1;
                if *count == 0 {
                    self.lengths.remove(&prefix.len());
                }
            }
        }
    }

    /// Returns whether any prefix is one of this key.
    pub(super) fn any_is_of(&self, key: &[u8]) -> bool {
        self.of(key).next().is_some()
    }

    /// The prefixes of a key, the shortest first.
    pub(super) fn of<'p>(&'p self, key: &[u8]) -> impl Iterator<Item = &'p Key> {
        let lengths = self.lengths.range(..=key.len());
        lengths.filter_map(move |(len, _)| Some(self.clients.get_key_value(&key[..*len])?.0))
    }

    /// The clients that have a prefix.
    pub(super) fn clients(&self, prefix: &[u8]) -> impl Iterator<Item = TrackerId> {
        self.clients.get(prefix).into_iter().flatten().copied()
    }
}

#[cold]
fn overlap(prefix: &[u8], whose: &'static str, other: &[u8]) -> CmdError {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    CmdError::Tracking(TrackingError::PrefixesOverlap {
        prefix: text(prefix),
        whose,
        other: text(other),
    })
}
