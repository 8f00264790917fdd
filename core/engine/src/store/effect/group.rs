//! Changes of consumer groups: consumers and pending entries.

use stream::{
    Acknowledgement, Activity, Consumer, ConsumerHandle, CountChange, GivenBack, Group,
    GroupSettings, Holder, Missing, StreamId,
};

use super::encode::{self, Line, Out};
use super::{Brings, Changed, Family};
use crate::limits::SEEN_UNLOGGED_MS_MAX;
use crate::store::apply::{DECIDED, Store};
use crate::store::dropped::What;
use crate::time::UnixMs;

/// A group comes or goes, or what it knows changes.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "fields are described in `effect`")]
pub enum GroupChange<'a> {
    /// `XGROUP CREATE … MKSTREAM`: a new group. Makes the key if it is missing.
    Create {
        /// Its last-delivered ID.
        id: StreamId,
        /// Its read counter, if known.
        entries_read: Option<u64>,
    },
    /// `XGROUP SETID`.
    SetId {
        /// The last-delivered ID.
        id: StreamId,
        /// The read counter, if known.
        entries_read: Option<u64>,
    },
    /// `XGROUP SETCFG`: all that can be set of a group.
    SetSettings { settings: &'a GroupSettings },
    /// `XGROUP DESTROY`.
    Destroy,
    /// `XGROUP CREATECONSUMER`; nothing if there is one of this name.
    CreateConsumer { consumer: &'a [u8] },
    /// `XGROUP DELCONSUMER`, once for each: their pending entries go with them.
    DeleteConsumers { consumers: &'a [&'a [u8]] },
    /// A consumer called: its idle time begins to count from zero. Journalled once in
    /// [`SEEN_UNLOGGED_MS_MAX`] if it received nothing, else what it received says it.
    See {
        consumer: &'a [u8],
        /// Active if it also received something.
        activity: Activity,
    },
    /// `XREADGROUP … >`: new entries go to a consumer, which is made if missing, and the group
    /// moves on.
    Deliver {
        consumer: &'a [u8],
        /// Above the last-delivered ID.
        ids: &'a [StreamId],
        at: UnixMs,
        /// The read counter afterwards, if known.
        entries_read: Option<u64>,
        /// Pending until acknowledged, or not at all (`NOACK`).
        acknowledgement: Acknowledgement,
    },
    /// `XCLAIM … TIME ms RETRYCOUNT n FORCE JUSTID`: pending entries change their owner, or are
    /// delivered to it again. It is made if missing.
    Claim {
        consumer: &'a [u8],
        claims: &'a [Claim],
        /// A consumer that reads its own entries again does not count as active by that.
        activity: Activity,
    },
    /// `XACK`: entries are no longer pending. IDs that were not are passed over.
    Acknowledge { ids: &'a [StreamId] },
    /// `XNACK`: pending entries are given back to the group.
    GiveBack {
        /// In the order in which they were given back.
        entries: &'a [GivenBack],
    },
}

/// One pending entry that changes its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The entry.
    pub id: StreamId,
    /// The time from which its idle time counts.
    pub delivered_at: UnixMs,
    /// Its delivery count afterwards.
    pub delivery_count: u64,
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{self, Class, Event, Name, Touch};

    const fn named(name: &'static [Name], touch: Touch) -> Event {
        Event::named(name, touch)
    }

    const fn name(text: &'static str) -> Name {
        Name::new(text, Class::Stream)
    }

    /// There is a new group. Only subscribers hear of it, unless its stream is new too.
    pub const XGROUP_CREATE: &Event = &named(&[name("xgroup-create")], Touch::NOBODY);
    /// A group has another last-delivered ID.
    pub const XGROUP_SETID: &Event = &named(&[name("xgroup-setid")], Touch::NOBODY);
    /// A group is gone, and clients that wait as its consumers must be told.
    pub const XGROUP_DESTROY: &Event = &named(&[name("xgroup-destroy")], Touch::WAITERS);
    /// There is a new consumer, whatever else came with it.
    pub const XGROUP_CREATECONSUMER: &Event =
        &named(&[name("xgroup-createconsumer")], Touch::NOBODY);
    /// A consumer is gone. If it waits, it comes back when something happens to the stream.
    pub const XGROUP_DELCONSUMER: &Event =
        &named(&[name("xgroup-delconsumer")], Touch::WAITERS_LATER);
    /// Consumers are gone as which nobody waits.
    pub const IDLE_CONSUMERS: &Event = &named(&[name("xgroup-delconsumer")], Touch::NOBODY);
    /// Pending entries changed, which nobody hears of.
    pub const PENDING: &Event = event::UNHEARD;
    /// Entries were given back, for which others may wait.
    pub const GIVEN_BACK: &Event = &named(&[], Touch::WAITERS);
    /// A consumer that waits until it has fewer entries pending may go on.
    pub const ROOM: &Event = &named(&[], Touch::WAITERS);
    /// A group does something else by itself, which those who wait go by at once.
    pub const GROUP_TOLD: &Event = &named(&[], Touch::WAITERS);
}

