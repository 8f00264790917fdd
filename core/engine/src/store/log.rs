//! Effects on their way to the journal: encoded once, grouped in atomic batches, numbered.
//!
//! The effects of one command or transaction are one batch. The shell takes the bytes with the
//! number of the last batch in them and hands both to its log; the engine never waits for it. Large
//! arguments of requests are not copied: the bytes refer to them.

use stream::Retention;

use crate::limits::BATCH_BYTES_MAX;
use crate::store::effect::encode::Out;
use crate::store::effect::{Effect, encode};
use crate::time::{Now, UnixMs};
use batch::{Encoded, Lsn};
use resp::Large;

/// Whether effects are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journalling {
    /// A log consumes them.
    On,
    /// Nothing does (a cache); batches are numbered all the same.
    Off,
    /// The effects come from a log. They are not encoded, and have the numbers that they have
    /// there.
    Replaying,
}

/// The encoded effects that no log has taken yet.
///
/// `encoded` and the numbers of batches advance apart: an effect is encoded at once, but its batch
/// gets a number only when the command or transaction ends ([`EffectLog::commit`]). So between an
/// effect and its commit the bytes are ahead of `last`, and must not be handed to a log: a crash
/// could then keep half a transaction. Taking the bytes is right only between batches, and the
/// shell does it under the lock in which the requests ran, so that bytes and numbers reach the log
/// in one order.
///
/// What is taken at once can be read by itself: it names database and time before its first
/// command, whatever was taken before.
#[derive(Debug)]
pub struct EffectLog {
    encoded: Encoded,
    journalling: Journalling,
    last: Lsn,
    /// The batch that is replayed; zero for what has no number.
    replayed: Lsn,
    /// The open batch: how many own bytes came before it, and how many effects it has.
    batch_start: usize,
    batch_effects: u32,
    /// How many bytes came before it in all, those included that it refers to.
    batch_start_all: usize,
    /// The database and time that the reader of `encoded` is at.
    database: Option<u16>,
    time: Option<UnixMs>,
    /// The same at the beginning of the open batch.
    begins_at: (Option<u16>, Option<UnixMs>),
    /// The open batch of a command that is not finished: bytes and effects.
    aside: Option<(Encoded, u32)>,
}

impl EffectLog {
    /// A log whose last batch was `last`.
    pub fn new(journalling: Journalling, last: Lsn) -> EffectLog {
        EffectLog {
            encoded: Encoded::default(),
            journalling,
            last,
            replayed: Lsn::ZERO,
            batch_start: 0,
            batch_effects: 0,
            batch_start_all: 0,
            database: None,
            time: None,
            begins_at: (None, None),
            aside: None,
        }
    }

    /// The number of the last complete batch.
    pub fn last(&self) -> Lsn {
        self.last
    }

    /// The number that the open batch will have if anything happens in it.
    #[inline]
    pub(crate) fn open(&self) -> Lsn {
        match self.journalling {
            Journalling::Replaying => self.replayed,
            Journalling::On | Journalling::Off => self.last.next(),
        }
    }

    /// Begins or ends encoding. What follows does not rely on what was taken before.
    pub(crate) fn set_journalling(&mut self, journalling: Journalling) {
        self.journalling = journalling;
        self.restart();
    }

    /// Returns whether the effects come from a log.
    #[inline]
    pub(crate) fn is_replaying(&self) -> bool {
        self.journalling == Journalling::Replaying
    }

    /// Sets the number of the last batch: everything up to it was replayed.
    pub(crate) fn set_last(&mut self, last: Lsn) {
        self.last = last;
    }

    /// What is replayed next is of this batch.
    pub(crate) fn replay_as(&mut self, replayed: Lsn) {
        self.replayed = replayed;
    }

    /// The next bytes name database and time again.
    fn restart(&mut self) {
        self.database = None;
        self.time = None;
        self.begins_at = (None, None);
    }

    /// Adds an effect to the open batch. `larges` are the large arguments of its request.
    #[inline]
    pub(crate) fn record(
        &mut self,
        database: u16,
        now: Now,
        effect: &Effect<'_>,
        larges: &[Large],
    ) {
        if self.journalling != Journalling::On {
            self.batch_effects = self.batch_effects.saturating_add(1);
            return;
        }
        self.set_time(now);
        if self.database.is_none() || !effect.names_its_databases() {
            self.set_database(database);
        }
        self.batch_effects += effect.encode(&mut Out {
            encoded: &mut self.encoded,
            larges,
        });
    }

