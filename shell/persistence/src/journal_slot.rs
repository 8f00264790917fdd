//! The journal of a shard, which comes and goes while the server runs (`CONFIG SET appendonly`),
//! and the gates that go by it. A shard whose log several machines share has that instead, from the
//! beginning to the end.
//!
//! What changes here changes under the shard's lock. Looks need no lock of the shard, and hold
//! nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use journal::{Encoded, Gate, Health, Lease, Listener, Lsn};
use parking_lot::{Mutex, RwLock};

use crate::limits::JOURNAL_BACKLOG_BYTES_MAX;
use crate::shard_log::ShardJournal;
use crate::shared_log::SharedLog;

/// Where a shard keeps its journal.
#[derive(Default)]
pub struct JournalSlot {
    held: RwLock<Held>,
    /// What opens the gate of each thread.
    listeners: Mutex<Vec<Arc<dyn Listener>>>,
}

/// How far a journal is.
#[derive(Default)]
enum Held {
    /// There is none, nor does any reply wait for one.
    #[default]
    Nothing,
    /// It takes batches, but the data that was there before is not in it yet. No reply waits for
    /// it.
    Begins(Arc<ShardJournal>),
    /// It has everything.
    Whole(Arc<ShardJournal>),
    /// It takes nothing more. What it was given is being made durable.
    Ends(Arc<ShardJournal>),
    /// There is none: other machines have the log, too.
    Shared(Arc<SharedLog>),
}

impl Held {
    #[inline]
    fn taking(&self) -> Option<&Arc<ShardJournal>> {
        match self {
            Held::Begins(journal) | Held::Whole(journal) => Some(journal),
            Held::Nothing | Held::Ends(_) | Held::Shared(_) => None,
        }
    }

    #[inline]
    fn awaited(&self) -> Option<&Arc<ShardJournal>> {
        match self {
            Held::Whole(journal) | Held::Ends(journal) => Some(journal),
            Held::Nothing | Held::Begins(_) | Held::Shared(_) => None,
        }
    }

    #[inline]
    fn whole(&self) -> Option<&Arc<ShardJournal>> {
        match self {
            Held::Whole(journal) => Some(journal),
            Held::Nothing | Held::Begins(_) | Held::Ends(_) | Held::Shared(_) => None,
        }
    }

    fn shared(&self) -> Option<&Arc<SharedLog>> {
        match self {
            Held::Shared(log) => Some(log),
            Held::Nothing | Held::Begins(_) | Held::Whole(_) | Held::Ends(_) => None,
        }
    }
}

/// What every turn asks is answered in place: to share the journal costs more than the answer.
impl JournalSlot {
    /// The journal that batches go to, whether it is whole or not.
    pub fn taking(&self) -> Option<Arc<ShardJournal>> {
        self.held.read().taking().cloned()
    }

    /// The journal that replies wait for.
    pub fn awaited(&self) -> Option<Arc<ShardJournal>> {
        self.held.read().awaited().cloned()
    }

    /// The journal that has everything.
    pub fn whole(&self) -> Option<Arc<ShardJournal>> {
        self.held.read().whole().cloned()
    }

    /// The log that other machines have, too, if the shard has such a one.
    pub fn shared(&self) -> Option<Arc<SharedLog>> {
        self.held.read().shared().cloned()
    }

    /// What must run for anybody to be answered, if anything must.
    pub fn lease(&self) -> Option<Arc<dyn Lease>> {
        self.held.read().shared().map(|log| log.lease())
    }

    /// Returns whether one is on its way to be whole.
    pub fn is_beginning(&self) -> bool {
        matches!(*self.held.read(), Held::Begins(_))
    }

    /// Hands over batches; `last` is the LSN of the last one. Returns whether a journal took them.
    #[inline]
    pub fn submit(&self, batches: &mut Encoded, last: Lsn) -> bool {
        let held = self.held.read();
        if let Held::Shared(log) = &*held {
            return log.submit(batches, last);
        }
        let taking = held.taking();
        if let Some(journal) = taking {
            journal.submit(batches, last);
        }
        taking.is_some()
    }

    /// Lets the journal's thread start on what it was given.
    #[inline]
    pub fn kick(&self) {
        match &*self.held.read() {
            Held::Begins(journal) | Held::Whole(journal) => journal.kick(),
            Held::Shared(log) => log.kick(),
            Held::Nothing | Held::Ends(_) => {}
        }
    }

    /// Returns whether so much waits for the journal's thread that anyone who adds to it must wait.
    pub fn is_behind(&self) -> bool {
        match &*self.held.read() {
            Held::Shared(log) => log.backlog_bytes() > JOURNAL_BACKLOG_BYTES_MAX,
            Held::Whole(journal) | Held::Ends(journal) => is_behind(journal),
            Held::Nothing | Held::Begins(_) => false,
        }
    }

    /// Returns whether the journal has to begin early, because replies wait for its syncs.
    #[inline]
    pub fn syncs_first(&self) -> bool {
        match &*self.held.read() {
            Held::Whole(journal) => journal.syncs_first(),
            Held::Shared(_) => true,
            Held::Nothing | Held::Begins(_) | Held::Ends(_) => false,
        }
    }

