use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::pending::{DELIVERY_COUNT_MAX, PENDING_TIME_MS_MAX};

/// A group in its simplest form.
#[derive(Clone, Debug, Default)]
struct Model {
    last_delivered: StreamId,
    entries_read: Option<u64>,
    /// Name to seen time and active time.
    consumers: BTreeMap<Vec<u8>, (u64, Option<u64>)>,
    entries: BTreeMap<StreamId, ModelEntry>,
    /// Counts changes of place in the order by age.
    arrivals: u64,
}

#[derive(Clone, Debug)]
struct ModelEntry {
    count: u64,
    holder: Option<(Vec<u8>, u64)>,
    /// Until when it has a pause.
    until_ms: Option<u64>,
    arrival: u64,
}

impl Model {
    fn place(&mut self, id: StreamId, count: u64, holder: Option<(Vec<u8>, u64)>) {
        self.arrivals += 1;
        let arrival = self.arrivals;
        self.entries.insert(
            id,
            ModelEntry {
                count,
                holder,
                until_ms: None,
                arrival,
            },
        );
    }

    /// IDs of those that have a pause, and until when.
    fn paused(&self) -> Vec<(StreamId, u64)> {
        let paused = self.entries.iter();
        let paused = paused.filter_map(|(id, entry)| Some((entry.until_ms?, entry.arrival, *id)));
        let mut paused: Vec<_> = paused.collect();
        paused.sort_unstable();
        paused
            .into_iter()
            .map(|(until_ms, _, id)| (id, until_ms))
            .collect()
    }

    /// IDs of those without a pause by age, with their delivery times, given-back ones first.
    fn by_age(&self) -> Vec<(Option<u64>, StreamId)> {
        let mut order: Vec<_> = self.entries.iter().collect();
        order.retain(|(_, entry)| entry.until_ms.is_none());
        order.sort_by_key(|(_, entry)| {
            (
                entry.holder.as_ref().map(|&(_, delivered_ms)| delivered_ms),
                entry.arrival,
            )
        });
        let since = |entry: &ModelEntry| entry.holder.as_ref().map(|&(_, since)| since);
        order
            .into_iter()
            .map(|(&id, entry)| (since(entry), id))
            .collect()
    }
}

const NAMES: [&[u8]; 5] = [b"zoe", b"adam", b"", b"\xff\0x", b"bob"];

#[derive(Clone, Debug)]
enum Step {
    Create {
        name: usize,
    },
    Delete {
        name: usize,
    },
    Deliver {
        name: usize,
        count: u64,
        step: u64,
        waived: bool,
    },
    SetBack {
        by: u64,
    },
    Claim {
        name: usize,
        ids: Vec<u64>,
        delivered_ms: u64,
        change: CountChange,
        missing: Missing,
    },
    ClaimOldest {
        name: usize,
        idle_ms_min: u64,
        count: usize,
    },
    GiveBack {
        ids: Vec<u64>,
        count: u64,
        until_ms: Option<u64>,
    },
    Acknowledge {
        ids: Vec<u64>,
    },
    AcknowledgeRun {
        start: u64,
        count: u64,
    },
    Wait {
        ms: u64,
    },
    SetClockBack {
        ms: u64,
    },
    Freeze,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..NAMES.len();
    let ids = || prop::collection::vec(0..2500_u64, 1..12);
    let change = prop_oneof![
        Just(CountChange::Raise),
        Just(CountChange::Keep),
        (0..9_u64).prop_map(CountChange::Set),
        Just(CountChange::Set(DELIVERY_COUNT_MAX)),
    ];
    let missing = prop_oneof![Just(Missing::Skip), Just(Missing::Create)];
    let time = || prop_oneof![Just(0), 0..60_u64, any::<u64>()];
    let step = prop_oneof![
        3 => name.clone().prop_map(|name| Step::Create { name }),
        1 => name.clone().prop_map(|name| Step::Delete { name }),
        6 => (name.clone(), 1..700_u64, 1..4_u64, any::<u8>()).prop_map(
            |(name, count, step, dice)| Step::Deliver { name, count, step, waived: dice < 20 }),
        1 => (0..1500_u64).prop_map(|by| Step::SetBack { by }),
        4 => (name.clone(), ids(), time(), change, missing).prop_map(
            |(name, ids, delivered_ms, change, missing)| {
                Step::Claim { name, ids, delivered_ms, change, missing }
            }),
        4 => (name, 0..40_u64, 1..150_usize).prop_map(
            |(name, idle_ms_min, count)| Step::ClaimOldest { name, idle_ms_min, count }),
        3 => (ids(), 0..5_u64, prop::option::of(time())).prop_map(
            |(ids, count, until_ms)| Step::GiveBack { ids, count, until_ms }),
        3 => ids().prop_map(|ids| Step::Acknowledge { ids }),
        4 => (0..2500_u64, 1..900_u64).prop_map(
            |(start, count)| Step::AcknowledgeRun { start, count }),
        4 => (0..15_u64).prop_map(|ms| Step::Wait { ms }),
        1 => (0..30_u64).prop_map(|ms| Step::SetClockBack { ms }),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..60)
}

