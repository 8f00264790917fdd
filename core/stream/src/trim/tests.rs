use std::num::NonZeroU64;

use proptest::prelude::*;

use super::*;
use crate::{Acknowledgement, Group, NodeLimits, Removed};

fn id(seq: u64) -> StreamId {
    StreamId::new(1, seq)
}

fn append(entries: &mut Entries, seq: u64, value: &[u8], limits: NodeLimits) {
    entries
        .append(id(seq), [b"f".as_slice(), value].into_iter(), limits)
        .unwrap();
}

/// Entries `1-1` to `1-count` in nodes of 100.
fn numbered(count: u64) -> Entries {
    let mut entries = Entries::new();
    (1..=count).for_each(|seq| append(&mut entries, seq, b"v", NodeLimits::DEFAULT));
    entries
}

/// A group that has received the first `count` entries and acknowledged these.
fn group(count: u64, acknowledged: impl Iterator<Item = u64>) -> Groups {
    let mut group = Group::new(StreamId::MIN, None);
    let consumer = group.create_consumer(b"c", 5).handle();
    let ids: Vec<_> = (1..=count).map(id).collect();
    group.deliver(consumer, &ids, 5, Acknowledgement::Awaited, None);
    group.acknowledge(&acknowledged.map(id).collect::<Vec<_>>());
    let mut groups = Groups::new();
    groups.insert(b"g", group);
    groups
}

fn approximate(keep: Keep, limit: u64) -> Trim {
    Trim {
        keep,
        precision: Precision::Approximate {
            limit: NonZeroU64::new(limit),
        },
    }
}

fn exact(keep: Keep) -> Trim {
    Trim {
        keep,
        precision: Precision::Exact,
    }
}

/// Returns how many entries go. Checks that the cut's place agrees.
fn planned(entries: &Entries, groups: &Groups, trim: Trim, references: References) -> u64 {
    let Some(cut) = plan(entries, groups, &trim, references) else {
        return 0;
    };
    assert!(cut.entry_count > 0 || references == References::Delete);
    if references != References::Acknowledged {
        assert_eq!(
            entries.count_between(StreamId::MIN, cut.through),
            cut.entry_count
        );
    }
    cut.entry_count
}

fn kept(entries: &Entries, trim: Trim) -> u64 {
    planned(entries, &Groups::new(), trim, References::Keep)
}

#[test]
fn exact_trims_keep_to_the_entry() {
    let entries = numbered(1000);
    assert_eq!(kept(&entries, exact(Keep::MaxLen(950))), 50);
    assert_eq!(kept(&entries, exact(Keep::MaxLen(1000))), 0);
    assert_eq!(kept(&entries, exact(Keep::MaxLen(u64::MAX))), 0);
    assert_eq!(kept(&entries, exact(Keep::MaxLen(0))), 1000);
    assert_eq!(kept(&entries, exact(Keep::MinId(id(20)))), 19);
    assert_eq!(kept(&entries, exact(Keep::MinId(StreamId::MIN))), 0);
    assert_eq!(kept(&entries, exact(Keep::MinId(StreamId::MAX))), 1000);
}

// The figures of the next four tests are Redis 8.6.3's.

#[test]
fn what_a_trim_cuts_after_an_append_is_foretold() {
    let mut entries = Entries::new();
    let (mut told, mut cut) = (0, 0);
    for seq in 1..=350 {
        let keeps = [0, 1, 99, 100, 150, 250, 349, 350, 351].map(Keep::MaxLen);
        let trims = keeps.map(|keep| [exact(keep), approximate(keep, 0), approximate(keep, 120)]);
        let trims = trims.as_flattened();
        let may = trims
            .iter()
            .map(|trim| may_cut_after_append(&entries, trim, References::Keep))
            .collect::<Vec<_>>();
        append(&mut entries, seq, b"v", NodeLimits::DEFAULT);
        for (trim, may) in trims.iter().zip(may) {
            let does = kept(&entries, *trim) > 0;
            assert!(may || !does, "{seq}: {trim:?}");
            (told, cut) = (told + u32::from(may), cut + u32::from(does));
        }
    }
    // It says yes for nothing only while the stream is hardly longer than what goes.
    assert!((told - cut) * 10 < told, "{told} {cut}");
    let by_id = exact(Keep::MinId(id(5)));
    assert!(may_cut_after_append(&entries, &by_id, References::Keep));
    let keep = exact(Keep::MaxLen(1000));
    assert!(!may_cut_after_append(&entries, &keep, References::Keep));
    assert!(may_cut_after_append(&entries, &keep, References::Delete));
}

