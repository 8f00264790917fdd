//! What delayed entries mean for the other parts of a stream.

use triomphe::Arc;

use super::Stream;
use crate::delayed::{Delayed, DelayedEntry, DelayedOptions, TICKET_NUMBER_MAX, Ticket};
use crate::entries::OutOfOrder;
use crate::idempotence::Remembered;
use crate::{NodeLimits, StreamId};

impl Stream {
    /// The entries that wait; `None` if none ever did.
    #[inline]
    pub fn delayed(&self) -> Option<&Delayed> {
        self.delayed.as_deref()
    }

    /// When the next delayed entry is due, in milliseconds since the epoch. While no ID is left,
    /// none is.
    #[inline]
    pub fn delayed_due_ms(&self) -> Option<u64> {
        let first = self.delayed.as_deref()?.first()?;
        (self.last_id != StreamId::MAX).then_some(first.ticket.due_ms)
    }

    /// The next ticket for an entry that is due then; `None` if there are no numbers left.
    pub fn next_ticket(&self, due_ms: u64) -> Option<Ticket> {
        let last = self.delayed.as_deref().map_or(0, Delayed::last_number);
        (last < TICKET_NUMBER_MAX).then(|| Ticket {
            due_ms,
            number: last + 1,
        })
    }

    /// The delayed entry of a producer's iid, as long as it waits. Few streams have any.
    #[inline]
    pub fn delayed_iid(&self, producer: &[u8], iid: &[u8]) -> Option<DelayedEntry<'_>> {
        match &self.delayed {
            None => None,
            Some(_) => self.find_delayed_iid(producer, iid),
        }
    }

    #[cold]
    fn find_delayed_iid(&self, producer: &[u8], iid: &[u8]) -> Option<DelayedEntry<'_>> {
        let delayed = self.delayed.as_deref()?;
        delayed.find_iid(self.idempotence.hash_of(producer, iid), producer, iid)
    }

    /// Lets an entry wait under a ticket that none has: names and values in turn.
    pub fn delay<'f>(
        &mut self,
        ticket: Ticket,
        options: &DelayedOptions<'_>,
        fields: impl ExactSizeIterator<Item = &'f [u8]>,
    ) {
        let idempotent = options.idempotent;
        let hash = idempotent.map(|(producer, iid)| self.idempotence.hash_of(producer, iid));
        let delayed = Arc::make_mut(self.delayed.get_or_insert_default());
        delayed.insert(ticket, options, fields, hash);
    }

    /// Sets the number of the last ticket, for a stream that is read from a file.
    pub fn raise_last_ticket(&mut self, number: u64) {
        Arc::make_mut(self.delayed.get_or_insert_default()).raise_last_number(number);
    }

    /// Takes back an entry that waits, at `now_ms`. Its iid stays remembered as if it had been
    /// added then, and stands for no entry ([`StreamId::MIN`]): a late retry does not bring it
    /// back. Returns whether it waited.
    pub fn undelay(&mut self, ticket: Ticket, now_ms: u64) -> bool {
        let Some(delayed) = &mut self.delayed else {
            return false;
        };
        let idempotence = &mut self.idempotence;
        let hash = |producer: &[u8], iid: &[u8]| idempotence.hash_of(producer, iid);
        let Some(taken) = Arc::make_mut(delayed).take(ticket, hash) else {
            return false;
        };
        let entry = taken.entry();
        let idempotent = entry.options.idempotent;
        // Where iids have become numbers meanwhile, this one is none.
        if let Some((producer, iid)) = idempotent.filter(|_| !idempotence.is_monotone()) {
            let record = Remembered {
                iid,
                id: StreamId::MIN,
                added_at_ms: now_ms,
            };
            idempotence.restore_record(producer, record, now_ms);
            idempotence.restore_message(producer, StreamId::MIN, None);
        }
        true
    }

    /// Appends an entry that waited, with this ID, and remembers its iid as added at
    /// `added_at_ms`. Returns whether it waited.
    ///
    /// # Errors
    /// [`OutOfOrder`] if `id` is not above the last one; nothing has changed then.
    pub fn append_delayed(
        &mut self,
        ticket: Ticket,
        id: StreamId,
        limits: NodeLimits,
        added_at_ms: u64,
    ) -> Result<bool, OutOfOrder> {
        if id <= self.last_id {
            return Err(OutOfOrder { id });
        }
        let idempotence = &self.idempotence;
        let hash = |producer: &[u8], iid: &[u8]| idempotence.hash_of(producer, iid);
        let delayed = self.delayed.as_mut();
        let Some(taken) = delayed.and_then(|delayed| Arc::make_mut(delayed).take(ticket, hash))
        else {
            return Ok(false);
        };
        let entry = taken.entry();
        self.append(id, entry.fields.clone(), limits)?;
        if let Some((producer, iid)) = entry.options.idempotent {
            self.idempotence.record(producer, iid, id, added_at_ms);
            if self.idempotence.keeps_messages() && !self.idempotence.is_monotone() {
                self.idempotence
                    .record_message(producer, iid, id, entry.fields.clone());
            }
        }
        Ok(true)
    }
}