fn id(number: u64) -> StreamId {
    StreamId::new(1_700_000_000_000 + number / 3, number % 3)
}

fn number_of(id: StreamId) -> u64 {
    id.ms.saturating_sub(1_700_000_000_000) * 3 + id.seq
}

/// One group, and its model, through the same steps.
struct Pair {
    group: Group,
    model: Model,
    now_ms: u64,
}

impl Pair {
    fn apply(&mut self, step: Step) {
        let now_ms = self.now_ms;
        match step {
            Step::Create { name } => {
                let is_new = !self.model.consumers.contains_key(NAMES[name]);
                let created = self.group.create_consumer(NAMES[name], now_ms);
                assert_eq!(is_new, matches!(created, Created::New(_)));
                self.model
                    .consumers
                    .entry(NAMES[name].to_vec())
                    .or_insert((now_ms, None));
            }
            Step::Delete { name } => {
                let Some(handle) = self.group.consumer(NAMES[name]) else {
                    return;
                };
                let before = self.model.entries.len();
                let is_other = |entry: &ModelEntry| {
                    entry
                        .holder
                        .as_ref()
                        .is_none_or(|(holder, _)| holder != NAMES[name])
                };
                self.model.entries.retain(|_, entry| is_other(entry));
                self.model.consumers.remove(NAMES[name]);
                let gone = before - self.model.entries.len();
                assert_eq!(self.group.delete_consumer(handle), Some(gone));
                assert_eq!(self.group.delete_consumer(handle), None);
            }
            Step::Deliver {
                name,
                count,
                step,
                waived,
            } => {
                let handle = self.group.create_consumer(NAMES[name], now_ms).handle();
                let first = number_of(self.model.last_delivered) + 1;
                let ids: Vec<_> = (0..count).map(|number| id(first + number * step)).collect();
                let acknowledgement = match waived {
                    true => Acknowledgement::Waived,
                    false => Acknowledgement::Awaited,
                };
                self.group
                    .deliver(handle, &ids, now_ms, acknowledgement, Some(first + count));
                let times = self.model.consumers.entry(NAMES[name].to_vec());
                let times = times.or_insert((now_ms, None));
                times.0 = now_ms;
                if !waived {
                    times.1 = Some(now_ms);
                }
                self.model.last_delivered = id(first + (count - 1) * step);
                self.model.entries_read = Some(first + count);
                for id in ids.into_iter().filter(|_| !waived) {
                    self.model
                        .place(id, 1, Some((NAMES[name].to_vec(), now_ms)));
                }
            }
            Step::SetBack { by } => {
                let back = id(number_of(self.model.last_delivered).saturating_sub(by));
                self.group.set_id(back, None);
                self.model.last_delivered = back;
                self.model.entries_read = None;
            }
            Step::Claim {
                name,
                ids,
                delivered_ms,
                change,
                missing,
            } => {
                let Some(consumer) = self.group.consumer(NAMES[name]) else {
                    return;
                };
                let ids: Vec<_> = ids.into_iter().map(id).collect();
                let holder = Holder {
                    consumer,
                    delivered_ms,
                };
                let claimed = self.group.claim(holder, &ids, change, missing);
                self.group.touch(consumer, now_ms, Activity::Seen);
                let delivered_ms = delivered_ms.min(PENDING_TIME_MS_MAX);
                let expected = self.claim_in_model(name, &ids, delivered_ms, change, missing);
                assert_eq!(claimed, expected);
                if let Some((seen_ms, _)) = self.model.consumers.get_mut(NAMES[name]) {
                    *seen_ms = now_ms;
                }
            }
            Step::ClaimOldest {
                name,
                idle_ms_min,
                count,
            } => {
                let consumer = self.group.create_consumer(NAMES[name], now_ms).handle();
                let idle = IdleAtLeast {
                    idle_ms_min,
                    now_ms,
                };
                let ids: Vec<_> = self.group.pending_by_age(idle).take(count).collect();
                let is_idle = |since: u64| {
                    idle_ms_min == 0 || now_ms >= since && now_ms - since >= idle_ms_min
                };
                let oldest = self.model.by_age().into_iter();
                let oldest = oldest.filter(|&(since, _)| since.is_none_or(is_idle));
                let expected: Vec<_> = oldest.map(|(_, id)| id).take(count).collect();
                assert_eq!(ids, expected);
                let holder = Holder {
                    consumer,
                    delivered_ms: now_ms,
                };
                self.group
                    .claim(holder, &ids, CountChange::Raise, Missing::Skip);
                self.group.touch(consumer, now_ms, Activity::Active);
                self.model
                    .consumers
                    .insert(NAMES[name].to_vec(), (now_ms, Some(now_ms)));
                self.claim_in_model(name, &ids, now_ms, CountChange::Raise, Missing::Skip);
            }
            Step::GiveBack {
                ids,
                count,
                until_ms: None,
            } => {
                for id in ids.into_iter().map(id) {
                    self.group.give_back(id, count);
                    self.model.place(id, count, None);
                }
            }
            Step::GiveBack {
                ids,
                count,
                until_ms: Some(until_ms),
            } => {
                let mut there = BTreeSet::new();
                let ids = ids.into_iter().filter(|id| there.insert(*id)).map(id);
                let ids: Vec<_> = ids.collect();
                let entries: Vec<_> = ids.iter().map(|id| paused(*id, count, until_ms)).collect();
                self.group.give_back_each(&entries);
                for id in ids {
                    self.model.place(id, count, None);
                    let entry = self.model.entries.get_mut(&id).expect("it was placed");
                    entry.until_ms = Some(until_ms.min(PENDING_TIME_MS_MAX));
                }
            }
            Step::Acknowledge { ids } => {
                let ids: Vec<_> = ids.into_iter().map(id).collect();
                self.acknowledge(&ids);
            }
            Step::AcknowledgeRun { start, count } => {
                let ids: Vec<_> = (start..start + count).map(id).collect();
                self.acknowledge(&ids);
            }
            Step::Wait { ms } => self.now_ms += ms,
            Step::SetClockBack { ms } => self.now_ms = self.now_ms.saturating_sub(ms),
            Step::Freeze => {}
        }
    }

