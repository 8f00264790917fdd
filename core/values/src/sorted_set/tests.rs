use std::collections::BTreeMap;

use proptest::prelude::*;

use super::order::compare;
use super::*;

const HASHER: NameHasher = NameHasher::new([1, 2]);

/// Small ones, so that sets cross them often.
const THRESHOLDS: Thresholds = Thresholds {
    zset_max_listpack_entries: 20,
    zset_max_listpack_value: 10,
    ..Thresholds::DEFAULT
};

const PLACING: Placing<'static> = Placing {
    thresholds: &THRESHOLDS,
    hasher: HASHER,
};

const AS_USUAL: Placing<'static> = Placing {
    thresholds: &Thresholds::DEFAULT,
    hasher: HASHER,
};

#[derive(Clone, Default)]
struct Model {
    scores: BTreeMap<Vec<u8>, f64>,
    was_large: bool,
}

impl Model {
    fn in_order(&self) -> Vec<(f64, &[u8])> {
        let members = self.scores.iter();
        let mut all: Vec<_> = members
            .map(|(member, score)| (*score, member.as_slice()))
            .collect();
        all.sort_by(|one, other| compare(*one, *other));
        all
    }

    fn place(&mut self, member: &[u8], score: f64) -> Placed {
        let before = self.scores.get(member).copied();
        if before == Some(score) {
            return Placed::Kept;
        }
        let is_new = before.is_none();
        self.was_large |= is_new && (self.scores.len() >= 20 || member.len() > 10);
        let is_plain_zero = score == 0.0 && !self.was_large;
        let score = if is_plain_zero { 0.0 } else { score };
        self.scores.insert(member.to_vec(), score);
        if is_new { Placed::Added } else { Placed::Moved }
    }

    fn place_each(&mut self, pairs: &[(f64, Vec<u8>)]) -> u64 {
        let is_kept = |(score, member): &(f64, Vec<u8>)| self.scores.get(member) == Some(score);
        self.was_large |= pairs.len() > 20 && !pairs.iter().all(is_kept);
        let placed = pairs
            .iter()
            .map(|(score, member)| self.place(member, *score));
        placed.filter(|placed| *placed != Placed::Kept).count() as u64
    }
}

fn check(set: &SortedSet, model: &Model) {
    let all = model.in_order();
    assert_eq!(set.len(), all.len());
    assert_eq!(set.is_listpack(), !model.was_large);
    let same = |found: Member<'_>, (score, member): (f64, &[u8])| {
        assert_eq!(
            (found.score.to_bits(), found.member),
            (score.to_bits(), member)
        );
    };
    set.iter()
        .zip(&all)
        .for_each(|(found, wanted)| same(found, *wanted));
    set.iter()
        .rev()
        .zip(all.iter().rev())
        .for_each(|(found, wanted)| same(found, *wanted));
    for (rank, (score, member)) in all.iter().enumerate() {
        assert_eq!(set.rank(member), Some((rank, *score)));
        assert_eq!(set.score(member).map(f64::to_bits), Some(score.to_bits()));
        assert_eq!(set.get(rank).map(|it| it.member), Some(*member));
    }
    assert_eq!(set.get(all.len()), None);
}

#[derive(Clone, Debug)]
enum Step {
    Place(u16, f64, usize),
    Run(u16, u16, f64),
    Each {
        /// How many pairs, of how many members, with how many scores.
        counts: (u16, u16, u16),
        by: f64,
        len: usize,
    },
    Remove(u16, usize),
    RemoveRanks(prop::sample::Index, usize),
    Freeze,
}

fn scores() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-5..5_i32).prop_map(f64::from),
        1 => Just(-0.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        2 => any::<f64>().prop_filter("a number", |score| !score.is_nan()),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = || prop_oneof![40 => Just(0_usize), 4 => Just(11), 1 => Just(1500)];
    // Around the lengths from which on a member, or a member behind its score, is shared.
    let each_len = || prop_oneof![8 => Just(0_usize), 1 => 1010..1030_usize];
    let step = prop_oneof![
        6 => (0..40_u16, scores(), len()).prop_map(|(n, score, len)| Step::Place(n, score, len)),
        1 => (0..300_u16, 1..200_u16, scores()).prop_map(|(n, count, by)| Step::Run(n, count, by)),
        1 => ((1..1500_u16, 1..1500_u16, 1..1500_u16), scores(), each_len())
            .prop_map(|(counts, by, len)| Step::Each { counts, by, len }),
        3 => (0..40_u16, len()).prop_map(|(n, len)| Step::Remove(n, len)),
        1 => (any::<prop::sample::Index>(), 1..60_usize).prop_map(|(at, n)| Step::RemoveRanks(at, n)),
        1 => Just(Step::Freeze),
    ];
    prop::collection::vec(step, 1..60)
}

