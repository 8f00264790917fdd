use std::collections::BTreeSet;

use super::table::{Bounds, Readers};
use super::untold::{News, Untold};
use super::*;
use crate::clients::session::{SessionId, Sessions};
use crate::error::TrackingError;
use crate::limits::UNTRACKED_PER_READ_MAX;
use crate::time::Now;
use crate::users::Users;

/// A client that does not run a request now.
fn client(sessions: &mut Sessions) -> SessionId {
    let users = Users::for_tests();
    sessions.connect(String::new(), String::new(), &users, Now::default())
}

fn options(reads: TrackedReads) -> TrackingOptions {
    TrackingOptions {
        reads,
        no_loop: false,
        redirect: None,
    }
}

fn table(bounds: Bounds) -> (Table, Trackers, News) {
    let mut table = Table::new(Rng::new(1), 0);
    table.bounds = bounds;
    (table, Trackers::default(), News::default())
}

const WIDE: Bounds = Bounds {
    keys: usize::MAX,
    items: usize::MAX,
    name_bytes: usize::MAX,
};

fn readers_told(untold: &[Untold]) -> usize {
    let readers = |told: &Untold| match told {
        Untold::Key(_, readers) => readers.len(),
        Untold::Everything => 0,
    };
    untold.iter().map(readers).sum()
}

/// Names that are on the heap.
fn long(number: u64) -> Key {
    Key::from(format!("{number:0>100}").as_bytes())
}

#[test]
fn a_full_table_tells_of_a_key_for_each_that_it_takes() {
    let name_bytes = long(0).heap_bytes();
    let bounds = [
        Bounds { keys: 5, ..WIDE },
        Bounds { items: 5, ..WIDE },
        Bounds {
            name_bytes: 5 * name_bytes,
            ..WIDE
        },
    ];
    for bounds in bounds {
        let (mut table, mut trackers, mut news) = table(bounds);
        let mut sessions = Sessions::default();
        let reader = trackers.turn_on(client(&mut sessions), None);
        for number in 0..5 {
            table.remember(&mut trackers, reader, number, long(number), &mut news);
        }
        assert_eq!((table.len(), news.untold.len()), (5, 0), "{bounds:?}");
        for number in 5..50 {
            table.remember(&mut trackers, reader, number, long(number), &mut news);
            assert!(!table.is_too_large());
        }
        assert_eq!((table.len(), news.untold.len()), (5, 45), "{bounds:?}");
        let all = trackers.table_bytes(reader);
        assert!((500..2000).contains(&all), "{all}");
        // Nothing is counted that is not there.
        for number in 0..50 {
            table.take(&mut trackers, number, &long(number));
        }
        assert_eq!((table.len(), table.items()), (0, 0));
        assert_eq!(trackers.table_bytes(reader), 0);
    }
}

#[test]
fn what_finds_no_room_in_bounded_steps_is_told_at_once() {
    let (mut table, mut trackers, mut news) = table(WIDE);
    let mut sessions = Sessions::default();
    let reader = trackers.turn_on(client(&mut sessions), None);
    for number in 0..1000 {
        table.remember(&mut trackers, reader, number, long(number), &mut news);
    }
    // The bound is lowered while the server runs.
    table.set_keys_max(10);
    assert_eq!((table.len(), news.untold.len()), (1000, 0));
    table.remember(&mut trackers, reader, 1000, long(1000), &mut news);
    assert_eq!(news.untold.len(), UNTRACKED_PER_READ_MAX + 1);
    assert!(table.take(&mut trackers, 1000, &long(1000)).is_none());
    table.shrink(&mut trackers, 100, &mut news);
    assert_eq!(news.untold.len(), UNTRACKED_PER_READ_MAX + 101);
    table.shrink(&mut trackers, 10_000, &mut news);
    assert_eq!((table.len(), news.untold.len()), (10, 991));
    assert!(!table.is_too_large());
}

#[test]
fn clients_that_come_and_go_leave_little_behind_at_a_key() {
    let (mut table, mut trackers, mut news) = table(WIDE);
    let mut sessions = Sessions::default();
    let stays = trackers.turn_on(client(&mut sessions), None);
    table.remember(&mut trackers, stays, 7, long(7), &mut news);
    for _ in 0..10_000 {
        let goes = trackers.turn_on(client(&mut sessions), None);
        table.remember(&mut trackers, goes, 7, long(7), &mut news);
        trackers.remove(goes);
        assert!(table.items() <= 8, "{}", table.items());
    }
    let (_, readers) = table.take(&mut trackers, 7, &long(7)).unwrap();
    assert!(readers.contains(&stays));
    assert_eq!((table.items(), readers_told(&news.untold)), (0, 0));
    assert_eq!((trackers.len(), trackers.iter().count()), (1, 1));
}