    fn acknowledge(&mut self, ids: &[StreamId]) {
        let before = self.model.entries.len();
        for id in ids {
            self.model.entries.remove(id);
        }
        let gone = before - self.model.entries.len();
        assert_eq!(self.group.acknowledge(ids), gone);
    }

    fn claim_in_model(
        &mut self,
        name: usize,
        ids: &[StreamId],
        delivered_ms: u64,
        change: CountChange,
        missing: Missing,
    ) -> usize {
        let mut claimed = 0;
        for &id in ids {
            let before = self.model.entries.get(&id).map(|entry| entry.count);
            let before = match (before, missing) {
                (Some(count), _) => count,
                (None, Missing::Create) => 1,
                (None, Missing::Skip) => continue,
            };
            let count = match change {
                CountChange::Raise => (before + 1).min(DELIVERY_COUNT_MAX),
                CountChange::Keep => before,
                CountChange::Set(count) => count,
            };
            self.model
                .place(id, count, Some((NAMES[name].to_vec(), delivered_ms)));
            claimed += 1;
        }
        claimed
    }
}

/// What the group says of an entry, with the name of its holder.
fn told(group: &Group, entry: PendingEntry) -> (StreamId, u64, Option<(Vec<u8>, u64)>) {
    let holder = entry.holder.map(|holder| {
        let consumer = group
            .consumer_at(holder.consumer)
            .expect("the holder is there");
        (consumer.name().to_vec(), holder.delivered_ms)
    });
    (entry.id, entry.delivery_count, holder)
}

const ALL: IdleAtLeast = IdleAtLeast {
    idle_ms_min: 0,
    now_ms: 0,
};

