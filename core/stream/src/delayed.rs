//! Entries that are not in the stream yet: each is appended once its time has come.
//!
//! A delayed entry is known by its ticket, which begins with when it is due. So one order answers
//! both what comes next and where a ticket is: texts in pages that are copied when they are
//! written, as sorted sets have them, each a ticket and what is to be appended. Idempotent ones
//! have a second place, by producer and iid, so that a retry finds its ticket however long the
//! entry waits.

#[cfg(test)]
mod tests;
mod ticket;
mod waiting;

use collections::Sorted;
use collections::directory::Directory;

use ticket::ByTicket;
use waiting::Packed;

pub use ticket::{InvalidTicket, TICKET_TEXT_BYTES_MAX, Ticket};
pub use waiting::{DelayedEntry, DelayedFields, DelayedOptions};

/// The greatest time at which an entry may be due and the greatest number of a ticket, because
/// clients read both as signed 64-bit numbers.
pub const TICKET_NUMBER_MAX: u64 = i64::MAX as u64;

/// The delayed entries of a stream.
#[derive(Clone, Default)]
pub struct Delayed {
    waiting: Sorted<ByTicket>,
    /// The idempotent ones.
    iids: Directory<OfIid>,
    /// The number of the last ticket. It only grows, so that no ticket is given out twice.
    last_number: u64,
}

/// Where an idempotent entry waits. Whose it is stands there.
#[derive(Clone, Copy)]
struct OfIid {
    hash: u64,
    ticket: Ticket,
}

fn hash_of(place: &OfIid) -> u64 {
    place.hash
}

impl std::fmt::Debug for Delayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.iter().map(|entry| entry.ticket);
        f.debug_list().entries(waiting).finish()
    }
}

impl Delayed {
    /// The number of the last ticket that was given out; 0 if none was.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// Sets it, for a stream that is read from a file. It never goes down.
    pub(crate) fn raise_last_number(&mut self, number: u64) {
        self.last_number = self.last_number.max(number);
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The entry that is due next.
    pub fn first(&self) -> Option<DelayedEntry<'_>> {
        self.waiting.get(0).map(DelayedEntry::of)
    }

    /// The entry with this ticket.
    pub fn find(&self, ticket: Ticket) -> Option<DelayedEntry<'_>> {
        let rank = self.waiting.rank_at(ticket.to_bytes()).ok()?;
        self.waiting.get(rank).map(DelayedEntry::of)
    }

    /// All entries in the order in which they are due.
    pub fn iter(&self) -> impl Iterator<Item = DelayedEntry<'_>> {
        self.waiting.iter().map(DelayedEntry::of)
    }

    /// Those behind this ticket, which need not wait any more.
    pub fn after(&self, ticket: Ticket) -> impl ExactSizeIterator<Item = DelayedEntry<'_>> + Clone {
        let from = match self.waiting.rank_at(ticket.to_bytes()) {
            Ok(rank) => rank + 1,
            Err(rank) => rank,
        };
        let behind = self.waiting.range(from, self.waiting.len());
        behind.map(DelayedEntry::of)
    }

    /// The entry of a producer's iid. `hash` is what both hash to.
    pub(crate) fn find_iid(
        &self,
        hash: u64,
        producer: &[u8],
        iid: &[u8],
    ) -> Option<DelayedEntry<'_>> {
        let is_it = |place: &OfIid| {
            let found = self.find(place.ticket);
            place.hash == hash
                && found.is_some_and(|entry| entry.options.idempotent == Some((producer, iid)))
        };
        let place = self.iids.find(hash, is_it)?;
        self.find(place.ticket)
    }

    /// Lets an entry wait, unless its ticket does so already. `hash` is what its producer and iid
    /// hash to, if it has them.
    pub(crate) fn insert<'f>(
        &mut self,
        ticket: Ticket,
        options: &DelayedOptions<'_>,
        fields: impl ExactSizeIterator<Item = &'f [u8]>,
        hash: Option<u64>,
    ) {
        self.raise_last_number(ticket.number);
        let is_new = self.waiting.insert(&waiting::pack(ticket, options, fields));
        if let Some(hash) = hash.filter(|_| is_new) {
            self.iids.insert(hash, OfIid { hash, ticket }, hash_of);
        }
    }

    /// Takes an entry out. `hash` as for [`Delayed::insert`].
    pub(crate) fn take(
        &mut self,
        ticket: Ticket,
        hash: impl FnOnce(&[u8], &[u8]) -> u64,
    ) -> Option<Packed> {
        let taken = Packed::of(&self.find(ticket)?);
        if let Some((producer, iid)) = taken.entry().options.idempotent {
            let is_it = |place: &OfIid| place.ticket == ticket;
            self.iids.remove(hash(producer, iid), is_it, hash_of, 0);
        }
        self.waiting.remove_at(ticket.to_bytes());
        Some(taken)
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        let places = self.iids.len() * (size_of::<OfIid>() * 3 / 2);
        size_of::<Delayed>() + self.waiting.heap_bytes() + places
    }

    /// About how many bytes are freed with it, without a walk.
    pub(crate) fn weight(&self) -> usize {
        self.waiting.weight() + self.iids.len() * size_of::<OfIid>()
    }
}
