//! What `XREADGROUP` does with one stream: entries that others left pending for too long (`idle`),
//! new entries, or what the consumer itself has pending.

use engine::command::Ctx;
use engine::error::{CmdError, StreamError};
use engine::limits::{CLAIM_GONE_MAX, CLAIM_PAUSED_MAX};
use engine::store::apply::Store;
use engine::store::effect::{Claim, Effect, GroupChange, event};
use resp::Reply;
use stream::{
    Acknowledgement, Activity, Chosen, ChosenWriter, ConsumerHandle, DELIVERY_COUNT_MAX, GivenBack,
    Group, Past, Stream, StreamId, Unpacked,
};

use crate::stream::dead_letters::DeadLetters;
use crate::stream::flow_control::room;
use crate::stream::group_key::GroupKey;
use crate::stream::read_budget::ReadBudget;

/// How the consumer reads.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'a> {
    pub(super) consumer: &'a [u8],
    pub(super) acknowledgement: Acknowledgement,
    /// With `CLAIM`: how long an entry must have been pending, in milliseconds.
    pub(super) claim_idle_ms_min: Option<u64>,
}

/// Which pending entries go to whoever reads: those that `CLAIM` asks for, or those that the group
/// was told to give again.
#[derive(Clone, Copy)]
pub(super) struct ClaimRule {
    pub(super) idle_ms_min: u64,
    /// Who said `CLAIM` is told how long entries were pending, and how often they were delivered.
    /// Others get entries as they always are.
    pub(super) tells_past: bool,
}

/// How much the consumer may still be given.
pub(super) struct Reader {
    /// Entries in this reply.
    pub(super) left: u64,
    /// Entries that become pending with it.
    pub(super) room: u64,
    acknowledgement: Acknowledgement,
}

impl Reader {
    /// New entries that it may have: those that need no acknowledgement are not pending.
    fn room_for_new(&self) -> u64 {
        match self.acknowledgement {
            Acknowledgement::Awaited => self.room,
            Acknowledgement::Waived => u64::MAX,
        }
    }
}

/// What came of one stream.
pub(super) enum Served {
    /// Its entries were written; of a history perhaps none.
    Something,
    /// Nothing was written. Entries may become idle enough in this many milliseconds.
    Nothing { retry_in_ms: Option<u64> },
}

/// What is read of a stream.
pub(super) enum Request<'t> {
    /// `>`: what nobody of the group was given yet.
    New(&'t Stream, &'t Group),
    /// What the consumer has pending from an ID on; `None` is above all IDs.
    History(&'t Stream, &'t Group, Option<StreamId>),
}

impl<'t> Request<'t> {
    /// Finds stream and group, and reads the ID.
    pub(super) fn new(
        place: GroupKey<'_>,
        id: &[u8],
        store: &'t mut Store<'_>,
    ) -> Result<Request<'t>, CmdError> {
        let found = place.find(store.reading())?;
        let (stream, group) =
            found.ok_or_else(|| place.missing(" in XREADGROUP with GROUP option"))?;
        match id {
            b">" => Ok(Request::New(stream, group)),
            b"$" => Err(CmdError::Stream(StreamError::MeaninglessId('$'))),
            b"+" => Err(CmdError::Stream(StreamError::MeaninglessId('+'))),
            id => {
                let from = StreamId::parse(id, 0)?.next();
                Ok(Request::History(stream, group, from))
            }
        }
    }
}

/// What serving changes, decided while the entries are written.
pub(super) struct Decided<'a> {
    /// Pending entries that are no longer in the stream; they are no longer pending.
    pub(super) gone: Vec<StreamId>,
    pub(super) claims: Vec<Claim>,
    /// Pending entries that were held for too long, and wait to be given again.
    pub(super) paused: Vec<GivenBack>,
    /// Pending entries that were delivered too often to be given to this consumer too.
    pub(super) dead: DeadLetters<'a>,
    delivered: Vec<StreamId>,
    entries_read: Option<u64>,
}

/// Serves one stream: writes the array of its entries, and makes the deliveries happen.
pub(super) fn serve(
    place: GroupKey<'_>,
    id: &[u8],
    how: &Delivery<'_>,
    budget: &mut ReadBudget,
    ctx: &mut Ctx<'_>,
) -> Result<Served, CmdError> {
    let now_ms = ctx.now.stream_ms();
    let mut decided = Decided::new(place);
    let known;
    let mut activity = Activity::Seen;
    let served = match Request::new(place, id, &mut ctx.store)? {
        Request::History(_, group, None) => {
            known = group.consumer(how.consumer);
            Served::Nothing { retry_in_ms: None }
        }
        Request::History(stream, group, Some(from)) => {
            known = group.consumer(how.consumer);
            if budget.is_spent() {
                Served::Nothing { retry_in_ms: None }
            } else {
                let view = View {
                    stream,
                    group,
                    consumer: known,
                    now_ms,
                };
                view.write_history(from, budget, ctx.reply, &mut decided);
                Served::Something
            }
        }
        Request::New(stream, group) => {
            known = group.consumer(how.consumer);
            let view = View {
                stream,
                group,
                consumer: known,
                now_ms,
            };
            let unpacked = &mut ctx.server.unpacked;
            let served = view.write_new(how, budget, unpacked, ctx.reply, &mut decided);
            if !decided.claims.is_empty() {
                activity = Activity::Active;
            }
            served
        }
    };
    decided.apply(place, how, known.is_some(), activity, ctx)?;
    Ok(served)
}

