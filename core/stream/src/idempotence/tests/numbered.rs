//! Iids that are numbers, against the greatest one of each producer.

use super::*;
use crate::settings::IidMode;

fn monotone() -> StreamSettings {
    StreamSettings {
        iid_mode: IidMode::Monotone,
        on_conflict: OnConflict::Error,
        ..StreamSettings::default()
    }
}

fn text(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A producer begins with the greatest number in its window, and never forgets what it has
    /// reached since, however long it is silent.
    #[test]
    fn what_a_producer_has_reached_is_never_forgotten(
        maxsize in prop::sample::select(vec![1, 8, 9, 130]),
        steps in prop::collection::vec((0..6_u16, 0..40_u64, 0..8_u8, 0..9_000_u64), 1..400),
        numbered_from in 0..200_usize,
    ) {
        let mut real = fresh(60, maxsize);
        let mut windows: BTreeMap<Vec<u8>, Vec<(u64, StreamId, u64)>> = BTreeMap::new();
        let mut model: BTreeMap<Vec<u8>, Reached> = BTreeMap::new();
        let mut now_ms = START_MS;
        for (step, (producer, number, kind, ms)) in steps.into_iter().enumerate() {
            now_ms += ms;
            let (name, iid) = (producer_text(producer), text(number));
            let id = entry_id(step as u64 + 1);
            if step == numbered_from {
                drop(real.follow(&monotone()));
            }
            if kind == 7 {
                real.expire(now_ms, &mut usize::MAX.clone());
            }
            let window = windows.entry(name.clone()).or_default();
            window.retain(|&(_, _, added_ms)| added_ms + 60_000 > now_ms);
            if step < numbered_from {
                if real.lookup(&name, &iid, now_ms).is_none() {
                    real.record(&name, &iid, id, now_ms);
                    window.push((number, id, now_ms));
                    let excess = window.len().saturating_sub(maxsize as usize);
                    window.drain(..excess);
                }
                continue;
            }
            let greatest = window.iter().max_by_key(|(number, ..)| *number);
            let begun = greatest.map(|&(number, id, _)| Reached { number, id });
            let reached = model.get(&name).copied().or(begun);
            let stand = real.stand(&name, &iid, now_ms);
            prop_assert_eq!(stand, Some(Stand::of(number, reached)));
            prop_assert_eq!(real.reached(&name, now_ms), reached);
            match stand.unwrap() {
                Stand::Next | Stand::Beyond(_) => {
                    real.record(&name, &iid, id, now_ms);
                    real.record_message(&name, &iid, id, pairs("f v"));
                    model.insert(name.clone(), Reached { number, id });
                }
                Stand::Last(last) => {
                    let is_new = model.contains_key(&name);
                    prop_assert_eq!(real.conflicts(&name, &iid, last, pairs("f w")), is_new);
                    prop_assert!(!real.conflicts(&name, &iid, last, pairs("f v")));
                }
                Stand::Stale(_) => {}
            }
            let iids = model.get(&name).map(|_| 1).unwrap_or(window.len());
            let report = real.producer(&name, now_ms);
            prop_assert_eq!(report.as_ref().map_or(0, |report| report.iids), iids);
        }
        for window in windows.values_mut() {
            window.retain(|&(_, _, added_ms)| added_ms + 60_000 > now_ms);
        }
        let windows = windows.iter();
        let windows = windows.filter(|(name, window)| {
            !window.is_empty() && !model.contains_key(*name)
        });
        let (producers, iids) = windows.fold((0, 0), |(producers, iids), (_, window)| {
            (producers + 1, iids + window.len())
        });
        let tracked = real.tracked(now_ms + 1_000);
        if real.calendar.is_none() && iids == 0 {
            prop_assert_eq!(tracked.iids, model.len());
        }
        prop_assert!(tracked.producers <= producers + model.len());
        let mut all: Vec<_> = real.all_reached().map(|(name, at)| (name.to_vec(), at)).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
        drop(real.follow(&StreamSettings::default()));
        prop_assert!(!real.is_beyond_redis());
    }
}

#[test]
fn only_plain_decimal_numbers_are_numbers() {
    for iid in ["0", "7", "9223372036854775807"] {
        assert!(number_of_iid(iid.as_bytes()).is_some(), "{iid}");
    }
    for iid in [
        "",
        "-1",
        "+1",
        "01",
        " 1",
        "1 ",
        "1.0",
        "x",
        "9223372036854775808",
    ] {
        assert!(number_of_iid(iid.as_bytes()).is_none(), "{iid}");
    }
}

#[test]
fn a_window_goes_when_its_producer_has_reached_a_number() {
    let mut real = fresh(60, 1_000);
    for number in 1..300 {
        real.record(b"p", &text(number), entry_id(number), START_MS);
        real.record(b"q", &text(number), entry_id(number), START_MS);
    }
    drop(real.follow(&monotone()));
    real.record(b"p", b"300", entry_id(300), START_MS);
    assert_eq!(real.stored().producers, 1);
    let tracked = real.tracked(START_MS);
    assert_eq!((tracked.producers, tracked.iids), (2, 300));
    // What the calendar knows of the window that is gone does no harm.
    real.expire(START_MS + 100_000, &mut usize::MAX.clone());
    let tracked = real.tracked(START_MS + 100_000);
    assert_eq!((tracked.producers, tracked.iids), (1, 1));
    let reached = real.reached(b"p", START_MS + 100_000).unwrap();
    assert_eq!((reached.number, reached.id), (300, entry_id(300)));
    assert_eq!(real.reached(b"q", START_MS + 100_000), None);
}
