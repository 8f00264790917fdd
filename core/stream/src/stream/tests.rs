//! How read counters and lag follow what happens to a stream.

use proptest::prelude::*;
use resp::ArgvBuf;

use super::*;
use crate::{Acknowledgement, Removed, Retention};

fn id(seq: u64) -> StreamId {
    StreamId::new(1, seq)
}

fn stream(len: u64) -> Stream {
    let retention = Retention {
        duration_s: 100,
        maxsize: 100,
    };
    let mut stream = Stream::new(retention, 1);
    let fields: ArgvBuf = [b"f".as_slice(), b"v"].into_iter().collect();
    for seq in 1..=len {
        let appended = stream.append(id(seq), fields.as_argv().iter(), NodeLimits::DEFAULT);
        assert_eq!(appended, Ok(()));
    }
    stream
}

fn read_after(stream: &Stream, group: &Group, ids: &[StreamId]) -> Option<u64> {
    let (last_delivered, read) = (group.last_delivered(), group.entries_read());
    stream
        .counters()
        .entries_read_after(last_delivered, read, ids)
}

#[test]
fn a_group_from_the_start_counts_what_it_reads_although_it_stops_midway() {
    let group = Group::new(StreamId::MIN, None);
    assert_eq!(read_after(&stream(3), &group, &[id(1), id(2)]), Some(2));
}

#[test]
fn a_deleted_entry_ahead_loses_the_counter_until_the_end_is_reached() {
    let mut stream = stream(4);
    let mut group = Group::new(id(1), Some(1));
    assert_eq!(stream.delete(id(3), References::Keep), Deletion::Deleted);
    assert_eq!(read_after(&stream, &group, &[id(2)]), None);
    assert_eq!(read_after(&stream, &group, &[id(2), id(4)]), Some(4));
    assert_eq!(stream.lag(&group), 2, "counted, for want of a counter");
    let reader = group.create_consumer(b"c", 0).handle();
    group.deliver(reader, &[id(2)], 0, Acknowledgement::Awaited, None);
    assert_eq!(stream.lag(&group), 1);
}

#[test]
fn a_group_behind_the_first_entry_lags_by_what_is_there() {
    let mut stream = stream(4);
    let group = Group::new(StreamId::MIN, Some(4));
    assert_eq!(stream.lag(&group), 4, "its counter cannot be true");
    stream.trim(id(2), References::Keep, &mut Removed::default());
    assert_eq!(stream.lag(&group), 2);
    stream.trim(StreamId::MAX, References::Keep, &mut Removed::default());
    assert_eq!(stream.lag(&group), 0, "nothing is left to read");
}

#[test]
fn xsetid_keeps_counters_possible() {
    let mut stream = stream(3);
    let set = |last_id, entries_added, max_deleted_id| SetId {
        last_id,
        entries_added,
        max_deleted_id,
    };
    let check = |stream: &Stream, set: SetId| stream.check_set_id(&set);
    assert_eq!(
        check(&stream, set(id(2), None, None)),
        Err(SetIdRefused::BelowTop)
    );
    assert_eq!(
        check(&stream, set(id(9), Some(2), None)),
        Err(SetIdRefused::AddedBelowLen)
    );
    assert_eq!(
        check(&stream, set(id(9), None, Some(id(10)))),
        Err(SetIdRefused::BelowGivenMaxDeleted)
    );
    let good = set(id(9), Some(u64::MAX), Some(id(5)));
    assert_eq!(check(&stream, good), Ok(()));
    stream.set_id(&good);
    assert_eq!(stream.last_id(), id(9));
    assert_eq!(stream.entries_added(), ENTRIES_ADDED_MAX);
    assert_eq!(
        check(&stream, set(id(4), None, None)),
        Err(SetIdRefused::BelowMaxDeleted)
    );
}

