//! Fields of hashes whose time is over: those that a command names are removed when it meets them,
//! and all of them are hidden until they go.

use values::{Fields, Hash};

use super::{Overdue, Store};
use crate::error::CmdError;
use crate::store::effect::{Effect, hash};

impl Store<'_> {
    /// Fields with a deadline up to this time, in milliseconds since the epoch, are over: the time
    /// of the command, or 0 in a replay, which says itself when they go.
    #[inline]
    pub fn over_ms(&self) -> u64 {
        self.over_at().since_epoch()
    }

    /// The fields of the hash that a key holds.
    ///
    /// # Errors
    /// `WRONGTYPE` if it is of another type.
    #[inline]
    pub fn fields(&mut self, key: &[u8]) -> Result<Option<Fields<'_>>, CmdError> {
        let over_ms = self.over_ms();
        let hash = self.get::<Hash>(key)?;
        Ok(hash.map(|hash| hash.as_of(over_ms)))
    }

    /// The same for a command that names some fields: those of them whose time is over are removed.
    ///
    /// # Errors
    /// The same.
    #[inline]
    pub fn fields_named<'f>(
        &mut self,
        key: &[u8],
        named: impl Iterator<Item = &'f [u8]>,
    ) -> Result<Option<Fields<'_>>, CmdError> {
        self.pass_over_fields(key, named);
        self.fields(key)
    }

    /// Removes those of these fields whose time is over, unless they must stay.
    #[inline]
    pub(crate) fn pass_over_fields<'f>(
        &mut self,
        key: &[u8],
        named: impl Iterator<Item = &'f [u8]>,
    ) {
        let any = self.data.keyspace.expiring_parts(self.database) > 0;
        if any && self.overdue == Overdue::Removed {
            self.remove_over(key, named);
        }
    }

    #[cold]
    fn remove_over<'f>(&mut self, key: &[u8], named: impl Iterator<Item = &'f [u8]>) {
        let (now, over_ms) = (self.now.unix(), self.over_ms());
        let hash = self.hash(key);
        let record = self.data.keyspace.find(self.database, hash, key);
        // A key that is gone as a whole goes as a whole.
        let record = record.filter(|record| !record.is_expired(now));
        let fields = record.and_then(|record| record.value().get::<Hash>());
        let Some(fields) = fields.filter(|fields| fields.over(over_ms) > 0) else {
            return;
        };
        let is_over = |field: &&[u8]| fields.deadline(field).is_some_and(|at| at <= over_ms);
        let over: Vec<&[u8]> = named.filter(is_over).collect();
        self.expire_fields(key, &over);
    }

    /// Removes fields whose time is over, but not all that there are. Returns how many.
    pub(crate) fn expire_fields(&mut self, key: &[u8], fields: &[&[u8]]) -> u64 {
        let expire = hash::HashChange::Expire { fields };
        let expire = Effect::on(key, expire);
        let removed = self.by_nobody(|store| store.apply(&expire, hash::events::HEXPIRED));
        self.data.stats.expired_fields += removed;
        removed
    }
}