#[test]
fn approximate_trims_remove_whole_nodes() {
    let entries = numbered(1000);
    for (len, limit, removed) in [
        (500, 0, 500),
        (550, 0, 400),
        (999, 0, 0),
        (0, 0, 1000),
        (850, 100, 100),
        (550, 150, 100),
        (550, 99, 0),
        (0, 1000, 1000),
    ] {
        assert_eq!(
            kept(&entries, approximate(Keep::MaxLen(len), limit)),
            removed,
            "{len} {limit}"
        );
    }
    for (seq, limit, removed) in [
        (500, 0, 400),
        (501, 0, 500),
        (101, 0, 100),
        (100, 0, 0),
        (9999, 0, 1000),
        (9999, 250, 200),
    ] {
        assert_eq!(
            kept(&entries, approximate(Keep::MinId(id(seq)), limit)),
            removed,
            "{seq} {limit}"
        );
    }
    assert_eq!(kept(&numbered(1050), approximate(Keep::MaxLen(0), 0)), 1050);
    assert_eq!(kept(&numbered(50), approximate(Keep::MaxLen(10), 0)), 0);
}

#[test]
fn deleted_entries_are_no_part_of_what_a_node_counts() {
    let mut entries = numbered(1000);
    (1..=50).for_each(|seq| assert!(entries.delete(id(seq))));
    for (len, limit, removed) in [(900, 0, 50), (900, 49, 0), (900, 50, 50), (800, 150, 150)] {
        assert_eq!(
            kept(&entries, approximate(Keep::MaxLen(len), limit)),
            removed,
            "{len} {limit}"
        );
    }
    // But they fill it: 100 of these begin a node's end.
    let mut entries = numbered(60);
    (1..=40).for_each(|seq| assert!(entries.delete(id(seq))));
    (61..=201).for_each(|seq| append(&mut entries, seq, b"v", NodeLimits::DEFAULT));
    assert_eq!(kept(&entries, approximate(Keep::MaxLen(20), 0)), 60);
    assert_eq!(kept(&entries, approximate(Keep::MaxLen(102), 0)), 0);
    assert_eq!(kept(&entries, approximate(Keep::MaxLen(101), 0)), 60);
}

#[test]
fn with_references_to_delete_only_the_limit_keeps_to_nodes() {
    let entries = numbered(1000);
    let groups = group(1000, 11..=1000);
    let removed = |trim| planned(&entries, &groups, trim, References::Delete);
    assert_eq!(removed(approximate(Keep::MaxLen(850), 0)), 150);
    assert_eq!(removed(approximate(Keep::MaxLen(850), 100)), 100);
    assert_eq!(removed(approximate(Keep::MaxLen(850), 199)), 100);
    assert_eq!(removed(approximate(Keep::MaxLen(850), 99)), 0);
    assert_eq!(removed(exact(Keep::MaxLen(850))), 150);
}

#[test]
fn acknowledged_trims_pass_over_what_is_not() {
    let entries = numbered(1000);
    let check = |groups: Groups, rows: &[(Trim, u64)]| {
        for (trim, removed) in rows {
            assert_eq!(
                planned(&entries, &groups, *trim, References::Acknowledged),
                *removed,
                "{trim:?}"
            );
        }
    };
    let at_len = |len, limit| approximate(Keep::MaxLen(len), limit);
    check(group(150, 0..0), &[(at_len(500, 0), 0)]);
    check(
        group(150, 1..=150),
        &[
            (at_len(500, 0), 150),
            (at_len(500, 120), 100),
            (at_len(500, 90), 0),
            (exact(Keep::MaxLen(500)), 150),
        ],
    );
    check(
        group(150, (1..=150).step_by(2)),
        &[
            (at_len(500, 0), 75),
            (at_len(950, 0), 50),
            (at_len(900, 0), 75),
            (exact(Keep::MaxLen(950)), 50),
            (exact(Keep::MaxLen(990)), 10),
            (exact(Keep::MinId(id(11))), 5),
            (approximate(Keep::MinId(id(120)), 0), 60),
            (approximate(Keep::MinId(id(201)), 0), 75),
        ],
    );
    check(
        group(1000, 11..=1000),
        &[
            (at_len(850, 0), 150),
            (at_len(850, 100), 90),
            (at_len(850, 190), 150),
            (at_len(850, 200), 150),
        ],
    );
    check(
        group(1000, 1..=1000),
        &[
            (approximate(Keep::MinId(id(150)), 0), 149),
            (at_len(950, 0), 50),
        ],
    );
    check(Groups::new(), &[(at_len(500, 0), 500)]);
}

