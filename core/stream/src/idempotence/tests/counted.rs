//! What is counted of producers, and how they are shown.

use super::*;

fn counting() -> StreamSettings {
    StreamSettings {
        counts_producers: true,
        ..StreamSettings::default()
    }
}

/// All that a scan shows, in the order of names.
fn shown(real: &Idempotence, count: usize, now_ms: u64) -> Vec<(Vec<u8>, usize, u64, Tally)> {
    let (mut all, mut cursor) = (BTreeMap::new(), 0);
    loop {
        cursor = real.scan_producers(cursor, count, now_ms, |report| {
            let tally = report.tally.unwrap_or_default();
            all.insert(report.name.to_vec(), (report.iids, report.epoch, tally));
        });
        if cursor == 0 {
            break;
        }
    }
    let all = all.into_iter();
    all.map(|(name, (iids, epoch, tally))| (name, iids, epoch, tally))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against plain lists that remove nothing before they have to, with and without upkeep.
    #[test]
    fn producers_are_shown_with_what_happened_to_them(
        maxsize in prop::sample::select(vec![1, 2, 8, 9, 130]),
        steps in prop::collection::vec((0..6_u16, 0..60_u16, 0..12_u8, 0..3_000_u64), 1..500),
        counted_from in 0..50_usize,
        count in 1..9_usize,
    ) {
        let (mut real, mut packed) = (fresh(60, maxsize), fresh(60, maxsize));
        let mut windows: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
        let mut epochs: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        let mut tallies: BTreeMap<Vec<u8>, Tally> = BTreeMap::new();
        let mut sum = Tally::default();
        let mut now_ms = START_MS;
        for (number, (producer, iid, kind, ms)) in steps.into_iter().enumerate() {
            let name = producer_text(producer);
            now_ms += ms;
            if number == counted_from {
                real.follow(&counting());
                packed.follow(&counting());
            }
            let mut note = |what, times| {
                if times > 0 && number >= counted_from {
                    tallies.entry(name.clone()).or_default().add(what, times);
                    sum.add(what, times);
                }
            };
            let is_known = real.lookup(&name, &iid_text(iid), now_ms).is_some();
            let both = [&mut real, &mut packed];
            match kind {
                0 => {
                    for one in both {
                        one.count(&name, Counted::Fenced, 1);
                    }
                    note(Counted::Fenced, 1);
                }
                1 => {
                    *epochs.entry(name.clone()).or_default() += 1;
                    for one in both {
                        one.set_epoch(&name, epochs[&name]);
                    }
                }
                _ if is_known => {
                    for one in both {
                        one.count_duplicate(&name);
                    }
                    note(Counted::Duplicate, 1);
                }
                _ => {
                    for one in both {
                        one.record(&name, &iid_text(iid), entry_id(number as u64 + 1), now_ms);
                    }
                    let window = windows.entry(name.clone()).or_default();
                    window.retain(|added_ms| added_ms + 60_000 > now_ms);
                    window.push(now_ms);
                    let excess = window.len().saturating_sub(maxsize as usize);
                    window.drain(..excess);
                    note(Counted::Dropped, excess as u64);
                }
            }
            if kind == 11 {
                packed.expire(now_ms, &mut usize::MAX.clone());
            }
        }
        for window in windows.values_mut() {
            window.retain(|added_ms| added_ms + 60_000 > now_ms);
        }
        let tracked = windows.iter().filter(|(_, window)| !window.is_empty());
        let tracked = tracked.map(|(name, _)| name);
        let mut names: Vec<_> = tracked.chain(epochs.keys()).chain(tallies.keys()).collect();
        names.sort();
        names.dedup();
        let of = |name: &Vec<u8>| {
            let tally = tallies.get(name).copied().unwrap_or_default();
            let epoch = epochs.get(name).copied().unwrap_or_default();
            (name.clone(), windows.get(name).map_or(0, Vec::len), epoch, tally)
        };
        let expected: Vec<_> = names.into_iter().map(of).collect();
        packed.expire(now_ms, &mut usize::MAX.clone());
        for one in [&real, &packed] {
            prop_assert_eq!(&shown(one, count, now_ms), &expected);
            prop_assert_eq!(one.counted().copied().unwrap_or_default(), sum);
        }
        real.follow(&StreamSettings::default());
        prop_assert_eq!(real.counted(), None);
    }
}

#[test]
fn the_youngest_is_told_at_every_size() {
    let mut real = fresh(100, 1_000);
    for number in 1..500 {
        let (name, iid) = (producer_text(1), iid_text(number));
        real.record(&name, &iid, entry_id(number.into()), START_MS);
        let report = real.producer(&name, START_MS).unwrap();
        let last = report.last.unwrap();
        assert_eq!((&*last.iid, last.id), (&*iid, entry_id(number.into())));
        assert_eq!(report.iids, usize::from(number));
    }
    assert!(
        real.producer(&producer_text(1), START_MS + 100_000)
            .is_none()
    );
}

#[test]
fn a_count_stops_at_what_a_signed_number_holds() {
    let mut tally = Tally::default();
    tally.add(Counted::Fenced, u64::MAX);
    tally.add(Counted::Fenced, 1);
    assert_eq!(tally.get(Counted::Fenced), i64::MAX as u64);
}

#[test]
fn producers_beyond_the_bound_count_in_the_sums_only() {
    let mut real = fresh(100, 1);
    real.follow(&counting());
    for number in 0..=COUNTED_PRODUCERS_MAX {
        real.count(number.to_string().as_bytes(), Counted::Fenced, 1);
    }
    let sum = real.counted().unwrap().get(Counted::Fenced);
    assert_eq!(sum, COUNTED_PRODUCERS_MAX as u64 + 1);
    assert_eq!(real.counted_producers().count(), COUNTED_PRODUCERS_MAX);
    let beyond = COUNTED_PRODUCERS_MAX.to_string();
    assert!(real.producer(beyond.as_bytes(), START_MS).is_none());
    // Whoever has a row keeps it.
    real.count(b"0", Counted::Fenced, 1);
    let tally = real.producer(b"0", START_MS).unwrap().tally.unwrap();
    assert_eq!(tally.get(Counted::Fenced), 2);
}
