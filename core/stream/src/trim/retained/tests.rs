use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    Acknowledgement, Group, NodeLimits, Removed, Retention, Settings, Stream, StreamSettings,
};

const START_MS: u64 = 1_000_000;

/// Entries in a node, so that short streams have several.
const NODE_ENTRIES: u64 = 10;

/// What the chunk of a node takes, at most.
const CHUNK_BYTES: u64 = NODE_ENTRIES * 4000;

const LIMITS: NodeLimits = NodeLimits {
    entries_max: NODE_ENTRIES as u32,
    bytes_max: 0,
};

/// A step may remove this many entries, fewer than many a node's.
const ENTRIES_MAX: u64 = 7;

#[derive(Clone, Debug)]
enum Step {
    Append {
        count: u8,
        after_ms: u64,
        bytes: u16,
    },
    Read {
        group: u8,
        count: u8,
    },
    Acknowledge {
        group: u8,
        step: u8,
    },
    Delete {
        at: u8,
    },
    Pass {
        ms: u64,
    },
    Bound(Retain),
}

fn bounds() -> impl Strategy<Value = Retain> {
    let references = prop_oneof![
        Just(References::Keep),
        Just(References::Delete),
        Just(References::Acknowledged)
    ];
    let len_max = prop_oneof![Just(0), 1..60_u64];
    let age_ms_max = prop_oneof![Just(0), 1..5000_u64];
    let bytes_max = prop_oneof![3 => Just(0), 1 => 1..100_000_u64];
    (len_max, age_ms_max, bytes_max, references).prop_map(
        |(len_max, age_ms_max, bytes_max, references)| Retain {
            len_max,
            age_ms_max,
            bytes_max,
            references,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..40_u8, 0..50_u64, 0..3000_u16).prop_map(|(count, after_ms, bytes)| Step::Append {
            count,
            after_ms,
            bytes
        }),
        4 => (0..3_u8, 1..60_u8).prop_map(|(group, count)| Step::Read { group, count }),
        4 => (0..3_u8, 1..4_u8).prop_map(|(group, step)| Step::Acknowledge { group, step }),
        1 => any::<u8>().prop_map(|at| Step::Delete { at }),
        4 => (0..4000_u64).prop_map(|ms| Step::Pass { ms }),
        2 => bounds().prop_map(Step::Bound),
    ];
    proptest::collection::vec(step, 1..40)
}

/// What a stream with its groups is, in plain words.
#[derive(Default)]
struct Model {
    entries: BTreeSet<StreamId>,
    /// What each group was last delivered, and what is pending.
    groups: BTreeMap<u8, (StreamId, BTreeSet<StreamId>)>,
    bounds: Retain,
}

impl Model {
    fn is_needed(&self, id: StreamId) -> bool {
        let mut groups = self.groups.values();
        groups.any(|(last, pending)| id > *last || pending.contains(&id))
    }

    fn is_old(&self, id: StreamId, now_ms: u64) -> bool {
        let age_ms_max = self.bounds.age_ms_max;
        age_ms_max > 0 && id.ms + age_ms_max <= now_ms
    }
}

struct World {
    stream: Stream,
    model: Model,
    now_ms: u64,
}

impl World {
    fn new() -> World {
        World {
            stream: Stream::new(Retention::DEFAULT, 7),
            model: Model::default(),
            now_ms: START_MS,
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Append {
                count,
                after_ms,
                bytes,
            } => {
                for _ in 0..count {
                    self.now_ms += after_ms;
                    let id = self.stream.next_id(self.now_ms).unwrap();
                    let value = vec![b'x'; bytes.into()];
                    let fields = [b"f".as_slice(), &value].into_iter();
                    self.stream.append(id, fields, LIMITS).unwrap();
                    self.model.entries.insert(id);
                }
            }
            Step::Read { group, count } => self.read(group, count.into()),
            Step::Acknowledge { group, step } => {
                if let Some((_, pending)) = self.model.groups.get_mut(&group) {
                    let ids: Vec<_> = pending.iter().step_by(step.into()).copied().collect();
                    ids.iter().for_each(|id| assert!(pending.remove(id)));
                    let acknowledge = |of: &mut Group| of.acknowledge(&ids);
                    let done = self.stream.groups_mut().edit(&[group], acknowledge);
                    assert_eq!(done, Some(ids.len()));
                }
            }
            Step::Delete { at } => {
                let id = self.model.entries.iter().nth(at.into()).copied();
                if let Some(id) = id {
                    self.stream.delete(id, References::Keep);
                    self.model.entries.remove(&id);
                }
            }
            Step::Pass { ms } => self.now_ms += ms,
            Step::Bound(bounds) => {
                self.model.bounds = bounds;
                let settings = StreamSettings {
                    retain: bounds,
                    ..StreamSettings::default()
                };
                drop(self.stream.set_settings(&settings));
            }
        }
        self.settle();
    }