#[test]
fn what_a_group_says_that_it_has_read_is_never_more_than_was_added() {
    let mut stream = stream(10);
    stream.insert_group(b"g", Group::new(id(8), Some(8)));
    stream.insert_group(b"behind", Group::new(id(1), Some(1)));
    stream.insert_group(b"unknown", Group::new(id(8), None));
    stream.trim(id(7), References::Keep, &mut Removed::default());
    stream.set_id(&SetId {
        last_id: id(10),
        entries_added: Some(3),
        max_deleted_id: None,
    });
    let read = |stream: &Stream, name: &[u8]| {
        let group = stream.groups().find(name).unwrap();
        (group.entries_read(), stream.lag(group))
    };
    assert_eq!(read(&stream, b"g"), (Some(1), 2));
    assert_eq!(read(&stream, b"behind"), (Some(1), 3));
    assert_eq!(read(&stream, b"unknown"), (None, 2));
    assert!(stream.set_group_id(b"behind", id(9), Some(5)));
    assert_eq!(read(&stream, b"behind"), (Some(2), 1));
    stream.insert_group(b"new", Group::new(id(10), Some(11)));
    assert_eq!(read(&stream, b"new"), (Some(3), 0));
}

#[derive(Clone, Debug)]
enum Step {
    Append,
    Delete(u8),
    Trim(u8),
    SetId {
        ahead: u8,
        entries_added: Option<u8>,
        max_deleted: Option<u8>,
    },
    SetGroup {
        at: u8,
        entries_read: Option<u8>,
    },
    Deliver(u8),
    ClaimLastId(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Append),
        1 => (0_u8..30).prop_map(Step::Delete),
        1 => (0_u8..30).prop_map(Step::Trim),
        2 => (0_u8..3, prop::option::of(0_u8..40), prop::option::of(0_u8..30)).prop_map(
            |(ahead, entries_added, max_deleted)| Step::SetId { ahead, entries_added, max_deleted }
        ),
        1 => (0_u8..30, prop::option::of(0_u8..40))
            .prop_map(|(at, entries_read)| Step::SetGroup { at, entries_read }),
        3 => (1_u8..6).prop_map(Step::Deliver),
        1 => (0_u8..30).prop_map(Step::ClaimLastId),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn lag_and_counters_are_possible_whatever_is_set(steps in steps()) {
        let mut stream = stream(0);
        stream.insert_group(b"g", Group::new(StreamId::MIN, None));
        for step in steps {
            let before = stream.groups().find(b"g").unwrap().clone();
            // Whether the lag must be exact after this step.
            let mut counted = false;
            match step {
                Step::Append => {
                    let next = id(stream.last_id().seq + 1);
                    let fields = [b"f".as_slice(), b"v"].into_iter();
                    stream.append(next, fields, NodeLimits::DEFAULT).unwrap();
                }
                Step::Delete(at) => {
                    stream.delete(id(at.into()), References::Keep);
                }
                Step::Trim(through) => {
                    stream.trim(id(through.into()), References::Keep, &mut Removed::default());
                }
                Step::SetId { ahead, entries_added, max_deleted } => {
                    let set = SetId {
                        last_id: id(stream.last_id().seq + u64::from(ahead)),
                        entries_added: entries_added.map(u64::from),
                        max_deleted_id: max_deleted.map(|seq| id(seq.into())),
                    };
                    if stream.check_set_id(&set).is_ok() {
                        stream.set_id(&set);
                        counted = before.entries_read() > Some(stream.entries_added());
                    }
                }
                Step::SetGroup { at, entries_read } => {
                    let entries_read = entries_read.map(u64::from);
                    stream.set_group_id(b"g", id(at.into()), entries_read);
                    counted = entries_read > Some(stream.entries_added());
                }
                Step::Deliver(count) => {
                    let from = before.last_delivered().next().unwrap();
                    let ids = stream.entries().range(from, StreamId::MAX).map(|entry| entry.id());
                    let ids: Vec<_> = ids.take(count.into()).collect();
                    if let Some(&last) = ids.last() {
                        let read = stream.entries_read_after(&before, &ids);
                        prop_assert_eq!(read, stream.bounded_read(last, read));
                        stream.set_group_id(b"g", last, read);
                    }
                }
                Step::ClaimLastId(at) => {
                    let last = id(at.into());
                    stream.set_group_id(b"g", last, stream.count_up_to(last));
                    counted = true;
                }
            }
            let group = stream.groups().find(b"g").unwrap();
            prop_assert!(group.entries_read() <= Some(stream.entries_added()));
            prop_assert!(stream.lag(group) <= stream.entries_added());
            let ahead = stream.entries().iter().filter(|entry| entry.id() > group.last_delivered());
            if counted {
                prop_assert_eq!(stream.lag(group), ahead.count() as u64);
            }
        }
    }
}
