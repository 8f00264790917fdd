//! Replacing everything in the databases, for `DEBUG RELOAD` and `DEBUG LOADAOF`: what is read from
//! a file replaces what is in memory, unless the file turns out to be bad.
//!
//! No effect describes it. A caller that loads something else than the journal holds must begin a
//! new journal before the next batch.

use crate::Engine;
use crate::server::Loading;
use crate::store::dropped::What;
use crate::store::keyspace::Keyspace;
use crate::store::libraries::Libraries;
use crate::store::log::Journalling;
use crate::store::packing::PackingQueue;
use crate::time::Now;

/// What is in the databases, and the libraries of functions, at one moment. Most of it is shared
/// with the engine that it was taken from.
#[derive(Debug)]
pub struct Contents {
    keyspace: Keyspace,
    libraries: Libraries,
}

impl Engine {
    /// What is in the databases now.
    pub fn contents(&self) -> Contents {
        Contents {
            keyspace: self.data.keyspace.clone(),
            libraries: self.data.libraries.clone(),
        }
    }

    /// Empties the databases, and drops the libraries.
    pub fn clear_contents(&mut self) {
        self.data.keyspace = self.data.keyspace.emptied(self.data.log.last());
        self.data.libraries.clear(self.data.log.last());
        self.data.packing = PackingQueue::default();
    }

    /// Drops all data: it is not what the log has. Clients are told to wait until it was loaded
    /// again ([`Engine::take_loaded`]). Nothing that was done and not yet handed over ever happens.
    /// A script that is not finished ends: the rest of it would be done to other data.
    pub fn drop_data(&mut self, now: Now) {
        self.server.loading = Some(Loading::begin(now));
        self.end_unfinished_script(now);
        self.server.migrations.data_exchanged();
        let last = self.data.log.last();
        for database in 0..self.data.keyspace.database_count() {
            let emptied = self.data.keyspace.clear(database, last);
            self.data.dropped.take(What::Records(emptied));
        }
        self.data.libraries.clear(last);
        self.data.packing = PackingQueue::default();
        self.data.log.clear();
        self.data.log.set_journalling(Journalling::Off);
    }

    /// An empty engine that data can be loaded into, to be taken over by this one.
    pub fn empty_like(&self, now: Now) -> Engine {
        Engine::new(self.server.settings.clone(), self.seed, now, self.commands)
    }

    /// Takes over the data that another engine has loaded. Both were made with the same settings
    /// and seed.
    pub fn take_loaded(&mut self, loaded: Engine, now: Now) {
        let mut data = loaded.data;
        std::mem::swap(&mut data.watches, &mut self.data.watches);
        std::mem::swap(&mut data.tracking, &mut self.data.tracking);
        std::mem::swap(&mut data.blocking, &mut self.data.blocking);
        std::mem::swap(&mut data.pattern_reads, &mut self.data.pattern_reads);
        std::mem::swap(&mut data.notifications, &mut self.data.notifications);
        self.data = data;
        self.server.loading = None;
        self.settings_changed();
        self.contents_exchanged(now);
    }

    /// Puts back what was in the databases.
    pub fn set_contents(&mut self, contents: Contents) {
        self.data.keyspace = contents.keyspace;
        self.data.libraries = contents.libraries;
    }

    /// Tells clients that watch keys, track them or wait for them that all keys may have changed.
    pub fn contents_exchanged(&mut self, now: Now) {
        self.server.functions.start_over();
        self.server.migrations.data_exchanged();
        for database in 0..self.data.keyspace.database_count() {
            self.data.watches.mark_database(database, |_| true);
            self.data.blocking.mark_database(database);
        }
        self.data.everything_changed();
        self.serve_ready(now);
    }
}
