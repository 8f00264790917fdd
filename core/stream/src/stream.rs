//! The stream: entries, groups, idempotence, and the counters that outlive entries.
//!
//! What concerns only one part is in that part. Here is what spans them: which ID comes next, what
//! a trim or a deletion means for the groups, how far a group lags behind. Methods that answer a
//! question change nothing. The mutators are total, so that the same calls on the same state give
//! the same state in any process.

use resp::Reply;
use triomphe::Arc;

use crate::counters::Counters;
use crate::delayed::Delayed;
use crate::entries::{Entries, OutOfOrder, PackJob, Removed};
use crate::groups::Groups;
use crate::idempotence::{Forgotten, Idempotence, Retention};
use crate::idle_consumers::IdleLooks;
use crate::limits::WEIGHED_CHUNKS;
use crate::node::NodeLimits;
use crate::packed::Unpacked;
use crate::range::EntryRef;
use crate::settings::{Configured, GroupSettings, StreamSettings};
use crate::trim::{Cut, References, Retaining, Trim, Trimmed};
use crate::{Group, StreamId, trim};

/// A stream. Cloning it gives a frozen view that shares everything large.
#[derive(Clone, Debug)]
pub struct Stream {
    entries: Entries,
    groups: Groups,
    idempotence: Idempotence,
    last_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
    settings: Configured<StreamSettings>,
    /// Made by the first entry that is delayed.
    delayed: Option<Arc<Delayed>>,
    /// There while the settings bound how much stays.
    retaining: Option<Box<Retaining>>,
    /// There while a group wants idle consumers to go.
    idle_looks: Option<Box<IdleLooks>>,
}

/// The parts of a stream that is read from a file or comes from a peer.
#[derive(Clone, Debug)]
pub struct StreamParts {
    /// What is in the stream.
    pub entries: Entries,
    /// Who reads it.
    pub groups: Groups,
    /// Which appends it remembers.
    pub idempotence: Idempotence,
    /// The greatest ID that was given out.
    pub last_id: StreamId,
    /// The greatest ID that was deleted other than by trimming, or `0-0`.
    pub max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub entries_added: u64,
}

/// The greatest count of added entries, because clients read it as a signed 64-bit number. The
/// count stops there.
pub const ENTRIES_ADDED_MAX: u64 = i64::MAX as u64;

impl Stream {
    /// An empty stream, which remembers producers under these bounds. `hash_seed` as for
    /// [`Idempotence::new`].
    pub fn new(retention: Retention, hash_seed: u64) -> Stream {
        Stream {
            entries: Entries::new(),
            groups: Groups::new(),
            idempotence: Idempotence::new(retention, hash_seed),
            last_id: StreamId::MIN,
            max_deleted_id: StreamId::MIN,
            entries_added: 0,
            settings: Configured::default(),
            delayed: None,
            retaining: None,
            idle_looks: None,
        }
    }

    /// A stream of these parts. Counters that contradict the entries are raised to fit them, those
    /// of the groups lowered.
    pub fn from_parts(parts: StreamParts) -> Stream {
        let StreamParts {
            mut entries,
            groups,
            idempotence,
            last_id,
            max_deleted_id,
            entries_added,
        } = parts;
        let top = entries.last().map_or(StreamId::MIN, |entry| entry.id());
        let last_id = last_id.max(top);
        entries.allow_above(last_id);
        let mut stream = Stream {
            last_id,
            entries_added: entries_added.max(entries.len()).min(ENTRIES_ADDED_MAX),
            entries,
            groups,
            idempotence,
            max_deleted_id,
            settings: Configured::default(),
            delayed: None,
            retaining: None,
            idle_looks: None,
        };
        stream.bound_groups();
        stream
    }

