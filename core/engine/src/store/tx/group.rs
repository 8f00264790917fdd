//! How effects change groups, consumers and pending entries.

use stream::{Activity, Consumer, ConsumerHandle, CountChange, Group, Holder, Missing, StreamId};

use super::{DECIDED, Tx};
use crate::limits::SEEN_UNLOGGED_MS_MAX;
use crate::store::dropped::What;
use crate::store::effect::{Claim, Effect};

impl Tx<'_> {
    pub(super) fn change_group(&mut self, effect: &Effect<'_>) -> u64 {
        let now_ms = self.now.stream_ms();
        match *effect {
            Effect::GroupCreate {
                key,
                group,
                id,
                entries_read,
            } => {
                let is_new = self.peek(key).is_none();
                let changed = self.edit_or_make_stream(key, |stream| {
                    stream.insert_group(group, Group::new(id, entries_read));
                    1
                });
                if is_new {
                    self.touched(key);
                }
                changed
            }
            Effect::GroupSetId {
                key,
                group,
                id,
                entries_read,
            } => self.edit_stream_quietly(key, |stream| {
                let is_set = stream.set_group_id(group, id, entries_read);
                assert!(is_set, "{DECIDED}");
                1
            }),
            Effect::GroupDestroy { key, group } => {
                let mut gone = None;
                let changed = self.edit_stream_quietly(key, |stream| {
                    gone = stream.groups_mut().remove(group);
                    u64::from(gone.is_some())
                });
                if let Some(gone) = gone {
                    self.data.dropped.take(What::Group(gone));
                }
                // Whoever reads as the group has to be told that it is gone.
                self.data.blocking.mark(self.database, key);
                changed
            }
            Effect::ConsumerCreate {
                key,
                group,
                consumer,
            } => self.edit_group(key, group, |group| {
                if group.consumer(consumer).is_some() {
                    return 0;
                }
                group.create_consumer(consumer, now_ms);
                1
            }),
            Effect::ConsumerDelete {
                key,
                group,
                consumer,
            } => self.edit_group(key, group, |group| {
                let Some(handle) = group.consumer(consumer) else {
                    return 0;
                };
                group.delete_consumer(handle);
                1
            }),
            Effect::ConsumerSeen {
                key,
                group,
                consumer,
                activity,
            } => {
                let mut is_logged = false;
                self.edit_stream_silently(key, |stream| {
                    stream.groups_mut().edit(group, |group| {
                        if let Some(handle) = group.consumer(consumer) {
                            let before = group.consumer_at(handle).map(Consumer::seen_ms);
                            let span = |ms: u64| ms / SEEN_UNLOGGED_MS_MAX;
                            // The first call in each span of time is logged, whatever logs it.
                            let is_first = before.is_none_or(|before| span(before) != span(now_ms));
                            is_logged = is_first && activity == Activity::Seen;
                            group.touch(handle, now_ms, activity);
                        }
                    });
                });
                u64::from(is_logged)
            }
            Effect::GroupDeliver {
                key,
                group,
                consumer,
                ids,
                entries_read,
                acknowledgement,
                ..
            } => self.edit_stream_quietly(key, |stream| {
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
            Effect::GroupClaim {
                key,
                group,
                consumer,
                claims,
                activity,
            } => self.edit_group(key, group, |group| {
                let handle = group.create_consumer(consumer, now_ms).handle();
                group.touch(handle, now_ms, activity);
                claim(group, handle, claims)
            }),
            Effect::GroupAcknowledge { key, group, ids } => {
                self.edit_group(key, group, |group| group.acknowledge(ids) as u64)
            }
            Effect::GroupGiveBack {
                key,
                group,
                entries,
            } => {
                let changed = self.edit_group(key, group, |group| {
                    for (id, delivery_count) in entries {
                        group.give_back(*id, *delivery_count);
                    }
                    entries.len() as u64
                });
                if changed > 0 {
                    self.data.blocking.mark(self.database, key);
                }
                changed
            }
            _ => unreachable!("not for a group: {effect:?}"),
        }
    }

    fn edit_group(
        &mut self,
        key: &[u8],
        group: &[u8],
        edit: impl FnOnce(&mut Group) -> u64,
    ) -> u64 {
        self.edit_stream_quietly(key, |stream| {
            stream.groups_mut().edit(group, edit).expect(DECIDED)
        })
    }
}

/// Moves pending entries to a consumer; runs that say the same of every entry go together.
fn claim(group: &mut Group, consumer: ConsumerHandle, claims: &[Claim]) -> u64 {
    let mut claimed = 0;
    for run in claims
        .chunk_by(|a, b| (a.delivered_at, a.delivery_count) == (b.delivered_at, b.delivery_count))
    {
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
