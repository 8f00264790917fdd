//! The canonical encoding of effects: Redis commands as RESP, which Redis can load.
//!
//! | line | meaning |
//! |---|---|
//! | `#t:<ms>` | the time of the effects that follow, in Unix milliseconds; Redis skips it |
//! | `SELECT db` | the database of the commands that follow |
//! | `MULTI` … `EXEC` | one atomic batch of several effects |
//!
//! A stream that is made with another retention than 100 seconds and 100 idempotent IDs is made
//! empty (`XGROUP CREATE … MKSTREAM` and `XGROUP DESTROY`) and configured (`XCFGSET`), whatever the
//! settings are when this is read.
//!
//! A duplicate append is an `XADD … IDMP` with an ID that is not above the last one. Redis counts
//! it too, or, where it has forgotten the idempotent ID, refuses it. An `XCLAIM` with `LASTID 0-0`,
//! which sets nothing, is a consumer that read its own entries again: it does not count as active
//! by that. Without IDs it is one that called and got nothing.
//!
//! All else is one command an effect, as the variants of [`Effect`] say. That idempotent IDs are
//! forgotten by age follows from these and the time. When a consumer called last that got
//! nothing is kept to ten seconds.

use stream::{
    Acknowledgement, Activity, Forget, ID_TEXT_BYTES_MAX, References, Retention, StreamId,
};

use super::{Effect, Expiry, Idempotent, IidOrigin};
use crate::time::UnixMs;