    /// Appends an entry: names and values in turn. [`Stream::check_id`] has allowed the ID.
    ///
    /// # Errors
    /// [`OutOfOrder`] if `id` is not above the last one; nothing has changed then.
    #[inline]
    pub fn append<'f>(
        &mut self,
        id: StreamId,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
        limits: NodeLimits,
    ) -> Result<(), OutOfOrder> {
        if id <= self.last_id {
            return Err(OutOfOrder { id });
        }
        self.entries.append(id, fields, limits)?;
        self.appended(id);
        Ok(())
    }

    /// The same, in memory that was made for the entry. If it does not fit in, or shares a chunk
    /// with others, that memory is not used.
    ///
    /// # Errors
    /// As [`Stream::append`].
    pub fn append_in<'f>(
        &mut self,
        id: StreamId,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
        limits: NodeLimits,
        memory: Vec<u8>,
    ) -> Result<(), OutOfOrder> {
        if id <= self.last_id {
            return Err(OutOfOrder { id });
        }
        self.entries.append_in(id, fields, limits, memory)?;
        self.appended(id);
        Ok(())
    }

    #[inline]
    fn appended(&mut self, id: StreamId) {
        self.last_id = id;
        self.entries_added = (self.entries_added + 1).min(ENTRIES_ADDED_MAX);
    }

    /// Removes what a [`Cut`] goes through. With [`References::Acknowledged`] entries that the
    /// groups are not done with stay; with [`References::Delete`] nothing up to there stays
    /// pending, nor does what was deleted before. Most of the memory of many entries goes to
    /// `removed`.
    pub fn trim(
        &mut self,
        through: StreamId,
        references: References,
        removed: &mut Removed,
    ) -> Trimmed {
        let before = self.entries.len();
        let mut trimmed = Trimmed::default();
        match references {
            References::Keep => {}
            References::Delete => {
                self.groups.expect_questions(1);
                trimmed.references = self.groups.forget_through(through);
            }
            References::Acknowledged if self.groups.is_empty() => {}
            References::Acknowledged => {
                // Entries before the first pending one are removed at once, the others one by one.
                self.groups.expect_questions(1);
                self.groups.expect_walk(&self.entries, through, u64::MAX);
                let gap = self.groups.settled_below();
                if let Some(whole) = gap.previous() {
                    self.entries.take_through(whole.min(through), removed);
                }
                let ids: Vec<_> = self.groups.settled(&self.entries, gap, through).collect();
                for id in ids {
                    self.entries.delete(id);
                    self.groups.entry_deleted(id);
                }
                trimmed.entries = before - self.entries.len();
                return trimmed;
            }
        }
        trimmed.entries = self.entries.take_through(through, removed);
        trimmed
    }

    /// Deletes an entry, as `XDEL`, `XDELEX` and `XACKDEL` do.
    ///
    /// [`References::Delete`] forgets references even if the entry is gone already.
    pub fn delete(&mut self, id: StreamId, references: References) -> Deletion {
        let is_referenced =
            references == References::Acknowledged && !self.groups.acknowledged_by_all(id);
        if is_referenced && self.entries.contains(id) {
            return Deletion::Referenced;
        }
        if references == References::Delete {
            self.groups.forget(id);
        }
        if !self.entries.delete(id) {
            return Deletion::NotFound;
        }
        self.groups.entry_deleted(id);
        self.max_deleted_id = self.max_deleted_id.max(id);
        Deletion::Deleted
    }

    /// Does what [`Stream::check_set_id`] has allowed. The top entry's ID is a lower bound of the
    /// last ID in any case, and afterwards no group has read more than was added.
    pub fn set_id(&mut self, set: &SetId) {
        let top = self
            .entries
            .last()
            .map_or(StreamId::MIN, |entry| entry.id());
        self.last_id = set.last_id.max(top);
        self.entries.allow_above(self.last_id);
        if let Some(entries_added) = set.entries_added {
            self.entries_added = entries_added.max(self.entries.len()).min(ENTRIES_ADDED_MAX);
        }
        if let Some(max_deleted_id) = set.max_deleted_id.filter(|&id| id != StreamId::MIN) {
            self.max_deleted_id = max_deleted_id;
        }
        self.bound_groups();
    }

    /// Gives a group this name, in place of one that had it. Its read counter is bounded
    /// ([`Stream::bounded_read`]).
    pub fn insert_group(&mut self, name: &[u8], mut group: Group) {
        let last_delivered = group.last_delivered();
        group.set_id(
            last_delivered,
            self.bounded_read(last_delivered, group.entries_read()),
        );
        if group.idle_consumers_ms().is_some() {
            self.look_for_idle_consumers_again();
        }
        self.groups.insert(name, group);
    }

    /// Sets how far a group has read, and bounds its read counter. Returns whether there is a group
    /// of this name.
    pub fn set_group_id(
        &mut self,
        name: &[u8],
        last_delivered: StreamId,
        entries_read: Option<u64>,
    ) -> bool {
        let entries_read = self.bounded_read(last_delivered, entries_read);
        let set = |group: &mut Group| group.set_id(last_delivered, entries_read);
        self.groups.edit(name, set).is_some()
    }

    /// Sets what the stream was told. If that changes a setting, returns what is forgotten because
    /// of it, to be dropped where nobody waits.
    pub fn set_settings(&mut self, settings: &StreamSettings) -> Option<Forgotten> {
        if !self.settings.set(settings) {
            return None;
        }
        self.retaining = Retaining::of(&settings.retain);
        Some(self.idempotence.follow(settings))
    }

    /// The same for a group. Returns whether that changed a setting; `None` if there is no group of
    /// this name.
    pub fn set_group_settings(&mut self, name: &[u8], settings: &GroupSettings) -> Option<bool> {
        let (before, changed) = self.groups.edit(name, |group| {
            let before = group.idle_consumers_ms();
            (before, group.set_settings(settings))
        })?;
        let now = self.groups.find(name).and_then(Group::idle_consumers_ms);
        if now.is_some() && now != before {
            self.look_for_idle_consumers_again();
        }
        Some(changed)
    }

    /// Lowers the counters of groups that have read more than was added.
    fn bound_groups(&mut self) {
        self.groups.expect_questions(1);
        let names = self.groups.read_above(self.entries_added);
        for name in names {
            if let Some(group) = self.groups.find(&name) {
                let (last_delivered, entries_read) = (group.last_delivered(), group.entries_read());
                self.set_group_id(&name, last_delivered, entries_read);
            }
        }
    }

    /// Returns whether entries may be delayed, or go because of bounds, or consumers because they
    /// are idle: if not, [`Stream::delayed_due_ms`], [`Stream::retention_due_ms`] and
    /// [`Stream::idle_look_due_ms`] give no time.
    #[inline]
    pub fn has_rare_deadlines(&self) -> bool {
        self.delayed.is_some() || self.retaining.is_some() || self.idle_looks.is_some()
    }

    /// Returns whether there may be chunks to pack that do not wait yet.
    #[inline]
    pub fn has_to_wait_for_packing(&self) -> bool {
        self.entries.has_to_wait_for_packing()
    }

    /// Lets the chunks that there are to pack wait until then, in milliseconds since the epoch.
    pub fn wait_for_packing(&mut self, until_ms: u64) {
        self.entries.wait_for_packing(until_ms, self.last_id);
    }

    /// The same for chunks that have waited up to that entry.
    pub fn wait_longer_for_packing(&mut self, until_ms: u64, through: StreamId) {
        self.entries.wait_for_packing(until_ms, through);
    }

    /// Ends the wait. Returns up to where chunks waited.
    pub fn end_wait_for_packing(&mut self) -> Option<StreamId> {
        self.entries.end_wait_for_packing()
    }

    /// Packs all that can be packed, here and now, however new.
    pub fn pack(&mut self) {
        self.entries.end_wait_for_packing();
        self.entries.pack();
    }

    /// The next full chunks to be packed; see [`Entries::packing_jobs`].
    pub fn packing_jobs(&mut self, chunks_max: usize, through: StreamId) -> Vec<PackJob> {
        self.entries.packing_jobs(chunks_max, through)
    }

    /// Accepts a chunk that was packed; see [`Entries::finish_packing`].
    pub fn finish_packing(&mut self, job: &mut PackJob) {
        self.entries.finish_packing(job);
    }

    /// The groups, to be changed.
    #[inline]
    pub fn groups_mut(&mut self) -> &mut Groups {
        &mut self.groups
    }

    /// The remembered appends, to be changed.
    #[inline]
    pub fn idempotence_mut(&mut self) -> &mut Idempotence {
        &mut self.idempotence
    }

    /// The entries.
    #[inline]
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The groups.
    #[inline]
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The remembered appends.
    #[inline]
    pub fn idempotence(&self) -> &Idempotence {
        &self.idempotence
    }

    /// What the stream was told beyond what Redis' streams can be.
    #[inline]
    pub fn settings(&self) -> &Configured<StreamSettings> {
        &self.settings
    }

    /// Returns whether it has anything that Redis' form of a stream has no place for: settings of
    /// its own or of a group, epochs of producers, tickets, or entries with a pause.
    pub fn is_beyond_redis(&self) -> bool {
        let configured =
            |(_, group): (_, &Group)| !group.settings().is_empty() || group.knows_pauses();
        !self.settings.is_empty()
            || self.idempotence.is_beyond_redis()
            || self.delayed.is_some()
            || self.groups.iter().any(configured)
    }

    /// The number of entries.
    #[inline]
    pub fn len(&self) -> u64 {
        self.entries.len()
    }

    /// Returns whether there are no entries. An empty stream is still a key.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads a little of each part that an append looks at or changes, to have it in the
    /// processor's caches. What comes out of it means nothing.
    #[inline]
    pub fn peek(&self) -> u64 {
        let own = self.last_id.seq ^ self.max_deleted_id.seq ^ self.entries_added;
        let forgets = self.idempotence.next_deadline_ms().unwrap_or_default();
        own ^ self.entries.peek() ^ forgets ^ u64::from(self.groups.is_empty())
    }

    /// The greatest ID that was given out, or set by `XSETID`.
    #[inline]
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The ID of the first entry; `0-0` if there is none.
    pub fn first_id(&self) -> StreamId {
        self.entries.first_id().unwrap_or(StreamId::MIN)
    }

    /// The greatest ID that was deleted; trimming does not count. `0-0` if there is none.
    #[inline]
    pub fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// Returns how many entries were ever added; at most [`ENTRIES_ADDED_MAX`].
    #[inline]
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// The entry with this ID.
    #[inline]
    pub fn entry(&self, id: StreamId) -> Option<EntryRef<'_>> {
        self.entries.entry(id)
    }

    /// Writes up to `limit` entries from `start` to `end`; see [`Entries::write_range`].
    #[inline]
    pub fn write_range(
        &self,
        start: StreamId,
        end: StreamId,
        limit: u64,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
    ) -> u64 {
        self.entries.write_range(start, end, limit, unpacked, reply)
    }

    /// The ID that the clock gives (`*`): that of `now_ms`, or the next one up if it is not above
    /// the last.
    ///
    /// # Errors
    /// [`IdRefused::Exhausted`].
    #[inline]
    pub fn next_id(&self, now_ms: u64) -> Result<StreamId, IdRefused> {
        if now_ms > self.last_id.ms {
            return Ok(StreamId { ms: now_ms, seq: 0 });
        }
        self.last_id.next().ok_or(IdRefused::Exhausted)
    }

    /// The first free ID of a millisecond (`ms-*`).
    ///
    /// # Errors
    /// [`IdRefused`] if there is none.
    pub fn next_id_in(&self, ms: u64) -> Result<StreamId, IdRefused> {
        if self.last_id == StreamId::MAX {
            return Err(IdRefused::Exhausted);
        }
        if ms > self.last_id.ms {
            return Ok(StreamId { ms, seq: 0 });
        }
        let next = self.last_id.next().filter(|next| next.ms == ms);
        next.ok_or(IdRefused::NotAboveTop)
    }

    /// Returns whether an entry may be appended with this ID.
    ///
    /// # Errors
    /// [`IdRefused`] says why not.
    #[inline]
    pub fn check_id(&self, id: StreamId) -> Result<(), IdRefused> {
        if id > self.last_id {
            return Ok(());
        }
        Err(match id {
            StreamId::MIN => IdRefused::Zero,
            _ if self.last_id == StreamId::MAX => IdRefused::Exhausted,
            _ => IdRefused::NotAboveTop,
        })
    }

    /// Returns whether `XSETID` may do this.
    ///
    /// # Errors
    /// [`SetIdRefused`] says why not.
    pub fn check_set_id(&self, set: &SetId) -> Result<(), SetIdRefused> {
        set.check()?;
        if set.last_id < self.max_deleted_id {
            return Err(SetIdRefused::BelowMaxDeleted);
        }
        if self
            .entries
            .last()
            .is_some_and(|top| set.last_id < top.id())
        {
            return Err(SetIdRefused::BelowTop);
        }
        match set.entries_added {
            Some(entries_added) if entries_added < self.len() => Err(SetIdRefused::AddedBelowLen),
            _ => Ok(()),
        }
    }

    /// Prepares for planning a trim, where that saves work. Nothing else can tell whether it has,
    /// and how far. Returns how many entries were looked at for that.
    pub fn prepare_trim(&mut self, trim: &Trim, references: References) -> u64 {
        trim::prepare(&self.entries, &mut self.groups, trim, references)
    }

    /// Returns whether [`Stream::prepare_trim`], or [`Groups::expect_questions`] before groups are
    /// asked about entries, may have something to do.
    pub fn has_to_prepare(&self, references: References) -> bool {
        match references {
            References::Keep => false,
            References::Delete => self.groups.is_asked_in_turn(),
            References::Acknowledged => !self.groups.is_empty(),
        }
    }

    /// What a trim would remove; `None` if nothing. `XADD` plans its trim after the append.
    pub fn plan_trim(&self, trim: &Trim, references: References) -> Option<Cut> {
        trim::plan(&self.entries, &self.groups, trim, references)
    }

    /// Returns whether a trim may remove something once another entry was appended: most do not,
    /// and this is cheap to know before.
    #[inline]
    pub fn may_trim_after_append(&self, trim: &Trim, references: References) -> bool {
        trim::may_cut_after_append(&self.entries, trim, references)
    }

    /// The figures from which the read counters of groups follow.
    pub fn counters(&self) -> Counters {
        Counters {
            entries_added: self.entries_added,
            len: self.len(),
            first_id: self.first_id(),
            last_id: self.last_id,
            max_deleted_id: self.max_deleted_id,
        }
    }

    /// Returns how many entries a group has yet to read: by Redis' rule if that gives a number,
    /// otherwise by counting the entries above its last-delivered ID.
    pub fn lag(&self, group: &Group) -> u64 {
        let last_delivered = group.last_delivered();
        let lag = self.counters().lag(last_delivered, group.entries_read());
        lag.unwrap_or_else(|| self.entries.count_above(last_delivered))
    }

    /// What a group has read after these entries were delivered to it, in ascending order.
    pub fn entries_read_after(&self, group: &Group, delivered: &[StreamId]) -> Option<u64> {
        let last_delivered = group.last_delivered();
        let read = group.entries_read();
        let read = self
            .counters()
            .entries_read_after(last_delivered, read, delivered);
        let last = delivered.last().copied().unwrap_or(StreamId::MIN);
        self.bounded_read(last_delivered.max(last), read)
    }

    /// What a group can have read up to this ID. No group has read more than was added: one whose
    /// counter says so has read everything except the entries that are still ahead.
    pub fn bounded_read(&self, last_delivered: StreamId, entries_read: Option<u64>) -> Option<u64> {
        let read = entries_read?;
        if read <= self.entries_added {
            return Some(read);
        }
        Some(self.entries_added - self.entries.count_above(last_delivered))
    }

    /// Returns how many entries were ever added up to this ID, by counting those above; `None` if
    /// one of them was deleted, or if the ID is above all that were given out.
    pub fn count_up_to(&self, id: StreamId) -> Option<u64> {
        if id > self.last_id || self.counters().is_gap_above(id) {
            return None;
        }
        Some(self.entries_added - self.entries.count_above(id))
    }

    /// About how many bytes it takes, estimated from a few of its chunks and from counts.
    pub fn weight(&self) -> usize {
        let remembered = self.idempotence.allocated_bytes();
        let delayed = self.delayed().map_or(0, Delayed::weight);
        self.entries.heap_bytes(WEIGHED_CHUNKS) + self.groups.weight() + remembered + delayed
    }

    /// Bytes on the heap. Looks at about `samples` chunks, at all of them if that is 0.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        self.entries.heap_bytes(samples)
            + self.groups.heap_bytes()
            + self.settings.heap_bytes()
            + self.delayed().map_or(0, Delayed::heap_bytes)
            + self.retaining.as_deref().map_or(0, size_of_val)
            + self.idle_looks.as_deref().map_or(0, size_of_val)
            + self.idempotence.allocated_bytes()
    }
}

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// There is no such entry.
    NotFound,
    /// The entry is gone.
    Deleted,
    /// The entry stays: some group is not done with it.
    Referenced,
}