    fn read(&mut self, group: u8, count: usize) {
        if !self.model.groups.contains_key(&group) {
            let made = Group::new(StreamId::MIN, None);
            self.stream.insert_group(&[group], made);
            self.model.groups.insert(group, Default::default());
        }
        let (last, pending) = self.model.groups.get_mut(&group).unwrap();
        let new = self.model.entries.iter().filter(|id| **id > *last);
        let ids: Vec<_> = new.take(count).copied().collect();
        if let Some(&end) = ids.last() {
            *last = end;
        }
        pending.extend(&ids);
        self.stream.groups_mut().edit(&[group], |of| {
            let consumer = of.create_consumer(b"c", 5).handle();
            of.deliver(consumer, &ids, 5, Acknowledgement::Awaited, None);
        });
    }

    /// Does what is due now, and checks each step.
    fn settle(&mut self) {
        let mut steps = 0;
        while let Some(due) = self.stream.retention_due_ms()
            && due <= self.now_ms
        {
            let removed = self.take_step();
            self.stream.rest_from_retention(removed > 0, self.now_ms);
            steps += 1;
            assert!(steps < 1000, "it never ends");
        }
        self.check();
    }

    fn take_step(&mut self) -> u64 {
        let Some((cut, references)) = self.stream.plan_retention(self.now_ms, ENTRIES_MAX) else {
            return 0;
        };
        let before = self.model.entries.clone();
        let bytes_before = self.stream.entries().chunk_bytes();
        let trimmed = self
            .stream
            .trim(cut.through, references, &mut Removed::default());
        let left: BTreeSet<_> = self.stream.entries().iter().map(|it| it.id()).collect();
        let gone: Vec<_> = before.difference(&left).copied().collect();
        assert_eq!(trimmed.entries, gone.len() as u64);
        assert_eq!(cut.entry_count, trimmed.entries);
        let bounds = self.model.bounds;
        // Bytes go by whole chunks, which may have more entries.
        let is_too_large = bounds.bytes_max > 0 && bytes_before > bounds.bytes_max;
        assert!(gone.len() as u64 <= ENTRIES_MAX || is_too_large);
        let not_old = gone
            .iter()
            .filter(|id| !self.model.is_old(**id, self.now_ms));
        if not_old.count() > 0 {
            let is_long_enough = bounds.len_max > 0 && left.len() as u64 >= bounds.len_max;
            let bytes = self.stream.entries().chunk_bytes();
            // Where entries go from within chunks, what is left of these is packed more tightly.
            let exact_to = match references {
                References::Acknowledged => CHUNK_BYTES,
                References::Keep | References::Delete => 0,
            };
            let is_large_enough = bounds.bytes_max > 0 && bytes + exact_to >= bounds.bytes_max;
            assert!(
                is_long_enough || is_large_enough,
                "{gone:?} go, and {} stay",
                left.len()
            );
        }
        match references {
            References::Acknowledged => {
                let needed = gone.iter().find(|id| self.model.is_needed(**id));
                assert_eq!(needed, None, "a group needs it");
            }
            References::Keep | References::Delete => {
                assert!(gone.iter().eq(before.iter().take(gone.len())), "the first");
            }
        }
        for (name, (_, pending)) in &mut self.model.groups {
            if references == References::Delete {
                pending.retain(|id| *id > cut.through);
            }
            let group = self.stream.groups().find(&[*name]).unwrap();
            let really = group.pending_range(StreamId::MIN, StreamId::MAX);
            assert!(really.map(|entry| entry.id).eq(pending.iter().copied()));
        }
        self.model.entries = left;
        trimmed.entries + trimmed.references
    }

    /// No more is left than there may be, but for what groups need.
    fn check(&self) {
        let (entries, bounds) = (&self.model.entries, self.model.bounds);
        if self.stream.retention_due_ms().is_none() && !bounds.is_on() {
            return;
        }
        // It rests until then, and does it afterwards.
        let rests = self
            .stream
            .retention_due_ms()
            .is_some_and(|due| due > self.now_ms && due <= self.now_ms + RETAIN_REST_MAX_MS);
        if rests {
            return;
        }
        let old = entries
            .iter()
            .find(|id| self.model.is_old(**id, self.now_ms));
        assert_eq!(old, None, "too old");
        if bounds.len_max > 0 {
            let excess = (entries.len() as u64).saturating_sub(bounds.len_max);
            assert!(excess < NODE_ENTRIES, "{excess} too many");
        }
    }

