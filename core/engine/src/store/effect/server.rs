//! Changes of several databases.

use super::Changed;
use super::encode::{Line, Out};
use crate::store::apply::Store;
use crate::store::dropped::What;

/// Several databases change as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerChange {
    /// `FLUSHALL`.
    Flush,
    /// `SWAPDB a b`.
    SwapDatabases {
        /// One of them.
        a: u16,
        /// The other.
        b: u16,
    },
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{self, Event};

    /// All keys are gone.
    pub const FLUSHALL: &Event = event::UNNAMED;
    /// Two databases have changed places.
    pub const SWAPDB: &Event = event::UNNAMED;
}

impl ServerChange {
    pub(super) fn apply(self, store: &mut Store<'_>) -> Changed {
        match self {
            ServerChange::Flush => {
                let databases = 0..store.data.keyspace.database_count();
                let removed: u64 = databases.map(|db| store.flush(db)).sum();
                // Whoever follows is told, even if the databases are empty.
                Changed::by_event(removed.max(1))
            }
            ServerChange::SwapDatabases { a, b } => {
                store.swap(a, b);
                Changed::by_event(1)
            }
        }
    }

    pub(super) fn encode(self, out: &mut Out<'_>) -> u32 {
        match self {
            ServerChange::Flush => Line::new(out, 1, "FLUSHALL").end(),
            ServerChange::SwapDatabases { a, b } => Line::new(out, 3, "SWAPDB")
                .int(i64::from(a))
                .int(i64::from(b))
                .end(),
        }
    }

    /// Returns whether the encoding names the databases. `FLUSHALL` names none; it is logged in the
    /// database in which it was sent.
    pub(super) fn names_its_databases(self) -> bool {
        match self {
            ServerChange::Flush => false,
            ServerChange::SwapDatabases { .. } => true,
        }
    }
}

impl Store<'_> {
    /// Empties a database; how many keys it had.
    pub(super) fn flush(&mut self, database: u16) -> u64 {
        let lsn = self.data.log.open();
        let removed = self.data.keyspace.len(database) as u64;
        let keyspace = &self.data.keyspace;
        let held = |key: &[u8]| keyspace.exists(database, key);
        self.data.watches.mark_database(database, held);
        let emptied = self.data.keyspace.clear(database, lsn);
        self.data.dropped.take(What::Records(emptied));
        self.data.blocking.mark_database(database);
        removed
    }

    fn swap(&mut self, a: u16, b: u16) {
        let lsn = self.data.log.open();
        // A watched key was touched unless it is missing on both sides.
        for (db, other) in [(a, b), (b, a)] {
            let keyspace = &self.data.keyspace;
            let held = |key: &[u8]| keyspace.exists(db, key) || keyspace.exists(other, key);
            self.data.watches.mark_database(db, held);
        }
        self.data.keyspace.swap(a, b, lsn);
        self.data.blocking.mark_database(a);
        self.data.blocking.mark_database(b);
    }
}