#[test]
fn a_node_is_also_full_by_its_bytes() {
    let mut entries = Entries::new();
    (1..=300).for_each(|seq| append(&mut entries, seq, &[b'v'; 64], NodeLimits::DEFAULT));
    assert_eq!(kept(&entries, approximate(Keep::MaxLen(0), 60)), 54);
    let mut entries = Entries::new();
    (1..=10).for_each(|seq| append(&mut entries, seq, &[b'v'; 5000], NodeLimits::DEFAULT));
    assert_eq!(kept(&entries, approximate(Keep::MaxLen(0), 1)), 1);
    let mut entries = Entries::new();
    let unbounded = NodeLimits {
        entries_max: 0,
        bytes_max: 0,
    };
    (1..=5000).for_each(|seq| append(&mut entries, seq, &[b'v'; 64], unbounded));
    assert_eq!(kept(&entries, approximate(Keep::MaxLen(10), 0)), 0);
}

#[test]
fn the_default_limit_follows_the_node() {
    let limit = |entries_max| {
        NodeLimits {
            entries_max,
            bytes_max: 0,
        }
        .trim_limit_default()
    };
    assert_eq!(
        (limit(100), limit(10), limit(0), limit(20_000)),
        (10_000, 1000, 10_000, 1_000_000)
    );
}

#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    Delete {
        at: u16,
        count: u8,
    },
    Deliver(u8),
    Acknowledge {
        at: u16,
        count: u8,
        step: u8,
    },
    GiveBack(u16),
    SetId(u16),
    Replace(u16),
    Trim {
        keep: u16,
        by_id: bool,
        limit: Option<u8>,
        references: References,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let references = prop_oneof![
        Just(References::Keep),
        Just(References::Delete),
        Just(References::Acknowledged)
    ];
    let step = prop_oneof![
        4 => (1_u8..60).prop_map(Step::Append),
        2 => (any::<u16>(), 1_u8..40).prop_map(|(at, count)| Step::Delete { at, count }),
        2 => (1_u8..60).prop_map(Step::Deliver),
        2 => (any::<u16>(), 1_u8..40, 1_u8..4)
            .prop_map(|(at, count, step)| Step::Acknowledge { at, count, step }),
        1 => any::<u16>().prop_map(Step::GiveBack),
        1 => any::<u16>().prop_map(Step::SetId),
        1 => any::<u16>().prop_map(Step::Replace),
        4 => (any::<u16>(), any::<bool>(), prop::option::of(0_u8..40), references).prop_map(
            |(keep, by_id, limit, references)| Step::Trim { keep, by_id, limit, references }
        ),
    ];
    prop::collection::vec(step, 1..50)
}

/// A stream in nodes of five, as plain as can be.
#[derive(Default)]
struct Model {
    nodes: Vec<Vec<u64>>,
    open: usize,
    top: u64,
}

impl Model {
    fn append(&mut self) {
        self.top += 1;
        if self.nodes.is_empty() || self.open == 0 || self.open == 5 {
            self.nodes.push(Vec::new());
            self.open = 0;
        }
        self.open += 1;
        self.nodes.last_mut().unwrap().push(self.top);
    }

    fn delete(&mut self, seq: u64) {
        for node in &mut self.nodes {
            node.retain(|&other| other != seq);
        }
        if self.nodes.last().is_some_and(Vec::is_empty) {
            self.open = 0;
        }
        self.nodes.retain(|node| !node.is_empty());
    }

    fn all(&self) -> Vec<u64> {
        self.nodes.concat()
    }