    /// Lets the longest rest pass, after which everything that may go has gone.
    fn finish(&mut self) {
        for _ in 0..2 {
            self.now_ms += RETAIN_REST_MAX_MS;
            self.settle();
        }
        let bounds = self.model.bounds;
        if !bounds.is_on() {
            return;
        }
        let needed_only = |id: &&StreamId| {
            bounds.references != References::Acknowledged || !self.model.is_needed(**id)
        };
        let entries = &self.model.entries;
        let free: Vec<_> = entries.iter().filter(needed_only).copied().collect();
        let old = free.iter().find(|id| self.model.is_old(**id, self.now_ms));
        assert_eq!(old, None, "too old");
        if bounds.len_max > 0 {
            let excess = (entries.len() as u64).saturating_sub(bounds.len_max);
            assert!(excess.min(free.len() as u64) < NODE_ENTRIES, "{excess}");
        }
        if bounds.bytes_max > 0 && bounds.references != References::Acknowledged {
            let entries = self.stream.entries();
            assert_eq!(entries.entries_beyond(bounds.bytes_max, u64::MAX), 0);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn streams_keep_to_their_bounds_and_to_what_groups_need(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        world.finish();
    }
}

fn stream(entries: u64, bounds: Retain) -> Stream {
    let mut stream = Stream::new(Retention::DEFAULT, 7);
    for seq in 1..=entries {
        let id = StreamId { ms: START_MS, seq };
        let fields = [b"f".as_slice(), b"v"].into_iter();
        stream.append(id, fields, NodeLimits::DEFAULT).unwrap();
    }
    let settings = StreamSettings {
        retain: bounds,
        ..StreamSettings::default()
    };
    drop(stream.set_settings(&settings));
    stream
}

#[test]
fn a_stream_that_a_group_holds_up_is_asked_ever_more_seldom() {
    let bounds = Retain {
        len_max: 10,
        references: References::Acknowledged,
        ..Retain::default()
    };
    let mut stream = stream(1000, bounds);
    stream.insert_group(b"g", Group::new(StreamId::MIN, None));
    let (mut now_ms, mut asked) = (START_MS, 0);
    while now_ms < START_MS + 3_600_000 {
        assert_eq!(stream.plan_retention(now_ms, 100), None);
        stream.rest_from_retention(false, now_ms);
        let due = stream.retention_due_ms().unwrap();
        assert!((RETAIN_REST_MIN_MS..=RETAIN_REST_MAX_MS).contains(&(due - now_ms)));
        (now_ms, asked) = (due, asked + 1);
    }
    assert!(asked < 3_600_000 / RETAIN_REST_MAX_MS + 10, "{asked} times");
    // It goes on once it may.
    let last = stream.last_id();
    assert!(stream.set_group_id(b"g", last, None));
    let (cut, _) = stream.plan_retention(now_ms, 100).unwrap();
    assert_eq!(cut.entry_count, 100);
}

#[test]
fn ids_of_any_time_are_due_at_most_once() {
    for ms in [
        0,
        1,
        START_MS,
        1 << 62,
        i64::MAX as u64,
        u64::MAX - 1,
        u64::MAX,
    ] {
        for age_ms_max in [1, 1000, i64::MAX as u64] {
            let mut stream = Stream::new(Retention::DEFAULT, 7);
            let fields = [b"f".as_slice(), b"v"].into_iter();
            let id = StreamId { ms, seq: 1 };
            stream.append(id, fields, NodeLimits::DEFAULT).unwrap();
            let retain = Retain {
                age_ms_max,
                ..Retain::default()
            };
            let settings = StreamSettings {
                retain,
                ..StreamSettings::default()
            };
            drop(stream.set_settings(&settings));
            let is_due = stream.retention_due_ms().unwrap() <= START_MS;
            let planned = stream.plan_retention(START_MS, 100);
            assert_eq!(is_due, planned.is_some(), "{ms} {age_ms_max}");
            if let Some((cut, references)) = planned {
                stream.trim(cut.through, references, &mut Removed::default());
                stream.rest_from_retention(true, START_MS);
                assert_eq!(stream.retention_due_ms(), None);
            }
        }
    }
}

#[test]
fn a_step_forgets_a_bounded_number_of_pending_entries() {
    let bounds = Retain {
        len_max: 10,
        references: References::Delete,
        ..Retain::default()
    };
    let count = 5 * RETAIN_REFERENCES_MAX as u64;
    let mut stream = stream(count, bounds);
    let mut group = Group::new(StreamId::MIN, None);
    let consumer = group.create_consumer(b"c", 5).handle();
    let ids: Vec<_> = stream.entries().iter().map(|entry| entry.id()).collect();
    group.deliver(consumer, &ids, 5, Acknowledgement::Awaited, None);
    stream.insert_group(b"g", group);
    let mut forgotten = 0;
    while let Some((cut, references)) = stream.plan_retention(START_MS, u64::MAX) {
        let trimmed = stream.trim(cut.through, references, &mut Removed::default());
        assert!(trimmed.references <= RETAIN_REFERENCES_MAX as u64);
        forgotten += trimmed.references;
    }
    assert!(stream.len() < 10 + 100);
    assert_eq!(forgotten, count - stream.len());
}

#[test]
fn nothing_is_bounded_by_default() {
    let settings = StreamSettings::default();
    assert!(!settings.retain.is_on());
    let mut rows = StreamSettings::ROWS.iter();
    assert!(rows.any(|row| row.word == "RETAIN-MAXLEN"));
    let stream = stream(1000, settings.retain);
    assert_eq!(stream.retention_due_ms(), None);
    assert!(!stream.trims_with_append());
    assert_eq!(stream.plan_retention(u64::MAX, 100), None);
}
