//! Replacing everything in the databases, for `DEBUG RELOAD` and `DEBUG LOADAOF`: what is read from
//! a file replaces what is in memory, unless the file turns out to be bad.
//!
//! No effect describes it. A caller that loads something else than the journal holds must begin a
//! new journal before the next batch.

use crate::Engine;
use crate::store::keyspace::Keyspace;
use crate::store::packing::PackingQueue;
use crate::time::Now;

/// What is in the databases at one moment. Most of it is shared with the engine that it was taken
/// from.
#[derive(Debug)]
pub struct Contents {
    keyspace: Keyspace,
}

impl Engine {
    /// What is in the databases now.
    pub fn contents(&self) -> Contents {
        Contents {
            keyspace: self.data.keyspace.clone(),
        }
    }

    /// Empties the databases.
    pub fn clear_contents(&mut self) {
        self.data.keyspace = self.data.keyspace.emptied(self.data.log.last());
        self.data.packing = PackingQueue::default();
    }

    /// Takes over the data that another engine has loaded. Both were made with the same settings
    /// and seed.
    pub fn take_loaded(&mut self, loaded: Engine, now: Now) {
        let mut data = loaded.data;
        std::mem::swap(&mut data.watches, &mut self.data.watches);
        std::mem::swap(&mut data.blocking, &mut self.data.blocking);
        self.data = data;
        self.server.loading = None;
        self.settings_changed();
        self.contents_exchanged(now);
    }

    /// Puts back what was in the databases.
    pub fn set_contents(&mut self, contents: Contents) {
        self.data.keyspace = contents.keyspace;
    }

    /// Tells clients that watch keys or wait for them that all keys may have changed.
    pub fn contents_exchanged(&mut self, now: Now) {
        for database in 0..self.data.keyspace.database_count() {
            self.data.watches.mark_database(database, |_| true);
            self.data.blocking.mark_database(database);
        }
        self.serve_ready(now);
    }
}