fn member(number: u16, len: usize) -> Vec<u8> {
    [number.to_string().into_bytes(), vec![b'm'; len]].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_sorted_set_behaves_like_a_sorted_list_of_pairs(steps in steps()) {
        let (mut set, mut model) = (SortedSet::new(), Model::default());
        let mut frozen = Vec::new();
        for step in steps {
            match step {
                Step::Place(number, score, len) => {
                    let member = member(number, len);
                    let placed = set.place(&member, score, PLACING);
                    prop_assert_eq!(placed, model.place(&member, score));
                }
                Step::Run(from, count, by) => for number in from..from + count {
                    let (member, score) = (member(number, 0), f64::from(number) * by);
                    if !score.is_nan() {
                        let placed = set.place(&member, score, PLACING);
                        prop_assert_eq!(placed, model.place(&member, score));
                    }
                },
                Step::Each { counts: (count, members, scores), by, len } => {
                    let pairs: Vec<(f64, Vec<u8>)> = (0..count)
                        .map(|n| {
                            // Only a few of them are long.
                            let len = if n % 50 == 0 { len } else { 0 };
                            let score = f64::from(n.wrapping_mul(31) % scores) * by;
                            (score, member(n.wrapping_mul(17) % members, len))
                        })
                        .filter(|(score, _)| !score.is_nan())
                        .collect();
                    let placed = pairs.iter().map(|(score, member)| (*score, member.as_slice()));
                    let count = set.place_each(placed, PLACING, &mut Copied);
                    prop_assert_eq!(count, model.place_each(&pairs));
                }
                Step::Remove(number, len) => {
                    let member = member(number, len);
                    let was_there = set.remove(&member, &mut Copied);
                    prop_assert_eq!(was_there, model.scores.remove(&member).is_some());
                }
                Step::RemoveRanks(at, count) => {
                    let from = at.index(model.scores.len() + 1);
                    let gone = model.in_order().into_iter().skip(from).take(count);
                    let gone: Vec<Vec<u8>> = gone.map(|(_, member)| member.to_vec()).collect();
                    set.remove_ranks(from, from + count, &mut Copied);
                    gone.iter().for_each(|member| { model.scores.remove(member); });
                }
                Step::Freeze => frozen.push((set.clone(), model.clone())),
            }
            check(&set, &model);
        }
        for (set, model) in frozen {
            check(&set, &model);
        }
        for score in [-3.5, -0.0, 0.0, 2.0, f64::INFINITY] {
            let lower = model.scores.values().filter(|it| **it < score).count();
            prop_assert_eq!(set.rank_by(|it| it.score < score), lower);
        }
    }
}

#[test]
fn a_sorted_set_is_kept_as_redis_would_say() {
    let mut set = SortedSet::new();
    set.place(&[b'm'; 64], 1.0, AS_USUAL);
    for number in 1..128 {
        set.place(format!("{number}").as_bytes(), 2.0, AS_USUAL);
    }
    assert_eq!(Value::from(set.clone()).encoding(1), "listpack");
    // To move one is not to add one.
    set.place(b"1", 3.0, AS_USUAL);
    assert!(set.is_listpack());
    let mut long = set.clone();
    long.remove(b"1", &mut Copied);
    assert_eq!(long.place(&[b'm'; 65], 1.0, AS_USUAL), Placed::Added);
    long.remove(&[b'm'; 65], &mut Copied);
    assert_eq!(Value::from(long).encoding(1), "skiplist");
    let mut expecting = set.clone();
    expecting.expect(128, AS_USUAL);
    assert!(expecting.is_listpack());
    expecting.expect(129, AS_USUAL);
    assert!(!expecting.is_listpack());
    set.place(b"128", 1.0, AS_USUAL);
    let value = Value::from(set);
    assert_eq!((value.type_name(), value.encoding(1)), ("zset", "skiplist"));
}

