use super::*;
use crate::group::Acknowledgement;

fn id(ms: u64) -> StreamId {
    StreamId::new(ms, 0)
}

/// A group that has read `read` entries, of which one consumer has these pending.
fn group(read: u64, pending: &[u64]) -> Group {
    let mut group = Group::new(id(0), Some(0));
    let consumer = group.create_consumer(b"c", 1).handle();
    let ids: Vec<_> = (1..=read).map(id).collect();
    group.deliver(consumer, &ids, 1, Acknowledgement::Awaited, Some(read));
    let done: Vec<_> = ids
        .into_iter()
        .filter(|id| !pending.contains(&id.ms))
        .collect();
    group.acknowledge(&done);
    group
}

#[test]
fn an_entry_is_settled_when_every_group_has_read_and_acknowledged_it() {
    let mut groups = Groups::new();
    assert!(groups.acknowledged_by_all(id(1)));
    assert!(!groups.is_pending_anywhere(id(1)));
    assert_eq!(groups.settled_below(), StreamId::MAX);
    groups.insert(b"one", group(9, &[5, 7]));
    groups.insert(b"two", group(6, &[6]));
    let settled: Vec<_> = (1..=10)
        .filter(|&ms| groups.acknowledged_by_all(id(ms)))
        .collect();
    assert_eq!(settled, [1, 2, 3, 4]);
    let pending: Vec<_> = (1..=10)
        .filter(|&ms| groups.is_pending_anywhere(id(ms)))
        .collect();
    assert_eq!(pending, [5, 6, 7]);
    assert_eq!(groups.settled_below(), id(5));
    assert_eq!(groups.forget(id(5)), 1);
    assert_eq!(groups.forget(id(5)), 0);
    assert_eq!(groups.settled_below(), id(6));
    assert_eq!(groups.forget(id(6)), 1);
    assert_eq!(groups.settled_below(), StreamId::new(6, 1));
}

#[test]
fn many_entries_are_forgotten_in_all_groups_at_once() {
    let mut groups = Groups::new();
    groups.insert(b"one", group(9, &[5, 7]));
    groups.insert(b"two", group(9, &[6, 7]));
    groups.insert(b"none", group(0, &[]));
    assert_eq!(groups.forget_all(&[id(1), id(7), id(6), id(6)]), 3);
    let pending: Vec<_> = (1..=10)
        .filter(|&ms| groups.is_pending_anywhere(id(ms)))
        .collect();
    assert_eq!(pending, [5]);
    assert_eq!(groups.forget_all(&[]), 0);
}

#[test]
fn groups_are_listed_in_the_byte_order_of_their_names() {
    let mut groups = Groups::new();
    for name in [b"zeta".as_slice(), b"alpha", b"\xff", b"", b"mid"] {
        groups.insert(name, group(1, &[]));
    }
    let names: Vec<_> = groups.iter().map(|(name, _)| name).collect();
    assert_eq!(names, [b"".as_slice(), b"alpha", b"mid", b"zeta", b"\xff"]);
    assert!(groups.remove(b"mid").is_some());
    assert!(groups.remove(b"mid").is_none());
    assert_eq!(groups.len(), 4);
    assert!(groups.find(b"zeta").is_some() && groups.find(b"nope").is_none());
}

#[test]
fn a_clone_stays_as_it_was() {
    let mut groups = Groups::new();
    groups.insert(b"g", group(1000, &(1..=1000).collect::<Vec<_>>()));
    let frozen = groups.clone();
    assert_eq!(groups.forget(id(500)), 1);
    let pending = |groups: &Groups| groups.find(b"g").map(Group::pending_count);
    assert_eq!(
        (pending(&frozen), pending(&groups)),
        (Some(1000), Some(999))
    );
    assert!(frozen.is_pending_anywhere(id(500)));
}