/// A change of a group, and which.
#[derive(Debug, Clone)]
pub struct OfGroup<'a> {
    /// Its name.
    pub group: &'a [u8],
    /// What happens to it.
    pub change: GroupChange<'a>,
}

impl Family for OfGroup<'_> {
    fn brings<'k>(&'k self, _key: &'k [u8], _database: u16) -> Brings<'k> {
        match self.change {
            GroupChange::Create { .. } | GroupChange::SetId { .. } => Brings::ToGroup(self.group),
            GroupChange::Deliver { .. } | GroupChange::Claim { .. } => {
                Brings::ToTakeOver(self.group)
            }
            GroupChange::SetSettings { .. }
            | GroupChange::Destroy
            | GroupChange::CreateConsumer { .. }
            | GroupChange::DeleteConsumers { .. }
            | GroupChange::See { .. }
            | GroupChange::Acknowledge { .. }
            | GroupChange::GiveBack { .. } => Brings::ToWaiters(self.group),
        }
    }
}

impl OfGroup<'_> {
    #[inline(always)]
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        self.change.apply(key, self.group, store)
    }

    #[inline]
    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        self.change.encode(key, self.group, out)
    }
}

impl GroupChange<'_> {
    fn apply(&self, key: &[u8], group: &[u8], store: &mut Store<'_>) -> Changed {
        let now_ms = store.now.stream_ms();
        match *self {
            GroupChange::Create { id, entries_read } => store.edit_or_make_stream(key, |stream| {
                stream.insert_group(group, Group::new(id, entries_read));
                1
            }),
            GroupChange::SetId { id, entries_read } => store.edit_stream(key, |stream| {
                let is_set = stream.set_group_id(group, id, entries_read);
                assert!(is_set, "{DECIDED}");
                1
            }),
            GroupChange::SetSettings { settings } => store.edit_stream(key, |stream| {
                let changed = stream.set_group_settings(group, settings);
                u64::from(changed.expect(DECIDED))
            }),
            GroupChange::Destroy => store.destroy_group(key, group),
            GroupChange::CreateConsumer { consumer } => store.edit_group(key, group, |group| {
                if group.consumer(consumer).is_some() {
                    return 0;
                }
                group.create_consumer(consumer, now_ms);
                1
            }),
            GroupChange::DeleteConsumers { consumers } => store.edit_group(key, group, |group| {
                let mut deleted = 0;
                for consumer in consumers {
                    let handle = group.consumer(consumer);
                    let found = handle.and_then(|handle| group.delete_consumer(handle));
                    deleted += u64::from(found.is_some());
                }
                deleted
            }),
            GroupChange::See { consumer, activity } => store.see(key, group, consumer, activity),
            GroupChange::Deliver {
                consumer,
                ids,
                entries_read,
                acknowledgement,
                ..
            } => store.edit_stream(key, |stream| {
                let last = ids.last().copied().unwrap_or(StreamId::MIN);
                let entries_read = stream.bounded_read(last, entries_read);
                let deliver = |group: &mut Group| {
                    let handle = group.create_consumer(consumer, now_ms).handle();
                    group.deliver(handle, ids, now_ms, acknowledgement, entries_read);
                };
                let found = stream.groups_mut().edit(group, deliver);
                found.expect(DECIDED);
                ids.len() as u64
            }),
            GroupChange::Claim {
                consumer,
                claims,
                activity,
            } => store.edit_group(key, group, |group| {
                let handle = group.create_consumer(consumer, now_ms).handle();
                group.touch(handle, now_ms, activity);
                claim(group, handle, claims)
            }),
            GroupChange::Acknowledge { ids } => {
                store.edit_group(key, group, |group| group.acknowledge(ids) as u64)
            }
            GroupChange::GiveBack { entries } => store.edit_group(key, group, |group| {
                group.give_back_each(entries);
                entries.len() as u64
            }),
        }
    }

    fn encode(&self, key: &[u8], group: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            GroupChange::Create { id, entries_read } => {
                let mut line = Line::new(out, if entries_read.is_some() { 8 } else { 6 }, "XGROUP");
                line.arg(b"CREATE")
                    .arg(key)
                    .arg(group)
                    .id(id)
                    .arg(b"MKSTREAM");
                if let Some(n) = entries_read {
                    line.arg(b"ENTRIESREAD").int(encode::count(n));
                }
                line.end()
            }
            GroupChange::SetId { id, entries_read } => {
                encode_set_id(out, key, group, id, entries_read)
            }
            GroupChange::SetSettings { settings } => {
                let args = 4 + encode::settings_args::<GroupSettings>();
                Line::new(out, args, "XGROUP")
                    .arg(b"SETCFG")
                    .arg(key)
                    .arg(group)
                    .settings(settings)
                    .end()
            }
            GroupChange::Destroy => Line::new(out, 4, "XGROUP")
                .arg(b"DESTROY")
                .arg(key)
                .arg(group)
                .end(),
            GroupChange::CreateConsumer { consumer } => Line::new(out, 5, "XGROUP")
                .arg(b"CREATECONSUMER")
                .arg(key)
                .arg(group)
                .arg(consumer)
                .end(),
            GroupChange::DeleteConsumers { consumers } => {
                let delete = |consumer: &&[u8]| {
                    Line::new(out, 5, "XGROUP")
                        .arg(b"DELCONSUMER")
                        .arg(key)
                        .arg(group)
                        .arg(consumer)
                        .end()
                };
                consumers.iter().map(delete).sum()
            }
            GroupChange::See {
                consumer,
                activity: _,
            } => Line::new(out, 8, "XCLAIM")
                .arg(key)
                .arg(group)
                .arg(consumer)
                .arg(b"0")
                .arg(b"JUSTID")
                .arg(b"LASTID")
                .id(StreamId::MIN)
                .end(),
            GroupChange::Deliver {
                consumer,
                ids,
                at,
                entries_read,
                acknowledgement,
            } => {
                let Some(last) = ids.last() else { return 0 };
                let mut lines = 0;
                if acknowledgement == Acknowledgement::Awaited {
                    let owner = Owner {
                        group,
                        consumer,
                        activity: Activity::Active,
                    };
                    lines += encode_claim(out, key, owner, at, 1, ids.iter().copied());
                }
                lines + encode_set_id(out, key, group, *last, entries_read)
            }
            GroupChange::Claim {
                consumer,
                claims,
                activity,
            } => {
                let owner = Owner {
                    group,
                    consumer,
                    activity,
                };
                runs(claims)
                    .map(|run| {
                        let ids = run.iter().map(|claim| claim.id);
                        let (at, count) = (run[0].delivered_at, run[0].delivery_count);
                        encode_claim(out, key, owner, at, count, ids)
                    })
                    .sum()
            }
            GroupChange::Acknowledge { ids } => Line::new(out, 3 + ids.len(), "XACK")
                .arg(key)
                .arg(group)
                .ids(ids)
                .end(),
            GroupChange::GiveBack { entries } => entries
                .chunk_by(GivenBack::is_like)
                .map(|run| encode_give_back(out, key, group, run))
                .sum(),
        }
    }
}

