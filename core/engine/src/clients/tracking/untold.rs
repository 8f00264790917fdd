//! What clients have not been told yet.
//!
//! It grows as long as a script runs that changes keys, or reads them for a client that tracks.
//! When it takes as much as it may, all of it gives way to one message that says that anything may
//! have changed.

use values::Key;

use super::table::Readers;
use super::trackers::TrackerId;
use crate::limits::UNTOLD_BYTES_MAX;

/// Something that clients are to be told.
#[derive(Debug)]
pub(super) enum Untold {
    /// A key that they have read has changed, or is not kept in mind any more.
    Key(Key, Readers),
    /// All keys may have changed; this is for all who track.
    Everything,
}

/// A key that has changed and that some prefix is of.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: Key,
    /// Who changed it and is not told; `None` if everybody is.
    pub(super) author: Option<TrackerId>,
}

/// All that clients have not been told.
#[derive(Debug)]
pub(super) struct News {
    /// For clients that have read keys.
    pub(super) untold: Vec<Untold>,
    /// For clients with prefixes.
    pub(super) changes: Vec<Change>,
    /// About how many bytes both take.
    bytes: usize,
    pub(super) bytes_max: usize,
    /// It was too much: one message stands for all that comes, too.
    has_given_way: bool,
}

impl Default for News {
    fn default() -> News {
        News {
            untold: Vec::new(),
            changes: Vec::new(),
            bytes: 0,
            bytes_max: UNTOLD_BYTES_MAX,
            has_given_way: false,
        }
    }
}

impl News {
    /// Returns whether there is nothing.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.untold.is_empty() && self.changes.is_empty()
    }

    /// Clients that have read a key are to be told of it.
    pub(super) fn push_key(&mut self, key: Key, readers: Readers) {
        let readers_bytes = match readers.spilled() {
            true => readers.capacity() * size_of::<TrackerId>(),
            false => 0,
        };
        if self.takes(size_of::<Untold>() + key.heap_bytes() + readers_bytes) {
            self.untold.push(Untold::Key(key, readers));
        }
    }

    /// Clients with prefixes are to be told of a key.
    pub(super) fn push_change(&mut self, key: &[u8], author: Option<TrackerId>) {
        // What changes a key often is told once.
        let last = self.changes.last();
        if last.is_some_and(|last| *last.key == *key && last.author == author) {
            return;
        }
        let key = Key::from(key);
        if self.takes(size_of::<Change>() + key.heap_bytes()) {
            self.changes.push(Change { key, author });
        }
    }

    /// All are to be told that anything may have changed.
    pub(super) fn push_everything(&mut self) {
        if self.takes(size_of::<Untold>()) {
            self.untold.push(Untold::Everything);
        }
    }

    /// Takes all of it.
    pub(super) fn take(&mut self) -> (Vec<Untold>, Vec<Change>) {
        self.bytes = 0;
        self.has_given_way = false;
        let untold = std::mem::take(&mut self.untold);
        (untold, std::mem::take(&mut self.changes))
    }

    /// Returns whether there is room for so many bytes more.
    fn takes(&mut self, bytes: usize) -> bool {
        if self.has_given_way {
            return false;
        }
        self.bytes += bytes;
        if self.bytes > self.bytes_max {
            self.has_given_way = true;
            self.changes = Vec::new();
            self.untold = vec![Untold::Everything];
        }
        !self.has_given_way
    }
}