impl<'a> Decided<'a> {
    /// Nothing yet.
    fn new(place: GroupKey<'a>) -> Decided<'a> {
        Decided {
            gone: Vec::new(),
            claims: Vec::new(),
            paused: Vec::new(),
            dead: DeadLetters::new(place),
            delivered: Vec::new(),
            entries_read: None,
        }
    }

    /// Returns whether there may be more behind the pending entries that were looked at.
    fn is_cut_short(&self) -> bool {
        self.gone.len() == CLAIM_GONE_MAX || self.paused.len() == CLAIM_PAUSED_MAX
    }

    fn apply(
        &mut self,
        place: GroupKey<'_>,
        how: &Delivery<'_>,
        known: bool,
        activity: Activity,
        ctx: &mut Ctx<'_>,
    ) -> Result<(), CmdError> {
        let GroupKey { key, group } = place;
        let consumer = how.consumer;
        let pending_made = !self.claims.is_empty()
            || !self.delivered.is_empty() && how.acknowledgement == Acknowledgement::Awaited;
        // Where pending entries are made, the consumer comes with them.
        let mut news = match known {
            true => event::PENDING,
            false => event::XGROUP_CREATECONSUMER,
        };
        let (store, at) = (&mut ctx.store, ctx.now.unix());
        let on_group = |change| Effect::on_group(key, group, change);
        if !known && !pending_made {
            let made = std::mem::replace(&mut news, event::PENDING);
            store.apply(&on_group(GroupChange::CreateConsumer { consumer }), made);
        }
        if !self.gone.is_empty() {
            let acknowledge = GroupChange::Acknowledge { ids: &self.gone };
            store.apply(&on_group(acknowledge), event::PENDING);
        }
        self.dead.send(store)?;
        if !self.paused.is_empty() {
            let give_back = GroupChange::GiveBack {
                entries: &self.paused,
            };
            store.apply(&on_group(give_back), event::PENDING);
        }
        if !self.claims.is_empty() {
            let claim = GroupChange::Claim {
                consumer,
                claims: &self.claims,
                activity,
            };
            let made = std::mem::replace(&mut news, event::PENDING);
            store.apply(&on_group(claim), made);
            store.note_redelivered(self.claims.len() as u64);
        }
        if !self.delivered.is_empty() {
            let deliver = GroupChange::Deliver {
                consumer,
                ids: &self.delivered,
                at,
                entries_read: self.entries_read,
                acknowledgement: how.acknowledgement,
            };
            store.apply(&on_group(deliver), news);
        }
        // A delivery says by itself that the consumer called.
        if self.delivered.is_empty() && known || activity == Activity::Active {
            let see = GroupChange::See { consumer, activity };
            store.apply(&on_group(see), event::UNHEARD);
        }
        Ok(())
    }
}

/// One stream and group, as they are before anything is delivered.
pub(super) struct View<'t> {
    pub(super) stream: &'t Stream,
    pub(super) group: &'t Group,
    /// Who reads, if it is known.
    pub(super) consumer: Option<ConsumerHandle>,
    pub(super) now_ms: u64,
}