impl Store<'_> {
    fn destroy_group(&mut self, key: &[u8], group: &[u8]) -> Changed {
        let mut gone = None;
        let changed = self.edit_stream(key, |stream| {
            gone = stream.groups_mut().remove(group);
            u64::from(gone.is_some())
        });
        if let Some(gone) = gone {
            self.data.dropped.take(What::Group(gone));
        }
        changed
    }

    fn see(&mut self, key: &[u8], group: &[u8], consumer: &[u8], activity: Activity) -> Changed {
        let now_ms = self.now.stream_ms();
        let mut is_logged = false;
        let see = |group: &mut Group| {
            if let Some(handle) = group.consumer(consumer) {
                let before = group.consumer_at(handle).map(Consumer::seen_ms);
                let span = |ms: u64| ms / SEEN_UNLOGGED_MS_MAX;
                // The first call in each span of time is logged, whatever logs it.
                let is_first = before.is_none_or(|before| span(before) != span(now_ms));
                is_logged = is_first && activity == Activity::Seen;
                group.touch(handle, now_ms, activity);
            }
        };
        // Logged or not, the stream counts as it was: no reply depends on that.
        let unchanged = self.edit_stream(key, |stream| {
            stream.groups_mut().edit(group, see);
            0
        });
        match is_logged {
            true => Changed::by_event(1),
            false => unchanged,
        }
    }

    fn edit_group(
        &mut self,
        key: &[u8],
        group: &[u8],
        edit: impl FnOnce(&mut Group) -> u64,
    ) -> Changed {
        self.edit_stream(key, |stream| {
            stream.groups_mut().edit(group, edit).expect(DECIDED)
        })
    }
}

