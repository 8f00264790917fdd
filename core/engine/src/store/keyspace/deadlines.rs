//! When something is due for which key, in all databases.
//!
//! Each database has its deadlines in order, and the databases are in the order of their first
//! ones. So the next deadline of all is found at once, and swapping or emptying databases takes no
//! longer if there are many deadlines, since others wait meanwhile. Keys are identified by their
//! hashes.

use std::collections::BTreeSet;

use crate::time::UnixMs;

/// The deadlines of one database: when, and the hash of the key.
pub(crate) type Agenda<K = u64> = BTreeSet<(UnixMs, K)>;

/// The deadlines of all databases.
#[derive(Debug, Clone)]
pub(crate) struct Deadlines<K = u64> {
    agendas: Vec<Agenda<K>>,
    /// The first deadline of each database that has one.
    first: BTreeSet<(UnixMs, u16)>,
}

impl<K: Ord + Copy> Deadlines<K> {
    /// No deadlines, for this many databases.
    pub(crate) fn new(databases: u16) -> Deadlines<K> {
        Deadlines {
            agendas: (0..databases).map(|_| Agenda::new()).collect(),
            first: BTreeSet::new(),
        }
    }

    /// Adds, moves or removes the deadline of a key; `None` means no deadline.
    #[inline]
    pub(crate) fn replace(&mut self, db: u16, key: K, from: Option<UnixMs>, to: Option<UnixMs>) {
        if from == to {
            return;
        }
        self.change(db, |agenda| {
            if let Some(at) = from {
                agenda.remove(&(at, key));
            }
            if let Some(at) = to {
                agenda.insert((at, key));
            }
        });
    }

    /// Removes all deadlines of a database, which the caller drops.
    pub(crate) fn clear(&mut self, db: u16) -> Agenda<K> {
        let mut taken = Agenda::new();
        self.change(db, |agenda| taken = std::mem::take(agenda));
        taken
    }

    /// Swaps the deadlines of two databases.
    pub(crate) fn swap(&mut self, a: u16, b: u16) {
        if a == b {
            return;
        }
        let mut taken = self.clear(a);
        self.change(b, |agenda| std::mem::swap(agenda, &mut taken));
        self.change(a, |agenda| *agenda = taken);
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<UnixMs> {
        self.first.first().map(|(at, _)| *at)
    }

    /// The earliest deadline with its database and key, if it has come.
    pub(crate) fn first_due(&self, now: UnixMs) -> Option<(u16, UnixMs, K)> {
        let (at, db) = *self.first.first()?;
        let (_, key) = *self.agendas[usize::from(db)].first()?;
        (at <= now).then_some((db, at, key))
    }

    /// The number of deadlines in all.
    pub(crate) fn len(&self) -> usize {
        self.agendas.iter().map(Agenda::len).sum()
    }

    fn change(&mut self, db: u16, change: impl FnOnce(&mut Agenda<K>)) {
        let agenda = &mut self.agendas[usize::from(db)];
        let at = |agenda: &Agenda<K>| agenda.first().map(|(at, _)| *at);
        let before = at(agenda);
        change(agenda);
        let after = at(agenda);
        if before == after {
            return;
        }
        if let Some(at) = before {
            self.first.remove(&(at, db));
        }
        if let Some(at) = after {
            self.first.insert((at, db));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const DATABASES: u16 = 4;

    /// A key that counts how often it is compared.
    #[derive(Clone, Copy)]
    struct Counted<'a>(u64, &'a Cell<u64>);

    impl Ord for Counted<'_> {
        fn cmp(&self, other: &Self) -> Ordering {
            self.1.set(self.1.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted<'_> {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for Counted<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other) == Ordering::Equal
        }
    }

    impl Eq for Counted<'_> {}

    #[test]
    #[expect(
        clippy::mutable_key_type,
        reason = "the count of comparisons is no part of the order"
    )]
    fn swapping_and_emptying_look_at_no_key() {
        let comparisons = Cell::new(0);
        let mut deadlines = Deadlines::new(DATABASES);
        for key in 0..20_000 {
            // All at one time, so that every comparison of two deadlines compares keys.
            let key = (key % 2, Counted(key, &comparisons));
            deadlines.replace(key.0 as u16, key.1, None, Some(UnixMs(5)));
        }
        assert!(comparisons.replace(0) > 20_000);
        deadlines.swap(0, 1);
        deadlines.swap(1, 2);
        let taken = deadlines.clear(0);
        assert_eq!(comparisons.get(), 0);
        assert_eq!((taken.len(), deadlines.len()), (10_000, 10_000));
        assert_eq!(deadlines.next(), Some(UnixMs(5)));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Replace(u16, u64, Option<i64>),
        Clear(u16),
        Swap(u16, u16),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => (0..DATABASES, 0_u64..8, prop::option::of(0_i64..20))
                .prop_map(|(db, key, at)| Step::Replace(db, key, at)),
            1 => (0..DATABASES).prop_map(Step::Clear),
            2 => (0..DATABASES, 0..DATABASES).prop_map(|(a, b)| Step::Swap(a, b)),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn the_first_deadline_of_all_is_known(steps in steps()) {
            let mut deadlines = Deadlines::new(DATABASES);
            let mut model = vec![BTreeMap::<u64, UnixMs>::new(); usize::from(DATABASES)];
            for step in steps {
                match step {
                    Step::Replace(db, key, at) => {
                        let keys = &mut model[usize::from(db)];
                        let (from, to) = (keys.remove(&key), at.map(UnixMs));
                        keys.extend(to.map(|at| (key, at)));
                        deadlines.replace(db, key, from, to);
                    }
                    Step::Clear(db) => {
                        let taken = deadlines.clear(db);
                        prop_assert_eq!(taken.len(), std::mem::take(&mut model[usize::from(db)]).len());
                    }
                    Step::Swap(a, b) => {
                        model.swap(usize::from(a), usize::from(b));
                        deadlines.swap(a, b);
                    }
                }
                let all = model.iter().flat_map(BTreeMap::values);
                prop_assert_eq!(deadlines.next(), all.clone().min().copied());
                prop_assert_eq!(deadlines.len(), all.count());
                let due = deadlines.first_due(UnixMs(9));
                prop_assert_eq!(due.map(|(_, at, _)| at), deadlines.next().filter(|at| at.0 <= 9));
                if let Some((db, at, key)) = due {
                    prop_assert_eq!(model[usize::from(db)].get(&key), Some(&at));
                }
            }
        }
    }
}