    /// What goes, in order: the table of this module, entry by entry.
    fn trimmed(
        &self,
        trim: Trim,
        references: References,
        settled: impl Fn(u64) -> bool,
    ) -> Vec<u64> {
        let mut len = self.all().len() as u64;
        let mut gone: Vec<u64> = Vec::new();
        for node in &self.nodes {
            let may_go = |seq: u64, len: u64| match trim.keep {
                Keep::MaxLen(max) => len > max,
                Keep::MinId(min) => id(seq) < min,
            };
            if let Precision::Approximate { limit } = trim.precision {
                let count = (gone.len() + node.len()) as u64;
                if limit.is_some_and(|limit| count > limit.get()) {
                    break;
                }
                let last_len = len - (node.len() as u64 - 1);
                if references == References::Keep && !may_go(*node.last().unwrap(), last_len) {
                    break;
                }
            }
            for &seq in node {
                if may_go(seq, len) && (references != References::Acknowledged || settled(seq)) {
                    gone.push(seq);
                    len -= 1;
                }
            }
        }
        gone
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn trims_do_what_the_plain_model_does(steps in steps(), indexed_at in 0_usize..60, prepares in any::<bool>()) {
        let limits = NodeLimits { entries_max: 5, bytes_max: 0 };
        let mut stream = crate::Stream::new(crate::Retention { duration_s: 100, maxsize: 100 }, 1);
        let mut model = Model::default();
        let mut group = Group::new(StreamId::MIN, None);
        let consumer = group.create_consumer(b"c", 5).handle();
        stream.groups_mut().insert(b"g", group.clone());
        stream.groups_mut().insert(b"h", group);
        let pick = |model: &Model, at: u16| {
            let all = model.all();
            all.get(usize::from(at) * all.len() / 65536).copied().unwrap_or(0)
        };
        let mut turn = 0;
        for step in steps {
            turn += 1;
            if turn == indexed_at {
                stream.groups_mut().index();
            }
            match step {
                Step::Append(count) => for _ in 0..count {
                    model.append();
                    let value = vec![b'v'; 400];
                    stream.append(id(model.top), [b"f".as_slice(), &value].into_iter(), limits).unwrap();
                },
                Step::Delete { at, count } => {
                    let from = pick(&model, at);
                    for seq in from..from + u64::from(count) {
                        stream.delete(id(seq), References::Keep);
                        model.delete(seq);
                    }
                }
                Step::Deliver(count) => {
                    let name = if turn % 2 == 0 { b"g" } else { b"h" };
                    let last = stream.groups().find(name).unwrap().last_delivered();
                    let ids: Vec<_> = model.all().into_iter().map(id).filter(|id| *id > last).take(count.into()).collect();
                    stream.groups_mut().edit(name, |group| {
                        group.deliver(consumer, &ids, 5, Acknowledgement::Awaited, None);
                    });
                }
                Step::Acknowledge { at, count, step } => {
                    let from = pick(&model, at);
                    let ids: Vec<_> = (from..from + u64::from(count)).step_by(step.into()).map(id).collect();
                    for name in [b"g", b"h"] {
                        stream.groups_mut().edit(name, |group| group.acknowledge(&ids));
                    }
                }
                Step::GiveBack(at) => {
                    let seq = pick(&model, at);
                    stream.groups_mut().edit(b"h", |group| group.give_back(id(seq), 1));
                }
                Step::SetId(at) => {
                    let last = id(pick(&model, at));
                    stream.groups_mut().edit(b"h", |group| group.set_id(last, Some(at.into())));
                }
                Step::Replace(at) => {
                    let name = if at % 2 == 0 { b"h" } else { b"i" };
                    stream.groups_mut().remove(name);
                    let mut group = Group::new(id(pick(&model, at)), None);
                    group.create_consumer(b"c", 5);
                    stream.groups_mut().insert(b"h", group);
                }
                Step::Trim { keep, by_id, limit, references } => {
                    let keep = match by_id {
                        true => Keep::MinId(id(pick(&model, keep))),
                        false => Keep::MaxLen(u64::from(keep) * (model.all().len() as u64 + 3) / 65536),
                    };
                    let trim = match limit {
                        Some(limit) => approximate(keep, limit.into()),
                        None => exact(keep),
                    };
                    let settled = |seq| stream.groups().acknowledged_by_all(id(seq));
                    let gone = model.trimmed(trim, references, settled);
                    if prepares {
                        stream.prepare_trim(&trim, references);
                    }
                    let cut = stream.plan_trim(&trim, references);
                    prop_assert_eq!(cut.map_or(0, |cut| cut.entry_count), gone.len() as u64, "{:?}", trim);
                    let before = stream.groups().clone();
                    let pending = |groups: &Groups| -> usize {
                        groups.iter().map(|(_, group)| group.pending_count()).sum()
                    };
                    if let Some(cut) = cut {
                        let trimmed = stream.trim(cut.through, references, &mut Removed::default());
                        prop_assert_eq!(trimmed.entries, cut.entry_count);
                        let references = pending(&before) - pending(stream.groups());
                        prop_assert_eq!(trimmed.references, references as u64);
                    }
                    for &seq in &gone {
                        model.delete(seq);
                    }
                    // Also what was deleted before is pending no longer below what stays.
                    let first = model.all().first().copied().unwrap_or(u64::MAX);
                    let forgotten_below = match (references, trim.keep) {
                        (References::Delete, Keep::MinId(min)) => first.min(min.seq),
                        (References::Delete, Keep::MaxLen(_)) => first,
                        (References::Keep | References::Acknowledged, _) => 0,
                    };
                    for seq in 1..=model.top {
                        let expected = seq >= forgotten_below && before.is_pending_anywhere(id(seq));
                        prop_assert_eq!(stream.groups().is_pending_anywhere(id(seq)), expected);
                    }
                }
            }
            stream.groups().assert_index_agrees(stream.entries());
            let all: Vec<_> = stream.entries().iter().map(|entry| entry.id().seq).collect();
            prop_assert_eq!(all, model.all());
        }
    }
}