impl View<'_> {
    /// Writes what the consumer has pending. Each entry that is still there counts as delivered
    /// again.
    fn write_history(
        &self,
        from: StreamId,
        budget: &mut ReadBudget,
        reply: &mut Reply,
        decided: &mut Decided<'_>,
    ) {
        let array = budget.begin_array(reply, self.stream.entries());
        let mut len = 0;
        let mut left = budget.stream_limit();
        let consumer = self.consumer.into_iter();
        let pending = consumer
            .flat_map(|consumer| self.group.pending_range_of(consumer, from, StreamId::MAX));
        let entries = self.stream.entries();
        let mut look = entries.look_up();
        let mut writer = ChosenWriter::new(reply);
        for pending in pending {
            if left == 0 {
                break;
            }
            let entry = look.entry(pending.id);
            let chosen = Chosen {
                id: pending.id,
                past: None,
            };
            let protocol = reply.protocol();
            if !budget.admits(|| chosen.reply_bytes(entry.as_ref(), protocol)) {
                break;
            }
            writer.write(entries, chosen, entry.as_ref(), reply);
            left -= 1;
            len += 1;
            if entry.is_some() {
                let count = pending.delivery_count;
                decided.claims.push(self.claim(pending.id, count));
            }
        }
        writer.finish(entries, reply);
        budget.end_array(reply, array, len);
    }

    /// Writes idle entries if asked for, and then new ones.
    fn write_new(
        &self,
        how: &Delivery<'_>,
        budget: &mut ReadBudget,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
        decided: &mut Decided<'_>,
    ) -> Served {
        let rule = match (how.claim_idle_ms_min, self.group.claim_idle_ms()) {
            (None, None) => None,
            (Some(idle_ms_min), _) => Some(ClaimRule {
                idle_ms_min,
                tells_past: true,
            }),
            (None, Some(idle_ms_min)) => Some(ClaimRule {
                idle_ms_min,
                tells_past: false,
            }),
        };
        let room = room(self.group, self.consumer);
        let reader = Reader {
            left: budget.stream_limit(),
            room,
            acknowledgement: how.acknowledgement,
        };
        match rule {
            None => self.write_run(reader.room_for_new(), budget, unpacked, reply, decided),
            Some(rule) => self.write_idle_and_new(rule, reader, budget, reply, decided),
        }
        let delivered = &decided.delivered;
        decided.entries_read = self.stream.entries_read_after(self.group, delivered);
        if decided.claims.is_empty() && decided.delivered.is_empty() {
            let next_in_ms = rule.map(|rule| match decided.is_cut_short() {
                false => self.next_in_ms(rule.idle_ms_min),
                true => 1,
            });
            // An entry may go to another consumer, or for good, of which those who wait do not
            // hear.
            let room_in_ms = (room == 0).then_some(RETRY_MS_MIN);
            return Served::Nothing {
                retry_in_ms: [next_in_ms, room_in_ms].into_iter().flatten().min(),
            };
        }
        Served::Something
    }

    /// Writes idle entries, and behind them new ones.
    fn write_idle_and_new(
        &self,
        rule: ClaimRule,
        mut reader: Reader,
        budget: &mut ReadBudget,
        reply: &mut Reply,
        decided: &mut Decided<'_>,
    ) {
        let array = budget.begin_array(reply, self.stream.entries());
        let mut writer = ChosenWriter::new(reply);
        self.write_idle(rule, &mut reader, budget, &mut writer, reply, decided);
        let left = reader.left.min(reader.room_for_new());
        let tells_past = rule.tells_past;
        self.write_one_by_one(left, tells_past, budget, &mut writer, reply, decided);
        writer.finish(self.stream.entries(), reply);
        let len = decided.claims.len() + decided.delivered.len();
        budget.end_array(reply, array, len);
    }

    /// Writes new entries as one run of bytes. Kept apart from its caller for speed only: a read of
    /// 10 entries takes 28 instructions of 13,384 less so. To keep the other ways of reading apart
    /// too changes nothing more.
    #[inline(never)]
    fn write_run(
        &self,
        room: u64,
        budget: &mut ReadBudget,
        unpacked: &mut Unpacked,
        reply: &mut Reply,
        decided: &mut Decided<'_>,
    ) {
        let Some(from) = self.first_new() else {
            return;
        };
        let entries = self.stream.entries();
        let counts_only = budget.counts_only();
        let limit = match counts_only {
            true => budget.stream_limit().min(room),
            false => {
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                budget.admitted(entries.range(from, StreamId::MAX).take(room))
            }
        };
        if limit == 0 {
            return;
        }
        let array = reply.begin_array(limit.min(entries.len()) as usize);
        let note = |id| decided.delivered.push(id);
        let len = entries.write_range_noting(from, StreamId::MAX, limit, unpacked, reply, note);
        if len > 0 {
            budget.end_array(reply, array, len as usize);
        }
        if counts_only {
            budget.note(len);
        }
    }

    /// Writes new entries behind those that were idle.
    fn write_one_by_one(
        &self,
        left: u64,
        tells_past: bool,
        budget: &mut ReadBudget,
        writer: &mut ChosenWriter,
        reply: &mut Reply,
        decided: &mut Decided<'_>,
    ) {
        let Some(from) = self.first_new() else {
            return;
        };
        let taken = usize::try_from(left).unwrap_or(usize::MAX);
        let entries = self.stream.entries();
        for entry in entries.range(from, StreamId::MAX).take(taken) {
            let chosen = Chosen {
                id: entry.id(),
                past: tells_past.then_some(Past {
                    idle_ms: 0,
                    deliveries: 0,
                }),
            };
            let protocol = reply.protocol();
            if !budget.admits(|| chosen.reply_bytes(Some(&entry), protocol)) {
                return;
            }
            writer.write(entries, chosen, Some(&entry), reply);
            decided.delivered.push(entry.id());
        }
    }

    pub(super) fn claim(&self, id: StreamId, count: u64) -> Claim {
        Claim {
            id,
            delivered_at: engine::UnixMs(self.now_ms as i64),
            delivery_count: count.saturating_add(1).min(DELIVERY_COUNT_MAX),
        }
    }

    fn first_new(&self) -> Option<StreamId> {
        let last = self.group.last_delivered();
        last.next().filter(|_| last < self.stream.last_id())
    }
}

/// How often a waiting reader looks for idle entries at most, where none is pending yet.
pub(super) const RETRY_MS_MIN: u64 = 100;