fn check(group: &Group, model: &Model, now_ms: u64) {
    assert_eq!(group.last_delivered(), model.last_delivered);
    assert_eq!(group.entries_read(), model.entries_read);

    let expected = |start: StreamId, end: StreamId| {
        let range = model.entries.range(start..=end);
        range
            .map(|(&id, entry)| (id, entry.count, entry.holder.clone()))
            .collect::<Vec<_>>()
    };
    let (start, end) = (StreamId::MIN, StreamId::MAX);
    let all: Vec<_> = group
        .pending_range(start, end)
        .map(|entry| told(group, entry))
        .collect();
    assert_eq!(all, expected(start, end));
    assert_eq!(group.pending_count(), all.len());
    let bounds = all
        .first()
        .zip(all.last())
        .map(|(first, last)| (first.0, last.0));
    assert_eq!(group.pending_bounds(), bounds);
    let (start, end) = (id(300), id(1100));
    let part: Vec<_> = group
        .pending_range(start, end)
        .map(|entry| told(group, entry))
        .collect();
    assert_eq!(part, expected(start, end));

    let by_age = model.by_age();
    assert!(
        group
            .pending_by_age(ALL)
            .eq(by_age.iter().map(|&(_, id)| id))
    );
    let oldest = by_age.first().map(|&(since, _)| since.unwrap_or(0));
    assert_eq!(group.oldest_delivery_ms(), oldest);
    let paused = model.paused();
    assert!(group.paused().eq(paused.iter().copied()));
    assert_eq!(group.knows_pauses(), !paused.is_empty());
    let given_back = by_age
        .iter()
        .filter(|(since, _)| since.is_none())
        .map(|&(_, id)| id)
        .chain(paused.iter().map(|&(id, _)| id));
    assert!(group.given_back().eq(given_back.clone()));
    assert_eq!(group.given_back_count(), given_back.count());
    let over = paused.iter().filter(|(_, until_ms)| *until_ms <= now_ms);
    let to_give = over.map(|&(id, _)| id);
    let to_give = to_give.chain(by_age.iter().map(|&(_, id)| id));
    let any = IdleAtLeast {
        idle_ms_min: 0,
        now_ms,
    };
    assert!(group.pending_to_give(any).eq(to_give));
    let later = paused.iter().map(|&(_, until_ms)| until_ms);
    let later = later.filter(|until_ms| *until_ms > now_ms).min();
    assert_eq!(group.next_pause_end_ms(now_ms), later);

    for idle_ms_min in [1, 5, 20, 1_000_000] {
        let asked = IdleAtLeast {
            idle_ms_min,
            now_ms,
        };
        let is_idle = |since: u64| {
            now_ms
                .checked_sub(since)
                .is_some_and(|ms| ms >= idle_ms_min)
        };
        let expected = expected(start, end).into_iter();
        let expected = expected
            .filter(|(_, _, holder)| holder.as_ref().is_none_or(|holder| is_idle(holder.1)))
            .filter(|(id, _, _)| model.entries[id].until_ms.is_none());
        let idle = group
            .pending_range_idle(start, end, asked)
            .map(|entry| told(group, entry));
        assert!(idle.clone().eq(expected.clone()));
        for (handle, consumer) in group.consumers() {
            let held = group
                .pending_range_of_idle(handle, start, end, asked)
                .map(|entry| told(group, entry));
            let is_held = |entry: &(StreamId, u64, Option<(Vec<u8>, u64)>)| {
                entry
                    .2
                    .as_ref()
                    .is_some_and(|(name, _)| name == consumer.name())
            };
            assert!(held.eq(expected.clone().filter(is_held)));
        }
        let later = by_age.iter().filter_map(|&(since, _)| since);
        let later = later.filter(|&since| !is_idle(since));
        let next = later.map(|since| since.saturating_add(idle_ms_min)).min();
        assert_eq!(group.next_idle_ms(asked), next);
    }

    let names: Vec<_> = group
        .consumers()
        .map(|(_, consumer)| consumer.name().to_vec())
        .collect();
    assert!(names.iter().eq(model.consumers.keys()));
    assert_eq!(group.consumer_count(), names.len());
    for (handle, consumer) in group.consumers() {
        let (seen_ms, active_ms) = model.consumers[consumer.name()];
        assert_eq!(
            (consumer.seen_ms(), consumer.active_ms()),
            (seen_ms, active_ms)
        );
        let is_held = |entry: &(StreamId, u64, Option<(Vec<u8>, u64)>)| {
            entry
                .2
                .as_ref()
                .is_some_and(|(name, _)| name == consumer.name())
        };
        let held: Vec<_> = all.iter().filter(|entry| is_held(entry)).cloned().collect();
        assert_eq!(consumer.pending_count(), held.len());
        assert!(
            consumer
                .pending_ids(StreamId::MIN)
                .eq(held.iter().map(|entry| entry.0))
        );
        let part = group
            .pending_range_of(handle, start, end)
            .map(|entry| told(group, entry));
        assert!(
            part.eq(held
                .into_iter()
                .filter(|entry| start <= entry.0 && entry.0 <= end))
        );
    }
    for number in (0..2500).step_by(97) {
        let until_ms = model.entries.get(&id(number)).and_then(|it| it.until_ms);
        assert_eq!(group.paused_until_ms(id(number)), until_ms);
        let found = group.pending(id(number)).map(|entry| told(group, entry));
        assert_eq!(found, expected(id(number), id(number)).pop());
    }
}