/// What `XSETID` sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetId {
    /// The last ID.
    pub last_id: StreamId,
    /// `ENTRIESADDED`.
    pub entries_added: Option<u64>,
    /// `MAXDELETEDID`; `0-0` leaves it as it is.
    pub max_deleted_id: Option<StreamId>,
}

impl SetId {
    /// Returns whether this makes sense for any stream. Redis checks it before it looks for the
    /// key.
    ///
    /// # Errors
    /// [`SetIdRefused::BelowGivenMaxDeleted`].
    pub fn check(&self) -> Result<(), SetIdRefused> {
        if self
            .max_deleted_id
            .is_some_and(|max_deleted_id| self.last_id < max_deleted_id)
        {
            return Err(SetIdRefused::BelowGivenMaxDeleted);
        }
        Ok(())
    }
}

/// Why an ID cannot be appended. Displays what Redis says after `ERR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdRefused {
    /// `0-0` is below every entry.
    #[error("The ID specified in XADD must be greater than 0-0")]
    Zero,
    /// It is not above the last ID.
    #[error("The ID specified in XADD is equal or smaller than the target stream top item")]
    NotAboveTop,
    /// The last ID is the greatest there is.
    #[error("The stream has exhausted the last possible ID, unable to add more items")]
    Exhausted,
}

/// Why `XSETID` cannot be done. Displays what Redis says after `ERR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetIdRefused {
    /// The last ID would be below the greatest deleted one that the same command sets.
    #[error("The ID specified in XSETID is smaller than the provided max_deleted_entry_id")]
    BelowGivenMaxDeleted,
    /// The last ID would be below the greatest deleted one.
    #[error("The ID specified in XSETID is smaller than current max_deleted_entry_id")]
    BelowMaxDeleted,
    /// The last ID would be below an entry's.
    #[error("The ID specified in XSETID is smaller than the target stream top item")]
    BelowTop,
    /// More entries are here than would ever have been added.
    #[error("The entries_added specified in XSETID is smaller than the target stream length")]
    AddedBelowLen,
}

mod delaying;
mod idling;
mod retaining;
#[cfg(test)]
mod tests;
mod within_redis;

pub use within_redis::{Beyond, GIVEN_BACK};