impl Groups {
    /// That the index, if there is one, says what the groups do.
    pub(crate) fn assert_index_agrees(&self, entries: &Entries) {
        let Some(referrers) = &self.referrers else {
            return;
        };
        referrers.assert_agrees(self.by_name.iter().map(|(name, group)| (name, &**group)));
        referrers.assert_walked(entries, |id| {
            self.iter().any(|(_, group)| group.pending(id).is_some())
        });
        let first = |of: fn(&Group) -> Option<StreamId>| {
            self.iter().filter_map(|(_, group)| of(group)).min()
        };
        let settled_below = first(|group| Some(group.settled_below()));
        assert_eq!(self.settled_below(), settled_below.unwrap_or(StreamId::MAX));
        assert_eq!(
            self.least_delivered(),
            first(|group| Some(group.last_delivered()))
        );
    }
}

/// Groups that all have read 100 entries and have every tenth one pending.
fn many(count: usize) -> Groups {
    let mut groups = Groups::new();
    let pending: Vec<u64> = (10..=100).step_by(10).collect();
    for number in 0..count {
        groups.insert(format!("g{number}").as_bytes(), group(100, &pending));
    }
    groups
}

#[test]
fn many_groups_are_indexed_once_they_were_asked_as_often_as_that_costs() {
    let mut few = many(ASKED_GROUPS_MAX);
    few.expect_questions(1_000_000);
    assert!(few.referrers.is_none());
    let mut groups = many(100);
    groups.expect_questions(9);
    assert!(groups.referrers.is_none() && groups.is_asked_in_turn());
    groups.expect_questions(1);
    assert!(groups.referrers.is_some() && !groups.is_asked_in_turn());
    groups.assert_index_agrees(&Entries::new());
    assert_eq!(groups.referring_to(id(10)).count(), 100);
    assert_eq!(groups.referring_to(id(11)).count(), 0);
    assert_eq!(groups.forget(id(10)), 100);
    assert_eq!(groups.forget(id(10)), 0);
    assert_eq!(groups.forget_through(id(30)), 200);
    groups.assert_index_agrees(&Entries::new());
    let frozen = groups.clone();
    assert_eq!(groups.forget(id(40)), 100);
    assert_eq!(frozen.referring_to(id(40)).count(), 100);
    groups.assert_index_agrees(&Entries::new());
}

#[test]
fn groups_come_and_go_with_their_rows_of_the_index() {
    let mut groups = many(100);
    groups.index();
    for number in 0..60 {
        let name = format!("g{number}");
        groups.remove(name.as_bytes());
        groups.insert(format!("h{number}").as_bytes(), group(number, &[1, 2]));
        groups.assert_index_agrees(&Entries::new());
    }
    groups.insert(b"g70", group(5, &[5]));
    groups.assert_index_agrees(&Entries::new());
    assert!(groups.heap_bytes() > many(0).heap_bytes() && groups.weight() > 0);
    // One that has most of what is pending takes the index along.
    let all: Vec<u64> = (1..=5000).collect();
    groups.insert(b"large", group(5000, &all));
    groups.assert_index_agrees(&Entries::new());
    groups.remove(b"large");
    assert!(groups.referrers.is_none());
}

#[test]
fn what_is_stuck_is_walked_over_once() {
    let (count, limits) = (4000, crate::NodeLimits::DEFAULT);
    let mut entries = Entries::new();
    let fields = || [b"f".as_slice(), b"v"].into_iter();
    for ms in 1..=count {
        entries.append(id(ms), fields(), limits).unwrap();
    }
    let mut groups = Groups::new();
    let all: Vec<u64> = (1..=count).collect();
    groups.insert(b"g", group(count, &all));
    assert_eq!(groups.expect_walk(&entries, StreamId::MAX, 10), count);
    assert_eq!(groups.expect_walk(&entries, StreamId::MAX, 10), 0);
    entries.append(id(count + 1), fields(), limits).unwrap();
    assert_eq!(groups.expect_walk(&entries, StreamId::MAX, 10), 0);
    groups.edit(b"g", |group| group.acknowledge(&[id(7), id(9)]));
    assert_eq!(groups.expect_walk(&entries, StreamId::MAX, 10), 2);
    assert_eq!(groups.expect_walk(&entries, StreamId::MAX, 10), 0);
    let settled: Vec<_> = groups
        .settled(&entries, StreamId::MIN, StreamId::MAX)
        .collect();
    assert_eq!(settled, [id(7), id(9)]);
    groups.assert_index_agrees(&entries);
}