/// The group as a file would bring it back.
fn restored(group: &Group) -> Group {
    let mut restorer = GroupRestorer::new(group.last_delivered(), group.entries_read());
    for entry in group.pending_range(StreamId::MIN, StreamId::MAX) {
        let delivered_ms = entry.holder.map_or(0, |holder| holder.delivered_ms);
        restorer
            .pending(entry.id, delivered_ms, entry.delivery_count)
            .unwrap();
    }
    for (_, consumer) in group.consumers() {
        let (seen_ms, active_ms) = (consumer.seen_ms(), consumer.active_ms());
        let handle = restorer
            .consumer(consumer.name(), seen_ms, active_ms)
            .unwrap();
        for id in consumer.pending_ids(StreamId::MIN) {
            restorer.hold(handle, id).unwrap();
        }
    }
    for id in group.given_back() {
        restorer.give_back(id).unwrap();
    }
    restorer
        .finish(
            &group.latecomers().collect::<Vec<_>>(),
            &group.paused().collect::<Vec<_>>(),
        )
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_group_behaves_like_its_model(steps in steps()) {
        let mut pair = Pair {
            group: Group::new(id(0), Some(0)),
            model: Model { last_delivered: id(0), entries_read: Some(0), ..Model::default() },
            now_ms: 50,
        };
        let mut frozen = Vec::new();
        for step in steps {
            if matches!(step, Step::Freeze) {
                frozen.push((pair.group.clone(), pair.model.clone(), pair.now_ms));
            }
            pair.apply(step);
        }
        check(&pair.group, &pair.model, pair.now_ms);
        check(&restored(&pair.group), &pair.model, pair.now_ms);
        for (group, model, now_ms) in frozen {
            check(&group, &model, now_ms);
        }
    }
}

fn by_age(group: &Group) -> Vec<u64> {
    group.pending_by_age(ALL).map(number_of).collect()
}

#[test]
fn of_equal_delivery_times_the_one_that_came_later_is_later() {
    let mut group = Group::new(id(0), Some(0));
    let consumer = group.create_consumer(b"a", 9).handle();
    let ids: Vec<_> = (1..=7).map(id).collect();
    group.deliver(consumer, &ids, 100, Acknowledgement::Awaited, None);
    let holder = |delivered_ms| Holder {
        consumer,
        delivered_ms,
    };
    for number in [5, 2, 4] {
        group.claim(holder(50), &[id(number)], CountChange::Keep, Missing::Skip);
    }
    group.claim(holder(40), &[id(3)], CountChange::Keep, Missing::Skip);
    assert_eq!(by_age(&group), [3, 5, 2, 4, 1, 6, 7]);
    group.claim(holder(50), &[id(5)], CountChange::Keep, Missing::Skip);
    assert_eq!(by_age(&group), [3, 2, 4, 5, 1, 6, 7]);
    group.claim(
        holder(100),
        &[id(7), id(1), id(6)],
        CountChange::Keep,
        Missing::Skip,
    );
    assert_eq!(by_age(&group), [3, 2, 4, 5, 7, 1, 6]);
    assert_eq!(
        group.latecomers().map(number_of).collect::<Vec<_>>(),
        [1, 6]
    );
    assert_eq!(by_age(&restored(&group)), by_age(&group));
}

