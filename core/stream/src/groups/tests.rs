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
