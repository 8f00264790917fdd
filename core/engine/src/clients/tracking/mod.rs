//! Client-side caching: which clients are told that a key has changed (`CLIENT TRACKING`).
//!
//! A client that tracks is told of a key that it has read when that key changes, once: it has to
//! read the key again to be told again. In `BCAST` mode it is told of every key that begins with
//! one of its prefixes, whether it has read it or not. A key is known by its name alone, whatever
//! its database, as in Redis.
//!
//! What has changed is gathered here until the owner of the engine takes what goes out, which is
//! when it is worked out who is told and how: one push for many clients is encoded once. It then
//! waits for all batches so far. An invalidation may come late, behind replies to requests that ran
//! after the change, but never before the reply to a request that ran earlier: what a client keeps
//! of that reply would stay in its cache.

mod announce;
mod options;
mod prefixes;
mod table;
mod trackers;
mod untold;

use std::collections::BTreeSet;

use values::Key;

use crate::clients::session::Session;
use crate::error::CmdError;
use crate::rng::Rng;

pub use self::options::{ClientTracking, TrackedReads, TrackingOptions};
use self::prefixes::Prefixes;
pub(crate) use self::table::ForgottenTable;
use self::table::Table;
pub use self::trackers::TrackerId;
use self::trackers::Trackers;
use self::untold::News;

/// Who tracks what, and what they have not been told yet.
#[derive(Debug)]
pub struct Tracking {
    trackers: Trackers,
    /// The keys that were read by clients that are told of what they have read.
    table: Table,
    /// The prefixes of clients that are told of all keys.
    prefixes: Prefixes,
    /// What clients have not been told.
    news: News,
    /// Whose request runs, if that client tracks.
    author: Option<Author>,
}

/// A client that tracks, and changes keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Author {
    tracker: TrackerId,
    /// It is not told of what it does itself now. In `BCAST` mode, that is looked at when it is to
    /// be told.
    no_loop: bool,
}

impl Tracking {
    /// Nobody tracks yet.
    pub(crate) fn new(seed: u64, keys_max: usize) -> Tracking {
        Tracking {
            trackers: Trackers::default(),
            table: Table::new(Rng::new(seed), keys_max),
            prefixes: Prefixes::default(),
            news: News::default(),
            author: None,
        }
    }

    /// Returns whether any client tracks, or has done so.
    #[inline]
    pub(crate) fn has_trackers(&self) -> bool {
        self.trackers.len() > 0
    }

    /// Returns whether clients are to be told something.
    #[inline]
    pub(crate) fn has_untold(&self) -> bool {
        !self.news.is_empty()
    }

    /// How many clients track.
    pub fn clients(&self) -> usize {
        self.trackers.on()
    }

    /// How many keys are kept in mind because clients have read them.
    pub fn keys(&self) -> usize {
        self.table.len()
    }

    /// The same, each key counted for each client that has read it.
    pub fn items(&self) -> usize {
        self.table.items()
    }

    /// How many prefixes clients have, those with the same text counted once.
    pub fn prefixes(&self) -> usize {
        self.prefixes.len()
    }

    /// A client tracks from now on, or does so in another way.
    ///
    /// # Errors
    /// The options do not go together or with what the client does already, or there are too many
    /// prefixes. Nothing has changed then.
    pub fn turn_on(
        &mut self,
        session: &mut Session,
        options: TrackingOptions,
        prefixes: &[&[u8]],
    ) -> Result<(), CmdError> {
        let current = session.tracking.as_deref();
        options.check(current.map(|tracking| tracking.options))?;
        let is_broadcast = options.reads == TrackedReads::Broadcast;
        if is_broadcast {
            let none = BTreeSet::new();
            let own = current.map_or(&none, ClientTracking::prefixes);
            self.prefixes.check(prefixes, own)?;
        }
        let tracker = self.trackers.turn_on(session.id, session.tracker);
        session.tracker = Some(tracker);
        let tracking = session
            .tracking
            .get_or_insert_with(|| Box::new(ClientTracking::new(tracker)));
        tracking.take_options(options);
        if is_broadcast {
            // Without any, all keys are meant.
            let all: &[&[u8]] = &[b""];
            let prefixes = if prefixes.is_empty() { all } else { prefixes };
            for prefix in prefixes {
                let prefix = self.prefixes.add(prefix, tracking.tracker);
                tracking.add_prefix(prefix);
            }
        }
        Ok(())
    }

    /// A client no longer tracks.
    pub fn turn_off(&mut self, session: &mut Session) {
        if let Some(tracking) = session.tracking.take() {
            for prefix in tracking.prefixes() {
                self.prefixes.remove(prefix, tracking.tracker);
            }
            self.trackers.turn_off(tracking.tracker);
        }
    }

    /// A client has gone. Returns the table of what was read, if nobody is left who has.
    pub(crate) fn forget(&mut self, session: &mut Session) -> Option<ForgottenTable> {
        self.turn_off(session);
        // Its items in the table are recognized as those of nobody.
        self.trackers.remove(session.tracker.take()?);
        (self.trackers.len() == 0).then(|| self.table.clear())
    }

    /// A client that is told of what it has read has read a key with this hash.
    pub(crate) fn remember(&mut self, tracking: &mut ClientTracking, hash: u64, key: Key) {
        let (trackers, news) = (&mut self.trackers, &mut self.news);
        self.table
            .remember(trackers, tracking.tracker, hash, key, news);
        tracking.table_bytes = trackers.table_bytes(tracking.tracker);
    }

    /// The table keeps at most so many keys in mind from now on; 0: no bound. What is too much goes
    /// bit by bit.
    pub(crate) fn set_keys_max(&mut self, keys_max: usize) {
        self.table.set_keys_max(keys_max);
    }

    /// Returns whether the table has more than it may have.
    pub(crate) fn is_table_too_large(&self) -> bool {
        self.table.is_too_large()
    }

    /// Takes some keys out of a table that is too large, and tells those who have read them.
    pub(crate) fn shrink_table(&mut self, keys_max: usize) {
        self.table
            .shrink(&mut self.trackers, keys_max, &mut self.news);
    }

    /// A key with this hash has changed.
    #[cold]
    pub(crate) fn changed(&mut self, hash: u64, key: &[u8]) {
        if let Some((key, mut readers)) = self.table.take(&mut self.trackers, hash, key) {
            if let Some(author) = self.author.filter(|author| author.no_loop) {
                readers.retain(|reader| *reader != author.tracker);
            }
            if !readers.is_empty() {
                self.news.push_key(key, readers);
            }
        }
        if self.prefixes.any_is_of(key) {
            let author = self.author.map(|author| author.tracker);
            self.news.push_change(key, author);
        }
    }

    /// All keys may have changed. Returns the table, which is of no more use.
    #[cold]
    pub(crate) fn everything_changed(&mut self) -> Option<ForgottenTable> {
        if !self.has_trackers() {
            return None;
        }
        self.news.push_everything();
        self.trackers.forget_tables();
        Some(self.table.clear())
    }

    /// Says whose request runs, if that client tracks. Returns whose it was before.
    pub(crate) fn set_author(&mut self, author: Option<Author>) -> Option<Author> {
        std::mem::replace(&mut self.author, author)
    }
}

#[cfg(test)]
mod tests;