/// Many entries in any order are claimed and given back as if each came by itself.
#[test]
fn many_entries_are_placed_together_as_one_by_one() {
    const COUNT: u64 = 5000;
    let mut together = Group::new(id(0), Some(0));
    let first = together.create_consumer(b"first", 1).handle();
    let second = together.create_consumer(b"second", 1).handle();
    let delivered: Vec<_> = (1..COUNT).map(id).collect();
    let (early, late) = delivered.split_at(2300);
    together.deliver(first, early, 1, Acknowledgement::Awaited, None);
    together.deliver(second, late, 2, Acknowledgement::Awaited, None);
    let mut alone = together.clone();
    // Some are not pending, some come in short runs, and some are more than one part.
    let jumping = |count: u64, start: u64, step: u64| -> Vec<_> {
        (0..count)
            .map(|n| id((start + n * step) % (COUNT + 200) + 1))
            .collect()
    };
    for (turn, ids) in [
        jumping(600, 3, 601),
        jumping(600, 90, 77),
        jumping(4600, 11, 1),
        jumping(4600, 5, 1009),
    ]
    .into_iter()
    .enumerate()
    {
        for holder in [None, Some(first), Some(second), None] {
            for missing in [Missing::Skip, Missing::Create] {
                match holder {
                    None => {
                        // Each with a count and a pause of its own, or all alike.
                        let differ = u64::from(missing == Missing::Create);
                        let entry = |(number, id): (u64, &StreamId)| GivenBack {
                            id: *id,
                            delivery_count: turn as u64 + differ * (number % 3),
                            not_before_ms: (differ * number % 5 > 2).then_some(90 - number % 7),
                        };
                        let entries: Vec<_> = (0..).zip(&ids).map(entry).collect();
                        together.give_back_each(&entries);
                        entries.iter().for_each(|it| alone.give_back_each(&[*it]));
                        assert!(together.paused().eq(alone.paused()));
                    }
                    Some(consumer) => {
                        let delivered_ms = turn as u64 + 5;
                        let holder = Holder {
                            consumer,
                            delivered_ms,
                        };
                        let count = CountChange::Raise;
                        let claimed = together.claim(holder, &ids, count, missing);
                        let each = ids.iter();
                        let each = each.map(|id| alone.claim(holder, &[*id], count, missing));
                        assert_eq!(claimed, each.sum());
                    }
                }
                compare(&together, &alone);
            }
        }
        // The next ones find fewer of them.
        let gone: Vec<_> = (turn as u64 * 100..turn as u64 * 100 + 90)
            .map(id)
            .collect();
        assert_eq!(together.acknowledge(&gone), alone.acknowledge(&gone));
    }
}

fn paused(id: StreamId, delivery_count: u64, until_ms: u64) -> GivenBack {
    GivenBack {
        id,
        delivery_count,
        not_before_ms: Some(until_ms),
    }
}

fn compare(group: &Group, other: &Group) {
    assert!(
        group
            .pending_range(StreamId::MIN, StreamId::MAX)
            .eq(other.pending_range(StreamId::MIN, StreamId::MAX))
    );
    assert_eq!(by_age(group), by_age(other));
    assert_eq!(group.given_back_count(), other.given_back_count());
    let counts = |group: &Group| -> Vec<_> {
        group
            .consumers()
            .map(|(name, it)| (name, it.pending_count()))
            .collect()
    };
    assert_eq!(counts(group), counts(other));
    for (consumer, _) in group.consumers() {
        let (first, last) = (StreamId::MIN, StreamId::MAX);
        let held = group.pending_range_of(consumer, first, last);
        assert!(held.eq(other.pending_range_of(consumer, first, last)));
    }
}

#[test]
fn given_back_entries_stand_before_the_longest_idle_one() {
    let mut group = Group::new(id(0), Some(0));
    let consumer = group.create_consumer(b"a", 9).handle();
    group.deliver(
        consumer,
        &[id(1), id(2), id(3)],
        0,
        Acknowledgement::Awaited,
        None,
    );
    group.give_back(id(3), 1);
    group.give_back(id(2), 1);
    assert_eq!(by_age(&group), [3, 2, 1]);
    group.give_back(id(3), 1);
    assert_eq!(by_age(&group), [2, 3, 1]);
    assert_eq!(group.given_back_count(), 2);
    let never_idle = IdleAtLeast {
        idle_ms_min: 10,
        now_ms: 5,
    };
    assert_eq!(group.pending_by_age(never_idle).count(), 2);
    assert_eq!(
        group.consumer_at(consumer).map(Consumer::pending_count),
        Some(1)
    );
}

