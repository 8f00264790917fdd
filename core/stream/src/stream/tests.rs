//! How read counters and lag follow what happens to a stream.

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