#[test]
fn as_many_prefixes_as_allowed_and_not_one_more() {
    let mut sessions = Sessions::default();
    let ids = [client(&mut sessions), client(&mut sessions)];
    let mut tracking = Tracking::new(1, 0);
    tracking.prefixes.bounds = prefixes::Bounds {
        of_client: 3,
        of_all: 4,
        bytes: 5,
    };
    let broadcast = options(TrackedReads::Broadcast);
    let mut ask = |id: usize, prefixes: &[&[u8]]| {
        let session = sessions.find_mut(ids[id]).unwrap();
        let asked = tracking.turn_on(session, broadcast, prefixes);
        (asked, tracking.prefixes(), session.request_bytes())
    };
    let refused = Err(CmdError::Tracking(TrackingError::TooManyPrefixes));
    assert_eq!(ask(0, &[b"a", b"b", b"c", b"d"]), (refused.clone(), 0, 0));
    assert_eq!(ask(0, &[b"aaaaaa"]), (refused.clone(), 0, 0));
    assert_eq!(ask(0, &[b"aaaaa", b"b"]).0, Ok(()));
    assert_eq!(ask(0, &[b"c", b"d"]).0, refused);
    let (asked, count, bytes) = ask(0, &[b"c"]);
    assert_eq!((asked, count), (Ok(()), 3));
    assert!(bytes >= 3 * 200, "{bytes}");
    assert_eq!(ask(1, &[b"x", b"y"]).0, refused);
    assert_eq!(ask(1, &[b"x"]).0, Ok(()));
    assert_eq!(tracking.clients(), 2);
    for id in ids {
        let mut session = sessions.take(id).unwrap();
        let is_last = tracking.forget(&mut session).is_some();
        assert_eq!((is_last, session.request_bytes()), (id == ids[1], 0));
        sessions.put_back(session);
    }
    assert_eq!((tracking.clients(), tracking.prefixes()), (0, 0));
    assert!(!tracking.prefixes.any_is_of(b"aaaaaaa"));
}

#[test]
fn prefixes_of_a_key_are_found_whatever_lies_between_them() {
    let mut prefixes = Prefixes::default();
    let mut trackers = Trackers::default();
    let mut sessions = Sessions::default();
    let id = trackers.turn_on(client(&mut sessions), None);
    let all: &[&[u8]] = &[b"", b"a", b"aa", b"ab", b"aab", b"b", b"aaaa"];
    for prefix in all {
        prefixes.add(prefix, id);
    }
    for key in [b"".as_slice(), b"a", b"aab", b"aabb", b"aaaa", b"abc", b"c"] {
        let found: BTreeSet<Vec<u8>> = prefixes.of(key).map(|prefix| prefix.to_vec()).collect();
        let expected = all.iter().filter(|prefix| key.starts_with(prefix));
        assert_eq!(found, expected.map(|prefix| prefix.to_vec()).collect());
    }
    for prefix in all {
        prefixes.remove(prefix, id);
    }
    assert!(!prefixes.any_is_of(b"aab"));
}

#[test]
fn what_is_not_told_yet_is_bounded_and_gives_way_to_a_word_for_all_of_it() {
    let mut news = News::default();
    news.bytes_max = 10_000;
    let nobody = Readers::new;
    let mut fit = 0;
    while !matches!(news.untold.first(), Some(Untold::Everything)) {
        news.push_change(&long(fit), None);
        news.push_key(long(fit), nobody());
        fit += 1;
    }
    let each = 2 * long(0).heap_bytes() as u64;
    assert!((5_000..=10_000).contains(&(fit * each)), "{fit} keys");
    // What comes then is told already, and takes nothing.
    for number in 0..1000 {
        news.push_change(&long(number), None);
        news.push_key(long(number), nobody());
        news.push_everything();
    }
    let (untold, changes) = news.take();
    assert!(matches!(untold.as_slice(), [Untold::Everything]));
    assert!(changes.is_empty() && news.is_empty());
    // Once it is told, keys are told one by one again; one that changes often is there once.
    (0..1_000).for_each(|_| news.push_change(b"key", None));
    assert_eq!((news.untold.len(), news.changes.len()), (0, 1));
}