#[test]
fn a_handle_is_reused_without_what_its_consumer_had() {
    let mut group = Group::new(id(0), Some(0));
    let first = group.create_consumer(b"first", 1).handle();
    let kept = group.create_consumer(b"kept", 1).handle();
    group.deliver(first, &[id(1), id(2)], 5, Acknowledgement::Awaited, None);
    group.deliver(kept, &[id(3)], 5, Acknowledgement::Awaited, None);
    assert_eq!(group.delete_consumer(first), Some(2));
    assert_eq!(group.pending_count(), 1);
    assert_eq!(group.create_consumer(b"second", 7), Created::New(first));
    assert_eq!(
        group.consumer_at(first).map(Consumer::pending_count),
        Some(0)
    );
    assert_eq!(group.pending_count(), 1);
}

#[test]
#[should_panic(expected = "a handle is made or found")]
fn what_would_be_delivered_to_nobody_is_not_lost_without_a_word() {
    let mut group = Group::new(id(0), Some(0));
    let gone = group.create_consumer(b"gone", 1).handle();
    group.delete_consumer(gone);
    group.deliver(gone, &[id(1)], 5, Acknowledgement::Awaited, None);
}

#[test]
fn thousands_of_consumers_come_and_go() {
    let mut group = Group::new(id(0), Some(0));
    let first = group.create_consumer(b"c0", 1).handle();
    for number in 1..3000_u32 {
        group.create_consumer(format!("c{number}").as_bytes(), 1);
    }
    let full_bytes = group.heap_bytes();
    for number in 0..2999_u32 {
        let consumer = group.consumer(format!("c{number}").as_bytes()).unwrap();
        assert_eq!(group.delete_consumer(consumer), Some(0));
    }
    assert_eq!(group.consumer_count(), 1);
    assert!(
        group.heap_bytes() < full_bytes / 8,
        "{} of {full_bytes}",
        group.heap_bytes()
    );
    let again = group.create_consumer(b"again", 2).handle();
    assert_eq!(group.consumer(b"again"), Some(again));
    assert_eq!(again, first, "vacant handles are used again");
}

#[test]
fn what_contradicts_itself_is_not_restored() {
    let begin = || {
        let mut restorer = GroupRestorer::new(id(9), None);
        restorer.pending(id(1), 5, 1).unwrap();
        restorer.pending(id(2), 5, u64::MAX).unwrap();
        restorer
    };
    let mut restorer = begin();
    assert_eq!(
        restorer.pending(id(2), 5, 1),
        Err(RestoreError::OutOfOrder(id(2)))
    );
    let consumer = restorer.consumer(b"a", 1, None).unwrap();
    assert_eq!(
        restorer.consumer(b"a", 1, None),
        Err(RestoreError::ConsumerTwice)
    );
    assert_eq!(
        restorer.hold(consumer, id(3)),
        Err(RestoreError::NotPending(id(3)))
    );
    restorer.hold(consumer, id(1)).unwrap();
    assert_eq!(
        restorer.hold(consumer, id(1)),
        Err(RestoreError::HeldTwice(id(1)))
    );
    assert_eq!(
        restorer.give_back(id(1)),
        Err(RestoreError::HeldTwice(id(1)))
    );
    assert_eq!(
        restorer.give_back(id(7)),
        Err(RestoreError::NotPending(id(7)))
    );
    let error = restorer.clone().finish(&[], &[]).map(|_| ());
    assert_eq!(error, Err(RestoreError::NotHeld(id(2))));
    restorer.give_back(id(2)).unwrap();
    assert_eq!(
        restorer.give_back(id(2)),
        Err(RestoreError::HeldTwice(id(2)))
    );
    let error = restorer.clone().finish(&[id(8)], &[]).map(|_| ());
    assert_eq!(error, Err(RestoreError::NotPending(id(8))));
    let error = restorer.clone().finish(&[], &[(id(8), 5)]).map(|_| ());
    assert_eq!(error, Err(RestoreError::NotPending(id(8))));
    let error = restorer.clone().finish(&[], &[(id(1), 5)]).map(|_| ());
    assert_eq!(error, Err(RestoreError::HeldTwice(id(1))));
    let group = restorer.finish(&[], &[]).unwrap();
    assert_eq!(
        group.pending(id(2)).map(|entry| entry.delivery_count),
        Some(DELIVERY_COUNT_MAX)
    );
}