/// Runs of claims that say the same of every entry.
fn runs(claims: &[Claim]) -> impl Iterator<Item = &[Claim]> {
    claims.chunk_by(|a, b| (a.delivered_at, a.delivery_count) == (b.delivered_at, b.delivery_count))
}

/// Moves pending entries to a consumer; those of a run go together.
fn claim(group: &mut Group, consumer: ConsumerHandle, claims: &[Claim]) -> u64 {
    let mut claimed = 0;
    for run in runs(claims) {
        let ids: Vec<StreamId> = run.iter().map(|claim| claim.id).collect();
        let delivered_ms = run[0].delivered_at.0.max(0) as u64;
        let holder = Holder {
            consumer,
            delivered_ms,
        };
        let count = CountChange::Set(run[0].delivery_count);
        claimed += group.claim(holder, &ids, count, Missing::Create) as u64;
    }
    claimed
}

fn encode_give_back(out: &mut Out<'_>, key: &[u8], group: &[u8], run: &[GivenBack]) -> u32 {
    let GivenBack {
        delivery_count,
        not_before_ms,
        ..
    } = run[0];
    let options = if not_before_ms.is_some() { 5 } else { 3 };
    let mut line = Line::new(out, 6 + run.len() + options, "XNACK");
    line.arg(key)
        .arg(group)
        .arg(b"FAIL")
        .arg(b"IDS")
        .int(run.len() as i64);
    for entry in run {
        line.id(entry.id);
    }
    line.arg(b"RETRYCOUNT")
        .int(encode::count(delivery_count))
        .arg(b"FORCE");
    if let Some(at_ms) = not_before_ms {
        line.arg(b"AT").int(encode::count(at_ms));
    }
    line.end()
}

fn encode_set_id(
    out: &mut Out<'_>,
    key: &[u8],
    group: &[u8],
    id: StreamId,
    entries_read: Option<u64>,
) -> u32 {
    Line::new(out, 7, "XGROUP")
        .arg(b"SETID")
        .arg(key)
        .arg(group)
        .id(id)
        .arg(b"ENTRIESREAD")
        .int(entries_read.map_or(-1, encode::count))
        .end()
}

/// Whose pending entries are encoded.
#[derive(Clone, Copy)]
struct Owner<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    /// What that says of the consumer's activity.
    activity: Activity,
}

fn encode_claim(
    out: &mut Out<'_>,
    key: &[u8],
    owner: Owner<'_>,
    at: UnixMs,
    delivery_count: u64,
    ids: impl ExactSizeIterator<Item = StreamId>,
) -> u32 {
    let options = match owner.activity {
        Activity::Active => 6,
        Activity::Seen => 8,
    };
    let mut line = Line::new(out, 5 + ids.len() + options, "XCLAIM");
    line.arg(key).arg(owner.group).arg(owner.consumer).arg(b"0");
    for id in ids {
        line.id(id);
    }
    line.arg(b"TIME")
        .int(at.0)
        .arg(b"RETRYCOUNT")
        .int(encode::count(delivery_count));
    line.arg(b"FORCE").arg(b"JUSTID");
    if owner.activity == Activity::Seen {
        line.arg(b"LASTID").id(StreamId::MIN);
    }
    line.end()
}