    /// Adds to the open batch that a stream has this retention, as `encode` writes it. Adds nothing
    /// if a reader of the log would give it the same retention anyway.
    #[inline]
    pub(crate) fn record_retention(
        &mut self,
        database: u16,
        now: Now,
        key: &[u8],
        retention: Retention,
        encode: impl FnOnce(&mut Out<'_>, &[u8], Retention) -> u32,
    ) {
        if self.journalling == Journalling::On && retention != Retention::DEFAULT {
            self.set_time(now);
            self.set_database(database);
            let mut out = Out {
                encoded: &mut self.encoded,
                larges: &[],
            };
            self.batch_effects += encode(&mut out, key, retention);
        }
    }

    #[inline]
    fn set_time(&mut self, now: Now) {
        if self.time != Some(now.unix()) {
            self.time = Some(now.unix());
            encode::time(&mut self.encoded, now.unix());
        }
    }

    #[inline]
    fn set_database(&mut self, database: u16) {
        if self.database != Some(database) {
            self.database = Some(database);
            encode::select(&mut self.encoded, database);
        }
    }

    /// Ends the open batch, and returns its number if anything happened in it.
    #[inline]
    pub(crate) fn commit(&mut self) -> Option<Lsn> {
        if self.batch_effects == 0 {
            return None;
        }
        if self.batch_effects > 1 && self.journalling == Journalling::On {
            self.wrap_transaction();
        }
        self.batch_effects = 0;
        self.begin_batch();
        self.last = self.open().max(self.last);
        Some(self.last)
    }

    /// What follows is of the next batch.
    #[inline]
    fn begin_batch(&mut self) {
        self.batch_start = self.encoded.own_len();
        self.batch_start_all = self.encoded.len();
        self.begins_at = (self.database, self.time);
    }

    /// Returns whether the open batch has as many bytes as one may have before another command adds
    /// to it.
    pub(crate) fn is_batch_full(&self) -> bool {
        self.encoded.len().saturating_sub(self.batch_start_all) >= BATCH_BYTES_MAX
    }

    /// How many effects the open batch has.
    pub(crate) fn open_effects(&self) -> u32 {
        self.batch_effects
    }

    /// Puts the open batch aside, because its command is not finished: what is complete can be
    /// taken meanwhile. Until [`EffectLog::take_up`], nothing may be recorded.
    pub(crate) fn set_aside(&mut self) {
        let mut complete = self.encoded.split_front_own(self.batch_start);
        std::mem::swap(&mut self.encoded, &mut complete);
        let (database, time) = self.begins_at;
        let mut open = Encoded::default();
        if self.batch_effects > 0 && self.journalling == Journalling::On {
            // What names them may be taken without it.
            time.into_iter().for_each(|at| encode::time(&mut open, at));
            database
                .into_iter()
                .for_each(|database| encode::select(&mut open, database));
            // What was put aside before is not copied again.
            match open.is_empty() {
                true => open = complete,
                false => open.append(&mut complete),
            }
        }
        self.aside = Some((open, self.batch_effects));
        self.batch_effects = 0;
        self.restart();
    }

    /// Goes on with the batch that was put aside.
    pub(crate) fn take_up(&mut self) {
        if let Some((mut open, effects)) = self.aside.take() {
            self.begin_batch();
            self.batch_effects = effects;
            match self.encoded.is_empty() {
                true => self.encoded = open,
                false => self.encoded.append(&mut open),
            }
            self.restart();
        }
    }

    /// Returns whether the batch that was put aside has effects.
    pub(crate) fn has_aside(&self) -> bool {
        self.aside.as_ref().is_some_and(|(_, effects)| *effects > 0)
    }

    // Out of the way of what every request does.
    #[inline(never)]
    fn wrap_transaction(&mut self) {
        encode::wrap_transaction(&mut self.encoded, self.batch_start);
    }

    /// Returns whether bytes wait to be taken.
    pub fn has_bytes(&self) -> bool {
        !self.encoded.is_empty()
    }

    /// The bytes of all complete batches, the last of which is [`EffectLog::last`].
    pub fn encoded(&self) -> &Encoded {
        &self.encoded
    }

    /// The same, for a log that takes them.
    pub(crate) fn encoded_mut(&mut self) -> &mut Encoded {
        &mut self.encoded
    }

    /// Forgets the bytes once the log has them; their room is kept for the next ones, which do not
    /// rely on these.
    pub fn clear(&mut self) {
        self.encoded.clear();
        self.batch_start = 0;
        self.batch_start_all = 0;
        self.restart();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::effect::DatabaseChange;

    #[test]
    fn what_was_put_aside_is_not_copied_again() {
        let mut log = EffectLog::new(Journalling::On, Lsn::ZERO);
        let flush = Effect::Database(DatabaseChange::Flush);
        log.record(3, Now::default(), &flush, &[]);
        let place = |log: &EffectLog| {
            let (open, _) = log.aside.as_ref().unwrap();
            (open.slices().next().map(<[u8]>::as_ptr), open.len())
        };
        log.set_aside();
        let first = place(&log);
        for _ in 0..3 {
            log.take_up();
            log.set_aside();
            assert_eq!(place(&log), first);
        }
        log.take_up();
        log.record(3, Now::default(), &flush, &[]);
        let last = log.commit().unwrap();
        assert_eq!((log.last(), last), (last, Lsn::ZERO.next()));
    }
}
