//! Many members at once.
//!
//! Each of many members that are placed one by one waits for memory three times: where its name is
//! found, where it was in the order, and where it comes to be are all far from the places of the
//! member before it. So first all of them are found in the order of their names' hashes, and then
//! the order is changed from its lowest score to its highest: what one search reads is still in the
//! processor's caches when the next one reads it. What comes of it is the same.

use collections::element::SHARED_BYTES_MIN;
use collections::hash::NameHasher;
use collections::map::{Copied, Longs};
use collections::{Sorted, in_steps};
use smallvec::SmallVec;

use super::order::{ByScore, HEAD_BYTES_MAX, compare, pack_into};
use super::{Builder, Large, Placed, Placing, SortedSet, look_ahead};

/// From how many members on they may be placed together.
const MANY: usize = 512;

/// How many are placed together at most. What is noted of them takes some megabytes.
const TOGETHER: usize = 1 << 18;

/// How many texts go to the order at a time, which are a page or two.
const TEXTS: usize = 128;

/// A score and its member.
type Pair<'p> = (f64, &'p [u8]);

impl SortedSet {
    /// Gives members these scores, one after another. Returns how many times one was added or got
    /// another score.
    pub fn place_each<'p>(
        &mut self,
        pairs: impl ExactSizeIterator<Item = Pair<'p>> + Clone,
        placing: Placing<'_>,
        longs: &mut impl Longs,
    ) -> u64 {
        // What changes nothing is not in the log, and must not change the form either.
        let is_kept = |(score, member)| self.score(member) == Some(score);
        if self.is_listpack()
            && pairs.len() > placing.thresholds.zset_max_listpack_entries
            && !pairs.clone().all(is_kept)
        {
            self.expect(pairs.len(), placing);
        }
        if !self.is_listpack() && pairs.len() >= MANY {
            return self
                .grown(placing.hasher)
                .place_many(pairs, placing.hasher, longs);
        }
        let mut count = 0;
        let place = |set: &mut SortedSet, (score, member)| {
            let placed = set.place_with(member, score, placing, longs);
            count += u64::from(placed != Placed::Kept);
        };
        in_steps(self, pairs, |(_, it)| it, SortedSet::look_ahead, place);
        count
    }
}

impl Builder<'_> {
    /// Gives members these scores, one after another.
    pub fn place_each<'p>(&mut self, pairs: impl ExactSizeIterator<Item = Pair<'p>>) {
        let (set, longest) = (&mut self.set, &mut self.longest);
        let hasher = self.placing.hasher;
        let are_many = pairs.len() >= MANY;
        let pairs = pairs.inspect(|(_, member)| *longest = member.len().max(*longest));
        if are_many {
            set.grown(hasher).place_many(pairs, hasher, &mut Copied);
            return;
        }
        for (score, member) in pairs {
            let before = set.score(member);
            set.put(member, before, score, hasher, &mut Copied);
        }
    }
}

impl Large {
    fn place_many<'p>(
        &mut self,
        mut pairs: impl Iterator<Item = Pair<'p>>,
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> u64 {
        let mut count = 0;
        loop {
            let some: Vec<Pair<'p>> = pairs.by_ref().take(TOGETHER).collect();
            count += self.place_some(&some, hasher, longs);
            if some.len() < TOGETHER {
                return count;
            }
        }
    }

    /// The same with at most [`TOGETHER`] of them.
    fn place_some(
        &mut self,
        pairs: &[Pair<'_>],
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> u64 {
        self.scores.spread(hasher);
        let members = pairs.iter().map(|(_, member)| *member);
        let Some(order) = self.scores.order_of(members) else {
            return self.place_in_turn(pairs, hasher, longs);
        };
        self.scores.make_room(&order);
        let mut count = 0;
        let mut comes = vec![false; pairs.len()];
        let mut gone: Vec<Pair<'_>> = Vec::new();
        // Which ones came of members that may be the same: one that comes twice comes with its last
        // score.
        let mut latest = SmallVec::<[usize; 4]>::new();
        let name_of = |place: usize| pairs[place].1;
        order.for_each_beside(name_of, |place, is_alike| {
            if !is_alike {
                latest.clear();
            }
            let (score, member) = pairs[place];
            if member.len() >= SHARED_BYTES_MIN - HEAD_BYTES_MAX {
                let placed = self.place_any(member, score, hasher, longs);
                count += u64::from(placed != Placed::Kept);
                return;
            }
            let before = self.set_score(member, score, hasher);
            if before == Some(score) {
                return;
            }
            count += 1;
            comes[place] = true;
            match latest.iter_mut().find(|it| pairs[**it].1 == member) {
                Some(earlier) => comes[std::mem::replace(earlier, place)] = false,
                None => {
                    latest.push(place);
                    gone.extend(before.map(|before| (before, member)));
                }
            }
        });
        let came = pairs.iter().zip(comes).filter(|(_, comes)| *comes);
        let mut came: Vec<Pair<'_>> = came.map(|(pair, _)| *pair).collect();
        for_texts(&mut gone, &mut self.order, Sorted::remove_each);
        for_texts(&mut came, &mut self.order, Sorted::insert_each);
        count
    }

    /// The same in the order in which they come.
    fn place_in_turn(
        &mut self,
        pairs: &[Pair<'_>],
        hasher: NameHasher,
        longs: &mut impl Longs,
    ) -> u64 {
        let mut count = 0;
        let place = |large: &mut Large, (score, member)| {
            let placed = large.place_any(member, score, hasher, longs);
            count += u64::from(placed != Placed::Kept);
        };
        let look = |large: &Large, members: &[&[u8]]| look_ahead(&large.scores, members);
        in_steps(self, pairs.iter().copied(), |(_, it)| it, look, place);
        count
    }
}

/// Sorts pairs, and changes the order by their texts, some at a time.
fn for_texts(
    pairs: &mut [Pair<'_>],
    order: &mut Sorted<ByScore>,
    change: impl Fn(&mut Sorted<ByScore>, &[&[u8]]),
) {
    pairs.sort_unstable_by(|one, other| compare(*one, *other));
    let mut bytes = Vec::new();
    for pairs in pairs.chunks(TEXTS) {
        bytes.clear();
        let end_of = |(score, member): &Pair<'_>| {
            pack_into(*score, member, &mut bytes);
            bytes.len()
        };
        let ends: SmallVec<[usize; TEXTS]> = pairs.iter().map(end_of).collect();
        let mut start = 0;
        let text_to = |end: &usize| &bytes[std::mem::replace(&mut start, *end)..*end];
        let texts: SmallVec<[&[u8]; TEXTS]> = ends.iter().map(text_to).collect();
        change(order, &texts);
    }
}