#[test]
fn many_members_that_are_built_are_those_of_the_last_scores() {
    for count in [1, 511, 512, 2000, 600_000_u32] {
        let pairs = (0..count).map(|n| (f64::from(n % 977), (n % (count / 2 + 1)).to_string()));
        let pairs: Vec<(f64, String)> = pairs.collect();
        let mut built = Builder::new(AS_USUAL);
        built.place_each(
            pairs
                .iter()
                .map(|(score, member)| (*score, member.as_bytes())),
        );
        let set = built.finish();
        let last: BTreeMap<&[u8], f64> = pairs
            .iter()
            .map(|(score, member)| (member.as_bytes(), *score))
            .collect();
        assert_eq!((set.len(), set.is_listpack()), (last.len(), count <= 128));
        assert!(
            last.iter()
                .all(|(member, score)| set.score(member) == Some(*score))
        );
        let mut in_order: Vec<(f64, &[u8])> = last
            .iter()
            .map(|(member, score)| (*score, *member))
            .collect();
        in_order.sort_by(|one, other| compare(*one, *other));
        assert!(set.iter().map(|it| (it.score, it.member)).eq(in_order));
    }
}

#[test]
fn a_scan_shows_each_member_that_is_there_throughout() {
    let mut set = SortedSet::new();
    let name = |number: u32| format!("member {number}");
    for round in 0..20_u32 {
        // It grows and shrinks while it is scanned, and changes its form; scores change, too.
        let (mut cursor, mut seen, mut step) = (0, std::collections::BTreeSet::new(), 0);
        (0..100).for_each(|number| {
            set.place(name(number).as_bytes(), f64::from(number), AS_USUAL);
        });
        loop {
            cursor = set.scan(cursor, 10, |it| {
                seen.insert(it.member.to_vec());
            });
            if cursor == 0 {
                break;
            }
            for number in 0..200 {
                let other = name(1000 + (step * 200 + number) % 1500);
                if (step + round) % 3 == 0 {
                    set.remove(other.as_bytes(), &mut Copied);
                } else {
                    set.place(other.as_bytes(), f64::from(number), AS_USUAL);
                }
            }
            let moved = name(step % 100);
            set.place(moved.as_bytes(), f64::from(step) * 7.0, AS_USUAL);
            step += 1;
        }
        assert!(
            (0..100).all(|number| seen.contains(name(number).as_bytes())),
            "round {round}"
        );
        if round % 2 == 0 {
            let from = set.len() / 3;
            set.remove_ranks(from, set.len(), &mut Copied);
        }
    }
}

#[test]
fn a_long_member_is_in_memory_once() {
    struct Given(Shared, usize);

    impl Longs for Given {
        fn come(&mut self, _: &[u8]) -> Shared {
            self.0.clone()
        }

        fn gone(&mut self, _: Shared) {
            self.1 += 1;
        }
    }

    let member = Shared::new(vec![b'm'; 5000]);
    let mut longs = Given(member.clone(), 0);
    for others in [0, 1, 1000] {
        let mut set = SortedSet::new();
        for number in 0..others {
            set.place(format!("member {number}").as_bytes(), 1.0, PLACING);
        }
        let short = set.heap_bytes(0);
        for (score, placed) in [(2.0, Placed::Added), (0.5, Placed::Moved)] {
            assert_eq!(set.place_with(&member, score, PLACING, &mut longs), placed);
        }
        // The order and the map have what was given.
        let elements: Vec<_> = set.range(0, 1).elements().collect();
        let [(Element::Shared(first), 0.5)] = elements.as_slice() else {
            panic!("it comes first: {elements:?}");
        };
        assert!(Shared::ptr_eq(first, &member));
        let grown = set.heap_bytes(0) - short;
        assert!((5000..6500).contains(&grown) || others < 1000, "{grown}");
        assert_eq!(set.rank(&vec![b'm'; 5000]), Some((0, 0.5)));
        assert!(set.remove(&vec![b'm'; 5000], &mut longs));
        set.place_with(&member, 3.0, PLACING, &mut longs);
        set.remove_ranks(others, others + 1, &mut longs);
        assert_eq!((set.len(), longs.1), (others, 2));
        longs.1 = 0;
    }
    assert_eq!(Shared::strong_count(&member), 2);
}
