//! The journal of a shard, which comes and goes while the server runs (`CONFIG SET appendonly`),
//! and the gates that go by it.
//!
//! What changes here changes under the shard's lock. Looks need no lock of the shard, and hold
//! nothing.

use std::sync::Arc;

use journal::{Gate, Health, Lsn, Watch};
use parking_lot::{Mutex, RwLock};

use crate::open::FileJournal;

/// Where a shard keeps its journal.
#[derive(Default)]
pub struct JournalSlot {
    held: RwLock<Held>,
    /// What opens the gate of each thread.
    watches: Mutex<Vec<Arc<dyn Watch>>>,
}

/// How far a journal is.
#[derive(Default)]
enum Held {
    /// There is none, nor does any reply wait for one.
    #[default]
    Nothing,
    /// It takes batches, but the data that was there before is not in it yet. No reply waits for
    /// it.
    Begins(Arc<FileJournal>),
    /// It has everything.
    Whole(Arc<FileJournal>),
    /// It takes nothing more. What it was given is being made durable.
    Ends(Arc<FileJournal>),
}

impl JournalSlot {
    /// The journal that batches go to, whether it is whole or not.
    #[inline]
    pub fn taking(&self) -> Option<Arc<FileJournal>> {
        self.look(|held| match held {
            Held::Begins(journal) | Held::Whole(journal) => Some(journal),
            Held::Nothing | Held::Ends(_) => None,
        })
    }

    /// The journal that replies wait for.
    #[inline]
    pub fn awaited(&self) -> Option<Arc<FileJournal>> {
        self.look(|held| match held {
            Held::Whole(journal) | Held::Ends(journal) => Some(journal),
            Held::Nothing | Held::Begins(_) => None,
        })
    }

    /// The journal that has everything.
    #[inline]
    pub fn whole(&self) -> Option<Arc<FileJournal>> {
        self.look(|held| match held {
            Held::Whole(journal) => Some(journal),
            Held::Nothing | Held::Begins(_) | Held::Ends(_) => None,
        })
    }

    /// Returns whether one is on its way to be whole.
    pub fn is_beginning(&self) -> bool {
        matches!(*self.held.read(), Held::Begins(_))
    }

    #[inline]
    fn look(
        &self,
        of: impl FnOnce(&Held) -> Option<&Arc<FileJournal>>,
    ) -> Option<Arc<FileJournal>> {
        of(&self.held.read()).cloned()
    }

    /// Lets a gate go by the journal, if there is one; else it stays open unless `is_loading`.
    pub fn add(&self, gate: &Gate, is_loading: bool) {
        let watch = gate.watch();
        let mut watches = self.watches.lock();
        match self.awaited() {
            Some(journal) => journal.watch(Arc::clone(&watch)),
            None if is_loading => {}
            None => open(&*watch),
        }
        watches.push(watch);
    }

    /// There is and will be no journal for now: no reply waits.
    pub fn set_none(&self) {
        *self.held.write() = Held::Nothing;
        for watch in &*self.watches.lock() {
            open(&**watch);
        }
    }

    /// Batches go to this journal from now on.
    pub fn begin(&self, journal: &Arc<FileJournal>) {
        *self.held.write() = Held::Begins(Arc::clone(journal));
    }

    /// Replies wait for this journal from now on.
    pub fn set_whole(&self, journal: &Arc<FileJournal>) {
        for watch in &*self.watches.lock() {
            journal.watch(Arc::clone(watch));
        }
        *self.held.write() = Held::Whole(Arc::clone(journal));
    }

    /// The journal takes nothing more. It, and whether replies wait for it.
    pub fn end(&self) -> Option<Arc<FileJournal>> {
        let mut held = self.held.write();
        let (journal, next) = match std::mem::take(&mut *held) {
            Held::Nothing => return None,
            Held::Begins(journal) => (journal, Held::Nothing),
            Held::Whole(journal) | Held::Ends(journal) => {
                (Arc::clone(&journal), Held::Ends(journal))
            }
        };
        *held = next;
        Some(journal)
    }
}

/// Lets everything through.
fn open(watch: &dyn Watch) {
    watch.health_changed(&Health::Good);
    watch.released(Lsn::new(u64::MAX));
}