/// Writes `#t:<ms>`.
pub(crate) fn time(out: &mut Vec<u8>, at: UnixMs) {
    out.extend_from_slice(b"#t:");
    out.extend_from_slice(itoa::Buffer::new().format(at.0).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes `SELECT db`.
pub(crate) fn select(out: &mut Vec<u8>, database: u16) {
    Line::new(out, 2, "SELECT").int(i64::from(database)).end();
}

/// Puts `MULTI` before what was written from `start` on, and `EXEC` behind it.
pub(crate) fn wrap_transaction(out: &mut Vec<u8>, start: usize) {
    const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
    let end = out.len();
    out.extend_from_slice(MULTI);
    out[start..].rotate_right(MULTI.len());
    debug_assert_eq!(out.len(), end + MULTI.len());
    out.extend_from_slice(b"*1\r\n$4\r\nEXEC\r\n");
}

/// Writes an effect, and tells how many commands that took.
pub(crate) fn effect(out: &mut Vec<u8>, effect: &Effect<'_>) -> u32 {
    match *effect {
        Effect::Set { key, value, expiry } => match expiry {
            Expiry::Never => Line::new(out, 3, "SET").arg(key).arg(value).end(),
            Expiry::Keep => Line::new(out, 4, "SET")
                .arg(key)
                .arg(value)
                .arg(b"KEEPTTL")
                .end(),
            Expiry::At(at) => Line::new(out, 5, "SET")
                .arg(key)
                .arg(value)
                .arg(b"PXAT")
                .int(at.0)
                .end(),
        },
        Effect::Append { key, tail } => Line::new(out, 3, "APPEND").arg(key).arg(tail).end(),
        Effect::SetRange { key, offset, value } => Line::new(out, 4, "SETRANGE")
            .arg(key)
            .int(i64::from(offset))
            .arg(value)
            .end(),
        Effect::Delete { key, .. } => Line::new(out, 2, "DEL").arg(key).end(),
        Effect::ExpireAt { key, at } => Line::new(out, 3, "PEXPIREAT").arg(key).int(at.0).end(),
        Effect::Persist { key } => Line::new(out, 2, "PERSIST").arg(key).end(),
        Effect::Rename { key, to } => Line::new(out, 3, "RENAME").arg(key).arg(to).end(),
        Effect::Move { key, to_db } => Line::new(out, 3, "MOVE")
            .arg(key)
            .int(i64::from(to_db))
            .end(),
        Effect::Copy { key, to, to_db } => Line::new(out, 6, "COPY")
            .arg(key)
            .arg(to)
            .arg(b"DB")
            .int(i64::from(to_db))
            .arg(b"REPLACE")
            .end(),
        Effect::Restore {
            key, payload, at, ..
        } => Line::new(out, 6, "RESTORE")
            .arg(key)
            .int(at.map_or(0, |at| at.0))
            .arg(payload)
            .arg(b"REPLACE")
            .arg(b"ABSTTL")
            .end(),
        Effect::SwapDb { a, b } => Line::new(out, 3, "SWAPDB")
            .int(i64::from(a))
            .int(i64::from(b))
            .end(),
        Effect::Flush { db: Some(_) } => Line::new(out, 1, "FLUSHDB").end(),
        Effect::Flush { db: None } => Line::new(out, 1, "FLUSHALL").end(),
        Effect::StreamAppend { .. }
        | Effect::StreamDuplicate { .. }
        | Effect::StreamTrim { .. }
        | Effect::StreamDelete { .. }
        | Effect::StreamSetId { .. }
        | Effect::StreamConfigure { .. }
        | Effect::StreamRecordIdempotent { .. } => stream_effect(out, effect),
        Effect::GroupCreate { .. }
        | Effect::GroupSetId { .. }
        | Effect::GroupDestroy { .. }
        | Effect::ConsumerCreate { .. }
        | Effect::ConsumerDelete { .. }
        | Effect::ConsumerSeen { .. }
        | Effect::GroupDeliver { .. }
        | Effect::GroupClaim { .. }
        | Effect::GroupAcknowledge { .. }
        | Effect::GroupGiveBack { .. } => group_effect(out, effect),
    }
}

fn stream_effect(out: &mut Vec<u8>, effect: &Effect<'_>) -> u32 {
    match *effect {
        Effect::StreamAppend {
            key,
            id,
            fields,
            idempotent,
        } => {
            let idempotent_args = idempotent.map_or(0, |i| match i.origin {
                IidOrigin::Given => 3,
                IidOrigin::Fingerprint => 2,
            });
            let mut line = Line::new(out, 3 + idempotent_args + fields.len(), "XADD");
            line.arg(key);
            match idempotent {
                Some(Idempotent {
                    producer,
                    iid,
                    origin: IidOrigin::Given,
                    ..
                }) => {
                    line.arg(b"IDMP").arg(producer).arg(iid);
                }
                Some(Idempotent {
                    producer,
                    origin: IidOrigin::Fingerprint,
                    ..
                }) => {
                    line.arg(b"IDMPAUTO").arg(producer);
                }
                None => {}
            }
            line.id(id);
            for arg in fields.iter() {
                line.arg(arg);
            }
            line.end()
        }
        Effect::StreamTrim {
            key,
            through,
            references,
        } => {
            let mut line = Line::new(out, 5 + policy_args(references), "XTRIM");
            line.arg(key);
            match through.next() {
                Some(below) => line.arg(b"MINID").arg(b"=").id(below),
                None => line.arg(b"MAXLEN").arg(b"=").int(0),
            };
            line.policy(references).end()
        }
        Effect::StreamDelete {
            key,
            ids,
            references: References::Keep,
        } => Line::new(out, 2 + ids.len(), "XDEL")
            .arg(key)
            .ids(ids)
            .end(),
        Effect::StreamDelete {
            key,
            ids,
            references,
        } => {
            let mut line = Line::new(out, 5 + ids.len(), "XDELEX");
            line.arg(key)
                .policy(references)
                .arg(b"IDS")
                .int(ids.len() as i64)
                .ids(ids)
                .end()
        }
        Effect::StreamSetId { key, set } => {
            let options = usize::from(set.entries_added.is_some())
                + usize::from(set.max_deleted_id.is_some());
            let mut line = Line::new(out, 3 + 2 * options, "XSETID");
            line.arg(key).id(set.last_id);
            if let Some(n) = set.entries_added {
                line.arg(b"ENTRIESADDED").int(count(n));
            }
            if let Some(id) = set.max_deleted_id {
                line.arg(b"MAXDELETEDID").id(id);
            }
            line.end()
        }
        Effect::StreamConfigure {
            key,
            duration_s,
            maxsize,
            forget,
        } => {
            // The released form forgets tracked IDs exactly when a value changes. Where they go
            // although no value changes, a change there and back says it in words that Redis knows.
            let set = Retention {
                duration_s,
                maxsize,
            };
            let mut lines = 0;
            if forget == Forget::Everything {
                let maxsize = if maxsize == 1 { 2 } else { 1 };
                lines += retention(out, key, Retention { maxsize, ..set });
            }
            lines + retention(out, key, set)
        }
        Effect::StreamRecordIdempotent {
            key,
            producer,
            iid,
            id,
        } => Line::new(out, 5, "XIDMPRECORD")
            .arg(key)
            .arg(producer)
            .arg(iid)
            .id(id)
            .end(),
        // What is counted is no change, and never recorded.
        Effect::StreamDuplicate {
            key,
            producer,
            iid,
            id,
        } => Line::new(out, 9, "XADD")
            .arg(key)
            .arg(b"NOMKSTREAM")
            .arg(b"IDMP")
            .arg(producer)
            .arg(iid)
            .id(id)
            .arg(b"")
            .arg(b"")
            .end(),
        _ => unreachable!("not of a stream: {effect:?}"),
    }
}

/// Writes that a stream has this retention, and tells how many commands that took. What it
/// remembers goes if that changes something.
pub(crate) fn retention(out: &mut Vec<u8>, key: &[u8], retention: Retention) -> u32 {
    Line::new(out, 6, "XCFGSET")
        .arg(key)
        .arg(b"IDMP-DURATION")
        .int(i64::from(retention.duration_s))
        .arg(b"IDMP-MAXSIZE")
        .int(i64::from(retention.maxsize))
        .end()
}

/// Writes that there is an empty stream with this retention, and tells how many commands that took:
/// Redis has no shorter words for it.
pub(crate) fn new_stream(out: &mut Vec<u8>, key: &[u8], set: Retention) -> u32 {
    let group = b"weir";
    let made = Line::new(out, 6, "XGROUP")
        .arg(b"CREATE")
        .arg(key)
        .arg(group)
        .int(0)
        .arg(b"MKSTREAM")
        .end();
    let bare = Line::new(out, 4, "XGROUP")
        .arg(b"DESTROY")
        .arg(key)
        .arg(group)
        .end();
    made + bare + retention(out, key, set)
}

fn group_effect(out: &mut Vec<u8>, effect: &Effect<'_>) -> u32 {
    match *effect {
        Effect::GroupCreate {
            key,
            group,
            id,
            entries_read,
        } => {
            let mut line = Line::new(out, if entries_read.is_some() { 8 } else { 6 }, "XGROUP");
            line.arg(b"CREATE")
                .arg(key)
                .arg(group)
                .id(id)
                .arg(b"MKSTREAM");
            if let Some(n) = entries_read {
                line.arg(b"ENTRIESREAD").int(count(n));
            }
            line.end()
        }
        Effect::GroupSetId {
            key,
            group,
            id,
            entries_read,
        } => set_group_id(out, key, group, id, entries_read),
        Effect::GroupDestroy { key, group } => Line::new(out, 4, "XGROUP")
            .arg(b"DESTROY")
            .arg(key)
            .arg(group)
            .end(),
        Effect::ConsumerCreate {
            key,
            group,
            consumer,
        } => Line::new(out, 5, "XGROUP")
            .arg(b"CREATECONSUMER")
            .arg(key)
            .arg(group)
            .arg(consumer)
            .end(),
        Effect::ConsumerDelete {
            key,
            group,
            consumer,
        } => Line::new(out, 5, "XGROUP")
            .arg(b"DELCONSUMER")
            .arg(key)
            .arg(group)
            .arg(consumer)
            .end(),
        Effect::GroupDeliver {
            key,
            group,
            consumer,
            ids,
            at,
            entries_read,
            acknowledgement,
        } => {
            let Some(last) = ids.last() else { return 0 };
            let mut lines = 0;
            if acknowledgement == Acknowledgement::Awaited {
                let active = Activity::Active;
                lines += claim(
                    out,
                    key,
                    group,
                    consumer,
                    at,
                    1,
                    active,
                    ids.iter().copied(),
                );
            }
            lines + set_group_id(out, key, group, *last, entries_read)
        }
        Effect::GroupClaim {
            key,
            group,
            consumer,
            claims,
            activity,
        } => claims
            .chunk_by(|a, b| {
                (a.delivered_at, a.delivery_count) == (b.delivered_at, b.delivery_count)
            })
            .map(|run| {
                let ids = run.iter().map(|claim| claim.id);
                claim(
                    out,
                    key,
                    group,
                    consumer,
                    run[0].delivered_at,
                    run[0].delivery_count,
                    activity,
                    ids,
                )
            })
            .sum(),
        Effect::GroupAcknowledge { key, group, ids } => Line::new(out, 3 + ids.len(), "XACK")
            .arg(key)
            .arg(group)
            .ids(ids)
            .end(),
        Effect::GroupGiveBack {
            key,
            group,
            entries,
        } => entries
            .chunk_by(|a, b| a.1 == b.1)
            .map(|run| {
                let mut line = Line::new(out, 9 + run.len(), "XNACK");
                line.arg(key)
                    .arg(group)
                    .arg(b"FAIL")
                    .arg(b"IDS")
                    .int(run.len() as i64);
                for (id, _) in run {
                    line.id(*id);
                }
                line.arg(b"RETRYCOUNT")
                    .int(count(run[0].1))
                    .arg(b"FORCE")
                    .end()
            })
            .sum(),
        Effect::ConsumerSeen {
            key,
            group,
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
        _ => unreachable!("not of a group: {effect:?}"),
    }
}

fn set_group_id(
    out: &mut Vec<u8>,
    key: &[u8],
    group: &[u8],
    id: StreamId,
    entries_read: Option<u64>,
) -> u32 {
    let mut line = Line::new(out, 7, "XGROUP");
    line.arg(b"SETID").arg(key).arg(group).id(id);
    line.arg(b"ENTRIESREAD")
        .int(entries_read.map_or(-1, count))
        .end()
}

#[expect(clippy::too_many_arguments, reason = "the arguments of the command")]
fn claim(
    out: &mut Vec<u8>,
    key: &[u8],
    group: &[u8],
    consumer: &[u8],
    at: UnixMs,
    delivery_count: u64,
    activity: Activity,
    ids: impl ExactSizeIterator<Item = StreamId>,
) -> u32 {
    let options = match activity {
        Activity::Active => 6,
        Activity::Seen => 8,
    };
    let mut line = Line::new(out, 5 + ids.len() + options, "XCLAIM");
    line.arg(key).arg(group).arg(consumer).arg(b"0");
    for id in ids {
        line.id(id);
    }
    line.arg(b"TIME")
        .int(at.0)
        .arg(b"RETRYCOUNT")
        .int(count(delivery_count));
    line.arg(b"FORCE").arg(b"JUSTID");
    if activity == Activity::Seen {
        line.arg(b"LASTID").id(StreamId::MIN);
    }
    line.end()
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn policy_args(references: References) -> usize {
    usize::from(references != References::Keep)
}

/// One command being written; the number of arguments is said up front.
struct Line<'o> {
    out: &'o mut Vec<u8>,
    #[cfg(debug_assertions)]
    missing: usize,
}

impl<'o> Line<'o> {
    fn new(out: &'o mut Vec<u8>, args: usize, name: &str) -> Line<'o> {
        out.push(b'*');
        out.extend_from_slice(itoa::Buffer::new().format(args).as_bytes());
        out.extend_from_slice(b"\r\n");
        let mut line = Line {
            out,
            #[cfg(debug_assertions)]
            missing: args,
        };
        line.arg(name.as_bytes());
        line
    }

    #[inline]
    fn arg(&mut self, arg: &[u8]) -> &mut Line<'o> {
        #[cfg(debug_assertions)]
        {
            self.missing -= 1;
        }
        self.out.push(b'$');
        self.out
            .extend_from_slice(itoa::Buffer::new().format(arg.len()).as_bytes());
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(arg);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    fn int(&mut self, n: i64) -> &mut Line<'o> {
        self.arg(itoa::Buffer::new().format(n).as_bytes())
    }

    fn id(&mut self, id: StreamId) -> &mut Line<'o> {
        let mut text = [0; ID_TEXT_BYTES_MAX];
        let text = id.write_text(&mut text);
        self.arg(text)
    }

    fn ids(&mut self, ids: &[StreamId]) -> &mut Line<'o> {
        for id in ids {
            self.id(*id);
        }
        self
    }

    fn policy(&mut self, references: References) -> &mut Line<'o> {
        match references {
            References::Keep => self,
            References::Delete => self.arg(b"DELREF"),
            References::Acknowledged => self.arg(b"ACKED"),
        }
    }

    /// Ends the command; it counts as one.
    fn end(&mut self) -> u32 {
        #[cfg(debug_assertions)]
        debug_assert_eq!(
            self.missing, 0,
            "the command says how many arguments it has"
        );
        1
    }
}