    /// Changes when the health of the journal that has everything does.
    #[inline]
    pub(crate) fn health_kind(&self) -> Option<u8> {
        match &*self.held.read() {
            Held::Whole(journal) => Some(journal.health_kind()),
            Held::Shared(log) => Some(log.part() as u8),
            Held::Nothing | Held::Begins(_) | Held::Ends(_) => None,
        }
    }

    /// Checks whether the disk still answers. Not under the shard's lock, because threads are woken
    /// if it does not.
    pub fn look_for_stall(&self, wait_ms: u64) {
        let patience = (wait_ms > 0).then(|| Duration::from_millis(wait_ms));
        if let Some(log) = self.shared() {
            log.look_for_stall(patience);
        } else if let Some(journal) = self.awaited() {
            journal.look_for_stall(patience);
        }
    }

    /// Why replies cannot wait for the journal, in a sentence.
    pub fn why_not_durable(&self) -> &'static str {
        if let Some(log) = self.shared() {
            return log.why_not_durable();
        }
        match self.awaited().map(|journal| journal.health()) {
            Some(Health::Full(_)) => "The disk is full.",
            Some(Health::Slow(_)) => "The disk does not answer.",
            Some(Health::Poisoned(_)) => "The journal failed.",
            Some(Health::Fenced(_)) => {
                "Somebody else wrote to the journal, and the data is loaded from it again."
            }
            // It has just become good, but the batch came later than that.
            Some(Health::Good | Health::OnReserve(_)) | None => "The disk was not ready.",
        }
    }

    /// Lets a gate follow the journal, if there is one; otherwise it is open unless `is_loading`.
    pub fn add(&self, gate: &Gate, is_loading: bool) {
        let listener = gate.listener();
        if let Some(log) = self.shared() {
            return log.notify(listener);
        }
        let mut listeners = self.listeners.lock();
        match self.awaited() {
            Some(journal) => journal.notify(Arc::clone(&listener)),
            None if is_loading => {}
            None => open(&*listener),
        }
        listeners.push(listener);
    }

    /// The shard has this log, and will never have another one.
    pub fn share(&self, log: Arc<SharedLog>) {
        *self.held.write() = Held::Shared(log);
    }

    /// There is and will be no journal for now: no reply waits.
    pub fn set_none(&self) {
        *self.held.write() = Held::Nothing;
        for listener in &*self.listeners.lock() {
            open(&**listener);
        }
    }

    /// Batches go to this journal from now on.
    pub fn begin(&self, journal: &Arc<ShardJournal>) {
        *self.held.write() = Held::Begins(Arc::clone(journal));
    }

    /// Replies wait for this journal from now on.
    pub fn set_whole(&self, journal: &Arc<ShardJournal>) {
        for listener in &*self.listeners.lock() {
            journal.notify(Arc::clone(listener));
        }
        *self.held.write() = Held::Whole(Arc::clone(journal));
    }

    /// Commits what the journal was given, makes it durable and ends its thread.
    pub fn close(&self) {
        let is_beginning = self.is_beginning();
        let journal = self.end();
        if let Some(Err(fault)) = journal.map(|journal| journal.close())
            && !is_beginning
        {
            tracing::error!(%fault, "the journal was not closed in order");
        }
    }

    /// Gives up a new journal if it falls behind: no reply waits for it yet, so nothing else would
    /// slow the clients down. Returns whether it did.
    pub(crate) fn give_up_begin_that_falls_behind(&self) -> bool {
        let gives_up = self.taking().is_some_and(|journal| is_behind(&journal));
        if gives_up {
            self.end();
        }
        gives_up
    }

    /// The journal takes nothing more. Returns it, and whether replies wait for it.
    pub fn end(&self) -> Option<Arc<ShardJournal>> {
        let mut held = self.held.write();
        let (journal, next) = match std::mem::take(&mut *held) {
            Held::Nothing => return None,
            shared @ Held::Shared(_) => {
                *held = shared;
                return None;
            }
            Held::Begins(journal) => (journal, Held::Nothing),
            Held::Whole(journal) | Held::Ends(journal) => {
                (Arc::clone(&journal), Held::Ends(journal))
            }
        };
        *held = next;
        Some(journal)
    }
}

impl fmt::Debug for JournalSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = match *self.held.read() {
            Held::Nothing => "Nothing",
            Held::Begins(_) => "Begins",
            Held::Whole(_) => "Whole",
            Held::Ends(_) => "Ends",
            Held::Shared(_) => "Shared",
        };
        f.debug_tuple("JournalSlot").field(&held).finish()
    }
}

fn is_behind(journal: &Arc<ShardJournal>) -> bool {
    journal.backlog_bytes() > JOURNAL_BACKLOG_BYTES_MAX
}

/// Lets everything through.
fn open(listener: &dyn Listener) {
    listener.health_changed(&Health::Good);
    listener.released(Lsn::new(u64::MAX));
}
